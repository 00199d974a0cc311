use super::*;

fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).expect("short").to_be_bytes();
    [V2_SIGNATURE, &[command, family, length[0], length[1]], rest].concat()
}

/// Result of reading, and the bytes left after it.
async fn read_from(bytes: &[u8]) -> (Option<Beginning>, Vec<u8>) {
    let mut stream = bytes;
    (read(&mut stream).await.ok(), stream.to_vec())
}

fn header(address: &str) -> Option<Beginning> {
    Some(Beginning::Header(Some(address.parse().expect("an address"))))
}

#[tokio::test]
async fn a_header_is_read_to_its_last_byte() {
    let ports = [0x12, 0x34, 0, 80];
    let v4 = [&[203, 0, 113, 7, 10, 0, 0, 1][..], &ports].concat();
    let source: Ipv6Addr = "2001:db8::7".parse().expect("an address");
    let v6 = [&source.octets()[..], &[0; 16], &ports].concat();
    let with_extensions = [&v4[..], &[0x04, 0, 1, 0]].concat();
    for (bytes, expected) in [
        (v2(0x21, 0x11, &v4), header("203.0.113.7")),
        (v2(0x21, 0x11, &with_extensions), header("203.0.113.7")),
        (v2(0x21, 0x21, &v6), header("2001:db8::7")),
        (v2(0x20, 0x00, &[]), Some(Beginning::Header(None))),
        (v2(0x21, 0x31, &[0; 216]), Some(Beginning::Header(None))),
        (b"PROXY TCP4 203.0.113.7 10.0.0.1 4660 80\r\n".to_vec(), header("203.0.113.7")),
        (b"PROXY TCP6 2001:db8::7 ::1 4660 80\r\n".to_vec(), header("2001:db8::7")),
        (b"PROXY UNKNOWN\r\n".to_vec(), Some(Beginning::Header(None))),
    ] {
        let (read, left) = read_from(&[&bytes[..], b"GET / HTTP/1.1\r\n"].concat()).await;
        assert_eq!(read, expected, "{}", bytes.escape_ascii());
        assert_eq!(left, b"GET / HTTP/1.1\r\n", "{}", bytes.escape_ascii());
    }
}

#[tokio::test]
async fn a_malformed_header_ends_the_connection() {
    for bytes in [
        v2(0x11, 0x11, &[0; 12]),
        v2(0x22, 0x11, &[0; 12]),
        v2(0x21, 0x11, &[0; 11]),
        v2(0x21, 0x21, &[0; 12]),
        v2(0x21, 0x41, &[0; 36]),
        v2(0x21, 0x11, &[0; V2_REST + 1]),
        v2(0x21, 0x11, &[0; 12])[..20].to_vec(),
        b"PROXY TCP4 203.0.113.7\r\n".to_vec(),
        b"PROXY TCP4 2001:db8::7 ::1 1 2\r\n".to_vec(),
        b"PROXY TCP4  203.0.113.7 10.0.0.1 4660 80\r\n".to_vec(),
        [&b"PROXY UNKNOWN "[..], &[b'x'; 200], b"\r\n"].concat(),
    ] {
        assert_eq!(read_from(&bytes).await.0, None, "{}", bytes.escape_ascii());
    }
}

#[tokio::test]
async fn the_first_bytes_of_a_request_are_given_back() {
    for request in
        ["GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PROPFIND /", "\r\n\r\nGET /", "PR", ""]
    {
        let (read, left) = read_from(request.as_bytes()).await;
        let Some(Beginning::Request(seen)) = read else { panic!("{request:?}: {read:?}") };
        assert_eq!([seen, left].concat(), request.as_bytes());
    }
}
