//! Calls whose input is one text: embeddings, speech, images and moderations.

use bytes::Bytes;

use crate::json::quote;
use crate::tokens;

/// Body of a call with one text, without the name of the model.
#[derive(Debug)]
pub struct TextCallBody {
    /// Estimated tokens of the text.
    pub input_tokens: u32,
    /// Bytes from the end of the model's name.
    rest: Bytes,
}

impl TextCallBody {
    /// Returns the body with the text in a member, and further members whose values are JSON.
    pub(in crate::openai) fn new<'m>(
        member: &str,
        text: &str,
        others: impl IntoIterator<Item = (&'m str, &'m str)>,
    ) -> Self {
        let input_tokens = u32::try_from(tokens::of_text(text.len() as u64)).unwrap_or(u32::MAX);
        let mut rest = format!(r#",{}:{}"#, quote(member), quote(text));
        for (name, value) in others {
            rest.push_str(&format!(r#",{}:{value}"#, quote(name)));
        }
        rest.push('}');
        Self { input_tokens, rest: rest.into() }
    }

    /// Returns the body for a backend that knows the model by this name.
    pub fn body_for(&self, upstream_name: &str) -> Vec<Bytes> {
        vec![format!(r#"{{"model":{}"#, quote(upstream_name)).into(), self.rest.clone()]
    }
}
