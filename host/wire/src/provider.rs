//! Protocols that the APIs of model providers speak.

use pointsman_domain::model::Operation;

/// Protocol of a provider's API. A backend speaks one, over whichever transport reaches it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProviderDialect {
    /// OpenAI's API, which most model servers offer.
    #[default]
    OpenAi,
    /// OpenAI's API as Azure offers it: with the name of a deployment in the path.
    Azure,
    /// Anthropic's Messages API.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
}

impl ProviderDialect {
    /// Every dialect, in the order of the variants.
    pub const ALL: [Self; 4] = [Self::OpenAi, Self::Azure, Self::Anthropic, Self::Gemini];

    /// Returns the name of the dialect.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Azure => "azure",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    /// Returns whether its providers have an API for an operation that the gateway calls.
    pub const fn offers(self, operation: Operation) -> bool {
        match self {
            Self::OpenAi | Self::Azure => true,
            Self::Anthropic => matches!(operation, Operation::Chat),
            Self::Gemini => matches!(operation, Operation::Chat | Operation::Embedding),
        }
    }

    /// Returns the path of the list of models below the base URL. It costs nothing to GET, so
    /// health probes use it.
    pub const fn models_path(self) -> &'static str {
        match self {
            Self::OpenAi | Self::Anthropic | Self::Gemini => "models",
            Self::Azure => "openai/models",
        }
    }

    /// Returns the header that carries the key where the configuration names none.
    pub const fn key_header(self) -> &'static str {
        match self {
            Self::OpenAi => "authorization",
            Self::Azure => "api-key",
            Self::Anthropic => "x-api-key",
            Self::Gemini => "x-goog-api-key",
        }
    }

    /// Returns the headers that every call has unless the configuration or the client sets them.
    pub const fn default_headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::OpenAi | Self::Azure | Self::Gemini => &[],
            Self::Anthropic => &[("anthropic-version", "2023-06-01")],
        }
    }

    /// Returns the base URL of the provider's public API; `None` if each account or server has its
    /// own.
    pub const fn public_base_url(self) -> Option<&'static str> {
        match self {
            Self::OpenAi | Self::Azure => None,
            Self::Anthropic => Some("https://api.anthropic.com/v1"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com/v1beta"),
        }
    }

    /// Returns whether a client may see a response header that only this dialect defines. All
    /// others may name the operator's account, its cookies or its infrastructure.
    pub fn is_public_header(self, name: &str) -> bool {
        match self {
            Self::OpenAi | Self::Azure => name == "openai-processing-ms" || name.starts_with("x-ratelimit-"),
            Self::Anthropic => name == "request-id" || name.starts_with("anthropic-ratelimit-"),
            Self::Gemini => false,
        }
    }

    /// Returns whether a request header that only some dialects define is sent to providers of this
    /// one.
    pub fn accepts_header(self, name: &str) -> bool {
        match name {
            "openai-beta" => matches!(self, Self::OpenAi | Self::Azure),
            "anthropic-version" | "anthropic-beta" => self == Self::Anthropic,
            _ => true,
        }
    }
}
