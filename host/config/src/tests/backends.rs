//! Addresses, keys, certificates and proxies of backends.

use std::collections::HashMap;
use std::path::Path;

use insta::assert_snapshot;
use pointsman_backends::{HttpConfig, KeyPlacement, KeySource, ProviderAuth, TransportConfig};

use super::{Config, ConfigSource, InvalidConfig, Overrides, REST, accepted, rejected};

const OPENAI: &str = "[backends.openai]\nbase_url = \"https://api.openai.com/v1\"\n";

fn with_environment(text: &str, env: &[(&str, &str)]) -> Result<Config, InvalidConfig> {
    let env: HashMap<&str, &str> = env.iter().copied().collect();
    Config::parse(ConfigSource {
        file: "pointsman.toml",
        text: &format!("{text}{REST}"),
        base_dir: Path::new("/nowhere"),
        env: &|name| env.get(name).map(|value| (*value).to_owned()),
        overrides: Overrides::default(),
        now: 0,
    })
}

fn http(config: &Config) -> &HttpConfig {
    let http = config.backends.iter().find_map(|backend| match &backend.transport {
        TransportConfig::Http(http) => Some(http),
        TransportConfig::Simulated(_) => None,
    });
    http.expect("one backend is a server")
}

/// The proxy of a backend at an address in an environment.
fn proxy(url: &str, more: &str, env: &[(&str, &str)]) -> Option<String> {
    let text = format!("[backends.a]\nbase_url = \"{url}\"\n{more}");
    let config = with_environment(&text, env).unwrap_or_else(|error| panic!("{error}"));
    http(&config).proxy.as_ref().map(|proxy| proxy.url.expose().to_owned())
}

#[test]
fn a_query_and_a_header_for_the_key_are_kept() {
    let config = accepted(
        r#"
[backends.azure]
base_url = "https://x.openai.azure.com/openai/deployments/x?api-version=2024-10-21"
api_key_env = "API_KEY"
api_key_header = "Api-Key""#,
    );
    assert!(http(&config).base_url.ends_with("/x?api-version=2024-10-21"));
    assert_eq!(placement(&config), header("api-key", ""));
    let bearer = accepted(&format!("{OPENAI}api_key_env = \"API_KEY\""));
    assert_eq!(placement(&bearer), header("authorization", "Bearer "));
}

fn placement(config: &Config) -> KeyPlacement {
    let Some(ProviderAuth { placement, .. }) = &http(config).auth else { panic!("it has a key") };
    placement.clone()
}

fn header(name: &'static str, prefix: &str) -> KeyPlacement {
    KeyPlacement::Header { name: http::HeaderName::from_static(name), prefix: prefix.to_owned() }
}

#[test]
fn a_key_has_a_prefix_or_is_in_the_query() {
    let with = |more: &str| accepted(&format!("{OPENAI}api_key_env = \"API_KEY\"\n{more}"));
    let config = with("api_key_prefix = \"Key \"");
    assert_eq!(placement(&config), header("authorization", "Key "));
    let config = with("api_key_header = \"x-goog-api-key\"\napi_key_prefix = \"\"");
    assert_eq!(placement(&config), header("x-goog-api-key", ""));
    let config = with("api_key_query = \"key\"\nquery = { api-version = \"2024-10-21\" }");
    assert_eq!(placement(&config), KeyPlacement::Query { parameter: "key".to_owned() });
    assert_eq!(http(&config).query, [("api-version".to_owned(), "2024-10-21".to_owned())]);
}

#[test]
fn a_command_has_a_program_and_times() {
    let with = |more: &str| accepted(&format!("{OPENAI}api_key_command = [{more}"));
    let command = |config: &Config| match &http(config).auth {
        Some(ProviderAuth { source: KeySource::Command(command), .. }) => command.clone(),
        _ => panic!("the key is of a command"),
    };
    let plain = command(&with("\"gcloud\", \"auth\", \"print-access-token\"]"));
    assert_eq!((plain.program.to_str(), plain.arguments.len()), (Some("gcloud"), 2));
    assert_eq!((plain.refresh_after.as_secs(), plain.timeout.as_secs()), (300, 30));
    let own = command(&with("\"./token\"]\napi_key_refresh_after = \"50m\"\napi_key_timeout = \"1s\""));
    assert_eq!(own.program, Path::new("/nowhere/./token"), "paths are relative to the file");
    assert_eq!((own.refresh_after.as_secs(), own.timeout.as_secs()), (3_000, 1));
}

#[test]
fn the_parts_of_a_key_have_to_fit_together() {
    assert_snapshot!(rejected(
        r#"
[backends.a]
base_url = "https://a.example.com/v1?api-version=1"
api_key_env = "API_KEY"
api_key_command = []
api_key_query = "a=b"
query = { key = "secret", api-version = "2" }
[backends.b]
base_url = "https://b.example.com/v1"
api_key_env = "API_KEY"
api_key_query = "key"
api_key_prefix = "Key "
api_key_timeout = "0s"
[backends.c]
base_url = "https://c.example.com/v1"
api_key_query = "key""#,
    ), @r#"
    error: both `api_key_env` and `api_key_command` are given
     --> pointsman.toml:5:1
      |
    5 | api_key_command = []
      | ^^^^^^^^^^^^^^^
      = hint: keep one of them

    error: `api_key_command` names no program
     --> pointsman.toml:5:19
      |
    5 | api_key_command = []
      |                   ^^
      = hint: it is a program and its arguments: ["gcloud", "auth", "print-access-token"]

    error: "a=b" is not the name of a query parameter
     --> pointsman.toml:6:17
      |
    6 | api_key_query = "a=b"
      |                 ^^^^^
      = hint: it is a name such as "key"

    error: the query parameter `key` carries a key
     --> pointsman.toml:7:11
      |
    7 | query = { …
      |           ^
      = hint: secrets are not written in the configuration: use `api_key_env` or `api_key_file` with `api_key_query = "key"`

    error: the query parameter `api-version` is given twice
     --> pointsman.toml:7:27
      |
    7 | query = { …
      |                           ^
      = hint: keep one of them

    error: both `api_key_query` and `api_key_prefix` are given
      --> pointsman.toml:12:1
       |
    12 | api_key_prefix = "Key "
       | ^^^^^^^^^^^^^^
       = hint: the key is sent in the query or in a header: keep one of them

    error: `api_key_timeout` is given without `api_key_command`
      --> pointsman.toml:13:1
       |
    13 | api_key_timeout = "0s"
       | ^^^^^^^^^^^^^^^
       = hint: a key in a file is read again when the file changes

    error: `api_key_timeout` is zero
      --> pointsman.toml:13:19
       |
    13 | api_key_timeout = "0s"
       |                   ^^^^
       = hint: it is a time such as "5m"

    error: the backend has no API key for `api_key_query`
      --> pointsman.toml:16:1
       |
    16 | api_key_query = "key"
       | ^^^^^^^^^^^^^
       = hint: name an environment variable with `api_key_env`, a file with `api_key_file`, or a command with `api_key_command`

    9 errors in pointsman.toml
    "#);
}

#[test]
fn a_key_in_an_address_is_refused_and_not_shown() {
    assert_snapshot!(rejected(
        r#"
[backends.gemini]
base_url = "https://generativelanguage.googleapis.com/v1beta?alt=json&key=secret""#,
    ), @r#"
    error: `base_url` holds a key in `key`
     --> pointsman.toml:3:12
      |
    3 | base_url = …
      |            ^
      = hint: secrets are not written in the configuration: use `api_key_env` or `api_key_file`, with `api_key_query = "key"`, or with `api_key_header` if the server takes it in a header
    "#);
}

#[test]
fn a_header_for_the_key_has_to_be_free_and_to_have_a_key() {
    assert_snapshot!(rejected(&format!("{OPENAI}api_key_header = \"api-key\"")), @r#"
    error: the backend has no API key for `api_key_header`
     --> pointsman.toml:3:1
      |
    3 | api_key_header = "api-key"
      | ^^^^^^^^^^^^^^
      = hint: name an environment variable with `api_key_env`, a file with `api_key_file`, or a command with `api_key_command`
    "#);
    let with_key = |header: &str, more: &str| {
        rejected(&format!("{OPENAI}api_key_env = \"API_KEY\"\napi_key_header = \"{header}\"\n{more}"))
    };
    assert!(
        with_key("api-key", "api_key_prefix = \"a\\n\"").contains("characters that a header cannot carry")
    );
    assert!(with_key("api key", "").contains("is not the name of a header"));
    assert!(with_key("Host", "").contains("the header `Host` is set by Pointsman"));
    let twice = with_key("x-token", "headers = { X-Token = \"a\" }");
    assert!(twice.contains("the header `x-token` is given twice"), "{twice}");
}

#[test]
fn a_client_certificate_needs_its_key() {
    assert_snapshot!(rejected(&format!("{OPENAI}client_cert_file = \"client.pem\"")), @r#"
    error: `client_cert_file` is given without `client_key_file`
     --> pointsman.toml:3:1
      |
    3 | client_cert_file = "client.pem"
      | ^^^^^^^^^^^^^^^^
    "#);
    let alone = rejected(&format!("{OPENAI}client_key_file = \"client.key\""));
    assert!(alone.contains("`client_key_file` is given without `client_cert_file`"), "{alone}");
    let unreadable =
        rejected(&format!("{OPENAI}client_cert_file = \"client.pem\"\nclient_key_file = \"client.key\""));
    assert!(unreadable.contains("cannot read /nowhere/client.pem"), "{unreadable}");
    assert!(unreadable.contains("cannot read /nowhere/client.key"), "{unreadable}");
}

#[test]
fn a_proxy_is_that_of_the_configuration_or_none() {
    let env = [("HTTPS_PROXY", "http://environment:1")];
    let url = "https://api.openai.com/v1";
    assert_eq!(proxy(url, "proxy = \"none\"", &env), None);
    for own in ["http://p:3128", "https://p", "socks5://p:1080", "socks5h://[::1]:1080/"] {
        assert_eq!(proxy(url, &format!("proxy = \"{own}\""), &env).as_deref(), Some(own));
    }
    assert_eq!(proxy(url, "proxy = \"p:3128\"", &[]).as_deref(), Some("http://p:3128"));

    let config = with_environment(
        &format!("{OPENAI}proxy = \"http://p:3128\"\nproxy_auth_env = \"PROXY_AUTH\""),
        &[("PROXY_AUTH", "me:secret")],
    );
    let config = config.unwrap();
    assert!(!format!("{config:?}").contains("secret"));
    let credentials = http(&config).proxy.as_ref().and_then(|proxy| proxy.credentials.as_ref());
    assert_eq!(credentials.map(|credentials| credentials.expose()), Some("me:secret"));
}

#[test]
fn the_environment_is_read_as_curl_reads_it() {
    let (plain, encrypted) = ("http://models.example.com/v1", "https://models.example.com/v1");
    let both = [("HTTP_PROXY", "http://plain:1"), ("HTTPS_PROXY", "http://encrypted:2")];
    assert_eq!(proxy(plain, "", &both).as_deref(), Some("http://plain:1"));
    assert_eq!(proxy(encrypted, "", &both).as_deref(), Some("http://encrypted:2"));
    let all =
        [("all_proxy", "socks5h://me:secret@all:3"), ("HTTPS_PROXY", "encrypted:2"), ("HTTP_PROXY", "")];
    assert_eq!(proxy(plain, "", &all).as_deref(), Some("socks5h://me:secret@all:3"));
    assert_eq!(proxy(encrypted, "", &all).as_deref(), Some("http://encrypted:2"));
    assert_eq!(proxy(plain, "", &[("https_proxy", "http://encrypted:2")]), None);
    assert_eq!(proxy(plain, "", &[]), None);

    for (url, exempt, is_direct) in [
        ("http://models.example.com/v1", "example.com", true),
        ("http://models.example.com/v1", ".example.com,other", true),
        ("http://models.example.com:8000/v1", "models.example.com", true),
        ("http://models.example.com/v1", "ample.com", false),
        ("http://models.example.com/v1", "*", true),
        ("http://10.1.2.3/v1", "localhost, 10.0.0.0/8", true),
        ("http://11.1.2.3/v1", "localhost, 10.0.0.0/8", false),
        ("http://[::1]:8000/v1", "localhost,127.0.0.1,::1", true),
        ("http://localhost:8000/v1", "localhost", true),
    ] {
        let env = [("HTTP_PROXY", "http://plain:1"), ("NO_PROXY", exempt)];
        assert_eq!(proxy(url, "", &env).is_none(), is_direct, "{url} {exempt}");
    }
}

#[test]
fn a_server_on_this_machine_behind_a_proxy_is_a_warning() {
    for url in ["http://127.0.0.1:8000/v1", "http://localhost:8000/v1", "http://[::1]:8000/v1"] {
        let text = format!("[backends.a]\nbase_url = \"{url}\"");
        let warnings = with_environment(&text, &[("HTTP_PROXY", "http://plain:1")]).unwrap().warnings;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(url) && warnings[0].contains("`HTTP_PROXY`"), "{warnings:?}");
        let none = with_environment(&format!("{text}\nproxy = \"http://p\""), &[]).unwrap().warnings;
        assert!(none.is_empty(), "{none:?}");
    }
}

#[test]
fn what_is_no_proxy_is_refused() {
    assert_snapshot!(rejected(&format!("{OPENAI}proxy = \"http://me:secret@p:3128\"")), @r#"
    error: `proxy` holds a user name or a password
     --> pointsman.toml:3:9
      |
    3 | proxy = …
      |         ^
      = hint: secrets are not written in the configuration: use `proxy_auth_env` or `proxy_auth_file`
    "#);
    assert_snapshot!(rejected(&format!("{OPENAI}proxy = \"ftp://p\"")), @r#"
    error: "ftp://p" is not the address of a proxy
     --> pointsman.toml:3:9
      |
    3 | proxy = "ftp://p"
      |         ^^^^^^^^^
      = hint: it is an address such as "http://proxy.example.com:3128", or "none"
    "#);
    assert_snapshot!(rejected(&format!("{OPENAI}proxy_auth_env = \"API_KEY\"")), @r#"
    error: the backend has no `proxy` to authenticate to
     --> pointsman.toml:3:1
      |
    3 | proxy_auth_env = "API_KEY"
      | ^^^^^^^^^^^^^^
      = hint: it is an address such as "http://proxy.example.com:3128", or "none"

    error: the proxy's credentials have no colon in them
     --> pointsman.toml:3:18
      |
    3 | proxy_auth_env = "API_KEY"
      |                  ^^^^^^^^^
      = hint: they are a user name and a password with a colon between them

    2 errors in pointsman.toml
    "#);
    assert_snapshot!(rejected(&format!("{OPENAI}proxy = \"http://p\"\nproxy_auth_env = \"API_KEY\"")), @r#"
    error: the proxy's credentials have no colon in them
     --> pointsman.toml:4:18
      |
    4 | proxy_auth_env = "API_KEY"
      |                  ^^^^^^^^^
      = hint: they are a user name and a password with a colon between them
    "#);
    let error = with_environment(OPENAI, &[("HTTPS_PROXY", "gopher://me:secret@p")]).unwrap_err().to_string();
    assert!(error.contains("`HTTPS_PROXY` is not the address of a proxy"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn a_simulated_backend_is_not_reached_at_all() {
    let text = "[backends.a]\nkind = \"simulated\"\nproxy = \"none\"\napi_key_header = \"api-key\"";
    let error = rejected(text);
    for key in ["proxy", "api_key_header"] {
        assert!(error.contains(&format!("`{key}` does not apply to a simulated backend")), "{error}");
    }
}
