//! Wire format of Protocol Buffers, as far as OTLP needs it.

/// Wire type of a varint.
const VARINT: u32 = 0;
/// Wire type of 8 bytes.
const FIXED64: u32 = 1;
/// Wire type of a length and that many bytes.
const LENGTH_DELIMITED: u32 = 2;
/// Wire type of 4 bytes.
const FIXED32: u32 = 5;

/// Writer of a message at the end of a buffer. It writes every value, so a caller that wants to leave
/// out a default does so itself.
#[derive(Debug)]
pub(super) struct MessageWriter<'b>(&'b mut Vec<u8>);

impl<'b> MessageWriter<'b> {
    pub(super) fn append_to(buffer: &'b mut Vec<u8>) -> Self {
        Self(buffer)
    }

    pub(super) fn varint(&mut self, field: u32, value: u64) {
        self.tag(field, VARINT);
        self.number(value);
    }

    pub(super) fn double(&mut self, field: u32, value: f64) {
        self.fixed64(field, value.to_bits());
    }

    pub(super) fn fixed64(&mut self, field: u32, value: u64) {
        self.tag(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn fixed32(&mut self, field: u32, value: u32) {
        self.tag(field, FIXED32);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, LENGTH_DELIMITED);
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// Writes a nested message or a text in place. Its length is only known afterwards: one byte is
    /// reserved for it, and more are inserted if it turns out longer.
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut MessageWriter<'_>)) {
        self.tag(field, LENGTH_DELIMITED);
        let at = self.0.len();
        self.0.push(0);
        write(&mut MessageWriter(self.0));
        let length = self.0.len() - at - 1;
        match (u8::try_from(length), self.0.get_mut(at)) {
            (Ok(byte @ ..0x80), Some(place)) => *place = byte,
            _ => drop(self.0.splice(at..=at, Varint::of(length as u64).bytes().iter().copied())),
        }
    }

    /// Returns the buffer, to append encoded fields or the bytes of a text.
    pub(super) fn raw(&mut self) -> &mut Vec<u8> {
        self.0
    }

    fn tag(&mut self, field: u32, kind: u32) {
        self.number(u64::from(field << 3 | kind));
    }

    /// Writes a varint. Nearly all of them fit into one byte.
    fn number(&mut self, value: u64) {
        match u8::try_from(value) {
            Ok(byte @ ..0x80) => self.0.push(byte),
            _ => self.0.extend_from_slice(Varint::of(value).bytes()),
        }
    }
}

/// Encoding of a number in groups of 7 bits.
struct Varint {
    bytes: [u8; 10],
    length: usize,
}

impl Varint {
    fn of(value: u64) -> Self {
        let (mut bytes, mut length, mut left) = ([0; 10], 0, value);
        for byte in &mut bytes {
            length += 1;
            *byte = (left & 0x7f) as u8 | 0x80;
            left >>= 7;
            if left == 0 {
                *byte &= 0x7f;
                break;
            }
        }
        Self { bytes, length }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Content of a field that was read.
enum ProtoField<'m> {
    Number(u64),
    Bytes(&'m [u8]),
}

/// Returns the number of spans that a collector rejected, according to its response to an export; 0 if
/// the response cannot be read.
pub(super) fn rejected_spans(answer: &[u8]) -> u64 {
    const PARTIAL_SUCCESS: u32 = 1;
    const REJECTED_SPANS: u32 = 1;
    let Some(ProtoField::Bytes(partial)) = last(answer, PARTIAL_SUCCESS) else { return 0 };
    match last(partial, REJECTED_SPANS) {
        Some(ProtoField::Number(rejected)) => rejected,
        _ => 0,
    }
}

/// Returns the last value of a field.
fn last(mut message: &[u8], wanted: u32) -> Option<ProtoField<'_>> {
    let mut found = None;
    while !message.is_empty() {
        let tag = read_varint(&mut message)?;
        let field = match (tag & 7) as u32 {
            VARINT => ProtoField::Number(read_varint(&mut message)?),
            FIXED64 => ProtoField::Bytes(take(&mut message, 8)?),
            FIXED32 => ProtoField::Bytes(take(&mut message, 4)?),
            LENGTH_DELIMITED => {
                let length = usize::try_from(read_varint(&mut message)?).ok()?;
                ProtoField::Bytes(take(&mut message, length)?)
            }
            _ => return None,
        };
        if tag >> 3 == u64::from(wanted) {
            found = Some(field);
        }
    }
    found
}

fn read_varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = *take(message, 1)? else { return None };
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn take<'m>(message: &mut &'m [u8], count: usize) -> Option<&'m [u8]> {
    let (taken, rest) = message.split_at_checked(count)?;
    *message = rest;
    Some(taken)
}

#[cfg(test)]
mod tests;
