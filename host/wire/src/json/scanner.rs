//! State machine of the JSON grammar, which a chunk may interrupt anywhere. Only keys, short
//! values and characters that are split between chunks are copied.

use memchr::memchr2;

use super::escape::{hex_value, utf8_len};
use super::number::NumberState;
use super::plain::{first_control, plain_len};
use super::{Container, JsonError, JsonProblem, JsonText, MAX_DEPTH, MAX_SHORT, Scalar, Visitor};

mod text;

pub(crate) use text::text_at;

/// Expected next token, or token that is incomplete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ScanState {
    #[default]
    Value,
    /// After `[`.
    ItemOrEnd,
    /// After `{`.
    KeyOrEnd,
    /// After `,` in an object.
    Key,
    Colon,
    /// After a value: `,` or the container's end; nothing at the top level.
    Next,
    String,
    /// After a backslash.
    Escape,
    /// After `\u`: number of missing digits, and value of the others.
    Hex(u8, u32),
    Number(NumberState),
    /// Missing bytes of `true`, `false` or `null`.
    Literal(&'static [u8]),
}

/// Validates a document that arrives in chunks, and reports its values to a visitor.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    state: ScanState,
    /// One bit for each open container: 1 for an object. The lowest is the innermost.
    containers: u128,
    depth: u32,
    /// True to accept NaN, Infinity and -Infinity, which servers in Python write for numbers.
    accepts_non_finite: bool,
    /// Offset of the current chunk.
    offset: usize,
    /// Offset of the current string, number or literal, without its quote.
    start: usize,
    /// True if the current string is a key.
    is_key: bool,
    /// Written bytes minus decoded bytes of the current string.
    escape_excess: usize,
    /// Beginning of a short string or number from earlier chunks.
    cut: Vec<u8>,
    /// Beginning of a character from earlier chunks.
    cut_character: Vec<u8>,
}

impl Scanner {
    /// Scans the next chunk. The scanner must not be used after an error.
    pub fn push(&mut self, chunk: &[u8], visitor: &mut impl Visitor) -> Result<(), JsonError> {
        let mut at = 0;
        while at < chunk.len() {
            at = match self.state {
                ScanState::String => self.string(chunk, at, visitor)?,
                ScanState::Escape => self.escape(chunk, at)?,
                ScanState::Hex(left, value) => self.hex_digit(chunk, at, left, value)?,
                ScanState::Number(number) => self.number(chunk, at, number, visitor)?,
                ScanState::Literal(rest) => self.literal(chunk, at, rest, visitor)?,
                _ => self.structure(chunk, at, visitor)?,
            };
        }
        self.save_cut_token(chunk);
        self.offset += chunk.len();
        Ok(())
    }

    /// Ends the document.
    pub fn finish(&mut self, visitor: &mut impl Visitor) -> Result<(), JsonError> {
        if let ScanState::Number(number) = self.state {
            self.end_number(&[], 0, number, visitor)?;
        }
        if self.state != ScanState::Next || self.depth > 0 {
            return Err(self.error(0, JsonProblem::Incomplete));
        }
        Ok(())
    }

    fn structure(&mut self, chunk: &[u8], at: usize, visitor: &mut impl Visitor) -> Result<usize, JsonError> {
        match (self.state, chunk[at]) {
            (_, b' ' | b'\n' | b'\r' | b'\t') => {}
            (ScanState::KeyOrEnd | ScanState::Key, b'"') => {
                self.begin_string(at, true);
                return self.string(chunk, at + 1, visitor);
            }
            (ScanState::Value | ScanState::ItemOrEnd, b'"') => {
                self.begin_string(at, false);
                return self.string(chunk, at + 1, visitor);
            }
            (ScanState::Colon, b':') => self.state = ScanState::Value,
            (ScanState::Next, b',') if self.depth > 0 => {
                self.state = if self.in_object() { ScanState::Key } else { ScanState::Value };
            }
            (ScanState::KeyOrEnd, b'}') | (ScanState::ItemOrEnd, b']') => self.end_container(at, visitor),
            (ScanState::Next, b'}') if self.in_object() => self.end_container(at, visitor),
            (ScanState::Next, b']') if self.depth > 0 && !self.in_object() => self.end_container(at, visitor),
            (ScanState::Value | ScanState::ItemOrEnd, byte) => self.begin_value(byte, at, visitor)?,
            _ => return Err(self.unexpected(at)),
        }
        Ok(at + 1)
    }

    fn begin_value(&mut self, byte: u8, at: usize, visitor: &mut impl Visitor) -> Result<(), JsonError> {
        self.start = self.offset + at;
        self.state = match byte {
            b'{' => return self.begin_container(Container::Object, at, visitor),
            b'[' => return self.begin_container(Container::Array, at, visitor),
            b't' => ScanState::Literal(b"rue"),
            b'f' => ScanState::Literal(b"alse"),
            b'n' => ScanState::Literal(b"ull"),
            b'N' if self.accepts_non_finite => ScanState::Literal(b"aN"),
            b'I' if self.accepts_non_finite => ScanState::Literal(b"nfinity"),
            _ => ScanState::Number(NumberState::begin(byte).ok_or_else(|| self.unexpected(at))?),
        };
        Ok(())
    }

    fn begin_container(
        &mut self,
        container: Container,
        at: usize,
        visitor: &mut impl Visitor,
    ) -> Result<(), JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(at, JsonProblem::TooDeep));
        }
        let is_object = container == Container::Object;
        self.depth += 1;
        self.containers = self.containers << 1 | u128::from(is_object);
        self.state = if is_object { ScanState::KeyOrEnd } else { ScanState::ItemOrEnd };
        visitor.begin(container, self.offset + at);
        Ok(())
    }

    fn end_container(&mut self, at: usize, visitor: &mut impl Visitor) {
        self.depth -= 1;
        self.containers >>= 1;
        self.state = ScanState::Next;
        visitor.end(self.offset + at + 1);
    }

    fn begin_string(&mut self, quote: usize, is_key: bool) {
        self.start = self.offset + quote + 1;
        self.is_key = is_key;
        self.escape_excess = 0;
        self.state = ScanState::String;
    }

    fn string(
        &mut self,
        chunk: &[u8],
        mut at: usize,
        visitor: &mut impl Visitor,
    ) -> Result<usize, JsonError> {
        if !self.cut_character.is_empty() {
            at = self.complete_character(chunk, at)?;
        }
        at += plain_len(&chunk[at..]);
        match chunk.get(at) {
            None => Ok(at),
            Some(b'"') => {
                self.end_string(chunk, at, visitor);
                Ok(at + 1)
            }
            Some(b'\\') => {
                self.state = ScanState::Escape;
                Ok(at + 1)
            }
            Some(0..0x20) => Err(self.error(at, JsonProblem::Control)),
            Some(_) => self.beyond_ascii(chunk, at),
        }
    }

    /// Validates up to the next quote or backslash at once: where one character is not ASCII,
    /// many are.
    fn beyond_ascii(&mut self, chunk: &[u8], at: usize) -> Result<usize, JsonError> {
        let rest = &chunk[at..];
        let run = &rest[..memchr2(b'"', b'\\', rest).unwrap_or(rest.len())];
        let (valid, is_cut) = match simdutf8::compat::from_utf8(run) {
            Ok(_) => (run.len(), false),
            Err(error) => (error.valid_up_to(), error.error_len().is_none() && run.len() == rest.len()),
        };
        if let Some(control) = first_control(&run[..valid]) {
            return Err(self.error(at + control, JsonProblem::Control));
        }
        if is_cut {
            self.cut_character.extend_from_slice(&run[valid..]);
        } else if valid < run.len() {
            return Err(self.error(at + valid, JsonProblem::Utf8));
        }
        Ok(at + run.len())
    }

    fn complete_character(&mut self, chunk: &[u8], mut at: usize) -> Result<usize, JsonError> {
        while let Some(&byte) = chunk.get(at) {
            self.cut_character.push(byte);
            match std::str::from_utf8(&self.cut_character) {
                Ok(_) => {
                    self.cut_character.clear();
                    return Ok(at + 1);
                }
                Err(error) if error.error_len().is_some() => {
                    let character_start = self.offset + at + 1 - self.cut_character.len();
                    return Err(JsonError { offset: character_start, problem: JsonProblem::Utf8 });
                }
                Err(_) => at += 1,
            }
        }
        Ok(at)
    }

    fn end_string(&mut self, chunk: &[u8], at: usize, visitor: &mut impl Visitor) {
        let end = self.offset + at;
        let (is_key, decoded_len) = (self.is_key, end - self.start - self.escape_excess);
        self.state = if is_key { ScanState::Colon } else { ScanState::Next };
        let span = self.start..end;
        let text = JsonText { span: span.clone(), decoded_len, raw: self.short(chunk, at) };
        if is_key {
            visitor.key(&text);
        } else {
            visitor.scalar(&Scalar::String(text), span.start - 1..end + 1);
        }
        self.cut.clear();
    }

    fn escape(&mut self, chunk: &[u8], at: usize) -> Result<usize, JsonError> {
        self.state = match chunk[at] {
            b'u' => ScanState::Hex(4, 0),
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
                self.escape_excess += 1;
                ScanState::String
            }
            _ => return Err(self.error(at, JsonProblem::Escape)),
        };
        Ok(at + 1)
    }

    fn hex_digit(&mut self, chunk: &[u8], at: usize, left: u8, value: u32) -> Result<usize, JsonError> {
        let digit = hex_value(chunk[at]).ok_or_else(|| self.error(at, JsonProblem::Escape))?;
        let value = value << 4 | digit;
        self.state = if left > 1 {
            ScanState::Hex(left - 1, value)
        } else {
            self.escape_excess += r"\u0000".len() - utf8_len(value);
            ScanState::String
        };
        Ok(at + 1)
    }

    fn number(
        &mut self,
        chunk: &[u8],
        mut at: usize,
        mut number: NumberState,
        visitor: &mut impl Visitor,
    ) -> Result<usize, JsonError> {
        while let Some(&byte) = chunk.get(at) {
            if (number, byte) == (NumberState::Minus, b'I') && self.accepts_non_finite {
                self.state = ScanState::Literal(b"nfinity");
                return Ok(at + 1);
            }
            let Some(next) = number.next(byte) else {
                self.end_number(chunk, at, number, visitor)?;
                return Ok(at);
            };
            number = next;
            at += 1;
        }
        self.state = ScanState::Number(number);
        Ok(at)
    }

    fn end_number(
        &mut self,
        chunk: &[u8],
        at: usize,
        number: NumberState,
        visitor: &mut impl Visitor,
    ) -> Result<(), JsonError> {
        if !number.complete() {
            return Err(self.error(at, JsonProblem::Number));
        }
        self.state = ScanState::Next;
        let span = self.start..self.offset + at;
        let raw = self.short(chunk, at).unwrap_or_default();
        visitor.scalar(&Scalar::Number(raw), span);
        self.cut.clear();
        Ok(())
    }

    fn literal(
        &mut self,
        chunk: &[u8],
        at: usize,
        rest: &'static [u8],
        visitor: &mut impl Visitor,
    ) -> Result<usize, JsonError> {
        let Some((&expected, rest)) = rest.split_first() else { return Ok(at) };
        if chunk[at] != expected {
            return Err(self.error(at, JsonProblem::Expected("true, false or null")));
        }
        self.state = ScanState::Literal(rest);
        if rest.is_empty() {
            self.state = ScanState::Next;
            let span = self.start..self.offset + at + 1;
            // All differ in length or in their last letter.
            let value = match (expected, span.len()) {
                (b'e', 4) => Scalar::Bool(true),
                (b'e', _) => Scalar::Bool(false),
                (b'N' | b'y', _) => Scalar::Number(&[]),
                _ => Scalar::Null,
            };
            visitor.scalar(&value, span);
        }
        Ok(at + 1)
    }

    /// Returns the string or number that ends before `at`, unless it is long.
    fn short<'a>(&'a mut self, chunk: &'a [u8], at: usize) -> Option<&'a [u8]> {
        if self.offset + at - self.start > MAX_SHORT {
            return None;
        }
        if self.start >= self.offset {
            return Some(&chunk[self.start - self.offset..at]);
        }
        self.cut.extend_from_slice(&chunk[..at]);
        Some(&self.cut)
    }

    fn save_cut_token(&mut self, chunk: &[u8]) {
        if matches!(
            self.state,
            ScanState::String | ScanState::Escape | ScanState::Hex(..) | ScanState::Number(_)
        ) {
            let rest = &chunk[self.start.saturating_sub(self.offset)..];
            let room = MAX_SHORT - self.cut.len();
            self.cut.extend_from_slice(&rest[..rest.len().min(room)]);
        }
    }

    fn in_object(&self) -> bool {
        self.containers & 1 == 1
    }

    fn unexpected(&self, at: usize) -> JsonError {
        let expected = match self.state {
            ScanState::Value => "a value",
            ScanState::ItemOrEnd => "a value or ']'",
            ScanState::KeyOrEnd => "a key or '}'",
            ScanState::Key => "a key",
            ScanState::Colon => "':'",
            _ if self.depth == 0 => "nothing after the document",
            _ if self.in_object() => "',' or '}'",
            _ => "',' or ']'",
        };
        self.error(at, JsonProblem::Expected(expected))
    }

    fn error(&self, at: usize, problem: JsonProblem) -> JsonError {
        JsonError { offset: self.offset + at, problem }
    }
}

/// Scans a complete document of a server. Numbers that are not finite are accepted: most clients
/// read them, and the gateway needs none of them.
pub(crate) fn scan(document: &[u8], visitor: &mut impl Visitor) -> Result<(), JsonError> {
    let mut scanner = Scanner { accepts_non_finite: true, ..Scanner::default() };
    scanner.push(document, visitor)?;
    scanner.finish(visitor)
}
