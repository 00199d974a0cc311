//! Media in requests.

use std::borrow::Cow;

use serde::Serialize;

use crate::form::MediaSource;

/// Base URL of files that were uploaded to the API.
const FILES: &str = "https://generativelanguage.googleapis.com/v1beta/";

/// Content within the request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob<'a> {
    mime_type: &'a str,
    data: &'a str,
}

/// Content at a URI.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<&'a str>,
    file_uri: Cow<'a, str>,
}

/// Media as the API takes them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Media<'a> {
    /// Within the request.
    InlineData(Blob<'a>),
    /// At a URI.
    FileData(FileData<'a>),
}

impl<'a> Media<'a> {
    /// Returns media at a location; `None` for a file in another provider's store. `kind` is
    /// `image`, `audio`, `video`, or empty for any.
    pub(super) fn of(source: &'a MediaSource, kind: &str) -> Option<Self> {
        match source {
            MediaSource::Base64 { media_type, data } => {
                Some(Self::InlineData(Blob { mime_type: registered(media_type), data }))
            }
            MediaSource::Url { url, media_type } => Some(Self::FileData(FileData {
                mime_type: media_type.as_deref().map(registered).or_else(|| type_of_url(url, kind)),
                file_uri: url.into(),
            })),
            MediaSource::File { id, media_type } => {
                let file_uri = if id.contains("://") {
                    Cow::Borrowed(&**id)
                } else if id.starts_with("files/") {
                    Cow::Owned(format!("{FILES}{id}"))
                } else {
                    return None;
                };
                Some(Self::FileData(FileData { mime_type: media_type.as_deref().map(registered), file_uri }))
            }
        }
    }

    /// Returns whether it is within the request.
    pub(super) const fn is_inline(&self) -> bool {
        matches!(self, Self::InlineData(_))
    }
}

/// Returns the registered name of a media type with a wrong name that is common.
fn registered(media_type: &str) -> &str {
    match media_type {
        "image/jpg" => "image/jpeg",
        other => other,
    }
}

/// Returns the media type that the end of a URL's path suggests, if it is of the kind.
fn type_of_url(url: &str, kind: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let (_, extension) = path.rsplit_once('/')?.1.rsplit_once('.')?;
    let media_type = match &*extension.to_ascii_lowercase() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "pdf" => "application/pdf",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "mov" => "video/mov",
        "webm" => "video/webm",
        _ => return None,
    };
    media_type.starts_with(kind).then_some(media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: MediaSource, kind: &str, expected: Option<&str>) {
        let media = Media::of(&source, kind).map(|media| serde_json::to_string(&media).expect("JSON"));
        assert_eq!(media.as_deref(), expected);
    }

    #[test]
    fn a_url_states_its_media_type_if_it_is_known() {
        let url = |url: &str| MediaSource::Url { url: url.into(), media_type: None };
        let known = r#"{"fileData":{"mimeType":"image/png","fileUri":"https://a.b/c.PNG?d=.pdf"}}"#;
        check(url("https://a.b/c.PNG?d=.pdf"), "image", Some(known));
        check(url("https://a.b/c"), "image", Some(r#"{"fileData":{"fileUri":"https://a.b/c"}}"#));
        check(url("https://a.b/c.pdf"), "image", Some(r#"{"fileData":{"fileUri":"https://a.b/c.pdf"}}"#));
    }

    #[test]
    fn a_file_of_the_api_has_a_url_and_one_of_another_store_is_none() {
        let file = |id: &str| MediaSource::File { id: id.into(), media_type: None };
        let expected =
            r#"{"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}}"#;
        check(file("files/x"), "image", Some(expected));
        check(file("gs://b/o"), "image", Some(r#"{"fileData":{"fileUri":"gs://b/o"}}"#));
        check(file("file-abc"), "image", None);
    }

    #[test]
    fn a_common_wrong_name_of_a_media_type_is_put_right() {
        let source = MediaSource::Base64 { media_type: "image/jpg".into(), data: "AA==".into() };
        check(source, "image", Some(r#"{"inlineData":{"mimeType":"image/jpeg","data":"AA=="}}"#));
    }
}
