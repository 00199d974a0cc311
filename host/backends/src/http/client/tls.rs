//! TLS settings: trust in a backend's certificate, and the certificate for the client.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, InconsistentKeys, RootCertStore,
    SignatureScheme,
};
use rustls_platform_verifier::Verifier;

use crate::http::{ClientCertificate, HttpConfig, InvalidBackend};

/// Returns the TLS settings for a backend.
pub(super) fn client_config(config: &HttpConfig) -> Result<ClientConfig, InvalidBackend> {
    let invalid = |error: Error| InvalidBackend::Client(error.to_string());
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match &config.ca_pem {
        Some(pem) => Arc::new(ListedCertificates::new(pem, Arc::clone(&provider))?),
        None => Arc::new(Verifier::new(Arc::clone(&provider)).map_err(invalid)?),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(invalid)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut tls = match &config.client_certificate {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            let (chain, key) = own_certificate(certificate)?;
            builder.with_client_auth_cert(chain, key).map_err(|error| refused_certificate(&error))?
        }
    };
    tls.alpn_protocols = match config.http2 {
        true => vec![b"h2".to_vec()],
        false => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
    };
    Ok(tls)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| error.to_string())?;
    if found.is_empty() {
        return Err("no certificate found".to_owned());
    }
    Ok(found)
}

fn own_certificate(
    certificate: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), InvalidBackend> {
    let chain = certificates(&certificate.chain_pem).map_err(InvalidBackend::ClientCertificate)?;
    let pem = certificate.key_pem.expose();
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
        InvalidBackend::ClientKey(match pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
            true => "it is encrypted; decrypt it with `openssl pkey`",
            false => "no private key found",
        })
    })?;
    Ok((chain, key))
}

/// Maps an error of rustls to one that does not show the key.
fn refused_certificate(error: &Error) -> InvalidBackend {
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => InvalidBackend::KeyMismatch,
        Error::InvalidCertificate(error) => InvalidBackend::ClientCertificate(error.to_string()),
        _ => InvalidBackend::ClientKey("it is not a key that TLS can use: RSA, ECDSA or Ed25519"),
    }
}

/// Verifier that trusts the certificates of a list, both as authorities and as certificates of
/// the server itself. `openssl req -x509` marks its certificates as those of an authority, which
/// webpki rejects for a server, though curl and Python accept them.
#[derive(Debug)]
struct ListedCertificates {
    authorities: Arc<WebPkiServerVerifier>,
    listed: Vec<CertificateDer<'static>>,
}

impl ListedCertificates {
    fn new(pem: &[u8], provider: Arc<CryptoProvider>) -> Result<Self, InvalidBackend> {
        let listed = certificates(pem).map_err(InvalidBackend::Authorities)?;
        let mut roots = RootCertStore::empty();
        for certificate in &listed {
            let added = roots.add(certificate.clone());
            added.map_err(|error| InvalidBackend::Authorities(error.to_string()))?;
        }
        let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| InvalidBackend::Authorities(error.to_string()))?;
        Ok(Self { authorities, listed })
    }
}

impl ServerCertVerifier for ListedCertificates {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // webpki checks dates before it returns this error, and names after it.
            Err(error) if is_authority(&error) && self.listed.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// Returns whether a certificate was rejected because it is marked as an authority's.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    other.0.downcast_ref::<webpki::Error>() == Some(&webpki::Error::CaUsedAsEndEntity)
}
