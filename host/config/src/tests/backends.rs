//! Addresses, keys, certificates and proxies of backends.

use std::collections::HashMap;
use std::path::Path;

use insta::assert_snapshot;
use pointsman_backends::{HttpConfig, ProviderAuth, TransportConfig};

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
    let Some(ProviderAuth::Header { name, .. }) = &http(&config).auth else { panic!() };
    assert_eq!(name, "api-key");
    let bearer = accepted(&format!("{OPENAI}api_key_env = \"API_KEY\""));
    assert!(matches!(http(&bearer).auth, Some(ProviderAuth::Bearer(_))));
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
      = hint: secrets are not written in the configuration: use `api_key_env` or `api_key_file`, and `api_key_header` if the server wants it in another header than `authorization`
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
      = hint: name an environment variable with `api_key_env` or a file with `api_key_file`
    "#);
    let with_key = |header: &str, more: &str| {
        rejected(&format!("{OPENAI}api_key_env = \"API_KEY\"\napi_key_header = \"{header}\"\n{more}"))
    };
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
