//! Locations of media as URLs, and their types.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::form::MediaSource;

/// Returns the location that a URL names. A `data:` URL is the content itself; `media_type` is the
/// type of one that states none.
pub(crate) fn source(url: String, media_type: Option<&str>) -> MediaSource {
    let Some((declared, data)) = split_data_url(&url) else {
        return MediaSource::Url { url, media_type: None };
    };
    let media_type = if declared.is_empty() { media_type.unwrap_or("text/plain") } else { declared };
    MediaSource::Base64 { media_type: media_type.to_owned(), data: data.into_owned() }
}

/// Returns the location that a text names which is a URL or base64.
pub(crate) fn source_or_base64(text: String, media_type: &str) -> MediaSource {
    let has_scheme = text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() <= 16 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
    });
    if has_scheme {
        return source(text, Some(media_type));
    }
    MediaSource::Base64 { media_type: media_type.to_owned(), data: text }
}

/// Splits a `data:` URL into its media type, without parameters, and its content in base64.
fn split_data_url(url: &str) -> Option<(&str, Cow<'_, str>)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media_type = head.split(';').next().unwrap_or_default().trim();
    if head.ends_with(";base64") {
        return Some((media_type, data.into()));
    }
    Some((media_type, BASE64_STANDARD.encode(percent_decoded(data)).into()))
}

/// Replaces the escapes of a URL by their bytes.
fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let escaped = digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes
}

/// Renders a `data:` URL.
pub(crate) fn data_url(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}

/// Returns the media type of OpenAI's name of an audio format.
pub(crate) fn audio_type(format: &str) -> String {
    match format {
        "mp3" => "audio/mpeg".to_owned(),
        "m4a" => "audio/mp4".to_owned(),
        _ => format!("audio/{format}"),
    }
}

/// Returns OpenAI's name of an audio format.
pub(crate) fn audio_format(media_type: &str) -> &str {
    let subtype = media_type.split(';').next().unwrap_or_default().trim();
    let subtype = subtype.split_once('/').map_or(subtype, |(_, subtype)| subtype);
    match subtype.strip_prefix("x-").unwrap_or(subtype) {
        "mpeg" | "mpga" => "mp3",
        "mp4" => "m4a",
        "wave" | "vnd.wave" => "wav",
        other => other,
    }
}

/// Media types by the extensions of file names.
const EXTENSIONS: [(&str, &str); 16] = [
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("xml", "text/xml"),
    ("json", "application/json"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("mp4", "video/mp4"),
];

/// Returns the media type of a file by its name.
pub(crate) fn type_of_name(name: &str) -> Option<&'static str> {
    let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
    EXTENSIONS.iter().find(|(own, _)| *own == extension).map(|(_, media_type)| *media_type)
}

/// Returns a file name for content of a media type, where an API requires one.
pub(crate) fn name_of_type(media_type: &str) -> String {
    let known = EXTENSIONS.iter().find(|(_, own)| *own == media_type);
    format!("document.{}", known.map_or("bin", |(extension, _)| extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_url_is_content() {
        let base64 = |media_type: &str, data: &str| MediaSource::Base64 {
            media_type: media_type.to_owned(),
            data: data.to_owned(),
        };
        let parse = |url: &str| source(url.to_owned(), None);
        assert_eq!(parse("data:image/png;base64,AAAA"), base64("image/png", "AAAA"));
        assert_eq!(parse("data:text/plain;charset=utf-8;base64,AAAA"), base64("text/plain", "AAAA"));
        assert!(matches!(parse("https://example.com/a.png"), MediaSource::Url { .. }));
        assert_eq!(parse("data:text/plain,a%20b%zz%"), base64("text/plain", "YSBiJXp6JQ=="));
        let bare = source_or_base64("JVBERi0".to_owned(), "application/pdf");
        assert_eq!(bare, base64("application/pdf", "JVBERi0"));
        let url = source_or_base64("gs://bucket/a.mp4".to_owned(), "video/mp4");
        assert!(matches!(url, MediaSource::Url { .. }));
    }

    #[test]
    fn audio_formats_have_media_types_and_back() {
        for format in ["wav", "mp3", "flac", "ogg", "m4a"] {
            assert_eq!(audio_format(&audio_type(format)), format);
        }
        assert_eq!(audio_format("audio/x-wav"), "wav");
    }
}
