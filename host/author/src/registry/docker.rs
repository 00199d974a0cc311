//! Credentials that `docker login` and similar tools store: in Docker's configuration file, or in
//! the program for credentials that it names.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use pointsman_supply::Credentials;
use serde::Deserialize;

/// Longest configuration file, in bytes.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// Longest answer of a program for credentials, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 << 10;
/// Name of Docker Hub in references, and in the configuration.
const DOCKER_HUB: (&str, &str) = ("docker.io", "https://index.docker.io/v1/");
/// Base64 with or without padding, since tools differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// User name that stands for a token of another kind than a password.
const TOKEN: &str = "<token>";

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DockerConfig {
    auths: BTreeMap<String, Login>,
    /// Program for each registry.
    cred_helpers: BTreeMap<String, String>,
    /// Program for all registries.
    creds_store: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Login {
    /// User name, colon and password in base64.
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// Answer of a program for credentials.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: String,
}

/// Returns the stored credentials for a registry. `None` if there are none.
///
/// # Errors
/// Fails with the reason if there are credentials that cannot be used.
pub(super) fn credentials(
    registry: &str,
    variable: fn(&str) -> Option<String>,
) -> Result<Option<Credentials>, String> {
    let Some(path) = config_path(variable) else { return Ok(None) };
    if !path.is_file() {
        return Ok(None);
    }
    let unreadable = |reason: String| format!("{} cannot be used: {reason}", path.display());
    let text = crate::files::read_text(&path, MAX_CONFIG_BYTES);
    let text = text.map_err(|error| unreadable(error.to_string()))?;
    let config: DockerConfig = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
    let server = if registry == DOCKER_HUB.0 { DOCKER_HUB.1 } else { registry };
    if let Some(helper) = config.cred_helpers.get(server).or(config.creds_store.as_ref()) {
        match ask_helper(helper, server)? {
            None => {}
            found => return Ok(found),
        }
    }
    let login = config.auths.iter().find(|(name, _)| is_name_of(name, registry, server));
    login.map_or(Ok(None), |(_, login)| login.credentials().map_err(unreadable))
}

fn config_path(variable: fn(&str) -> Option<String>) -> Option<PathBuf> {
    let folder = variable("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

/// Returns whether an entry is that of a registry. Tools write the host, or a URL of its API.
fn is_name_of(name: &str, registry: &str, server: &str) -> bool {
    let host = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://")).unwrap_or(name);
    let host = host.split('/').next().unwrap_or_default();
    name == server || host == registry
}

impl Login {
    fn credentials(&self) -> Result<Option<Credentials>, String> {
        if !self.identitytoken.is_empty() {
            return Err("it has an identity token, which is not supported".to_owned());
        }
        if !self.username.is_empty() && !self.password.is_empty() {
            let (username, password) = (self.username.clone(), self.password.clone());
            return Ok(Some(Credentials { username, password }));
        }
        if self.auth.is_empty() {
            return Ok(None);
        }
        let text = BASE64.decode(&self.auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = text.as_deref().and_then(|text| text.trim_end_matches('\0').split_once(':'));
        let (username, password) =
            pair.ok_or("an `auth` in it is not a user name and a password in base64")?;
        Ok(Some(Credentials { username: username.to_owned(), password: password.to_owned() }))
    }
}

/// Asks a program for credentials, as Docker does: the server on standard input, JSON on standard
/// output. `None` if it has none.
fn ask_helper(helper: &str, server: &str) -> Result<Option<Credentials>, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if helper.is_empty() || !helper.bytes().all(is_plain) {
        return Err("Docker's configuration names a program for credentials that is none".to_owned());
    }
    let program = format!("docker-credential-{helper}");
    let failed = |error: std::io::Error| format!("{program} cannot be run: {error}");
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // A program that has ended already says so by its status.
        let _ = input.write_all(server.as_bytes());
    }
    let mut answer = Vec::new();
    let read = match child.stdout.take() {
        Some(output) => output.take(MAX_ANSWER_BYTES).read_to_end(&mut answer),
        None => Ok(0),
    };
    let status = child.wait().map_err(failed)?;
    read.map_err(failed)?;
    if !status.success() {
        return Ok(None);
    }
    let answer: HelperAnswer = serde_json::from_slice(&answer)
        .map_err(|_| format!("{program} answers with something else than credentials"))?;
    if answer.username == TOKEN {
        return Err(format!("{program} has an identity token, which is not supported"));
    }
    Ok(Some(Credentials { username: answer.username, password: answer.secret }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(json: &str) -> Result<Option<(String, String)>, String> {
        let login: Login = serde_json::from_str(json).unwrap();
        login.credentials().map(|found| found.map(|it| (it.username, it.password)))
    }

    #[test]
    fn a_login_is_read_in_each_of_its_forms() {
        let found = Ok(Some(("me".to_owned(), "let:me".to_owned())));
        for auth in ["bWU6bGV0Om1l", "bWU6bGV0Om1lAA==", "bWU6bGV0Om1lAA"] {
            assert_eq!(login(&format!(r#"{{"auth":"{auth}","email":"a@b"}}"#)), found, "{auth}");
        }
        assert_eq!(login(r#"{"username":"me","password":"let:me"}"#), found);
        assert_eq!(login("{}"), Ok(None));
        for auth in ["!", "bWU", "bWU="] {
            assert!(login(&format!(r#"{{"auth":"{auth}"}}"#)).is_err(), "{auth}");
        }
        assert!(login(r#"{"auth":"bWU6bGV0Om1l","identitytoken":"abc"}"#).is_err());
    }

    #[test]
    fn entries_are_found_by_host_or_url() {
        for name in ["ghcr.io", "https://ghcr.io", "https://ghcr.io/v2/", "http://ghcr.io/v1/"] {
            assert!(is_name_of(name, "ghcr.io", "ghcr.io"), "{name}");
        }
        assert!(is_name_of("127.0.0.1:5000", "127.0.0.1:5000", "127.0.0.1:5000"));
        assert!(is_name_of(DOCKER_HUB.1, DOCKER_HUB.0, DOCKER_HUB.1));
        for name in ["ghcr.io.example.com", "example.com/ghcr.io", "", "ghcr.io:443"] {
            assert!(!is_name_of(name, "ghcr.io", "ghcr.io"), "{name}");
        }
    }

    #[test]
    fn a_program_for_credentials_has_a_plain_name() {
        for name in ["", "../evil", "a b", "a;b", "/bin/sh"] {
            assert!(ask_helper(name, "ghcr.io").is_err(), "{name}");
        }
        let error = ask_helper("pointsman-no-such-program", "ghcr.io").unwrap_err();
        assert!(error.starts_with("docker-credential-pointsman-no-such-program cannot be run: "), "{error}");
    }
}
