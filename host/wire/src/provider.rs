//! Protocols that the APIs of model providers speak.

use pointsman_domain::model::Operation;

/// Protocol of a provider's API. A backend speaks one, over whichever transport reaches it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProviderDialect {
    /// OpenAI's API, which most model servers offer.
    #[default]
    OpenAi,
}

impl ProviderDialect {
    /// Every dialect, in the order of the variants.
    pub const ALL: [Self; 1] = [Self::OpenAi];

    /// Returns the name of the dialect.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
        }
    }

    /// Returns the path of an operation below the base URL.
    pub const fn operation_path(self, operation: Operation) -> &'static str {
        match (self, operation) {
            (Self::OpenAi, Operation::Chat) => "chat/completions",
            (Self::OpenAi, Operation::Embedding) => "embeddings",
            (Self::OpenAi, Operation::Transcription) => "audio/transcriptions",
        }
    }

    /// Returns the path of the list of models below the base URL. It costs nothing to GET, so
    /// health probes use it.
    pub const fn models_path(self) -> &'static str {
        match self {
            Self::OpenAi => "models",
        }
    }

    /// Returns whether a client may see a response header that only this dialect defines. All
    /// others may name the operator's account, its cookies or its infrastructure.
    pub fn is_public_header(self, name: &str) -> bool {
        match self {
            Self::OpenAi => name == "openai-processing-ms" || name.starts_with("x-ratelimit-"),
        }
    }
}
