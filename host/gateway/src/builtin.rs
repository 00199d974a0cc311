//! The reference policies, built from source with the gateway and part of it.

/// Names and bytes of the policies. The build script writes the list.
static POLICIES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/policies.rs"));

/// Returns a reference policy's bytes, by its name in `source = "builtin:NAME"`.
pub(crate) fn bytes(name: &str) -> Option<&'static [u8]> {
    POLICIES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_policy_that_the_configuration_knows_is_embedded() {
        let embedded: BTreeSet<&str> = POLICIES.iter().map(|(name, _)| *name).collect();
        assert_eq!(embedded, pointsman_config::BUILTIN_POLICIES.iter().copied().collect());
        assert!(POLICIES.iter().all(|(name, module)| bytes(name) == Some(*module) && !module.is_empty()));
    }
}
