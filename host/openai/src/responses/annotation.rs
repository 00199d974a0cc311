//! Citations, which the API has as annotations of a text.

use serde::{Deserialize, Serialize};

use crate::form::{Citation, RawJson, SignatureOrigin};

#[derive(Deserialize)]
struct KnownMembers {
    url: Option<String>,
    title: Option<String>,
    filename: Option<String>,
    start_index: Option<u32>,
    end_index: Option<u32>,
}

/// Annotation that cites a source on the web.
#[derive(Serialize)]
struct UrlCitation<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    start_index: u32,
    end_index: u32,
    url: &'a str,
    title: &'a str,
}

/// Annotation that cites a document.
#[derive(Serialize)]
struct FileCitation<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    /// Id in a store, which documents of other APIs do not have.
    file_id: &'static str,
    filename: &'a str,
    index: u32,
}

/// Parses an annotation; `None` if it is no object.
pub(super) fn parse(json: &str) -> Option<Citation> {
    let known: KnownMembers = serde_json::from_str(json).ok()?;
    Some(Citation {
        cited_text: None,
        title: known.title.or(known.filename),
        url: known.url,
        answer_range: known.start_index.zip(known.end_index),
        original: Some((SignatureOrigin::OpenAi, RawJson::parse(json)?)),
    })
}

/// Renders a citation; `None` for one that names no source, for which the API has no annotation.
/// `end` is the length of the text so far in characters.
pub(super) fn render(citation: &Citation, end: u32) -> Option<RawJson> {
    if let Some((SignatureOrigin::OpenAi, original)) = &citation.original {
        return Some(original.clone());
    }
    let Some(url) = citation.url.as_deref() else {
        let filename = citation.title.as_deref()?;
        return RawJson::of(&FileCitation { kind: "file_citation", file_id: "", filename, index: end }).ok();
    };
    let title = citation.title.as_deref().unwrap_or(url);
    let (start_index, end_index) = citation.answer_range.unwrap_or((end, end));
    RawJson::of(&UrlCitation { kind: "url_citation", start_index, end_index, url, title }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_survives_as_it_was_written() {
        let json = r#"{"type":"file_citation","file_id":"f","filename":"a.pdf","index":3}"#;
        let citation = parse(json).unwrap();
        assert_eq!(citation.title.as_deref(), Some("a.pdf"));
        assert_eq!(render(&citation, 9).unwrap().get(), json);
    }

    #[test]
    fn a_citation_of_another_api_becomes_one_of_a_url() {
        let citation = Citation { url: Some("https://x.org".to_owned()), ..Citation::default() };
        let expected = r#"{"type":"url_citation","start_index":4,"end_index":4,"url":"https://x.org","title":"https://x.org"}"#;
        assert_eq!(render(&citation, 4).unwrap().get(), expected);
        assert_eq!(render(&Citation::default(), 4), None);
    }
}
