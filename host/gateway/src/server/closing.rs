//! The end of connections that serve no request.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest time for which the bytes of a client are read on. It holds a slot.
const LINGER: Duration = Duration::from_millis(100);

/// Closes a connection whose client may still send.
pub(super) async fn close(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    // Unread bytes would reset the connection, and the last bytes for the client with it.
    let discarding = async {
        let mut bytes = [0; 4 << 10];
        while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    };
    let _ = timeout(LINGER, discarding).await;
}
