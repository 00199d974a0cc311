//! The format in which the compiler's process reports its result on standard output: one byte for
//! the kind of result, then native code or a message, up to the end.

use crate::load_error::{LoadError, one_line};

/// Kind of a result with native code. Each error has a kind of its own.
const CODE: u8 = b'C';

/// Encodes a result as its kind and its payload.
pub(super) fn encode(result: Result<Vec<u8>, LoadError>) -> (u8, Vec<u8>) {
    let (kind, text) = match result {
        Ok(code) => return (CODE, code),
        Err(LoadError::Precompiled) => (b'p', String::new()),
        Err(LoadError::NotWebAssembly(text)) => (b'w', text),
        Err(LoadError::NotEncodable(text)) => (b'e', text),
        Err(LoadError::TooComplex(text)) => (b'x', text),
        Err(LoadError::Compile(text)) => (b'c', text),
        Err(other) => (b'c', other.to_string()),
    };
    (kind, text.into_bytes())
}

/// Decodes a result. `None` if the bytes are not one.
pub(super) fn decode(mut output: Vec<u8>) -> Option<Result<Vec<u8>, LoadError>> {
    let kind = *output.first()?;
    output.remove(0);
    if kind == CODE {
        return Some(Ok(output));
    }
    let text = one_line(str::from_utf8(&output).ok()?);
    Some(Err(match kind {
        b'p' => LoadError::Precompiled,
        b'w' => LoadError::NotWebAssembly(text),
        b'e' => LoadError::NotEncodable(text),
        b'x' => LoadError::TooComplex(text),
        b'c' => LoadError::Compile(text),
        _ => return None,
    }))
}

#[cfg(test)]
mod tests;
