//! Certificates for loopback, generated for each test.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// Self-signed certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Certificate.
    pub certificate_pem: String,
    /// Private key.
    pub key_pem: String,
}

/// TLS settings of a fake server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TlsOptions<'a> {
    /// Marks the certificate as that of an authority, as `openssl req -x509` does.
    pub(crate) is_authority: bool,
    /// Uses an expired certificate.
    pub(crate) is_expired: bool,
    /// Name in the certificate. Default: those of loopback.
    pub(crate) name: Option<&'a str>,
    /// Certificate in PEM that clients have to use.
    pub(crate) client_pem: Option<&'a str>,
}

/// TLS configuration of a server with its own certificate.
pub(crate) struct TlsServer {
    pub(crate) pem: String,
    pub(crate) config: Arc<ServerConfig>,
}

impl Identity {
    /// Generates an identity for loopback.
    pub fn new() -> Self {
        Self::with(TlsOptions::default())
    }

    fn with(options: TlsOptions<'_>) -> Self {
        let names = match options.name {
            None => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            Some(name) => vec![name.to_owned()],
        };
        let mut params = CertificateParams::new(names).expect("names of servers");
        if options.is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        if options.is_expired {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate for loopback");
        Self { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

impl TlsServer {
    pub(crate) fn new(options: TlsOptions<'_>) -> Self {
        let Identity { certificate_pem, key_pem } = Identity::with(options);
        let key = PrivatePkcs8KeyDer::from_pem_slice(key_pem.as_bytes()).expect("a key in PEM");
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3");
        let builder = match options.client_pem {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                roots.add(certificate(pem)).expect("a certificate that can be trusted");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().expect("a list of one certificate"))
            }
        };
        let mut config = builder
            .with_single_cert(vec![certificate(&certificate_pem)], key.into())
            .expect("the key fits the certificate");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self { pem: certificate_pem, config: Arc::new(config) }
    }
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate in PEM")
}
