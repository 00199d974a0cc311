//! Client that reuses its connection for consecutive requests.

use bytes::Bytes;
use http::header::HOST;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::client::Answer;

/// Connection to a server of chat completions.
#[derive(Debug)]
pub struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    /// Connects to an address such as `http://127.0.0.1:8080`; a path is left out.
    pub async fn open(address: &str) -> Self {
        let authority = address.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let stream = TcpStream::connect(authority).await.expect("the server accepts");
        stream.set_nodelay(true).expect("a fresh socket");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("an HTTP/1.1 connection");
        tokio::spawn(connection);
        Self(sender)
    }

    /// POSTs a chat request and waits for the whole answer.
    pub async fn ask(&mut self, body: &Bytes) -> Answer {
        let request =
            Request::builder().method(Method::POST).uri("/v1/chat/completions").header(HOST, "test");
        let request = request.body(Full::new(body.clone())).expect("a valid request");
        self.0.ready().await.expect("the server keeps the connection");
        let (head, body) = self.0.send_request(request).await.expect("the server answers").into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }
}
