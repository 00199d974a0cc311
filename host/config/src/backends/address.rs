//! The address of a backend.

use http::Uri;

use pointsman_wire::provider::ProviderDialect;

use super::super::document::Node;
use super::super::problem::Problems;
use super::super::raw;
use super::ModelListContent;

const EXAMPLE: &str =
    "it is the base URL of an API, such as \"https://api.openai.com/v1\" or \"http://127.0.0.1:8000/v1\"";
/// Query parameters in which servers accept keys.
const KEY_MEMBERS: [&str; 11] = [
    "key",
    "api-key",
    "api_key",
    "apikey",
    "subscription-key",
    "token",
    "access_token",
    "code",
    "sig",
    "password",
    "secret",
];

/// Returns whether a backend of kind `azure` has the form of address that is OpenAI's API unchanged.
pub(super) fn is_azure_v1(raw: &raw::Backend) -> bool {
    raw.base_url
        .as_deref()
        .is_some_and(|url| url.split('?').next().unwrap_or_default().contains("/openai/v1"))
}

/// Returns the content of the list of models below the address.
pub(super) fn model_list(raw: &raw::Backend) -> ModelListContent {
    let path = raw.base_url.as_deref().and_then(|url| url.split('?').next());
    match raw.kind {
        _ if path.is_some_and(|path| path.contains("/openai/deployments/")) => ModelListContent::Nothing,
        raw::BackendKind::Azure => ModelListContent::BaseModels,
        _ => ModelListContent::Models,
    }
}

/// Reads `base_url`, as text and parsed.
pub(super) fn base_url(
    raw: &raw::Backend,
    dialect: ProviderDialect,
    node: Node<'_>,
    problems: &mut Problems<'_>,
) -> (String, Option<Uri>) {
    let Some(url) = raw.base_url.as_deref().or(dialect.public_base_url()) else {
        problems.lacks(node, "the backend has no `base_url`", EXAMPLE);
        return (String::new(), None);
    };
    let place = node.get("base_url").place();
    let (before_query, query) = url.split_once('?').unwrap_or((url, ""));
    if before_query.contains('@') {
        problems
            .add(place, "`base_url` holds a user name or a password")
            .secret()
            .hint("secrets are not written in the configuration: use `api_key_env` or `api_key_file`");
        return (String::new(), None);
    }
    let names = query.split('&').map(|member| member.split('=').next().unwrap_or_default());
    if let Some(name) = names.into_iter().find(|name| is_key_member(name)) {
        problems.add(place, format!("`base_url` holds a key in `{name}`")).secret().hint(format!(
            "secrets are not written in the configuration: use `api_key_env` or `api_key_file`, with \
                 `api_key_query = \"{name}\"`, or with `api_key_header` if the server takes it in a header"
        ));
        return (String::new(), None);
    }
    let parsed = url
        .parse::<Uri>()
        .ok()
        .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    if parsed.is_none() || url.contains('#') {
        problems.add(place, format!("{url:?} is not the address of an API")).hint(EXAMPLE);
    }
    (url.to_owned(), parsed)
}

/// Reads the parameters that are added to the query of every call.
pub(super) fn query(
    raw: &raw::Backend,
    node: Node<'_>,
    problems: &mut Problems<'_>,
) -> Vec<(String, String)> {
    let of_url = raw.base_url.as_deref().and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
    let mut parameters = Vec::new();
    for (name, value) in &raw.query {
        let place = node.get("query").get(name);
        if is_key_member(name) {
            problems.add(place.key(), format!("the query parameter `{name}` carries a key")).secret().hint(
                format!(
                    "secrets are not written in the configuration: use `api_key_env` or `api_key_file` with \
                     `api_key_query = \"{name}\"`"
                ),
            );
            continue;
        }
        let is_twice = raw.api_key_query.as_deref() == Some(name)
            || of_url.split('&').any(|member| member.split('=').next() == Some(name));
        if is_twice || name.is_empty() {
            let message = match is_twice {
                true => format!("the query parameter `{name}` is given twice"),
                false => "a query parameter has no name".to_owned(),
            };
            problems.add(place.key(), message).hint("keep one of them");
            continue;
        }
        parameters.push((name.clone(), value.clone()));
    }
    parameters
}

fn is_key_member(name: &str) -> bool {
    KEY_MEMBERS.iter().any(|member| name.eq_ignore_ascii_case(member))
}
