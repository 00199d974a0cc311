//! Parsing of a form while it arrives, in bounded memory.

use std::borrow::Cow;

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem::Finder;

use super::{InvalidBoundary, is_valid_boundary};

/// Longest head of a part, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// Most parts of a form.
const MAX_PARTS: usize = 256;
/// Most blanks after a boundary.
const MAX_PADDING: usize = 64;

/// Parses a form whose bytes arrive in chunks that are cut anywhere. Content is returned as soon as
/// it can be no boundary, so that only the head of a part is held.
#[derive(Debug)]
pub struct FormScan {
    /// Boundary with the line end and the dashes before it.
    delimiter: Finder<'static>,
    held: BytesMut,
    state: ScanState,
    parts: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScanState {
    /// Before the first boundary.
    Preamble,
    /// After a boundary.
    Boundary,
    /// In the headers of a part.
    Head,
    /// In the content of a part.
    Content,
    /// After the last boundary.
    End,
}

/// Part of a form as far as it has arrived.
#[derive(Debug, PartialEq, Eq)]
pub enum FormFragment {
    /// Head of a part, which ends the part before it.
    Head(PartHead),
    /// Content of the part whose head came last.
    Content(Bytes),
}

/// Head of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartHead {
    /// Name of the field.
    pub name: String,
    /// Name of the file; `None` for a field with a text.
    pub file_name: Option<String>,
    /// Headers as they arrived, each with a line end.
    pub headers: Bytes,
}

/// Reason why a body is not a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidForm {
    /// Something else than a boundary follows the content of a part.
    #[error("a boundary is followed by neither a line end nor two dashes")]
    Boundary,
    /// A part has no name.
    #[error("part {0} has no content-disposition with a name")]
    Name(usize),
    /// The headers of a part are too long.
    #[error("the headers of part {0} have more than {MAX_HEAD} bytes")]
    LongHead(usize),
    /// There are too many parts.
    #[error("the form has more than {MAX_PARTS} parts")]
    ManyParts,
    /// The last boundary is missing.
    #[error("the form is not complete: its last boundary is missing")]
    Incomplete,
}

impl FormScan {
    /// Returns a scan that has seen no bytes of a form with a boundary.
    ///
    /// # Errors
    /// Fails if the boundary is not valid.
    pub fn new(boundary: &str) -> Result<Self, InvalidBoundary> {
        if !is_valid_boundary(boundary) {
            return Err(InvalidBoundary);
        }
        let delimiter = Finder::new(&format!("\r\n--{boundary}")).into_owned();
        // As if a line end came before the body, so that the first boundary is like the others.
        Ok(Self { delimiter, held: BytesMut::from("\r\n"), state: ScanState::Preamble, parts: 0 })
    }

    /// Appends a chunk of the body.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.state != ScanState::End {
            self.held.extend_from_slice(chunk);
        }
    }

    /// Returns the next fragment; `None` if it takes another chunk. The scan must not be used after
    /// an error.
    ///
    /// # Errors
    /// Fails if the body is not a form.
    pub fn next_fragment(&mut self) -> Result<Option<FormFragment>, InvalidForm> {
        loop {
            match self.state {
                ScanState::Preamble | ScanState::Content => match self.content() {
                    Some(content) if self.has_content(&content) => {
                        return Ok(Some(FormFragment::Content(content.bytes)));
                    }
                    Some(Content { ends: true, .. }) => {}
                    Some(_) | None => return Ok(None),
                },
                ScanState::Boundary => {
                    if !self.boundary()? {
                        return Ok(None);
                    }
                }
                ScanState::Head => return Ok(self.head()?.map(FormFragment::Head)),
                ScanState::End => {
                    self.held.clear();
                    return Ok(None);
                }
            }
        }
    }

    /// Ends the body.
    ///
    /// # Errors
    /// Fails if the last boundary is missing.
    pub fn finish(&self) -> Result<(), InvalidForm> {
        match self.state {
            ScanState::End => Ok(()),
            _ => Err(InvalidForm::Incomplete),
        }
    }

    /// Returns the bytes up to the next boundary, or as many as cannot be part of one; `None` if
    /// there are none.
    fn content(&mut self) -> Option<Content> {
        let length = self.delimiter.needle().len();
        let is_in_part = self.state == ScanState::Content;
        if let Some(at) = self.delimiter.find(&self.held) {
            let bytes = self.held.split_to(at).freeze();
            self.held.advance(length);
            self.state = ScanState::Boundary;
            return Some(Content { bytes, is_in_part, ends: true });
        }
        let certain = self.held.len().checked_sub(length - 1).filter(|certain| *certain > 0)?;
        Some(Content { bytes: self.held.split_to(certain).freeze(), is_in_part, ends: false })
    }

    fn has_content(&self, content: &Content) -> bool {
        content.is_in_part && !content.bytes.is_empty()
    }

    /// Reads what follows a boundary; false if it has not arrived.
    fn boundary(&mut self) -> Result<bool, InvalidForm> {
        if self.held.starts_with(b"--") {
            self.state = ScanState::End;
            return Ok(true);
        }
        let padding = self.held.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if padding > MAX_PADDING {
            return Err(InvalidForm::Boundary);
        }
        match self.held.get(padding..padding + 2) {
            Some(b"\r\n") => {
                self.held.advance(padding + 2);
                self.parts += 1;
                self.state = ScanState::Head;
                if self.parts > MAX_PARTS { Err(InvalidForm::ManyParts) } else { Ok(true) }
            }
            Some(_) => Err(InvalidForm::Boundary),
            None => Ok(false),
        }
    }

    /// Reads the headers of a part; `None` if they have not all arrived.
    fn head(&mut self) -> Result<Option<PartHead>, InvalidForm> {
        // A part without headers begins with the empty line after them.
        if self.held.starts_with(b"\r\n") {
            return Err(InvalidForm::Name(self.parts));
        }
        let Some(at) = memchr::memmem::find(&self.held, b"\r\n\r\n") else {
            return if self.held.len() > MAX_HEAD {
                Err(InvalidForm::LongHead(self.parts))
            } else {
                Ok(None)
            };
        };
        if at > MAX_HEAD {
            return Err(InvalidForm::LongHead(self.parts));
        }
        let headers = self.held.split_to(at + 2).freeze();
        self.held.advance(2);
        self.state = ScanState::Content;
        PartHead::parse(headers).map(Some).ok_or(InvalidForm::Name(self.parts))
    }
}

/// Content that is certain.
struct Content {
    bytes: Bytes,
    /// True if it is of a part, rather than before the first one.
    is_in_part: bool,
    /// True if a boundary follows.
    ends: bool,
}

impl PartHead {
    fn parse(headers: Bytes) -> Option<Self> {
        let text = String::from_utf8_lossy(&headers);
        let disposition = text.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(value.trim())
        })?;
        let (kind, parameters) = disposition.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return None;
        }
        let (mut name, mut file_name) = (None, None);
        for (key, value) in Parameters(parameters) {
            match key.to_ascii_lowercase().as_str() {
                "name" => name = name.or(Some(value)),
                "filename" | "filename*" => file_name = file_name.or(Some(value)),
                _ => {}
            }
        }
        let name = name?.into_owned();
        let file_name = file_name.map(Cow::into_owned);
        Some(Self { name, file_name, headers })
    }
}

/// Parameters of a header: `a=b; c="d"`.
struct Parameters<'a>(&'a str);

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a str, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_start_matches([' ', '\t', ';']);
        let (key, rest) = rest.split_once('=')?;
        let Some(quoted) = rest.trim_start().strip_prefix('"') else {
            let (value, after) = rest.split_once(';').unwrap_or((rest, ""));
            self.0 = after;
            return Some((key.trim(), value.trim().into()));
        };
        let mut is_escaped = false;
        let end = quoted.find(|c| {
            let ends = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            ends
        });
        let end = end.unwrap_or(quoted.len());
        let (value, after) = quoted.split_at(end);
        self.0 = after.strip_prefix('"').unwrap_or(after);
        let value = if value.contains('\\') { value.replace("\\\"", "\"").into() } else { value.into() };
        Some((key.trim(), value))
    }
}

/// Returns the boundary in the media type of a form; `None` if it is the type of something else.
pub fn boundary_of(media_type: &str) -> Option<String> {
    let (kind, parameters) = media_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut parameters = Parameters(parameters);
    let boundary =
        parameters.find_map(|(key, value)| key.eq_ignore_ascii_case("boundary").then_some(value))?;
    Some(boundary.into_owned())
}

#[cfg(test)]
mod tests;
