//! The address of a backend.

use http::Uri;

use super::super::document::Node;
use super::super::problem::Problems;
use super::super::raw;

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

/// Reads `base_url`, as text and parsed.
pub(super) fn base_url(
    raw: &raw::Backend,
    node: Node<'_>,
    problems: &mut Problems<'_>,
) -> (String, Option<Uri>) {
    let Some(url) = &raw.base_url else {
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
        problems.add(place, format!("`base_url` holds a key in `{name}`")).secret().hint(
            "secrets are not written in the configuration: use `api_key_env` or `api_key_file`, and \
             `api_key_header` if the server wants it in another header than `authorization`",
        );
        return (String::new(), None);
    }
    let parsed = url
        .parse::<Uri>()
        .ok()
        .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    if parsed.is_none() || url.contains('#') {
        problems.add(place, format!("{url:?} is not the address of an API")).hint(EXAMPLE);
    }
    (url.clone(), parsed)
}

fn is_key_member(name: &str) -> bool {
    KEY_MEMBERS.iter().any(|member| name.eq_ignore_ascii_case(member))
}
