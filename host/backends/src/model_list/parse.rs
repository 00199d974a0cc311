//! Forms of lists of models.

use pointsman_wire::provider::ProviderDialect;
use serde::Deserialize;

use super::ModelList;

/// Form of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `{"data": [{"id": …}]}`, of OpenAI, Azure and Anthropic, or the list alone.
    Data,
    /// `{"models": [{"name": "models/…"}]}`, of Gemini.
    Models,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum DataList {
    Wrapped {
        data: Vec<DataEntry>,
        #[serde(default)]
        has_more: bool,
    },
    Bare(Vec<DataEntry>),
}

#[derive(Deserialize)]
struct DataEntry {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GeminiList {
    models: Vec<GeminiEntry>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct GeminiEntry {
    name: String,
}

impl Form {
    pub(super) fn of(dialect: ProviderDialect) -> Self {
        match dialect {
            ProviderDialect::OpenAi | ProviderDialect::Azure | ProviderDialect::Anthropic => Self::Data,
            ProviderDialect::Gemini => Self::Models,
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Data => Self::Models,
            Self::Models => Self::Data,
        }
    }

    /// Returns the dialect that the form is best known from.
    pub(super) fn dialect(self) -> ProviderDialect {
        match self {
            Self::Data => ProviderDialect::OpenAi,
            Self::Models => ProviderDialect::Gemini,
        }
    }

    /// Parses a list; `None` if it has another form.
    pub(super) fn parse(self, body: &[u8]) -> Option<ModelList> {
        match self {
            Self::Data => {
                let (entries, has_more) = match serde_json::from_slice(body).ok()? {
                    DataList::Wrapped { data, has_more } => (data, has_more),
                    DataList::Bare(entries) => (entries, false),
                };
                let names = entries.into_iter().map(|entry| entry.id).collect();
                Some(ModelList { names, is_complete: !has_more })
            }
            Self::Models => {
                let GeminiList { models, next_page_token } = serde_json::from_slice(body).ok()?;
                let name =
                    |entry: GeminiEntry| entry.name.strip_prefix("models/").unwrap_or(&entry.name).to_owned();
                let is_complete = next_page_token.is_none_or(|token| token.is_empty());
                Some(ModelList { names: models.into_iter().map(name).collect(), is_complete })
            }
        }
    }
}
