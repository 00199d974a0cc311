//! Addresses and credentials of deployments.

use super::Credentials;
use crate::litellm::provider::ImportedProvider;
use crate::litellm::section::{Section, Setting, is_secret};
use crate::report::{Place, Report};

/// Values of `api_key` of servers that need none.
const PLACEHOLDERS: [&str; 12] = [
    "",
    "none",
    "null",
    "empty",
    "dummy",
    "anything",
    "fake",
    "fake-key",
    "no-key",
    "not-needed",
    "placeholder",
    "x",
];
/// Version with which Azure's API is called without a date in its query.
const AZURE_V1: [&str; 3] = ["preview", "latest", "v1"];

/// A server with its credentials. Deployments with equal ones share a backend.
#[derive(Clone, PartialEq)]
pub(in crate::litellm) struct Endpoint {
    pub(in crate::litellm) prefix: &'static str,
    /// Base URL; `None` for the default of the backend's kind.
    pub(in crate::litellm) base_url: Option<String>,
    /// True if the file states an address.
    pub(in crate::litellm) is_custom: bool,
    /// True if the address is not known, and `base_url` has to be replaced.
    pub(in crate::litellm) is_unknown: bool,
    pub(in crate::litellm) key: KeyOrigin,
    pub(in crate::litellm) api_version: Option<String>,
    pub(in crate::litellm) headers: Vec<(String, String)>,
}

/// Origin of an API key. It has no representation for display, since it may be the key itself.
#[derive(Clone)]
pub(in crate::litellm) enum KeyOrigin {
    None,
    Variable(String),
    /// Key in the file itself, by which deployments with different keys are distinguished.
    File(String, Place),
}

impl PartialEq for KeyOrigin {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Variable(one), Self::Variable(other)) => one == other,
            // The same key may be in several places.
            (Self::File(one, _), Self::File(other, _)) => one == other,
            _ => false,
        }
    }
}

impl Endpoint {
    pub(super) fn read(
        params: &mut Section<'_>,
        provider: &ImportedProvider,
        credentials: &Credentials,
        entry: &Place,
        report: &mut Report,
    ) -> Self {
        let named = params.text("litellm_credential_name", report);
        let mut setting = |key: &str, report: &mut Report| {
            params.setting(key, report).or_else(|| {
                let (name, place) = named.as_ref()?;
                Some((credentials.get(name, key)?, place.clone()))
            })
        };
        let address = setting("api_base", report).or_else(|| setting("base_url", report));
        let key = setting("api_key", report);
        let version = setting("api_version", report);
        let api_version = match version {
            Some((Setting::Literal(version), _)) => Some(version),
            Some((Setting::Variable(name), place)) => {
                report.task(
                    &place,
                    format!("the version is in the environment variable `{name}`"),
                    "set `api-version` in `query` of the backend, unless it is called at `/openai/v1`",
                );
                None
            }
            None => None,
        };
        let api_version = api_version.filter(|version| !AZURE_V1.contains(&version.as_str()));
        let is_custom = address.is_some();
        let (base_url, is_unknown) = base_url(address, provider, entry, report);
        let base_url = base_url.map(|url| with_path(url, provider, api_version.is_some()));
        Self {
            prefix: provider.prefix,
            base_url,
            is_custom,
            is_unknown,
            key: key_origin(key, provider, is_custom, entry, report),
            api_version: api_version.filter(|_| provider.kind == "azure"),
            headers: headers(params, report),
        }
    }
}

/// Returns the address, and whether it is a stand-in.
fn base_url(
    address: Option<(Setting, Place)>,
    provider: &ImportedProvider,
    entry: &Place,
    report: &mut Report,
) -> (Option<String>, bool) {
    let unknown = |variable: &str, place: &Place, report: &mut Report| {
        report.task(
            place,
            format!("the address of the server is in the environment variable `{variable}`"),
            "write it as `base_url` of the backend",
        );
        let host: String = variable
            .to_ascii_lowercase()
            .chars()
            .map(|character| if character.is_ascii_alphanumeric() { character } else { '-' })
            .take(60)
            .collect();
        (Some(format!("https://{}.invalid", host.trim_matches('-'))), true)
    };
    match address {
        Some((Setting::Literal(url), place)) => match checked(&url, &place, report) {
            Some(url) => (Some(url), false),
            None => {
                report.task(
                    &place,
                    "it is not the address of an API",
                    "write it as `base_url` of the backend",
                );
                (Some("https://address.invalid".to_owned()), true)
            }
        },
        Some((Setting::Variable(name), place)) => unknown(&name, &place, report),
        None if provider.base_url.is_some() || matches!(provider.kind, "anthropic" | "gemini") => {
            (provider.base_url.map(str::to_owned), false)
        }
        None => unknown(&format!("{}_API_BASE", provider.prefix.to_ascii_uppercase()), entry, report),
    }
}

/// Returns an address without anything that may be secret.
fn checked(url: &str, place: &Place, report: &mut Report) -> Option<String> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let (address, query) = rest.split_once(['?', '#']).unwrap_or((rest, ""));
    if !query.is_empty() {
        report.task(
            place,
            "the query of the address is left out, since it may hold a key",
            "set `query` or `api_key_query` of the backend",
        );
    }
    let (host, path) =
        address.split_once('/').map_or((address, String::new()), |(host, path)| (host, format!("/{path}")));
    let host = match host.rsplit_once('@') {
        Some((_, host)) => {
            report.task(
                place,
                "the user name and password in the address are left out",
                "send them as a key: `api_key_env` with `api_key_prefix = \"Basic \"`",
            );
            host
        }
        None => host,
    };
    let is_address = |character: char| character.is_ascii_graphic() && !"\"\\<>{}|^`".contains(character);
    let is_valid = matches!(scheme.as_str(), "http" | "https")
        && !host.is_empty()
        && !host.starts_with(':')
        && host.chars().chain(path.chars()).all(is_address);
    is_valid.then(|| format!("{scheme}://{host}{}", path.trim_end_matches('/')))
}

/// Adds the path that LiteLLM adds to the address of a provider.
fn with_path(url: String, provider: &ImportedProvider, has_version: bool) -> String {
    let url = match provider.prefix {
        "azure" => url.split("/openai/").next().unwrap_or_default().to_owned(),
        _ => url,
    };
    let without_chat = url.trim_end_matches("/chat/completions").to_owned();
    let path = match (provider.prefix, provider.kind) {
        ("azure", _) if has_version => "",
        ("azure" | "azure_ai", _) => "/openai/v1",
        (_, "anthropic") => "/v1",
        _ => provider.path,
    };
    if without_chat.ends_with(path) { without_chat } else { format!("{without_chat}{path}") }
}

fn key_origin(
    key: Option<(Setting, Place)>,
    provider: &ImportedProvider,
    is_custom: bool,
    entry: &Place,
    report: &mut Report,
) -> KeyOrigin {
    match (key, provider.key_variable) {
        (Some((Setting::Variable(name), place)), _) => {
            KeyOrigin::Variable(variable_name(name, &place, report))
        }
        (Some((Setting::Literal(key), _)), _)
            if PLACEHOLDERS.contains(&key.to_ascii_lowercase().as_str()) =>
        {
            KeyOrigin::None
        }
        (Some((Setting::Literal(key), place)), _) => KeyOrigin::File(key, place),
        (None, Some(variable)) if is_custom && provider.prefix == "openai" => {
            report.different(
                entry,
                format!("LiteLLM sends `{variable}` to this server, the gateway sends no key"),
                "set `api_key_env` of the backend if the server needs a key",
            );
            KeyOrigin::None
        }
        (None, Some(variable)) => KeyOrigin::Variable(variable.to_owned()),
        (None, None) => KeyOrigin::None,
    }
}

/// Returns the name of a variable as the configuration accepts it.
fn variable_name(name: String, place: &Place, report: &mut Report) -> String {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if starts_well && name.chars().all(is_allowed) {
        return name;
    }
    let plain = name.chars().map(|character| if is_allowed(character) { character } else { '_' });
    let plain = format!("{}{}", if starts_well { "" } else { "_" }, plain.collect::<String>());
    report.task(
        place,
        "the name of the environment variable has characters other than letters, digits and `_`",
        format!("set the variable `{plain}` too"),
    );
    plain
}

fn headers(params: &mut Section<'_>, report: &mut Report) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    if let Some((organization, _)) = params.text("organization", report) {
        headers.push(("openai-organization".to_owned(), organization));
    }
    for key in ["extra_headers", "headers", "default_headers"] {
        let mut section = params.section(key, report);
        for (name, node, place) in section.rest() {
            let is_name = !name.is_empty()
                && name
                    .chars()
                    .all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character));
            let is_fixed = ["host", "connection", "content-length", "content-type", "transfer-encoding"]
                .contains(&name.to_ascii_lowercase().as_str());
            match Setting::of(node) {
                Some(Setting::Literal(value))
                    if is_name && !is_fixed && !is_secret(name) && value.chars().all(|c| (' '..='~').contains(&c)) =>
                {
                    headers.push((name.to_ascii_lowercase(), value));
                }
                _ => report.task(
                    &place,
                    "the header is left out, since it may be secret or cannot be set",
                    "send a key with `api_key_env` and `api_key_header` of the backend, and others with `headers`",
                ),
            }
        }
    }
    headers.sort();
    headers.dedup_by(|next, one| next.0 == one.0);
    headers
}
