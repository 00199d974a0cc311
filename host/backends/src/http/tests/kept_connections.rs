//! Requests that a server leaves unprocessed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pointsman_tests::Proxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::*;

/// Returns a backend over each client library: hyper's, and reqwest's with a proxy.
async fn backends(server: &FakeModel) -> [(Backend, Option<Proxy>); 2] {
    let proxy = Proxy::start().await;
    let url = Secret::new(proxy.url("http"));
    let config = HttpConfig {
        proxy: Some(ProxyConfig { url, credentials: None }),
        ..HttpConfig::new(server.base_url())
    };
    [(backend(server), None), (http_backend(config).unwrap(), Some(proxy))]
}

async fn whole(backend: &Backend) -> Result<Bytes, CallFailure> {
    call(backend).await?.body.whole(10_000).await
}

#[tokio::test]
async fn a_kept_connection_that_closes_without_an_answer_is_replaced_once() {
    for client in [0, 1] {
        let server = FakeModel::builder()
            .then(Step::answer("1"))
            .then(Step::drop_connection())
            .then(Step::answer("2"))
            .then(Step::answer("3"))
            .then(Step::drop_connection())
            .then(Step::drop_connection())
            .start()
            .await;
        let backends = backends(&server).await;
        let backend = &backends[client].0;
        whole(backend).await.unwrap();
        whole(backend).await.unwrap();
        assert_eq!(server.requests().len(), 3);
        assert_eq!(server.request(2).await.body, server.request(3).await.body);
        // The connection of the repeated request is not kept.
        whole(backend).await.unwrap();
        let failure = call(backend).await.unwrap_err();
        assert!(matches!(failure.kind, FailureKind::Broken(_)), "{failure}");
        assert_eq!(server.requests().len(), 6);
    }
}

#[tokio::test]
async fn a_new_connection_that_closes_without_an_answer_is_a_failure() {
    for client in [0, 1] {
        let server = FakeModel::always(Step::drop_connection()).await;
        let backends = backends(&server).await;
        let failure = call(&backends[client].0).await.unwrap_err();
        assert!(matches!(failure.kind, FailureKind::Broken(_)), "{failure}");
        assert_eq!(server.requests().len(), 1);
    }
}

/// Behaviour of an HTTP/2 server on its first connection.
#[derive(Clone, Copy)]
enum FirstConnection {
    /// Sends these frames instead of an answer.
    Sends(&'static [u8]),
    /// Answers once, and closes at the second request.
    ClosesAtSecondRequest,
}

/// Speaks enough HTTP/2 to answer requests with status 200 and the body `{}`, except those of the
/// first connection.
async fn http2(listener: TcpListener, first: FirstConnection, seen: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let first = connections.is_empty().then_some(first);
        connections.spawn(http2_connection(stream, first, Arc::clone(&seen)));
    }
}

async fn http2_connection(
    mut stream: TcpStream,
    first: Option<FirstConnection>,
    seen: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    stream.read_exact(&mut [0; 24]).await?;
    stream.write_all(b"\0\0\0\x04\0\0\0\0\0").await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [high, middle, low, kind, flags, id @ ..] = head;
        let length = u32::from_be_bytes([0, high, middle, low]);
        stream.read_exact(&mut vec![0; length as usize]).await?;
        if kind == SETTINGS && flags & 1 == 0 {
            stream.write_all(b"\0\0\0\x04\x01\0\0\0\0").await?;
        }
        if kind == HEADERS {
            let seen = seen.fetch_add(1, Ordering::Relaxed) + 1;
            match first {
                Some(FirstConnection::Sends(frames)) => stream.write_all(frames).await?,
                Some(FirstConnection::ClosesAtSecondRequest) if seen == 2 => return Ok(()),
                _ => {
                    stream.write_all(&[&b"\0\0\x01\x01\x04"[..], &id, b"\x88"].concat()).await?;
                    stream.write_all(&[&b"\0\0\x02\0\x01"[..], &id, b"{}"].concat()).await?;
                }
            }
        }
    }
}

/// Returns a backend that speaks HTTP/2 over one of the client libraries to a server with this
/// behaviour, and the number of requests that the server received. Dropping the task ends the
/// server.
async fn http2_backend(first: FirstConnection, by_reqwest: bool) -> (Backend, Arc<AtomicUsize>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let mut server = JoinSet::new();
    server.spawn(http2(listener, first, Arc::clone(&seen)));
    // With a proxy, which is the server itself here, reqwest's client is used.
    let proxy = by_reqwest.then(|| ProxyConfig { url: Secret::new(url.as_str()), credentials: None });
    let config = HttpConfig { http2: true, proxy, ..HttpConfig::new(url) };
    (http_backend(config).unwrap(), seen, server)
}

/// `GOAWAY` with the last stream 0 and this error.
const GOODBYE: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";
const FAULT: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x02";
/// `RST_STREAM` of stream 1.
const REFUSED: &[u8] = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x07";
const INTERNAL: &[u8] = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x02";

#[tokio::test]
async fn a_stream_that_was_not_processed_is_sent_again() {
    for (frames, is_repeated) in [(GOODBYE, true), (REFUSED, true), (FAULT, false), (INTERNAL, false)] {
        for by_reqwest in [false, true] {
            let first = FirstConnection::Sends(frames);
            let (backend, seen, _server) = http2_backend(first, by_reqwest).await;
            let answer = whole(&backend).await;
            assert_eq!(answer.is_ok(), is_repeated, "{frames:?} {by_reqwest}: {answer:?}");
            assert_eq!(seen.load(Ordering::Relaxed), if is_repeated { 2 } else { 1 });
        }
    }
}

#[tokio::test]
async fn a_kept_connection_of_http_2_that_closes_is_replaced() {
    for by_reqwest in [false, true] {
        let first = FirstConnection::ClosesAtSecondRequest;
        let (backend, seen, _server) = http2_backend(first, by_reqwest).await;
        whole(&backend).await.unwrap();
        whole(&backend).await.unwrap();
        assert_eq!(seen.load(Ordering::Relaxed), 3);
    }
}

/// Answers one request on one connection with these bytes, then closes it.
async fn answering(bytes: &'static [u8], address: &str) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = Vec::new();
        while !received.ends_with(b"}") {
            stream.read_buf(&mut received).await.unwrap();
        }
        stream.write_all(bytes).await.unwrap();
    });
    (url, server)
}

#[tokio::test]
async fn interim_responses_are_skipped() {
    const ANSWER: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n\
        HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let (url, _server) = answering(ANSWER, "127.0.0.1:0").await;
    assert_eq!(whole(&http_backend(HttpConfig::new(url)).unwrap()).await.unwrap(), "{}");
}

#[tokio::test]
async fn an_answer_of_http_1_0_ends_with_its_connection() {
    let (url, _server) = answering(b"HTTP/1.0 200 OK\r\n\r\n{}", "127.0.0.1:0").await;
    assert_eq!(whole(&http_backend(HttpConfig::new(url)).unwrap()).await.unwrap(), "{}");
}

#[tokio::test]
async fn a_server_is_reached_by_its_address_of_ipv6() {
    let (url, _server) = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", "[::1]:0").await;
    assert_eq!(whole(&http_backend(HttpConfig::new(url)).unwrap()).await.unwrap(), "{}");
}
