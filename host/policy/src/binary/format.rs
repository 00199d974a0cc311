//! The format of a policy's bytes, and the component in them.

use std::borrow::Cow;
use std::panic::catch_unwind;

use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};
use wasmtime::Engine;
use wit_component::ComponentEncoder;

use super::component_type::check_component_types;
use crate::load_error::{LoadError, one_line};

/// First bytes of every module and component.
const MAGIC: &[u8] = b"\0asm";

/// Refuses precompiled code and bytes that are not WebAssembly.
pub(crate) fn check_kind(bytes: &[u8]) -> Result<(), LoadError> {
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(LoadError::Precompiled);
    }
    if !bytes.starts_with(MAGIC) {
        let found = if bytes.is_empty() { "the file is empty" } else { "it does not begin with `\\0asm`" };
        return Err(LoadError::NotWebAssembly(found.to_owned()));
    }
    Ok(())
}

/// Returns the component: the bytes themselves, or one encoded from a core module.
pub(crate) fn component_of(bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadError> {
    match encoding(bytes)? {
        Encoding::Component => Ok(Cow::Borrowed(bytes)),
        Encoding::Module => encode(bytes).map(Cow::Owned),
    }
}

fn encoding(bytes: &[u8]) -> Result<Encoding, LoadError> {
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding, .. })) => Ok(encoding),
        Some(Err(error)) => Err(malformed(error)),
        _ => Err(LoadError::NotWebAssembly("it has no header".to_owned())),
    }
}

/// Wraps an error of the parser.
pub(crate) fn malformed(error: BinaryReaderError) -> LoadError {
    LoadError::NotWebAssembly(one_line(&error.to_string()))
}

/// Encodes a core module as a component. wit-component is a build tool and not made for hostile
/// input: it panics on some, and the panic is caught here.
fn encode(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    let encoded = catch_unwind(|| {
        check_component_types(module)?;
        let encoder = || ComponentEncoder::default().validate(true).module(module)?.encode();
        encoder().map_err(|error| format!("{error:#}"))
    });
    match encoded {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(reason)) => Err(LoadError::NotEncodable(one_line(&reason))),
        Err(_) => Err(LoadError::NotEncodable("its component type is malformed".to_owned())),
    }
}
