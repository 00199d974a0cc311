//! TLS of both listeners: handshakes, client certificates, new files, and clients without TLS.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pointsman_tests::{FakeModel, Gateway, Identity, fresh_directory};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::command_line::{run, texts};
use crate::fleet::in_order;

const TLS: &str = "tls = { cert = \"tls.crt\", key = \"tls.key\" }\n";

/// A gateway whose listeners have the certificate of an identity.
struct Encrypted {
    gateway: Gateway,
    directory: PathBuf,
    identity: Identity,
}

/// A client of a gateway.
#[derive(Clone, Copy)]
struct Client<'a> {
    /// Authority that it trusts.
    trusted: &'a Identity,
    /// Its own certificate.
    own: Option<&'a Identity>,
    /// Protocol that it offers.
    protocol: &'static [u8],
}

impl Encrypted {
    async fn start(server: &str, admin: &str) -> Self {
        Self::start_with(server, admin, None).await
    }

    async fn start_with(server: &str, admin: &str, clients: Option<&Identity>) -> Self {
        let (directory, identity) = (fresh_directory(), Identity::new());
        write(&directory, &identity);
        if let Some(clients) = clients {
            fs::write(directory.join("clients.crt"), &clients.certificate_pem).expect("a file");
        }
        let upstream = FakeModel::saying("hello").await;
        let config = format!("[server]\n{server}\n[admin]\n{admin}\n{}", in_order(&[&upstream], ""));
        fs::write(directory.join("pointsman.toml"), config).expect("the configuration");
        let gateway = Gateway::start_in(directory.clone()).await;
        Self { gateway, directory, identity }
    }

    fn client(&self) -> Client<'_> {
        Client { trusted: &self.identity, own: None, protocol: b"http/1.1" }
    }
}

/// Replaces the files of the listeners, as a manager of certificates does.
fn write(directory: &Path, identity: &Identity) {
    for (name, text) in [("tls.crt", &identity.certificate_pem), ("tls.key", &identity.key_pem)] {
        replace(directory, name, text);
    }
}

fn replace(directory: &Path, name: &str, text: &str) {
    let incoming = directory.join("incoming");
    fs::write(&incoming, text).expect("a file");
    fs::rename(incoming, directory.join(name)).expect("the file is replaced");
}

fn certificate(identity: &Identity) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes()).expect("a certificate")
}

fn address(url: &str) -> &str {
    url.strip_prefix("https://").expect("the listener speaks TLS")
}

async fn connect(url: &str, client: Client<'_>) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(client.trusted)).expect("an authority");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_root_certificates(roots);
    let mut config = match client.own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).expect("a key");
            builder.with_client_auth_cert(vec![certificate(own)], key).expect("a certificate and its key")
        }
    };
    config.alpn_protocols = vec![client.protocol.to_vec()];
    let stream = TcpStream::connect(address(url)).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn get(url: &str, path: &str) -> Request<Empty<Bytes>> {
    let host = address(url);
    Request::get(format!("https://{host}{path}")).header("host", host).body(Empty::new()).expect("a request")
}

/// Opens a connection of HTTP/1.1.
async fn http1(url: &str, client: Client<'_>) -> Result<http1::SendRequest<Empty<Bytes>>, String> {
    let stream = connect(url, client).await.map_err(|error| error.to_string())?;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends a request for a page that does not exist to a new connection of HTTP/1.1, and returns the status.
async fn status(url: &str, client: Client<'_>) -> Result<u16, String> {
    let mut sender = http1(url, client).await?;
    let response = sender.send_request(get(url, "/no-such-page")).await.map_err(|error| error.to_string())?;
    Ok(response.status().as_u16())
}

async fn text(response: Response<Incoming>) -> String {
    let body = response.into_body().collect().await.expect("a whole body").to_bytes();
    String::from_utf8_lossy(&body).into_owned()
}

#[tokio::test]
async fn both_listeners_speak_http1_and_http2_over_tls() {
    let encrypted = Encrypted::start(TLS, TLS).await;
    let Encrypted { gateway, .. } = &encrypted;
    for (url, path, expected) in
        [(&gateway.base_url, "/health", "ok\n"), (&gateway.admin_url, "/admin/models", "\"id\":\"a/chat\"")]
    {
        let mut sender = http1(url, encrypted.client()).await.expect("a connection");
        // The connection is kept.
        for _ in 0..2 {
            let response = sender.send_request(get(url, path)).await.expect("an answer");
            assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_11));
            assert!(text(response).await.contains(expected));
            sender.ready().await.expect("it is open");
        }
        let stream =
            connect(url, Client { protocol: b"h2", ..encrypted.client() }).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
        tokio::spawn(connection);
        let response = sender.send_request(get(url, path)).await.expect("an answer");
        assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
        assert!(text(response).await.contains(expected));
    }
}

#[tokio::test]
async fn client_certificates_are_required_or_optional() {
    let [known, stranger] = [(); 2].map(|()| Identity::new());
    let mutual = |auth: &str| {
        format!(
            "tls = {{ cert = \"tls.crt\", key = \"tls.key\", client_ca = \"clients.crt\", client_auth = \"{auth}\" }}\n"
        )
    };
    let encrypted = Encrypted::start_with(&mutual("required"), &mutual("optional"), Some(&known)).await;
    let Encrypted { gateway, .. } = &encrypted;
    let with = |own| Client { own, ..encrypted.client() };
    let statuses = async |url: &str| {
        [
            status(url, with(Some(&known))).await.is_ok(),
            status(url, with(None)).await.is_ok(),
            status(url, with(Some(&stranger))).await.is_ok(),
        ]
    };
    assert_eq!(statuses(&gateway.base_url).await, [true, false, false]);
    assert_eq!(statuses(&gateway.admin_url).await, [true, true, false]);
}

#[tokio::test]
async fn new_files_are_used_for_new_connections_and_wrong_ones_change_nothing() {
    let encrypted = Encrypted::start(TLS, TLS).await;
    let Encrypted { gateway, directory, identity } = &encrypted;
    let url = &gateway.base_url;
    let mut kept = http1(url, encrypted.client()).await.expect("a connection");
    let next = Identity::new();
    let renewed = Client { trusted: &next, ..encrypted.client() };

    // The key is still that of the certificate before.
    replace(directory, "tls.crt", &next.certificate_pem);
    gateway.logged("error: the key does not match the certificate").await;
    gateway.logged("the configuration was rejected, the previous one stays in force").await;
    assert_eq!(status(url, encrypted.client()).await, Ok(404));
    assert!(status(url, renewed).await.is_err());
    let mut admin = http1(&gateway.admin_url, encrypted.client()).await.expect("a connection");
    let report = admin.send_request(get(&gateway.admin_url, "/metrics")).await.expect("an answer");
    let metrics = text(report).await;
    assert!(
        metrics
            .lines()
            .any(|line| line.contains("reloads") && line.contains("rejected") && !line.ends_with(" 0"))
    );

    replace(directory, "tls.key", &next.key_pem);
    gateway.logged("reloaded").await;
    assert_eq!(status(url, renewed).await, Ok(404));
    assert!(status(url, Client { trusted: identity, ..encrypted.client() }).await.is_err());
    let response = kept.send_request(get(url, "/health")).await.expect("the old connection is open");
    assert_eq!(response.status().as_u16(), 200);
}

#[tokio::test]
async fn a_client_without_tls_is_answered_and_closed() {
    let encrypted = Encrypted::start(TLS, TLS).await;
    for url in [&encrypted.gateway.base_url, &encrypted.gateway.admin_url] {
        for sent in [
            "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "\0\0\0\0",
        ] {
            let mut stream = TcpStream::connect(address(url)).await.expect("a connection");
            stream.write_all(sent.as_bytes()).await.expect("it is sent");
            let mut answer = String::new();
            // A connection that is reset would fail here.
            stream.read_to_string(&mut answer).await.expect("the connection is closed cleanly");
            assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
            assert!(answer.contains("this port speaks TLS: use https"), "{answer}");
        }
        // A health check of a load balancer, which is not counted.
        let mut silent = TcpStream::connect(address(url)).await.expect("a connection");
        silent.shutdown().await.expect("it is closed");
        assert_eq!(silent.read(&mut [0]).await.expect("the gateway closes it too"), 0);
    }
    let admin_url = &encrypted.gateway.admin_url;
    let mut admin = http1(admin_url, encrypted.client()).await.expect("a connection");
    let metrics = text(admin.send_request(get(admin_url, "/metrics")).await.expect("an answer")).await;
    for listener in ["client", "admin"] {
        let line = format!("pointsman_tls_handshake_failures_total{{listener=\"{listener}\"}} 3");
        assert!(metrics.lines().any(|it| it == line), "{line} is not in:\n{metrics}");
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_closed_in_time() {
    let server = format!("header_timeout = \"200ms\"\n{TLS}");
    let encrypted = Encrypted::start(&server, "").await;
    // The first bytes of a record that never ends, and nothing at all.
    for sent in [&[22, 3, 1, 0, 200][..], &[]] {
        let mut stream =
            TcpStream::connect(address(&encrypted.gateway.base_url)).await.expect("a connection");
        stream.write_all(sent).await.expect("it is sent");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    assert_eq!(status(&encrypted.gateway.base_url, encrypted.client()).await, Ok(404));
}

#[tokio::test]
async fn handshakes_that_never_end_make_room_for_others() {
    let server = format!("max_connections = 4\nheader_timeout = \"10m\"\n{TLS}");
    let encrypted = Encrypted::start(&server, "").await;
    let url = &encrypted.gateway.base_url;
    let mut silent = TcpStream::connect(address(url)).await.expect("a connection");
    silent.write_all(&[22]).await.expect("it is sent");
    assert_eq!(status(url, encrypted.client()).await, Ok(404));
    let mut rest = Vec::new();
    let _ = silent.read_to_end(&mut rest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_an_admin_listener_with_tls() {
    let known = Identity::new();
    let mutual = "tls = { cert = \"tls.crt\", key = \"tls.key\", client_ca = \"clients.crt\" }\n";
    let encrypted = Encrypted::start_with("", mutual, Some(&known)).await;
    let file = |name: &str| encrypted.directory.join(name).display().to_string();
    for (name, text) in [("known.crt", &known.certificate_pem), ("known.key", &known.key_pem)] {
        fs::write(encrypted.directory.join(name), text).expect("a file");
    }
    let (ca, chain, key) = (file("tls.crt"), file("known.crt"), file("known.key"));
    let trusted = ["--ca-file", &ca, "--client-cert-file", &chain, "--client-key-file", &key];
    let admin = ["--admin", &encrypted.gateway.admin_url];
    for command in [&["top", "--once"][..], &["policy", "list"]] {
        let reached = run(&[command, &admin, &trusted].concat());
        let (out, err) = texts(&reached);
        assert_eq!((reached.status.code(), err.as_str()), (Some(0), ""), "{out}");
        assert!(out.contains("cost"), "{out}");
        for wrong in [&[][..], &["--ca-file", &chain], &trusted[..2]] {
            let refused = run(&[command, &admin, wrong].concat());
            let (_, err) = texts(&refused);
            assert_eq!(refused.status.code(), Some(1), "{wrong:?}: {err}");
            assert!(err.contains("cannot reach the gateway at https://"), "{err}");
        }
    }
    let unusable = run(&[&["policy", "list"], &admin[..], &["--ca-file", &key]].concat());
    assert_eq!(unusable.status.code(), Some(2));
    let (_, err) = texts(&unusable);
    assert!(err.contains("no certificate found in PEM") && !err.contains("PRIVATE"), "{err}");
}
