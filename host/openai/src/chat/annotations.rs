//! Sources that a text cites, in `annotations`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::form::{Citation, RawJson, SignatureOrigin};

/// Element of `annotations`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Annotation {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    url_citation: UrlCitation,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct UrlCitation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_index: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_index: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Cited words, which OpenRouter adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

const URL_CITATION: &str = "url_citation";

impl Annotation {
    /// Parses the citations of an answer. Those of other kinds have nothing but their original.
    pub fn parse_all(value: &RawValue) -> Vec<Citation> {
        let values: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
        values.into_iter().map(Self::parse).collect()
    }

    /// Returns the annotation for a citation of these characters of the answer, as it was written
    /// by a provider of this API; `None` for a source without a URL.
    pub fn of(citation: &Citation, range: (u32, u32)) -> Option<RawJson> {
        if let Some((SignatureOrigin::OpenAi, original)) = &citation.original {
            return Some(original.clone());
        }
        let (start, end) = citation.answer_range.unwrap_or(range);
        let url_citation = UrlCitation {
            start_index: Some(start),
            end_index: Some(end),
            title: Some(citation.title.clone().unwrap_or_default()),
            url: Some(citation.url.clone()?),
            content: citation.cited_text.clone(),
        };
        RawJson::of(&Self { kind: URL_CITATION.to_owned(), url_citation }).ok()
    }

    fn parse(value: &RawValue) -> Citation {
        let original = Some((SignatureOrigin::OpenAi, RawJson::from(value)));
        let Ok(Self { kind, url_citation: own }) = serde_json::from_str(value.get()) else {
            return Citation { original, ..Citation::default() };
        };
        if kind != URL_CITATION {
            return Citation { original, ..Citation::default() };
        }
        Citation {
            cited_text: own.content,
            title: own.title,
            url: own.url,
            answer_range: own.start_index.zip(own.end_index),
            original,
        }
    }
}
