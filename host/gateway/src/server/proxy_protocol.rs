//! The PROXY protocol, versions 1 and 2: the header in which a proxy says for whom it
//! connects. <https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>
//!
//! Read by hand because a parser of what is needed here is shorter than an adapter to a
//! crate, and has to stop at the last byte of the header.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// First bytes of version 2. No version of HTTP begins like this.
const V2_SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// First bytes of version 1. No known method of HTTP/1 is called this.
const V1_SIGNATURE: &[u8] = b"PROXY ";
/// Longest line of version 1, with its end.
const V1_LINE: usize = 107;
/// Signature, command, family and length.
const V2_HEAD: usize = 16;
/// Longest addresses and extensions of version 2 that are accepted.
const V2_REST: usize = 4096;

/// Beginning of a connection from a trusted proxy.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// A header. The address is missing when the proxy connects for itself, or for a client
    /// without an IP address.
    Header(Option<IpAddr>),
    /// No header. These bytes belong to the client's request.
    Request(Vec<u8>),
}

/// Reads a header if there is one, and nothing behind it.
///
/// # Errors
///
/// Fails on a header that is malformed or too long, and when the connection breaks.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Beginning> {
    let mut seen = Vec::with_capacity(V1_LINE);
    loop {
        if seen == V2_SIGNATURE {
            return v2(stream).await.map(Beginning::Header);
        }
        if seen == V1_SIGNATURE {
            return v1(stream, seen).await.map(Beginning::Header);
        }
        if !V2_SIGNATURE.starts_with(&seen) && !V1_SIGNATURE.starts_with(&seen) {
            return Ok(Beginning::Request(seen));
        }
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return Ok(Beginning::Request(seen));
        }
        seen.extend_from_slice(&byte);
    }
}

async fn v1(stream: &mut (impl AsyncRead + Unpin), mut line: Vec<u8>) -> io::Result<Option<IpAddr>> {
    while !line.ends_with(b"\r\n") {
        if line.len() == V1_LINE {
            return Err(malformed());
        }
        line.push(stream.read_u8().await?);
    }
    let line = std::str::from_utf8(&line).map_err(|_| malformed())?;
    let fields: Vec<&str> = line.trim_end_matches("\r\n").split(' ').collect();
    match fields.as_slice() {
        ["PROXY", "UNKNOWN", ..] => Ok(None),
        ["PROXY", "TCP4", source, _, _, _] => {
            source.parse::<Ipv4Addr>().map(|source| Some(source.into())).map_err(|_| malformed())
        }
        ["PROXY", "TCP6", source, _, _, _] => {
            source.parse::<Ipv6Addr>().map(|source| Some(source.into())).map_err(|_| malformed())
        }
        _ => Err(malformed()),
    }
}

async fn v2(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut head = [0; V2_HEAD - V2_SIGNATURE.len()];
    stream.read_exact(&mut head).await?;
    let [command, family, high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > V2_REST {
        return Err(malformed());
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match (command, family >> 4) {
        // LOCAL: a health check of the proxy itself.
        (0x20, _) => Ok(None),
        // Source, destination, and a port of each.
        (0x21, 1) if rest.len() >= 12 => Ok(rest.first_chunk::<4>().map(|&source| source.into())),
        (0x21, 2) if rest.len() >= 36 => Ok(rest.first_chunk::<16>().map(|&source| source.into())),
        // Unspecified, and Unix sockets.
        (0x21, 0 | 3) => Ok(None),
        _ => Err(malformed()),
    }
}

fn malformed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "malformed PROXY protocol header")
}

#[cfg(test)]
mod tests;
