//! What kind of bytes they are, and the component in them.

use std::borrow::Cow;

use wasmparser::{Encoding, Parser, Payload};
use wasmtime::Engine;
use wit_component::ComponentEncoder;

use super::LoadError;

/// The component: the bytes themselves, or one made from a core module.
pub(super) fn component_of(bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadError> {
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(LoadError::Precompiled);
    }
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

fn encode(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    let mut encoder = ComponentEncoder::default().validate(true);
    encoder = encoder.module(module).map_err(|error| LoadError::NotEncodable(format!("{error:#}")))?;
    encoder.encode().map_err(|error| LoadError::NotEncodable(format!("{error:#}")))
}
