//! Paths of the fleet's API.

use super::reply::ErrorReply;

/// Part of the API, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Chat,
    Embeddings,
    Transcriptions,
    Translations,
    Speech,
    Images,
    ImageEdits,
    Moderations,
}

impl Endpoint {
    const ALL: [Self; 8] = [
        Self::Chat,
        Self::Embeddings,
        Self::Transcriptions,
        Self::Translations,
        Self::Speech,
        Self::Images,
        Self::ImageEdits,
        Self::Moderations,
    ];

    /// Finds the endpoint at a path below the base URL.
    ///
    /// # Errors
    /// Returns the reply to a path that the fleet does not have.
    pub(super) fn at(path: &str) -> Result<Self, ErrorReply> {
        let plain = path.trim_matches('/');
        let found = Self::ALL.into_iter().find(|endpoint| endpoint.path() == plain);
        found.ok_or_else(|| {
            let paths: Vec<&str> = Self::ALL.into_iter().map(Self::path).collect();
            ErrorReply::not_found(format!(
                "the simulated fleet has no {plain:?}; it has {}",
                paths.join(", ")
            ))
        })
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Chat => "chat/completions",
            Self::Embeddings => "embeddings",
            Self::Transcriptions => "audio/transcriptions",
            Self::Translations => "audio/translations",
            Self::Speech => "audio/speech",
            Self::Images => "images/generations",
            Self::ImageEdits => "images/edits",
            Self::Moderations => "moderations",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_the_fleet_lacks_is_not_found_and_the_others_are_listed() {
        for endpoint in Endpoint::ALL {
            assert_eq!(Endpoint::at(endpoint.path()).unwrap(), endpoint);
        }
        assert_eq!(Endpoint::at("/embeddings/").unwrap(), Endpoint::Embeddings);
        let reply = Endpoint::at("batches").unwrap_err();
        assert_eq!(reply.status, 404);
        assert!(
            reply.message.starts_with("the simulated fleet has no \"batches\"; it has chat/completions, ")
        );
    }
}
