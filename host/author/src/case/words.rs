//! Words of the case format for the flags and enums of the domain.

use pointsman_domain::model::{Abilities, Modalities, Operation};
use pointsman_domain::outcome::RequestEnd;
use pointsman_policy::{Grants, Isolation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident => $target:ty { $($variant:ident => $value:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        #[expect(missing_docs, reason = "the words are those of the contract or the configuration")]
        pub enum $name {
            $($variant,)*
        }

        impl $name {
            /// Returns the value in the domain.
            pub const fn value(self) -> $target {
                match self {
                    $(Self::$variant => $value,)*
                }
            }

            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the variant of a word as it is written.
            pub fn of(word: &str) -> Option<Self> {
                Self::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word)).ok()
            }
        }
    };
}

words! {
    /// A kind of content.
    ContentKind => Modalities {
        Text => Modalities::TEXT,
        Image => Modalities::IMAGE,
        Audio => Modalities::AUDIO,
        Video => Modalities::VIDEO,
        Document => Modalities::DOCUMENT,
    }
}

words! {
    /// An ability of a model, or one that a request needs.
    Ability => Abilities {
        Tools => Abilities::TOOLS,
        StructuredOutput => Abilities::STRUCTURED_OUTPUT,
        Reasoning => Abilities::REASONING,
        Streaming => Abilities::STREAMING,
        LogProbabilities => Abilities::LOG_PROBABILITIES,
    }
}

words! {
    /// The operation of a request, or one that a model supports.
    OperationName => Operation {
        Chat => Operation::Chat,
        Embedding => Operation::Embedding,
        Transcription => Operation::Transcription,
        Translation => Operation::Translation,
        Speech => Operation::Speech,
        Image => Operation::Image,
        Moderation => Operation::Moderation,
    }
}

words! {
    /// An import that the configuration grants.
    GrantName => Grants {
        Prompt => Grants::PROMPT,
        Outputs => Grants::OUTPUTS,
        Wasi => Grants::WASI,
        Clocks => Grants::CLOCKS,
        Random => Grants::RANDOM,
        State => Grants::STATE,
    }
}

words! {
    /// The end of a request.
    StatusName => RequestEnd {
        Answered => RequestEnd::Answered,
        Failed => RequestEnd::Failed,
        Cancelled => RequestEnd::Cancelled,
    }
}

words! {
    /// Sharing of instances between calls.
    IsolationName => Isolation {
        Fresh => Isolation::Fresh,
        Warm => Isolation::Warm { recycle_after: u32::MAX, instances: 1 },
    }
}

/// Returns the flags of a list of words.
pub fn modalities(kinds: &[ContentKind]) -> Modalities {
    kinds.iter().map(|kind| kind.value()).collect()
}

/// Returns the flags of a list of words.
pub fn abilities(abilities: &[Ability]) -> Abilities {
    abilities.iter().map(|ability| ability.value()).collect()
}

/// Returns the flags of a list of words.
pub fn grants(grants: &[GrantName]) -> Grants {
    grants.iter().map(|grant| grant.value()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_and_operation_of_the_domain_has_a_word() {
        assert_eq!(modalities(ContentKind::ALL), Modalities::all());
        assert_eq!(abilities(Ability::ALL), Abilities::all());
        assert_eq!(grants(GrantName::ALL), Grants::all());
        let operations: Vec<Operation> = OperationName::ALL.iter().map(|name| name.value()).collect();
        assert_eq!(operations, Operation::ALL);
        let ends: Vec<RequestEnd> = StatusName::ALL.iter().map(|name| name.value()).collect();
        assert_eq!(ends, RequestEnd::ALL);
        for operation in OperationName::ALL {
            assert_eq!(serde_json::to_value(operation).unwrap(), operation.value().name());
        }
    }
}
