//! Forms that clients upload: parts in their order, as they arrived.

mod scan;

use std::fmt;

use bytes::{BufMut, BytesMut};

use crate::call_body::{BodyPiece, CallBody};

pub use self::scan::{FormFragment, FormScan, InvalidForm, PartHead, boundary_of};

/// Longest boundary (RFC 2046, section 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// Form of a client, `multipart/form-data` (RFC 7578).
#[derive(Clone, Debug)]
pub struct UploadedForm {
    content_type: String,
    boundary: String,
    parts: Vec<FormPart>,
}

/// Part of a form.
#[derive(Clone)]
pub struct FormPart {
    /// Head.
    pub head: PartHead,
    /// Content, of which a file may be stored.
    pub content: Vec<BodyPiece>,
}

/// A boundary that no client may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a boundary has 1 to 70 characters, which are letters, digits, blanks or one of '()+_,-./:=?")]
pub struct InvalidBoundary;

impl UploadedForm {
    /// Returns a form without parts, to be sent on with the client's own boundary, which does not
    /// occur in any part.
    ///
    /// # Errors
    /// Fails if the boundary has characters that a header cannot carry.
    pub fn new(boundary: String) -> Result<Self, InvalidBoundary> {
        if !is_valid_boundary(&boundary) {
            return Err(InvalidBoundary);
        }
        // Some servers do not know the quoted form.
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"'+_-.".contains(&byte);
        let quote = if boundary.bytes().all(is_token) { "" } else { "\"" };
        let content_type = format!("multipart/form-data; boundary={quote}{boundary}{quote}");
        Ok(Self { content_type, boundary, parts: Vec::new() })
    }

    /// Appends a part.
    pub fn push(&mut self, part: FormPart) {
        self.parts.push(part);
    }

    /// Returns the media type of the body, with the boundary.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Returns the value of the first field of a name that is not a file. Text that is not UTF-8 has
    /// replacement characters.
    pub fn text(&self, name: &str) -> Option<String> {
        let part = self.parts.iter().find(|part| part.head.name == name && part.is_text())?;
        Some(part.text())
    }

    /// Returns the files in their order.
    pub fn files(&self) -> impl Iterator<Item = &FormPart> {
        self.parts.iter().filter(|part| !part.is_text())
    }

    /// Returns the body of a call of the model with a name, which is added if the form names none.
    /// All other parts are sent as they arrived.
    pub fn body_for(&self, upstream_name: &str) -> CallBody {
        let mut pieces = Vec::with_capacity(2 * self.parts.len() + 1);
        let mut text = BytesMut::new();
        for part in &self.parts {
            text.put_slice(format!("--{}\r\n", self.boundary).as_bytes());
            text.put_slice(&part.head.headers);
            text.put_slice(b"\r\n");
            if is_model(part) {
                text.put_slice(one_line(upstream_name).as_bytes());
            } else {
                for piece in &part.content {
                    match piece {
                        BodyPiece::Bytes(bytes) if part.is_text() => text.put_slice(bytes),
                        piece => {
                            pieces.push(BodyPiece::Bytes(text.split().freeze()));
                            pieces.push(piece.clone());
                        }
                    }
                }
            }
            text.put_slice(b"\r\n");
        }
        if !self.parts.iter().any(is_model) {
            let head = "Content-Disposition: form-data; name=\"model\"\r\n";
            text.put_slice(
                format!("--{}\r\n{head}\r\n{}\r\n", self.boundary, one_line(upstream_name)).as_bytes(),
            );
        }
        text.put_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        pieces.push(BodyPiece::Bytes(text.freeze()));
        CallBody::Stored(pieces)
    }
}

fn is_model(part: &FormPart) -> bool {
    part.head.name == "model" && part.is_text()
}

/// Removes control characters, so that the value cannot be taken for the beginning of another part.
pub(crate) fn one_line(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).collect()
}

fn is_valid_boundary(boundary: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    (1..=MAX_BOUNDARY).contains(&boundary.len())
        && boundary.bytes().all(is_allowed)
        && !boundary.ends_with(' ')
}

impl FormPart {
    /// Returns the number of bytes of the content.
    pub fn size(&self) -> u64 {
        self.content.iter().map(BodyPiece::size).sum()
    }

    fn is_text(&self) -> bool {
        self.head.file_name.is_none()
    }

    /// Returns the content that is in memory as text.
    fn text(&self) -> String {
        let mut bytes = Vec::new();
        for piece in &self.content {
            if let BodyPiece::Bytes(piece) = piece {
                bytes.extend_from_slice(piece);
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl fmt::Debug for FormPart {
    /// Omits the content, which is a client's and must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FormPart({:?}, {} bytes)", self.head.name, self.size())
    }
}

#[cfg(test)]
mod tests;
