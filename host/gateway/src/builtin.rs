//! The reference policies, built from source with the gateway and part of it.

use pointsman_policy::Code;

/// A reference policy. The build script writes the list.
struct BuiltinPolicy {
    name: &'static str,
    bytes: &'static [u8],
    /// Native code of the bytes, in releases.
    native: Option<&'static [u8]>,
    /// Lines of its sources that are neither empty nor comments; 0 if the sources were not there.
    lines: u64,
}

static POLICIES: &[BuiltinPolicy] = include!(concat!(env!("OUT_DIR"), "/policies.rs"));

fn find(name: &str) -> Option<&'static BuiltinPolicy> {
    POLICIES.iter().find(|policy| policy.name == name)
}

/// Returns the names of all reference policies.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    POLICIES.iter().map(|policy| policy.name)
}

/// Returns a reference policy's bytes, by its name in `source = "builtin:NAME"`.
pub(crate) fn bytes(name: &str) -> Option<&'static [u8]> {
    find(name).map(|policy| policy.bytes)
}

/// Returns a reference policy for an engine, with the native code that it was compiled to if this is a release.
pub(crate) fn code(name: &str) -> Option<Code> {
    let policy = find(name)?;
    let code = Code::embedded(policy.bytes);
    Some(match policy.native {
        Some(native) => code.with_native(native),
        None => code,
    })
}

/// Returns the lines of a reference policy's source that are neither empty nor comments.
pub(crate) fn lines(name: &str) -> Option<u64> {
    find(name).map(|policy| policy.lines).filter(|lines| *lines > 0)
}

#[cfg(test)]
mod tests;
