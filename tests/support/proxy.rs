//! Proxy that forwards connections to their requested target.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Limit of bytes of a request's head.
const MAX_HEAD: usize = 64 * 1024;

/// Proxy on loopback for HTTP, for tunnels by `CONNECT`, and for SOCKS5. Stops when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    requests: Arc<watch::Sender<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound listener has an address");
        let requests = Arc::new(watch::Sender::new(Vec::new()));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&requests)));
        Self { address, requests, accepting }
    }

    /// Returns its address with a scheme, such as `http` or `socks5`.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// Returns the heads of the HTTP requests so far, one for each connection, and `SOCKS5` with
    /// the address for each tunnel of that kind.
    pub fn requests(&self) -> Vec<String> {
        self.requests.borrow().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, requests: Arc<watch::Sender<Vec<String>>>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let requests = Arc::clone(&requests);
        // A client or server that leaves ends the connection.
        connections.spawn(async move { pass_on(stream, &requests).await.unwrap_or_default() });
        while connections.try_join_next().is_some() {}
    }
}

async fn pass_on(mut client: TcpStream, requests: &watch::Sender<Vec<String>>) -> std::io::Result<()> {
    let mut first = [0];
    client.read_exact(&mut first).await?;
    let (mut server, rest) = match first {
        [5] => (socks5(&mut client, requests).await?, Vec::new()),
        [first] => http(&mut client, first, requests).await?,
    };
    server.write_all(&rest).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// Returns the target server, and the bytes to send to it first.
async fn http(
    client: &mut TcpStream,
    first: u8,
    requests: &watch::Sender<Vec<String>>,
) -> std::io::Result<(TcpStream, Vec<u8>)> {
    let mut head = vec![first];
    while !head.ends_with(b"\r\n\r\n") {
        assert!(head.len() < MAX_HEAD, "a head of HTTP");
        head.push(client.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let target = text.split(' ').nth(1).expect("a request line").to_owned();
    let is_tunnel = text.starts_with("CONNECT ");
    requests.send_modify(|requests| requests.push(text));
    let after_scheme = target.split("://").last().unwrap_or_default();
    let authority = after_scheme.split('/').next().unwrap_or_default();
    let server = TcpStream::connect(authority).await?;
    if is_tunnel {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        head.clear();
    }
    Ok((server, head))
}

/// Accepts a SOCKS5 connection (RFC 1928), without authentication and only to IPv4 addresses.
async fn socks5(client: &mut TcpStream, requests: &watch::Sender<Vec<String>>) -> std::io::Result<TcpStream> {
    let methods = client.read_u8().await?;
    client.read_exact(&mut vec![0; methods.into()]).await?;
    client.write_all(&[5, 0]).await?;
    let mut request = [0; 10];
    client.read_exact(&mut request).await?;
    let [5, 1, 0, 1, a, b, c, d, high, low] = request else { panic!("not an IPv4 address: {request:?}") };
    let address = SocketAddr::from(([a, b, c, d], u16::from_be_bytes([high, low])));
    requests.send_modify(|requests| requests.push(format!("SOCKS5 {address}")));
    let server = TcpStream::connect(address).await?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    Ok(server)
}
