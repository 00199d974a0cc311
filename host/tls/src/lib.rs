//! TLS of listeners: a certificate with its key, authorities of client certificates, handshakes.
//!
//! [`ListenerTls`] is built from the bytes of files, so that a wrong file is found where the configuration is
//! checked, before anything is replaced. [`accept`] makes a handshake; the connection keeps the certificate that it
//! began with.

use std::fmt;
use std::io;
use std::sync::Arc;

use pointsman_domain::secret::Secret;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

pub use tokio_rustls::server::TlsStream;

/// First byte of a client's first record. No method of HTTP begins with it.
pub const HANDSHAKE_RECORD: u8 = 22;

/// Protocols of a connection, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Content of the files of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate and its intermediates, in PEM.
    pub certificate_pem: Vec<u8>,
    /// Private key, in PEM.
    pub key_pem: Secret,
    /// Authorities of client certificates, if clients may have one.
    pub clients: Option<ClientAuthorities>,
}

/// Authorities of client certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAuthorities {
    /// Their certificates, in PEM.
    pub pem: Vec<u8>,
    /// True if clients without a certificate are refused.
    pub is_required: bool,
}

/// TLS of a listener, ready for handshakes. Two are equal if their files have the same content.
#[derive(Clone)]
pub struct ListenerTls {
    files: Arc<TlsFiles>,
    config: Arc<ServerConfig>,
}

/// Reason why files cannot be used. None of them shows the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTls {
    /// The certificate.
    #[error("the certificate cannot be used: {0}")]
    Certificate(String),
    /// The key.
    #[error("the key of the certificate cannot be used: {0}")]
    Key(&'static str),
    /// The key belongs to another certificate.
    #[error("the key does not match the certificate")]
    KeyMismatch,
    /// The authorities of client certificates.
    #[error("the authorities of client certificates cannot be used: {0}")]
    ClientAuthorities(String),
}

impl ListenerTls {
    /// Checks the files, and prepares handshakes.
    ///
    /// # Errors
    /// Fails with the file that is at fault.
    pub fn new(files: TlsFiles) -> Result<Self, InvalidTls> {
        let chain = certificates(&files.certificate_pem).map_err(InvalidTls::Certificate)?;
        let key = private_key(&files.key_pem)?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| InvalidTls::Certificate(error.to_string()))?;
        let builder = match &files.clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(verifier(clients)?),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| unusable(&error))?;
        config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
        Ok(Self { files: Arc::new(files), config: Arc::new(config) })
    }
}

impl PartialEq for ListenerTls {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

impl fmt::Debug for ListenerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerTls").finish_non_exhaustive()
    }
}

/// Makes a handshake as the server. Waits without limit.
///
/// # Errors
/// Fails with the stream, on which the client has been sent the reason.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    tls: &ListenerTls,
    stream: S,
) -> Result<TlsStream<S>, (io::Error, S)> {
    TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream).into_fallible().await
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| error.to_string())?;
    if found.is_empty() { Err("no certificate found in PEM".to_owned()) } else { Ok(found) }
}

fn private_key(pem: &Secret) -> Result<PrivateKeyDer<'static>, InvalidTls> {
    PrivateKeyDer::from_pem_slice(pem.expose().as_bytes()).map_err(|_| {
        InvalidTls::Key(match pem.expose().contains("BEGIN ENCRYPTED PRIVATE KEY") {
            true => "it is encrypted; decrypt it with `openssl pkey`",
            false => "no private key found in PEM",
        })
    })
}

fn verifier(clients: &ClientAuthorities) -> Result<Arc<dyn ClientCertVerifier>, InvalidTls> {
    let invalid = |error: String| InvalidTls::ClientAuthorities(error);
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&clients.pem).map_err(invalid)? {
        roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
    }
    let provider = Arc::new(ring::default_provider());
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = if clients.is_required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|error| invalid(error.to_string()))
}

/// Maps an error of rustls to one that does not show the key.
fn unusable(error: &Error) -> InvalidTls {
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => InvalidTls::KeyMismatch,
        Error::InvalidCertificate(error) => InvalidTls::Certificate(error.to_string()),
        _ => InvalidTls::Key("it is not a key that TLS can use: RSA, ECDSA or Ed25519"),
    }
}

#[cfg(test)]
mod tests;
