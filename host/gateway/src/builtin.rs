//! The reference policies, built from source with the gateway and part of it.

/// Names and bytes of the policies, and the lines of their sources that are neither empty nor comments, 0
/// if the sources are not there. The build script writes the list.
static POLICIES: &[(&str, &[u8], u64)] = include!(concat!(env!("OUT_DIR"), "/policies.rs"));

/// Returns a reference policy's bytes, by its name in `source = "builtin:NAME"`.
pub(crate) fn bytes(name: &str) -> Option<&'static [u8]> {
    POLICIES.iter().find(|(known, ..)| *known == name).map(|(_, bytes, _)| *bytes)
}

/// Returns the lines of a reference policy's source that are neither empty nor comments.
pub(crate) fn lines(name: &str) -> Option<u64> {
    let lines = POLICIES.iter().find(|(known, ..)| *known == name).map(|(.., lines)| *lines);
    lines.filter(|lines| *lines > 0)
}

#[cfg(test)]
mod tests;
