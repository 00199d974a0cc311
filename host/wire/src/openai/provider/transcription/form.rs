//! Forms with files: the subset of `multipart/form-data` (RFC 7578) that this API uses.

use std::hash::{DefaultHasher, Hash, Hasher};

use memchr::memmem;

use crate::form::one_line;

/// Boundary between the fields of a form.
#[derive(Clone, Debug)]
pub(super) struct Boundary(String);

/// Head of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldHead<'a> {
    pub name: &'a str,
    /// Name and media type of a file.
    pub file: Option<(&'a str, &'a str)>,
}

impl Boundary {
    /// Returns a boundary that does not occur in this content. It is a hash of the whole content,
    /// so nobody can craft a recording that contains many candidates.
    pub fn not_in(content: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        loop {
            let boundary = format!("pointsman-{:016x}", hasher.finish());
            if memmem::find(content, boundary.as_bytes()).is_none() {
                return Self(boundary);
            }
            hasher.write_u8(0);
        }
    }

    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.0)
    }

    /// Appends the head of a field.
    pub fn begin(&self, head: FieldHead<'_>, out: &mut String) {
        let Self(boundary) = self;
        out.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
            plain(head.name)
        ));
        if let Some((name, content_type)) = head.file {
            out.push_str(&format!("; filename=\"{}\"\r\nContent-Type: {content_type}", plain(name)));
        }
        out.push_str("\r\n\r\n");
    }

    /// Appends a whole field.
    pub fn field(&self, name: &str, value: &str, out: &mut String) {
        self.begin(FieldHead { name, file: None }, out);
        out.push_str(&one_line(value));
        out.push_str("\r\n");
    }

    /// Returns the bytes that follow the content of the last field.
    pub fn end(&self) -> String {
        format!("\r\n--{}--\r\n", self.0)
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect()
}

/// Fields with one value. Any other may be a list, whose values are fields of one name, which may
/// end in `[]`.
const SINGLE_FIELDS: [&str; 9] =
    ["model", "file", "prompt", "language", "response_format", "stream", "temperature", "n", "size"];

/// Parsed form, for simulated backends and test servers.
#[derive(Debug, PartialEq, Eq)]
pub struct MultipartForm<'a> {
    fields: Vec<FormField<'a>>,
}

#[derive(Debug, PartialEq, Eq)]
struct FormField<'a> {
    name: &'a str,
    file_name: Option<&'a str>,
    content: &'a [u8],
}

/// Reason why a body is not a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidForm {
    /// The content type is not that of a form.
    #[error("expected multipart/form-data with a boundary, got {0:?}")]
    ContentType(String),
    /// A boundary is missing.
    #[error("the form is not complete: a boundary is missing")]
    Boundary,
    /// A field has no name.
    #[error("a field has no content-disposition with a name")]
    Name,
    /// Two fields have the name of one that is read once.
    #[error("the field {0:?} is there twice")]
    Duplicate(String),
}

impl<'a> MultipartForm<'a> {
    /// Parses a complete form.
    pub fn read(content_type: &str, body: &'a [u8]) -> Result<Self, InvalidForm> {
        let boundary =
            boundary(content_type).ok_or_else(|| InvalidForm::ContentType(content_type.to_owned()))?;
        let first = format!("--{boundary}\r\n");
        let separator = format!("\r\n--{boundary}");
        let mut fields: Vec<FormField<'a>> = Vec::new();
        let mut rest = body.strip_prefix(first.as_bytes()).ok_or(InvalidForm::Boundary)?;
        loop {
            let (head, after) = split(rest, b"\r\n\r\n").ok_or(InvalidForm::Name)?;
            let (content, after) = split(after, separator.as_bytes()).ok_or(InvalidForm::Boundary)?;
            let field = FormField::new(head, content).ok_or(InvalidForm::Name)?;
            let is_single = SINGLE_FIELDS.contains(&field.name);
            if is_single && fields.iter().any(|known| known.name == field.name) {
                return Err(InvalidForm::Duplicate(field.name.to_owned()));
            }
            fields.push(field);
            match after.strip_prefix(b"\r\n") {
                Some(next) => rest = next,
                None if matches!(after, b"--" | b"--\r\n") => return Ok(Self { fields }),
                None => return Err(InvalidForm::Boundary),
            }
        }
    }

    /// Returns the value of a field that is not a file.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.texts(name).next()
    }

    /// Returns the values of the fields of a name that are not files.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let texts = self.fields(name).filter(|field| field.file_name.is_none());
        texts.filter_map(|field| std::str::from_utf8(field.content).ok())
    }

    /// Returns the name and the content of a file.
    pub fn file(&self, name: &str) -> Option<(&'a str, &'a [u8])> {
        self.files(name).next()
    }

    /// Returns the names and the contents of the files of a name.
    pub fn files(&self, name: &str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.fields(name).filter_map(|field| Some((field.file_name?, field.content)))
    }

    fn fields(&self, name: &str) -> impl Iterator<Item = &FormField<'a>> {
        self.fields.iter().filter(move |field| field.name == name)
    }
}

impl<'a> FormField<'a> {
    fn new(head: &'a [u8], content: &'a [u8]) -> Option<Self> {
        let disposition = std::str::from_utf8(head).ok()?.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-disposition").then_some(value.trim())
        })?;
        let parameters = disposition.strip_prefix("form-data")?;
        let quoted = |name: &str| {
            let parameter =
                parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix(name))?;
            parameter.strip_prefix("=\"")?.strip_suffix('"')
        };
        Some(Self { name: quoted("name")?, file_name: quoted("filename"), content })
    }
}

fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    let boundary = boundary.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(boundary);
    Some(boundary).filter(|boundary| !boundary.is_empty())
}

/// Splits bytes at the first occurrence of a mark.
fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::find(bytes, mark)?;
    Some((bytes.get(..at)?, bytes.get(at + mark.len()..)?))
}
