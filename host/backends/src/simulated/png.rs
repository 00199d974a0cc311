//! Small pictures in PNG, without compression.

/// Largest width and height.
pub(super) const MAX_SIDE: u8 = 64;

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// 8 bits a channel, RGB, and no interlacing.
const RGB: [u8; 5] = [8, 2, 0, 0, 0];

/// Returns a picture whose pixels a function colours by column and row.
pub(super) fn encode(width: u8, height: u8, colour: impl Fn(u8, u8) -> [u8; 3]) -> Vec<u8> {
    let (width, height) = (width.clamp(1, MAX_SIDE), height.clamp(1, MAX_SIDE));
    let mut pixels = Vec::new();
    for row in 0..height {
        // Each row begins with its filter, which is none.
        pixels.push(0);
        (0..width).for_each(|column| pixels.extend_from_slice(&colour(column, row)));
    }
    let mut header = Vec::new();
    header.extend_from_slice(&u32::from(width).to_be_bytes());
    header.extend_from_slice(&u32::from(height).to_be_bytes());
    header.extend_from_slice(&RGB);
    let mut png = SIGNATURE.to_vec();
    chunk(*b"IHDR", &header, &mut png);
    chunk(*b"IDAT", &stored(&pixels), &mut png);
    chunk(*b"IEND", &[], &mut png);
    png
}

/// Returns a zlib stream (RFC 1950) with one stored block. The pixels of the largest picture
/// fit into one.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let mut stream = vec![0x78, 0x01, 1];
    stream.extend_from_slice(&length.to_le_bytes());
    stream.extend_from_slice(&(!length).to_le_bytes());
    stream.extend_from_slice(bytes);
    stream.extend_from_slice(&adler32(bytes).to_be_bytes());
    stream
}

fn chunk(kind: [u8; 4], data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let begin = out.len();
    out.extend_from_slice(&kind);
    out.extend_from_slice(data);
    let sum = crc32(out.get(begin..).unwrap_or_default());
    out.extend_from_slice(&sum.to_be_bytes());
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), &byte| {
        let low = (low + u32::from(byte)) % MODULUS;
        (low, (high + low) % MODULUS)
    });
    high << 16 | low
}

fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let sum = bytes.iter().fold(u32::MAX, |sum, &byte| {
        let shift = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
        (0..8).fold(sum ^ u32::from(byte), shift)
    });
    !sum
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn checksums_are_those_of_their_definitions() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn a_picture_has_its_size_and_pixels_and_valid_sums() {
        let png = encode(200, 2, |column, row| [column, row, 7]);
        assert_eq!(png[16..24], [0, 0, 0, 64, 0, 0, 0, 2], "too wide a picture is cut");
        let length = u32::from_be_bytes(png[33..37].try_into().unwrap()) as usize;
        let mut pixels = Vec::new();
        flate2::read::ZlibDecoder::new(&png[41..41 + length]).read_to_end(&mut pixels).unwrap();
        assert_eq!((pixels.len(), &pixels[..7]), (2 * (1 + 64 * 3), &[0, 0, 0, 7, 1, 0, 7][..]));
        assert!(png.ends_with(b"IEND\xae\x42\x60\x82"));
    }
}
