//! What kind of bytes they are, and the component in them.

use std::borrow::Cow;
use std::panic::catch_unwind;

use wasmparser::{Encoding, Parser, Payload};
use wasmtime::Engine;
use wit_component::ComponentEncoder;

use super::LoadError;

/// Refuses what wasmtime compiled before.
pub(super) fn check_not_native(bytes: &[u8]) -> Result<(), LoadError> {
    match Engine::detect_precompiled(bytes) {
        Some(_) => Err(LoadError::Precompiled),
        None => Ok(()),
    }
}

/// The component: the bytes themselves, or one made from a core module.
pub(super) fn component_of(bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadError> {
    match encoding(bytes)? {
        Encoding::Component => Ok(Cow::Borrowed(bytes)),
        Encoding::Module => encode(bytes).map(Cow::Owned),
    }
}

fn encoding(bytes: &[u8]) -> Result<Encoding, LoadError> {
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding, .. })) => Ok(encoding),
        Some(Err(error)) => Err(LoadError::NotWebAssembly(error.to_string())),
        _ => Err(LoadError::NotWebAssembly("the file is empty".to_owned())),
    }
}

/// wit-component is a build tool, not made for hostile input: it panics on some.
fn encode(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    let encoded = catch_unwind(|| ComponentEncoder::default().validate(true).module(module)?.encode());
    match encoded {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(error)) => Err(LoadError::NotEncodable(format!("{error:#}"))),
        Err(_) => Err(LoadError::NotEncodable("its component type is malformed".to_owned())),
    }
}
