//! Proxies between the gateway and the servers that it calls.

use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use pointsman_backends::ProxyConfig;
use pointsman_domain::secret::Secret;
use pointsman_supply::Proxies;

use super::document::Node;
use super::problem::Problems;
use super::raw;
use super::secrets::{SecretSource, Secrets};

/// The value of `proxy` for a backend that is called directly.
const NONE: &str = "none";
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];
const EXAMPLE: &str = "it is an address such as \"http://proxy.example.com:3128\", or \"none\"";

/// Reads the proxy for a backend from the configuration, or else from the environment.
pub(super) fn of_backend(
    raw: &raw::Backend,
    target: Option<&Uri>,
    node: Node<'_>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<String>,
) -> Option<ProxyConfig> {
    let credentials = credentials(raw, node, secrets, problems);
    let Some(url) = raw.proxy.as_deref().filter(|url| *url != NONE) else {
        for key in ["proxy_auth_env", "proxy_auth_file"].map(|key| node.get(key)) {
            if key.is_there() {
                problems.add(key.key(), "the backend has no `proxy` to authenticate to").hint(EXAMPLE);
            }
        }
        return match raw.proxy {
            Some(_) => None,
            None => of_environment(target?, node, secrets.env, problems, warnings),
        };
    };
    let place = node.get("proxy").place();
    if url.contains('@') {
        problems
            .add(place, "`proxy` holds a user name or a password")
            .secret()
            .hint("secrets are not written in the configuration: use `proxy_auth_env` or `proxy_auth_file`");
        return None;
    }
    let Some(full) = address(url) else {
        problems.add(place, format!("{url:?} is not the address of a proxy")).hint(EXAMPLE);
        return None;
    };
    Some(ProxyConfig { url: Secret::new(full), credentials })
}

fn credentials(
    raw: &raw::Backend,
    node: Node<'_>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Option<Secret> {
    let source = SecretSource {
        keys: ["proxy_auth_env", "proxy_auth_file"],
        env: raw.proxy_auth_env.as_deref(),
        file: raw.proxy_auth_file.as_deref(),
    };
    let credentials = secrets.read(&source, node, problems)?;
    if !credentials.expose().contains(':') {
        let given = source.keys.map(|key| node.get(key)).into_iter().find(|key| key.is_there());
        problems
            .add(given.map(Node::place), "the proxy's credentials have no colon in them")
            .hint("they are a user name and a password with a colon between them");
    }
    Some(credentials)
}

/// Reads the proxy for one address from the environment.
fn of_environment(
    target: &Uri,
    node: Node<'_>,
    env: &dyn Fn(&str) -> Option<String>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<String>,
) -> Option<ProxyConfig> {
    let environment = ProxyEnvironment::read(env);
    let (variable, url) = match target.scheme_str() {
        Some("https") => environment.https?,
        _ => environment.http?,
    };
    // Only the match counts, so any proxy will do.
    Matcher::builder().all("http://proxy").no(environment.exempt).build().intercept(target)?;
    let full = checked(variable, &url, node, problems)?;
    if target.host().is_some_and(is_this_machine) {
        warnings.push(format!(
            "{target} is on this machine and is called through the proxy of `{variable}`: add its host to \
             `NO_PROXY`, or set `proxy = \"none\"` for the backend"
        ));
    }
    Some(ProxyConfig { url: Secret::new(full), credentials: None })
}

/// Reads the proxies for the source of a policy from the environment. A source may redirect to
/// other servers, so all are read.
pub(super) fn of_source(
    node: Node<'_>,
    env: &dyn Fn(&str) -> Option<String>,
    problems: &mut Problems<'_>,
) -> Proxies {
    let ProxyEnvironment { http, https, exempt } = ProxyEnvironment::read(env);
    let mut checked = |proxy: Option<(&str, String)>| {
        proxy.and_then(|(variable, url)| checked(variable, &url, node, problems))
    };
    Proxies { http: checked(http), https: checked(https), exempt }
}

/// Reads the proxies between this machine and the sources of policies from the environment.
///
/// # Errors
/// Fails with a message that names the variable whose value is not the address of a proxy.
pub fn source_proxies(env: &dyn Fn(&str) -> Option<String>) -> Result<Proxies, String> {
    let ProxyEnvironment { http, https, exempt } = ProxyEnvironment::read(env);
    let checked = |proxy: Option<(&str, String)>| match proxy {
        None => Ok(None),
        Some((variable, url)) => {
            let invalid = || format!("{}\n  = hint: {EXAMPLE}", invalid_variable(variable));
            address(url.trim()).ok_or_else(invalid).map(Some)
        }
    };
    Ok(Proxies { http: checked(http)?, https: checked(https)?, exempt })
}

/// Proxy variables of the environment, interpreted as by curl.
struct ProxyEnvironment {
    /// Variable and value for `http` addresses.
    http: Option<(&'static str, String)>,
    /// Variable and value for `https` addresses.
    https: Option<(&'static str, String)>,
    /// Hosts that are called without a proxy.
    exempt: String,
}

impl ProxyEnvironment {
    fn read(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let value = |names: [&'static str; 2]| {
            names
                .into_iter()
                .find_map(|name| Some((name, env(name).filter(|value| !value.trim().is_empty())?)))
        };
        let all = || value(["all_proxy", "ALL_PROXY"]);
        Self {
            http: value(["http_proxy", "HTTP_PROXY"]).or_else(all),
            https: value(["https_proxy", "HTTPS_PROXY"]).or_else(all),
            exempt: value(["no_proxy", "NO_PROXY"]).map_or_else(String::new, |(_, hosts)| hosts),
        }
    }
}

/// Checks the address in a variable. An invalid one is reported at the entry that needs it.
fn checked(variable: &str, url: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<String> {
    let full = address(url.trim());
    if full.is_none() {
        problems.add(node.key(), invalid_variable(variable)).hint(EXAMPLE);
    }
    full
}

fn invalid_variable(variable: &str) -> String {
    format!("the environment variable `{variable}` is not the address of a proxy")
}

/// Parses the address of a proxy. The default scheme is `http`.
fn address(text: &str) -> Option<String> {
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let uri: Uri = full.parse().ok()?;
    let is_known = SCHEMES.iter().any(|scheme| uri.scheme_str() == Some(scheme));
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    (is_known && is_bare && uri.host().is_some_and(|host| !host.is_empty())).then_some(full)
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
