//! Embeddings of the examples, which are kept from call to call.

use pointsman_sdk::embedding::Embedding;
use pointsman_sdk::state;

/// Length of the names of models and examples in keys.
const HASH: usize = 16;

/// Returns the key of an example's embedding by a model. Other models, texts and numbers have other keys.
pub(crate) fn key(model: &str, numbers: usize, text: &str) -> String {
    format!("{}{:0HASH$x}", prefix(model, numbers), hash(text))
}

/// Returns the beginning of the keys of a model.
fn prefix(model: &str, numbers: usize) -> String {
    format!("{:0HASH$x}/{numbers}/", hash(model))
}

/// Reads all embeddings by a model, with their keys, in order of the keys.
pub(crate) fn known(model: &str, numbers: usize) -> Vec<(String, Embedding)> {
    let entries = state::list(&prefix(model, numbers));
    entries.into_iter().map(|entry| (entry.key, Embedding::from_bytes(&entry.value))).collect()
}

/// Keeps the embedding of an example. Without room for it the example is embedded again for the next
/// request.
pub(crate) fn keep(key: &str, embedding: &Embedding) {
    let _ = state::set(key, embedding.to_bytes());
}

/// FNV-1a, which is short and good enough to distinguish a few hundred texts.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
