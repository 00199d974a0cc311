//! The reference policies, built from source with the gateway and part of it.

/// Names and bytes of the policies. The build script writes the list.
static POLICIES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/policies.rs"));

/// Returns a reference policy's bytes, by its name in `source = "builtin:NAME"`.
pub(crate) fn bytes(name: &str) -> Option<&'static [u8]> {
    POLICIES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests;
