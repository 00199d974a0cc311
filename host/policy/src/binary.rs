//! Checks on a policy's bytes before anything compiles them.

use std::borrow::Cow;

use crate::load_error::LoadError;

pub(crate) mod complexity;
mod component_type;
pub(crate) mod format;

/// Returns the component in some bytes, checked as far as possible before compilation.
///
/// # Errors
/// Fails when the bytes are not WebAssembly, or too complex to compile.
pub(crate) fn checked_component(bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadError> {
    format::check_kind(bytes)?;
    complexity::check(bytes)?;
    format::component_of(bytes)
}
