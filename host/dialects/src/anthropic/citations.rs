//! Citations of texts.

use pointsman_domain::serving_error::ServingError;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::form::{Citation, RawJson, SignatureOrigin};
use crate::json::{MemberPath, ObjectMembers};

/// Parses a citation. Whatever its kind, the original survives for the same family.
pub(super) fn parse(value: &RawValue, path: &MemberPath<'_>) -> Result<Citation, ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    let mut text =
        |name: &str| -> Result<Option<String>, ServingError> { members.take_as(name, path, "a string") };
    let title = match text("title")? {
        Some(title) => Some(title),
        None => text("document_title")?,
    };
    let url = match text("url")? {
        Some(url) => Some(url),
        // The source of a search result is often a URL, and need not be.
        None => text("source")?.filter(|source| source.starts_with("http")),
    };
    Ok(Citation {
        cited_text: text("cited_text")?,
        title,
        url,
        answer_range: None,
        original: Some((SignatureOrigin::Anthropic, value.into())),
    })
}

/// Citation in the form of a web search, for sources of other families.
#[derive(Serialize)]
#[serde(tag = "type", rename = "web_search_result_location")]
struct WebCitation<'a> {
    cited_text: &'a str,
    url: &'a str,
    title: Option<&'a str>,
    /// Required by SDKs; nothing can be decrypted from it.
    encrypted_index: &'static str,
}

/// Returns a citation for the provider, which accepts its own alone.
pub(super) fn for_provider(citation: &Citation) -> Option<RawJson> {
    match &citation.original {
        Some((SignatureOrigin::Anthropic, original)) => Some(original.clone()),
        _ => None,
    }
}

/// Returns a citation for a client: the original, or the web page that it names.
pub(super) fn for_client(citation: &Citation) -> Option<RawJson> {
    for_provider(citation).or_else(|| {
        let web = WebCitation {
            cited_text: citation.cited_text.as_deref().unwrap_or_default(),
            url: citation.url.as_deref()?,
            title: citation.title.as_deref(),
            encrypted_index: "",
        };
        RawJson::of(&web).ok()
    })
}
