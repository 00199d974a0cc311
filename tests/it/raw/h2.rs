//! Frames of HTTP/2 (RFC 9113, section 6), for requests that a correct client cannot send.

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;

/// Setting of the initial window of each stream.
pub const INITIAL_WINDOW_SIZE: u16 = 4;

const END_STREAM_AND_HEADERS: u8 = 0x5;

/// Returns a frame with a payload of less than 64 KiB.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a short payload").to_be_bytes();
    [&[0, length[0], length[1], kind, flags][..], &stream.to_be_bytes(), payload].concat()
}

/// Returns a frame with settings.
pub fn settings(settings: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> = settings
        .iter()
        .flat_map(|(setting, value)| [&setting.to_be_bytes()[..], &value.to_be_bytes()].concat())
        .collect();
    frame(SETTINGS, 0, 0, &payload)
}

/// A whole request: `:method: GET`, `:scheme: http`, and literals for `:path` and `:authority`.
pub fn get(stream: u32, path: &str) -> Vec<u8> {
    let literal = |index: u8, text: &str| {
        let length = u8::try_from(text.len()).expect("a short text");
        [&[index, length][..], text.as_bytes()].concat()
    };
    let headers = [&[0x82, 0x86][..], &literal(0x04, path), &literal(0x01, "localhost")].concat();
    frame(HEADERS, END_STREAM_AND_HEADERS, stream, &headers)
}

/// Returns the types of the frames that the gateway sent.
pub fn frame_types(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [high, middle, low, kind, _, _, _, _, _, rest @ ..] = bytes {
        kinds.push(*kind);
        let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
        bytes = rest.get(length..).expect("a whole frame");
    }
    kinds
}
