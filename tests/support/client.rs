//! Minimal client: one connection for each request, so that dropping an answer hangs up.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::planted::PLANTED;

/// Complete response.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// Response whose body is still arriving. Dropping it hangs up.
#[derive(Debug)]
pub struct Stream {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    body: Incoming,
    received: BytesMut,
    connection: JoinHandle<()>,
}

/// Sends a GET.
pub async fn get(url: &str) -> Answer {
    send(request(Method::GET, url, &[], Bytes::new())).await.whole().await
}

/// Sends a GET with headers.
pub async fn get_with(url: &str, headers: &[(&str, &str)]) -> Answer {
    send(request(Method::GET, url, headers, Bytes::new())).await.whole().await
}

/// POSTs JSON and waits for the whole answer.
pub async fn post(url: &str, body: &Value) -> Answer {
    stream(url, body).await.whole().await
}

/// POSTs JSON with some headers and waits for the whole answer.
pub async fn post_with(url: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    stream_with(url, headers, body).await.whole().await
}

/// POSTs JSON and returns when the head of the answer is there.
pub async fn stream(url: &str, body: &Value) -> Stream {
    stream_with(url, &[], body).await
}

/// POSTs JSON with some headers and returns when the head of the answer is there.
pub async fn stream_with(url: &str, headers: &[(&str, &str)], body: &Value) -> Stream {
    send(request(Method::POST, url, headers, Bytes::from(body.to_string()))).await
}

/// Sends any request and waits for the whole answer.
pub async fn call(method: Method, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    send(request(method, url, headers, body.into())).await.whole().await
}

/// Returns a request for [`send`].
pub fn request(method: Method, url: &str, headers: &[(&str, &str)], body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method(method)
        .uri(url)
        .header(CONTENT_TYPE, "application/json")
        .header("x-planted", PLANTED)
        .header("cookie", PLANTED);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body)).expect("a valid request")
}

/// Sends a request on a connection of its own.
pub async fn send(mut request: Request<Full<Bytes>>) -> Stream {
    let authority = request.uri().authority().expect("an absolute address").clone();
    let path = request.uri().path_and_query().expect("an address with a path").clone();
    let host = authority.as_str().parse().expect("an authority is a header value");
    request.headers_mut().insert(HOST, host);
    *request.uri_mut() = Uri::from(path);

    let stream = TcpStream::connect(authority.as_str()).await.expect("the server accepts");
    stream.set_nodelay(true).expect("a fresh socket");
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.expect("an HTTP/1.1 connection");
    let connection = tokio::spawn(async move {
        // Tests see a broken connection as a broken body.
        let _ = connection.await;
    });
    let response = sender.send_request(request).await.expect("the server answers");
    let (head, body) = response.into_parts();
    let received = BytesMut::new();
    Stream { status: head.status, headers: head.headers, body, received, connection }
}

impl Answer {
    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON: {error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Returns a header as text, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("the header is text"))
    }

    /// Returns the text of a chat completion.
    pub fn text(&self) -> String {
        let json = self.json();
        let content = json["choices"][0]["message"]["content"].as_str();
        content.unwrap_or_else(|| panic!("not a chat completion: {json}")).to_owned()
    }
}

impl Stream {
    /// Returns the next chunk as it arrived, if there is one; an error if the response breaks
    /// off.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        loop {
            match self.body.frame().await? {
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Returns the data of the next event; `None` at the end. Panics if the stream breaks off.
    pub async fn event(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.received.windows(2).position(|pair| pair == b"\n\n") {
                let event = self.received.split_to(end + 2);
                let lines = std::str::from_utf8(&event).expect("events are text").lines();
                let data: Vec<&str> = lines.filter_map(|line| line.strip_prefix("data: ")).collect();
                return Some(data.join("\n"));
            }
            match self.chunk().await {
                Some(chunk) => self.received.extend_from_slice(&chunk.expect("the stream goes on")),
                None => {
                    assert!(self.received.is_empty(), "an event without an end: {:?}", self.received);
                    return None;
                }
            }
        }
    }

    /// Returns the data of all remaining events.
    pub async fn events(mut self) -> Vec<String> {
        let mut events = Vec::new();
        while let Some(event) = self.event().await {
            events.push(event);
        }
        events
    }

    /// Returns the remaining text of a streamed chat completion.
    pub async fn text(self) -> String {
        let events = self.events().await;
        assert_eq!(events.last().map(String::as_str), Some("[DONE]"), "{events:#?}");
        let chunks = events.iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
        chunks
            .filter_map(|chunk| Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned()))
            .collect()
    }

    /// Returns the response with the rest of the body. Panics if it breaks off.
    pub async fn whole(mut self) -> Answer {
        let mut body = std::mem::take(&mut self.received);
        while let Some(chunk) = self.chunk().await {
            body.extend_from_slice(&chunk.expect("the answer is complete"));
        }
        Answer { status: self.status, headers: std::mem::take(&mut self.headers), body: body.freeze() }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
