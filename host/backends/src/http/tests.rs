use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::model::{Modalities, Model, Operation};
use pointsman_tests::{FakeModel, Gate, Step, client, model};
use pointsman_wire::openai::provider::MultipartForm;
use pointsman_wire::{BodyPiece, CallBody, StoredContent};

use super::*;
use crate::auth::{KeyCommand, KeyFile, KeyPlacement, KeySource};
use crate::{Backend, BackendResponse, TransportConfig};

mod codings;
mod kept_connections;
mod proxies;
mod redirects;
mod tls;

fn http_backend(config: HttpConfig) -> Result<Backend, InvalidBackend> {
    Backend::new(TransportConfig::Http(config), ProviderDialect::OpenAi)
}

fn backend(server: &FakeModel) -> Backend {
    http_backend(HttpConfig::new(server.base_url())).unwrap()
}

async fn send(
    backend: &Backend,
    headers: HeaderMap,
    body: &[&'static str],
) -> Result<BackendResponse, CallFailure> {
    let body: Vec<Bytes> = body.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect();
    let model = model("small", Modalities::TEXT);
    backend
        .call(BackendCall {
            model: &model,
            operation: Operation::Chat,
            path: "chat/completions",
            content_type: None,
            body: body.into(),
            headers,
        })
        .await
}

async fn call(backend: &Backend) -> Result<BackendResponse, CallFailure> {
    send(backend, HeaderMap::new(), &["{\"model\":", "\"small\"", "}"]).await
}

async fn failure(backend: &Backend) -> FailureKind {
    call(backend).await.unwrap_err().kind
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

#[tokio::test]
async fn a_call_carries_the_body_the_key_and_the_clients_headers() {
    let server = FakeModel::saying("hi").await;
    let mut config = HttpConfig::new(server.base_url() + "/");
    config.auth = Some(ProviderAuth::bearer(Secret::new("sk-1")));
    config.headers = headers(&[("x-team", "ours")]);
    let backend = http_backend(config).unwrap();
    let client = headers(&[("x-title", "a"), ("x-team", "theirs"), ("authorization", "Bearer theirs")]);

    let reply = send(&backend, client, &["{\"model\":", "\"small\"}"]).await.unwrap();
    assert_eq!(reply.status, 200);

    let request = server.request(1).await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(request.body, "{\"model\":\"small\"}");
    assert_eq!(request.header("authorization"), Some("Bearer sk-1"));
    assert_eq!(request.header("x-title"), Some("a"));
    assert_eq!(request.header("x-team"), Some("ours"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert_eq!(request.header("content-length"), Some("17"));
}

/// Sends a recording as a file, and checks that it arrives as one.
async fn check_transcription(server: &FakeModel, config: HttpConfig) {
    let recording = Bytes::from(vec![0; 300_000]);
    let head = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n";
    let call = BackendCall {
        model: &model("small", Modalities::AUDIO),
        operation: Operation::Transcription,
        path: "audio/transcriptions",
        content_type: Some("multipart/form-data; boundary=B"),
        body: vec![head.into(), recording.clone(), Bytes::from_static(b"\r\n--B--\r\n")].into(),
        headers: headers(&[("content-type", "text/plain")]),
    };
    let reply = http_backend(config).unwrap().call(call).await.unwrap();
    assert_eq!(reply.body.whole(1000).await.unwrap(), r#"{"text":"hi"}"#);

    let request = server.request(1).await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/audio/transcriptions"));
    assert_eq!(request.headers.get_all("content-type").iter().count(), 1);
    let form = MultipartForm::read(request.header("content-type").unwrap(), &request.body).unwrap();
    assert_eq!(form.file("file"), Some(("a.wav", recording.as_ref())));
}

fn hearing() -> Step {
    Step::json(&serde_json::json!({ "text": "hi" }))
}

#[tokio::test]
async fn a_recording_is_sent_as_a_form_whatever_the_configuration_says_of_json() {
    let server = FakeModel::always(hearing()).await;
    let json = headers(&[("content-type", "application/json; charset=utf-8")]);
    let config = HttpConfig { headers: json, ..HttpConfig::new(server.base_url()) };
    check_transcription(&server, config).await;
}

#[tokio::test]
async fn a_recording_is_sent_over_http_2_and_tls_alike() {
    let server = FakeModel::always(hearing()).await;
    let config = HttpConfig { http2: true, ..HttpConfig::new(server.base_url()) };
    check_transcription(&server, config).await;
    assert_eq!(server.request(1).await.version, ::http::Version::HTTP_2);

    let server = FakeModel::builder().tls().otherwise(|_| hearing()).start().await;
    let ca_pem = server.ca_pem().map(|pem| pem.as_bytes().to_vec());
    check_transcription(&server, HttpConfig { ca_pem, ..HttpConfig::new(server.base_url()) }).await;
}

#[tokio::test]
async fn an_embedding_has_an_address_of_its_own() {
    let server = FakeModel::always(Step::json(&serde_json::json!({ "data": [] }))).await;
    let call = BackendCall {
        model: &model("small", Modalities::TEXT),
        operation: Operation::Embedding,
        path: "embeddings",
        content_type: None,
        body: Bytes::from_static(br#"{"input":"hi"}"#).into(),
        headers: HeaderMap::new(),
    };
    assert_eq!(backend(&server).call(call).await.unwrap().status, 200);
    let request = server.request(1).await;
    assert_eq!(request.path, "/v1/embeddings");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.json()["input"], "hi");
}

#[tokio::test]
async fn a_long_body_is_sent_in_pieces_with_its_length() {
    let server = FakeModel::saying("hi").await;
    let image = Bytes::from(vec![b'a'; 4 * 1024 * 1024]);
    let body = vec![Bytes::from_static(b"{\"image\":\""), image, Bytes::new(), Bytes::from_static(b"\"}")];
    let whole = body.concat();
    let call = BackendCall {
        model: &model("small", Modalities::TEXT),
        operation: Operation::Chat,
        path: "chat/completions",
        content_type: None,
        body: body.into(),
        headers: HeaderMap::new(),
    };
    assert_eq!(backend(&server).call(call).await.unwrap().status, 200);
    let request = server.request(1).await;
    assert_eq!(request.header("content-length"), Some(whole.len().to_string().as_str()));
    assert_eq!(request.header("transfer-encoding"), None);
    assert!(request.body == whole);
}

/// Upload of a repeated byte.
#[derive(Debug)]
struct Upload {
    size: u64,
    /// True if the storage loses it.
    is_lost: bool,
}

impl StoredContent for Upload {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.is_lost {
            return Ok(0);
        }
        let read = buffer.len().min((self.size - offset) as usize).min(50_000);
        buffer[..read].fill(b'x');
        Ok(read)
    }
}

fn upload(model: &Model, upload: Upload) -> BackendCall<'_> {
    BackendCall {
        model,
        operation: Operation::Transcription,
        path: "audio/transcriptions",
        content_type: Some("multipart/form-data; boundary=B"),
        body: CallBody::Stored(vec![
            BodyPiece::Bytes(Bytes::from_static(b"--B\r\n\r\n")),
            BodyPiece::Bytes(Bytes::new()),
            BodyPiece::Stored(Arc::new(upload)),
            BodyPiece::Bytes(Bytes::from_static(b"\r\n--B--\r\n")),
        ]),
        headers: HeaderMap::new(),
    }
}

#[tokio::test]
async fn a_stored_upload_is_read_while_it_is_sent() {
    let server = FakeModel::always(Step::status(200)).await;
    let (size, model) = (1_000_000, model("ear", Modalities::AUDIO));
    let call = upload(&model, Upload { size, is_lost: false });
    assert_eq!(backend(&server).call(call).await.unwrap().status, 200);
    let request = server.request(1).await;
    let expected = format!("--B\r\n\r\n{}\r\n--B--\r\n", "x".repeat(size as usize));
    assert_eq!(request.header("content-length"), Some(expected.len().to_string().as_str()));
    assert!(request.body == expected.as_bytes());
}

#[tokio::test]
async fn an_upload_that_cannot_be_read_fails_the_call() {
    let server = FakeModel::always(Step::status(200)).await;
    let model = model("ear", Modalities::AUDIO);
    let lost = upload(&model, Upload { size: 1_000_000, is_lost: true });
    assert!(matches!(
        backend(&server).call(lost).await,
        Err(CallFailure { kind: FailureKind::Broken(_), .. })
    ));
}

#[tokio::test]
async fn an_error_status_is_an_answer() {
    let server = FakeModel::always(Step::status(429).header("retry-after", "3")).await;
    let reply = call(&backend(&server)).await.unwrap();
    assert_eq!((reply.status, reply.headers["retry-after"].to_str().unwrap()), (429, "3"));
    assert!(reply.body.whole(1000).await.unwrap().starts_with(b"{\"error\""));
}

#[tokio::test]
async fn only_harmless_headers_come_back() {
    let step = Step::answer("hi")
        .header("x-request-id", "r1")
        .header("x-ratelimit-remaining-tokens", "9")
        .header("set-cookie", "a=b")
        .header("server", "secret/1.0")
        .header("openai-organization", "ours")
        .header("authorization", "Bearer sk-1");
    let server = FakeModel::always(step).await;
    let reply = call(&backend(&server)).await.unwrap();
    let mut names: Vec<&str> = reply.headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "x-ratelimit-remaining-tokens", "x-request-id"]);
}

#[tokio::test]
async fn the_head_arrives_before_the_body_and_chunks_as_they_are_sent() {
    let gate = Gate::new();
    let server = FakeModel::always(Step::stream(&["a", "b"]).wait_after(1, &gate)).await;
    let mut reply = call(&backend(&server)).await.unwrap();
    assert_eq!(reply.headers["content-type"], "text/event-stream");
    let first = reply.body.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"data: {") && first.ends_with(b"\n\n"));
    gate.reached().await;
    gate.open();
    let rest = reply.body.whole(10_000).await.unwrap();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
}

#[tokio::test]
async fn dropping_a_call_or_its_answer_hangs_up() {
    let gate = Gate::new();
    let server = FakeModel::builder()
        .then(Step::stream(&["a", "b"]).wait_after(1, &gate))
        .then(Step::answer("late").after(&gate))
        .start()
        .await;
    let backend = backend(&server);
    drop(call(&backend).await.unwrap());
    server.hung_up(1).await;
    tokio::select! {
        _ = call(&backend) => panic!("the gate is closed"),
        () = gate.reached_by(2) => {}
    }
    server.hung_up(2).await;
}

#[tokio::test]
async fn a_refused_connection_is_distinguished_from_a_broken_one() {
    let mut server = FakeModel::builder()
        .then(Step::drop_connection())
        .then(Step::stream(&["a", "b"]).die_after(1))
        .start()
        .await;
    let backend = backend(&server);
    assert!(matches!(failure(&backend).await, FailureKind::Broken(_)));

    let mut body = call(&backend).await.unwrap().body;
    assert!(body.chunk().await.unwrap().is_ok());
    assert!(matches!(body.chunk().await.unwrap().unwrap_err().kind, FailureKind::Broken(_)));

    server.go_down().await;
    let FailureKind::Connect(reason) = failure(&backend).await else { panic!("it is down") };
    assert!(reason.contains("refused"), "{reason}");
    assert!(!reason.contains("127.0.0.1"), "{reason}");
}

#[tokio::test]
async fn connections_are_used_again_and_replaced_when_closed() {
    let mut server = FakeModel::saying("hi").await;
    let backend = backend(&server);
    for _ in 0..3 {
        call(&backend).await.unwrap().body.whole(1000).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    server.go_down().await;
    server.come_back().await;
    // After this round trip, the pool knows that its connection is closed.
    client::get(&format!("{}/models", server.base_url())).await;
    call(&backend).await.unwrap().body.whole(1000).await.unwrap();
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn an_answer_longer_than_the_limit_is_not_held() {
    let server = FakeModel::always(Step::huge(1_000_000)).await;
    let failure = call(&backend(&server)).await.unwrap().body.whole(100_000).await.unwrap_err();
    assert_eq!(failure.to_string(), "unusable answer: longer than 100000 bytes");
}

#[tokio::test]
async fn http_2_can_be_spoken_without_negotiation() {
    let server = FakeModel::saying("hi").await;
    let config = HttpConfig { http2: true, ..HttpConfig::new(server.base_url()) };
    assert_eq!(call(&http_backend(config).unwrap()).await.unwrap().status, 200);
    assert_eq!(server.request(1).await.version, ::http::Version::HTTP_2);
}

#[tokio::test]
async fn a_key_is_sent_in_the_configured_header() {
    let server = FakeModel::saying("hi").await;
    let mut config = HttpConfig::new(server.base_url() + "?api-version=2024-10-21");
    config.auth = Some(ProviderAuth::in_header(HeaderName::from_static("api-key"), Secret::new("k-1")));
    let backend = http_backend(config).unwrap();
    send(&backend, headers(&[("api-key", "theirs")]), &["{}"]).await.unwrap();
    backend.probe("models", Duration::from_secs(60)).await.unwrap();

    let request = server.request(1).await;
    assert_eq!(request.path, "/v1/chat/completions?api-version=2024-10-21");
    assert_eq!((request.header("api-key"), request.header("authorization")), (Some("k-1"), None));
    assert_eq!(server.request(2).await.path, "/v1/models?api-version=2024-10-21");
}

/// Returns the credentials for a key in a place.
fn auth(placement: KeyPlacement, key: &str) -> Option<ProviderAuth> {
    Some(ProviderAuth { placement, source: KeySource::Fixed(Secret::new(key)) })
}

#[tokio::test]
async fn a_key_is_sent_with_a_prefix_or_in_the_query_of_calls_and_probes() {
    let server = FakeModel::saying("hi").await;
    let mut config = HttpConfig::new(server.base_url());
    config.query = vec![("api-version".to_owned(), "2024-10-21".to_owned())];
    let name = HeaderName::from_static("authorization");
    config.auth = auth(KeyPlacement::header(name, Some("Key ".to_owned())), "k-1");
    call(&http_backend(config.clone()).unwrap()).await.unwrap();
    config.auth = auth(KeyPlacement::Query { parameter: "key".to_owned() }, "k/2");
    let backend = http_backend(config).unwrap();
    call(&backend).await.unwrap();
    backend.probe("models", Duration::from_secs(60)).await.unwrap();

    let requests = server.requests();
    let sent = requests.iter().map(|request| (request.path.as_str(), request.header("authorization")));
    let expected = [
        ("/v1/chat/completions?api-version=2024-10-21", Some("Key k-1")),
        ("/v1/chat/completions?api-version=2024-10-21&key=k%2F2", None),
        ("/v1/models?api-version=2024-10-21&key=k%2F2", None),
    ];
    assert!(sent.eq(expected), "{requests:?}");
}

#[tokio::test]
async fn a_key_in_the_query_is_not_shown_by_failures_over_any_transport() {
    let placement = KeyPlacement::Query { parameter: "key".to_owned() };
    let (mut plain, mut encrypted) =
        (FakeModel::saying("hi").await, FakeModel::builder().tls().start().await);
    for server in [&mut plain, &mut encrypted] {
        let mut config = HttpConfig::new(server.base_url());
        config.ca_pem = server.ca_pem().map(|pem| pem.as_bytes().to_vec());
        config.auth = auth(placement.clone(), "very-secret");
        let backend = http_backend(config).unwrap();
        call(&backend).await.unwrap();
        server.go_down().await;
        let failed = call(&backend).await.unwrap_err();
        assert!(!format!("{failed} {failed:?} {backend:?}").contains("very-secret"), "{failed}");
    }
}

#[tokio::test]
async fn a_key_in_a_file_is_replaced_without_another_backend() {
    let server = FakeModel::saying("hi").await;
    let config = |key: &str| {
        let source = KeySource::File(KeyFile::new("/nowhere/key".into(), Secret::new(key)));
        let placement = KeyPlacement::header(HeaderName::from_static("authorization"), None);
        HttpConfig { auth: Some(ProviderAuth { placement, source }), ..HttpConfig::new(server.base_url()) }
    };
    let (old, new) = (TransportConfig::Http(config("k-1")), TransportConfig::Http(config("k-2")));
    assert_eq!(old, new, "the file is the same");
    let backend = Backend::new(old.clone(), ProviderDialect::OpenAi).unwrap();
    call(&backend).await.unwrap();
    backend.adopt_key(&old, &new);
    call(&backend).await.unwrap();
    backend.adopt_key(&old, &old);
    call(&backend).await.unwrap();
    let sent: Vec<_> =
        server.requests().iter().map(|request| request.header("authorization").map(str::to_owned)).collect();
    let expected = ["Bearer k-1", "Bearer k-2", "Bearer k-2"];
    assert_eq!(sent, expected.map(|value| Some(value.to_owned())));
}

#[tokio::test]
async fn a_backend_without_a_key_is_not_called_and_gets_one_when_there_is_one() {
    let server = FakeModel::saying("hi").await;
    let ready = std::env::temp_dir().join(format!("pointsman-key-{}", std::process::id()));
    let _ = std::fs::remove_file(&ready);
    let command = KeyCommand {
        program: "/bin/sh".into(),
        arguments: vec!["-c".to_owned(), format!("cat {}", ready.display())],
        refresh_after: Duration::from_millis(1),
        timeout: Duration::from_secs(60),
    };
    let placement = KeyPlacement::header(HeaderName::from_static("authorization"), None);
    let source = KeySource::Command(command);
    let config =
        HttpConfig { auth: Some(ProviderAuth { placement, source }), ..HttpConfig::new(server.base_url()) };
    let backend = http_backend(config).unwrap();
    assert!(matches!(failure(&backend).await, FailureKind::NoKey(_)));
    let probe = backend.probe("models", Duration::from_secs(60)).await.unwrap_err();
    assert!(probe.to_string().starts_with("no API key: the command `/bin/sh`: "), "{probe}");
    assert_eq!(server.connections(), 0);

    std::fs::write(&ready, "k-1").unwrap();
    while call(&backend).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.request(1).await.header("authorization"), Some("Bearer k-1"));
    std::fs::remove_file(&ready).unwrap();
}

#[test]
fn a_key_is_not_shown_by_debug_or_errors() {
    let key = "sk-very-secret";
    let config = HttpConfig {
        auth: Some(ProviderAuth::bearer(Secret::new(key))),
        ..HttpConfig::new("http://localhost:1/v1")
    };
    assert!(!format!("{config:?}").contains(key));
    assert!(!format!("{:?}", http_backend(config).unwrap()).contains(key));
    let config = HttpConfig {
        auth: Some(ProviderAuth::bearer(Secret::new(format!("{key}\n")))),
        ..HttpConfig::new("http://h/v1")
    };
    let error = http_backend(config).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(key));
}

#[test]
fn an_invalid_backend_is_rejected_with_its_reason() {
    let reason = |config: HttpConfig| http_backend(config).unwrap_err().to_string();
    for url in ["", "localhost:8000", "ftp://h/v1", "http://h/v1#x"] {
        assert!(reason(HttpConfig::new(url)).contains("is not an address such as"), "{url}");
    }
    let credentials = reason(HttpConfig::new("https://me:pw@h/v1"));
    assert!(credentials.contains("api_key") && !credentials.contains("pw"));
    let no_pem = HttpConfig { ca_pem: Some(b"nothing".to_vec()), ..HttpConfig::new("https://h/v1") };
    assert!(reason(no_pem).contains("no certificate found"));
}
