//! What the HTTP client costs for each call, beside hyper-util's client and a
//! single connection without a pool, against a server in this process. All run
//! on one thread, so a sample is the CPU time of both ends, and the difference
//! of two is that of the clients.

#![expect(clippy::expect_used, reason = "a bench that cannot run has nothing to measure")]

use bytes::Bytes;
use divan::Bencher;
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use pointsman_backends::{Backend, BackendCall, HttpConfig, ProviderAuth, TransportConfig};
use pointsman_domain::model::{Modalities, Operation};
use pointsman_domain::secret::Secret;
use pointsman_tests::{FakeModel, Step, model};
use pointsman_wire::provider::ProviderDialect;
use tokio::runtime::{Builder, Runtime};

const BODY: &[u8] = br#"{"model":"small","messages":[{"role":"user","content":"hello there"}]}"#;

fn main() {
    divan::main();
}

/// A server and the runtime that both ends share.
struct Rig {
    runtime: Runtime,
    server: FakeModel,
}

impl Rig {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let server = runtime.block_on(FakeModel::always(Step::answer("hello to you, too")));
        Self { runtime, server }
    }
}

#[divan::bench]
fn backend(bencher: Bencher) {
    let rig = Rig::new();
    let model = model("small", Modalities::TEXT);
    let mut config = HttpConfig::new(rig.server.base_url());
    config.auth = Some(ProviderAuth::bearer(Secret::new("sk-123")));
    let backend = Backend::new(TransportConfig::Http(config), ProviderDialect::OpenAi).expect("a backend");
    bencher.bench_local(|| {
        rig.runtime.block_on(async {
            let body = Bytes::from_static(BODY).into();
            let call = BackendCall {
                model: &model,
                operation: Operation::Chat,
                path: "chat/completions",
                content_type: None,
                body,
                headers: HeaderMap::new(),
            };
            let reply = backend.call(call).await.expect("an answer");
            reply.body.whole(10_000).await.expect("a body")
        })
    });
}

/// One connection without a pool: what is left when nothing is left out.
#[divan::bench]
fn connection(bencher: Bencher) {
    let rig = Rig::new();
    let uri: Uri = format!("{}/chat/completions", rig.server.base_url()).parse().expect("an address");
    let authority = uri.authority().expect("an absolute address").to_string();
    let (mut sender, connection) = rig.runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(&authority).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let io = hyper_util::rt::TokioIo::new(stream);
        hyper::client::conn::http1::handshake(io).await.expect("a handshake")
    });
    rig.runtime.spawn(connection);
    bencher.bench_local(|| {
        rig.runtime.block_on(async {
            let mut request = Request::new(Full::new(Bytes::from_static(BODY)));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = Uri::from_static("/v1/chat/completions");
            for (name, value) in [
                ("host", "127.0.0.1:12345"),
                ("user-agent", "pointsman/0.1.0"),
                ("content-type", "application/json"),
                ("accept-encoding", "identity"),
                ("authorization", "Bearer sk-123"),
            ] {
                request.headers_mut().insert(name, http::HeaderValue::from_static(value));
            }
            sender.ready().await.expect("a ready connection");
            let response = sender.send_request(request).await.expect("an answer");
            response.into_body().collect().await.expect("a body").to_bytes()
        })
    });
}

#[divan::bench]
fn plain(bencher: Bencher) {
    let rig = Rig::new();
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let uri: Uri = format!("{}/chat/completions", rig.server.base_url()).parse().expect("an address");
    bencher.bench_local(|| {
        rig.runtime.block_on(async {
            let mut request = Request::new(Full::new(Bytes::from_static(BODY)));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = uri.clone();
            for (name, value) in [
                ("user-agent", "pointsman/0.1.0"),
                ("content-type", "application/json"),
                ("accept-encoding", "identity"),
                ("authorization", "Bearer sk-123"),
            ] {
                request.headers_mut().insert(name, http::HeaderValue::from_static(value));
            }
            let response = client.request(request).await.expect("an answer");
            response.into_body().collect().await.expect("a body").to_bytes()
        })
    });
}
