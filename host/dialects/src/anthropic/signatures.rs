//! Signatures of other families in the blocks of this API.
//!
//! A client sends `thinking` and `redacted_thinking` back as it received them, so signatures of
//! other families travel in them, with a prefix that names the family:
//!
//! - `thinking.signature` = `gemini:…` is the signature of a Gemini thought.
//! - `thinking.signature` or `redacted_thinking.data` = `openai:…` is OpenAI's encrypted reasoning,
//!   with the id of the item before it if there is one: `openai:rs_1:…`.
//! - `redacted_thinking.data` = `gemini:…` is the signature of the block *before* it: Gemini signs
//!   texts and calls of tools, and a stream has written those when the signature arrives.

use std::borrow::Cow;

use crate::form::{Part, PartContent, Reasoning, Signature, SignatureOrigin};

const GEMINI: &str = "gemini:";
const OPENAI: &str = "openai:";

/// Returns a signature as a block of this API holds it.
pub(super) fn encode<'a>(signature: &'a Signature, id: Option<&str>) -> Cow<'a, str> {
    let value = &*signature.value;
    match (signature.origin, id) {
        (SignatureOrigin::Anthropic, _) => value.into(),
        (SignatureOrigin::Gemini, _) => format!("{GEMINI}{value}").into(),
        (SignatureOrigin::OpenAi, Some(id)) => format!("{OPENAI}{id}:{value}").into(),
        (SignatureOrigin::OpenAi, None) => format!("{OPENAI}{value}").into(),
    }
}

/// Splits a value from a block of this API into the signature and the id of the item.
fn decode(value: String) -> (Signature, Option<String>) {
    let signature = |origin, value: &str| Signature { origin, value: value.to_owned() };
    if let Some(value) = value.strip_prefix(GEMINI) {
        return (signature(SignatureOrigin::Gemini, value), None);
    }
    match value.strip_prefix(OPENAI).map(|value| value.split_once(':').ok_or(value)) {
        Some(Ok((id, value))) => (signature(SignatureOrigin::OpenAi, value), Some(id.to_owned())),
        Some(Err(value)) => (signature(SignatureOrigin::OpenAi, value), None),
        None => (Signature { origin: SignatureOrigin::Anthropic, value }, None),
    }
}

/// Returns the part for a `thinking` block.
pub(super) fn thinking(text: String, signature: Option<String>) -> Part {
    let mut reasoning = Reasoning { text, ..Reasoning::default() };
    let Some(value) = signature.filter(|value| !value.is_empty()) else {
        return Part::new(PartContent::Reasoning(reasoning));
    };
    let (signature, id) = decode(value);
    if signature.origin == SignatureOrigin::OpenAi {
        reasoning = Reasoning { is_summary: true, encrypted: Some(signature), id, ..reasoning };
        return Part::new(PartContent::Reasoning(reasoning));
    }
    Part { signature: Some(signature), ..Part::new(PartContent::Reasoning(reasoning)) }
}

/// Returns the part for a `redacted_thinking` block.
pub(super) fn redacted_thinking(data: String) -> Part {
    let (signature, id) = decode(data);
    Part::new(PartContent::Reasoning(Reasoning { encrypted: Some(signature), id, ..Reasoning::default() }))
}

/// Gives signatures of Gemini in blocks of their own back to the parts before them. A signature
/// without such a part remains as reasoning that nobody but Gemini can read.
pub(super) fn restore(parts: &mut Vec<Part>) {
    let mut restored: Vec<Part> = Vec::with_capacity(parts.len());
    for mut part in parts.drain(..) {
        if let Some(signature) = take_detached(&mut part) {
            match restored.last_mut().filter(|before| before.signature.is_none()) {
                Some(before) => {
                    before.signature = Some(signature);
                    continue;
                }
                None => part.signature = Some(signature),
            }
        }
        restored.push(part);
    }
    *parts = restored;
}

fn take_detached(part: &mut Part) -> Option<Signature> {
    let PartContent::Reasoning(reasoning) = &mut part.content else { return None };
    reasoning.encrypted.take_if(|signature| signature.origin == SignatureOrigin::Gemini)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(origin: SignatureOrigin, value: &str) -> Signature {
        Signature { origin, value: value.to_owned() }
    }

    #[test]
    fn signatures_of_other_families_survive_in_a_thinking_block() {
        let gemini = signature(SignatureOrigin::Gemini, "a:b");
        let part = thinking("t".to_owned(), Some(encode(&gemini, None).into_owned()));
        assert_eq!(part.signature, Some(gemini));

        let openai = signature(SignatureOrigin::OpenAi, "gAAA");
        for id in [None, Some("rs_1")] {
            let part = redacted_thinking(encode(&openai, id).into_owned());
            let PartContent::Reasoning(reasoning) = part.content else { panic!("{part:?}") };
            assert_eq!(reasoning.encrypted.as_ref(), Some(&openai));
            assert_eq!(reasoning.id.as_deref(), id);
        }
    }

    #[test]
    fn a_detached_signature_belongs_to_the_part_before_it() {
        let gemini = signature(SignatureOrigin::Gemini, "x");
        let detached = || redacted_thinking(encode(&gemini, None).into_owned());
        let mut parts = vec![Part::text("a"), detached(), Part::text("b")];
        restore(&mut parts);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].signature, Some(gemini.clone()));
        assert_eq!(parts[1].signature, None);

        let mut alone = vec![detached()];
        restore(&mut alone);
        assert_eq!(alone[0].signature, Some(gemini));
    }
}
