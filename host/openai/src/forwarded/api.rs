use pointsman_domain::model::Operation;

/// API whose requests are forwarded as they arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForwardedApi {
    /// Vectors of texts.
    Embeddings,
    /// Texts of recordings.
    Transcriptions,
    /// English texts of recordings.
    Translations,
    /// Recordings of texts.
    Speech,
    /// Images that a text describes.
    ImageGenerations,
    /// Images that are changed as a text describes.
    ImageEdits,
    /// Judgements on harmful content.
    Moderations,
}

impl ForwardedApi {
    /// Every API, in the order of the variants.
    pub const ALL: [Self; 7] = [
        Self::Embeddings,
        Self::Transcriptions,
        Self::Translations,
        Self::Speech,
        Self::ImageGenerations,
        Self::ImageEdits,
        Self::Moderations,
    ];

    /// Returns the name of the API, which policies see as the attribute `api`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embeddings => "embeddings",
            Self::Transcriptions => "transcriptions",
            Self::Translations => "translations",
            Self::Speech => "speech",
            Self::ImageGenerations => "image-generations",
            Self::ImageEdits => "image-edits",
            Self::Moderations => "moderations",
        }
    }

    /// Returns the path below the base URL.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Embeddings => "embeddings",
            Self::Transcriptions => "audio/transcriptions",
            Self::Translations => "audio/translations",
            Self::Speech => "audio/speech",
            Self::ImageGenerations => "images/generations",
            Self::ImageEdits => "images/edits",
            Self::Moderations => "moderations",
        }
    }

    /// Returns the operation of its requests.
    pub const fn operation(self) -> Operation {
        match self {
            Self::Embeddings => Operation::Embedding,
            Self::Transcriptions => Operation::Transcription,
            Self::Translations => Operation::Translation,
            Self::Speech => Operation::Speech,
            Self::ImageGenerations | Self::ImageEdits => Operation::Image,
            Self::Moderations => Operation::Moderation,
        }
    }

    /// Returns the member with the content of its requests.
    pub const fn content_member(self) -> &'static str {
        match self {
            Self::Embeddings | Self::Speech | Self::Moderations => "input",
            Self::Transcriptions | Self::Translations => "file",
            Self::ImageGenerations | Self::ImageEdits => "prompt",
        }
    }

    /// Returns the name of the model that answers requests without one (OpenAI's API reference);
    /// `None` if a request has to name it.
    pub const fn default_model(self) -> Option<&'static str> {
        match self {
            Self::Moderations => Some("omni-moderation-latest"),
            Self::ImageGenerations => Some("dall-e-2"),
            Self::ImageEdits => Some("gpt-image-1.5"),
            Self::Embeddings | Self::Transcriptions | Self::Translations | Self::Speech => None,
        }
    }

    /// Returns whether its requests are forms with files rather than JSON. Images are edited by
    /// requests of both kinds.
    pub const fn takes_forms(self) -> bool {
        matches!(self, Self::Transcriptions | Self::Translations | Self::ImageEdits)
    }

    /// Returns whether its requests may be JSON.
    pub const fn takes_json(self) -> bool {
        !matches!(self, Self::Transcriptions | Self::Translations)
    }
}
