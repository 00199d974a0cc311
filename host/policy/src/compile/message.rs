//! What the compiler's process says on its standard output: one byte that tells
//! what follows, and then native code or a text, to the end.

use crate::load::{LoadError, one_line};

/// The byte before native code. Errors have a byte of their own each.
const CODE: u8 = b'C';

/// What a compiler's process has to say.
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

/// What it said. `None` if that makes no sense.
pub(super) fn decode(mut said: Vec<u8>) -> Option<Result<Vec<u8>, LoadError>> {
    let kind = *said.first()?;
    said.remove(0);
    if kind == CODE {
        return Some(Ok(said));
    }
    let text = one_line(str::from_utf8(&said).ok()?);
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
