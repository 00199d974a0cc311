//! TLS of listeners: files that are read, and those that cannot be used.

use std::fs;

use rcgen::{CertificateParams, KeyPair};

use super::{REST, compile, rejected};

/// A folder with a certificate `tls.crt`, its key `tls.key`, and another key `other.key`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let [key, other] = [(); 2].map(|()| KeyPair::generate().unwrap());
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    for (name, text) in [
        ("tls.crt", certificate.pem()),
        ("tls.key", key.serialize_pem()),
        ("other.key", other.serialize_pem()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Compiles a text in which `DIR` stands for a folder.
fn compiled(text: &str, folder: &tempfile::TempDir) -> Result<crate::Config, String> {
    let path = folder.path().to_str().unwrap();
    let text = format!("{text}{REST}").replace("DIR", path);
    compile(&text).map_err(|invalid| invalid.to_string().replace(path, "DIR"))
}

#[test]
fn both_listeners_may_speak_tls_and_their_files_are_watched() {
    let folder = folder();
    let tls = "tls = { cert = \"DIR/tls.crt\", key = \"DIR/tls.key\", client_ca = \"DIR/tls.crt\", client_auth = \"optional\" }";
    let config = compiled(&format!("[server]\n{tls}\n[admin]\n{tls}\n"), &folder).unwrap();
    assert!(config.server.tls.is_some());
    assert_eq!(config.server.tls, config.admin.tls);
    for name in ["tls.crt", "tls.key"] {
        assert!(config.files.contains(&folder.path().join(name)), "{name}");
    }
    let plain = compiled("", &folder).unwrap();
    assert!(plain.server.tls.is_none() && plain.admin.tls.is_none());
    assert!(config.server.needs_restart_for(&plain.server) && config.admin.needs_restart_for(&plain.admin));
    let renewed = compiled(&format!("[server]\n{tls}\n"), &self::folder()).unwrap();
    assert_ne!(config.server.tls, renewed.server.tls);
    assert!(!config.server.needs_restart_for(&renewed.server));
}

#[test]
fn files_that_cannot_be_used_are_shown_where_they_are_named() {
    let folder = folder();
    fs::write(folder.path().join("empty"), "").unwrap();
    for (tls, message, line) in [
        ("cert = \"DIR/tls.crt\"\nkey = \"DIR/other.key\"", "the key does not match the certificate", 3),
        ("cert = \"DIR/empty\"\nkey = \"DIR/tls.key\"", "the certificate cannot be used: no certificate", 2),
        (
            "cert = \"DIR/tls.crt\"\nkey = \"DIR/tls.crt\"",
            "the key of the certificate cannot be used: no private",
            3,
        ),
        ("cert = \"DIR/tls.crt\"\nkey = \"DIR/none\"", "cannot read DIR/none", 3),
        (
            "cert = \"DIR/tls.crt\"\nkey = \"DIR/tls.key\"\nclient_ca = \"DIR/tls.key\"",
            "the authorities of client certificates cannot be used",
            4,
        ),
    ] {
        let failure = compiled(&format!("[server.tls]\n{tls}\n"), &folder).unwrap_err();
        assert!(failure.starts_with(&format!("error: {message}")), "{failure}");
        assert!(failure.contains(&format!(" --> pointsman.toml:{line}:")), "{failure}");
        assert!(!failure.contains("PRIVATE"), "{failure}");
    }
}

#[test]
fn a_listener_needs_a_certificate_and_a_key() {
    let failure = rejected("[admin]\ntls = { client_auth = \"optional\" }\n");
    for expected in [
        "error: `tls` has no `cert`\n --> pointsman.toml:2:1\n",
        "error: `tls` has no `key`\n --> pointsman.toml:2:1\n",
        "hint: it is the path of a PEM file: tls = { cert = \"tls.crt\", key = \"tls.key\" }",
        "error: `client_auth` is given without `client_ca`\n --> pointsman.toml:2:9\n",
    ] {
        assert!(failure.contains(expected), "{failure}");
    }
}
