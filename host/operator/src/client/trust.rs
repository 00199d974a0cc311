//! TLS of the client: the authorities that it trusts, and a certificate of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args as ClapArgs;
use pointsman_terminal::CommandError;
use rustls::crypto::ring;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// Options for a gateway whose admin listener speaks TLS.
#[derive(Debug, ClapArgs)]
pub(crate) struct TrustArgs {
    /// PEM file with the authorities to trust instead of the system's, for an https:// URL
    #[arg(long, value_name = "FILE", global = true)]
    ca_file: Option<PathBuf>,
    /// PEM file with a client certificate, if the gateway asks for one
    #[arg(long, value_name = "FILE", global = true, requires = "client_key_file")]
    client_cert_file: Option<PathBuf>,
    /// PEM file with the private key of the client certificate
    #[arg(long, value_name = "FILE", global = true, requires = "client_cert_file")]
    client_key_file: Option<PathBuf>,
}

impl TrustArgs {
    /// Reads the files.
    ///
    /// # Errors
    /// Fails with exit status 2 for a file that cannot be read or is no PEM file of its kind.
    pub(crate) fn tls_config(&self) -> Result<TlsConfig, CommandError> {
        let roots = match &self.ca_file {
            Some(file) => RootCerts::new_with_certs(&certificates(file)?),
            None => RootCerts::PlatformVerifier,
        };
        let certificate = match (&self.client_cert_file, &self.client_key_file) {
            (Some(chain), Some(key)) => {
                Some(ClientCert::new_with_certs(&certificates(chain)?, private_key(key)?))
            }
            _ => None,
        };
        Ok(config(roots, certificate))
    }
}

/// Returns the settings of a client that trusts the authorities of the system.
pub(super) fn platform() -> TlsConfig {
    config(RootCerts::PlatformVerifier, None)
}

fn config(roots: RootCerts, certificate: Option<ClientCert>) -> TlsConfig {
    TlsConfig::builder()
        .root_certs(roots)
        .client_cert(certificate)
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build()
}

fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>, CommandError> {
    let pem = super::read_file(file)?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| unusable(file, &error.to_string()))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(unusable(file, "no certificate found in PEM")) } else { Ok(found) }
}

fn private_key(file: &Path) -> Result<PrivateKey<'static>, CommandError> {
    // The error may repeat what the file holds.
    PrivateKey::from_pem(&super::read_file(file)?).map_err(|_| unusable(file, "no private key found in PEM"))
}

fn unusable(file: &Path, reason: &str) -> CommandError {
    CommandError::Input(format!("error: cannot use {}: {reason}", file.display()))
}
