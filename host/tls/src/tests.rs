use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::*;

/// A self-signed certificate and its key, in PEM.
fn identity() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

fn files((certificate, key): (String, String)) -> TlsFiles {
    TlsFiles { certificate_pem: certificate.into_bytes(), key_pem: Secret::new(key), clients: None }
}

fn failure(files: TlsFiles) -> String {
    ListenerTls::new(files).expect_err("the files are wrong").to_string()
}

#[test]
fn each_wrong_file_is_named_and_no_key_is_shown() {
    let (certificate, key) = identity();
    let with = |certificate: &str, key: &str| files((certificate.to_owned(), key.to_owned()));
    for (files, expected) in [
        (with("", &key), "the certificate cannot be used: no certificate found in PEM"),
        (
            with(&certificate, "sk-secret"),
            "the key of the certificate cannot be used: no private key found in PEM",
        ),
        (
            with(
                &certificate,
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            ),
            "the key of the certificate cannot be used: it is encrypted; decrypt it with `openssl pkey`",
        ),
        (with(&certificate, &identity().1), "the key does not match the certificate"),
    ] {
        assert_eq!(failure(files), expected);
    }
    let clients = Some(ClientAuthorities { pem: b"none".to_vec(), is_required: true });
    let authorities = TlsFiles { clients, ..with(&certificate, &key) };
    assert!(failure(authorities).starts_with("the authorities of client certificates cannot be used: "));
}

#[test]
fn two_are_equal_if_their_files_are() {
    let one = identity();
    let tls = ListenerTls::new(files(one.clone())).expect("TLS");
    assert_eq!(tls, ListenerTls::new(files(one)).expect("TLS"));
    assert_ne!(tls, ListenerTls::new(files(identity())).expect("TLS"));
    assert!(!format!("{tls:?}").contains("PRIVATE"));
}

#[tokio::test]
async fn http2_is_preferred_and_http1_is_offered() {
    for (offered, chosen) in
        [(&[&b"http/1.1"[..], b"h2"][..], Some(&b"h2"[..])), (&[b"http/1.1"], Some(b"http/1.1")), (&[], None)]
    {
        let identity = identity();
        let root = CertificateDer::from_pem_slice(identity.0.as_bytes()).expect("a certificate");
        let tls = ListenerTls::new(files(identity)).expect("TLS");
        let mut roots = RootCertStore::empty();
        roots.add(root).expect("a root");
        let mut client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        let (near, far) = tokio::io::duplex(64 << 10);
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(client));
        let (served, connected) = tokio::join!(accept(&tls, near), connector.connect(name, far));
        let served = served.map_err(|(error, _)| error).expect("a handshake");
        connected.expect("a handshake");
        assert_eq!(served.get_ref().1.alpn_protocol(), chosen);
    }
}
