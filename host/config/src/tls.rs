//! TLS of listeners.

use pointsman_tls::{ClientAuthorities, InvalidTls, ListenerTls, TlsFiles};

use super::document::Node;
use super::problem::Problems;
use super::raw;
use super::secrets::Secrets;

/// Reads the files of a listener.
pub(super) fn compile(
    raw: Option<&raw::Tls>,
    node: Node<'_>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Option<ListenerTls> {
    let raw = raw?;
    for (key, file) in [("cert", &raw.cert), ("key", &raw.key)] {
        if file.is_none() {
            let message = format!("`tls` has no `{key}`");
            problems.lacks(
                node,
                message,
                "it is the path of a PEM file: tls = { cert = \"tls.crt\", key = \"tls.key\" }",
            );
        }
    }
    if raw.client_ca.is_none() && raw.client_auth == raw::ClientAuth::Optional {
        let place = node.get("client_auth").key();
        problems.add(place, "`client_auth` is given without `client_ca`");
    }
    let authorities = match raw.client_ca.as_deref() {
        Some(path) => Some(secrets.bytes(path, node.get("client_ca"), problems)?),
        None => None,
    };
    let certificate_pem = secrets.bytes(raw.cert.as_deref()?, node.get("cert"), problems);
    let key_pem = secrets.text(raw.key.as_deref()?, node.get("key"), problems);
    let is_required = raw.client_auth == raw::ClientAuth::Required;
    let clients = authorities.map(|pem| ClientAuthorities { pem, is_required });
    let files = TlsFiles { certificate_pem: certificate_pem?, key_pem: key_pem?, clients };
    match ListenerTls::new(files) {
        Ok(tls) => Some(tls),
        Err(invalid) => {
            let key = match invalid {
                InvalidTls::Certificate(_) => "cert",
                InvalidTls::Key(_) | InvalidTls::KeyMismatch => "key",
                InvalidTls::ClientAuthorities(_) => "client_ca",
            };
            problems.add(node.get(key).place(), invalid.to_string());
            None
        }
    }
}
