//! The reference policies, built from source with the gateway and part of it.

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        /// Their names, as in `source = "builtin:NAME"`.
        #[cfg(test)]
        pub(crate) const NAMES: &[&str] = &[$($name),*];

        /// A reference policy's bytes.
        pub(crate) fn bytes(name: &str) -> Option<&'static [u8]> {
            match name {
                $($name => Some(include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".wasm"))),)*
                _ => None,
            }
        }
    };
}

builtin!(
    "cost",
    "performance",
    "task-type",
    "dynamic",
    "auto",
    "multimodal",
    "sequential",
    "parallel",
    "collaborate",
    "cascade",
);

#[cfg(test)]
mod tests {
    #[test]
    fn every_policy_that_the_configuration_knows_is_embedded() {
        assert_eq!(super::NAMES, pointsman_config::BUILTIN_POLICIES);
    }
}
