//! Signatures of every provider in `encrypted_content`, the one opaque member of the API.
//!
//! OpenAI's own value stands as it is. Others have a prefix that names their origin and the part
//! that they belong to; no base64 contains its colon.

use crate::form::{Signature, SignatureOrigin};

/// Signature in the `encrypted_content` of an item of reasoning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignedContent {
    /// Signature.
    pub signature: Signature,
    /// Part that it belongs to.
    pub target: SignedPart,
}

/// Part that a signature belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SignedPart {
    /// Reasoning that is withheld.
    Encrypted,
    /// Text of the reasoning.
    Reasoning,
    /// Text of the answer next to the item.
    Text,
    /// Call of a tool with this id.
    Call(String),
}

const ORIGINS: [(SignatureOrigin, &str); 3] = [
    (SignatureOrigin::Anthropic, "anthropic"),
    (SignatureOrigin::Gemini, "gemini"),
    (SignatureOrigin::OpenAi, "openai"),
];

impl SignedContent {
    /// Parses the value of `encrypted_content`.
    pub fn parse(value: &str) -> Self {
        let known = || {
            let (prefix, rest) = value.split_once(':')?;
            let (name, target) = prefix.split_once('-').unwrap_or((prefix, ""));
            let (origin, _) = ORIGINS.into_iter().find(|(_, known)| *known == name)?;
            let (value, target) = match target {
                "" => (rest, SignedPart::Reasoning),
                "encrypted" => (rest, SignedPart::Encrypted),
                "text" => (rest, SignedPart::Text),
                "call" => {
                    let (value, id) = rest.split_once(':')?;
                    (value, SignedPart::Call(id.to_owned()))
                }
                _ => return None,
            };
            Some(Self { signature: Signature { origin, value: value.to_owned() }, target })
        };
        known().unwrap_or_else(|| Self {
            signature: Signature { origin: SignatureOrigin::OpenAi, value: value.to_owned() },
            target: SignedPart::Encrypted,
        })
    }

    /// Renders the value of `encrypted_content`.
    pub fn render(&self) -> String {
        let Self { signature: Signature { origin, value }, target } = self;
        let name = ORIGINS.into_iter().find(|(known, _)| known == origin).map_or("openai", |(_, name)| name);
        match target {
            SignedPart::Encrypted if *origin == SignatureOrigin::OpenAi => value.clone(),
            SignedPart::Encrypted => format!("{name}-encrypted:{value}"),
            SignedPart::Reasoning => format!("{name}:{value}"),
            SignedPart::Text => format!("{name}-text:{value}"),
            SignedPart::Call(id) => format!("{name}-call:{value}:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_of_every_origin_and_target_survives() {
        let targets = [
            SignedPart::Encrypted,
            SignedPart::Reasoning,
            SignedPart::Text,
            SignedPart::Call("functions.get:0".to_owned()),
        ];
        for (origin, _) in ORIGINS {
            for target in &targets {
                let signature = Signature { origin, value: "EqQB+/=".to_owned() };
                let content = SignedContent { signature, target: target.clone() };
                assert_eq!(SignedContent::parse(&content.render()), content);
            }
        }
    }

    #[test]
    fn openais_own_value_has_no_prefix() {
        let content = SignedContent::parse("gAAAAABo");
        assert_eq!(
            (content.signature.origin, &content.target),
            (SignatureOrigin::OpenAi, &SignedPart::Encrypted)
        );
        assert_eq!(content.render(), "gAAAAABo");
    }
}
