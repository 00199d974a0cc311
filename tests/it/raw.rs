//! Raw bytes on a socket, for requests that a correct client cannot send.

pub mod h2;

use pointsman_tests::Gateway;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Connects to the gateway's client listener.
pub async fn connect(gateway: &Gateway) -> TcpStream {
    TcpStream::connect(address(gateway)).await.expect("the gateway accepts")
}

/// Returns the host and port of the gateway's client listener.
pub fn address(gateway: &Gateway) -> &str {
    gateway.base_url.strip_prefix("http://").expect("an http address")
}

/// Sends bytes and reads until the gateway closes the connection.
pub async fn send_and_read(gateway: &Gateway, bytes: &[u8]) -> String {
    let mut stream = connect(gateway).await;
    stream.write_all(bytes).await.expect("the gateway reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the gateway closes in good order");
    String::from_utf8(answer).expect("the answer is text")
}

/// Returns the head of a POST of a chat request, without the header for the body's length and the
/// empty line.
pub fn head() -> String {
    "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n".to_owned()
}
