use http::HeaderValue;

use super::*;

/// The rules of a listener without authentication on loopback.
fn strict() -> CrossOriginRules {
    CrossOriginRules {
        hosts: AllowedHosts::Local { single_labels: false, names: Vec::new() },
        origins: Allowed::Only(Vec::new()),
        may_end_tls: false,
        may_omit_host: false,
    }
}

fn request(target: &str, headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::get(target).body(()).expect("a request");
    for (name, value) in headers {
        // Latin-1, as bytes may come.
        let bytes: Vec<u8> = value.chars().map(|c| c as u8).collect();
        request.headers_mut().append(*name, HeaderValue::from_bytes(&bytes).expect("a header value"));
    }
    request
}

fn check_host(host: &str) -> Result<(), Refused> {
    strict().check(&request("/", &[("host", host)]))
}

fn check(headers: &[(&'static str, &str)]) -> Result<(), Refused> {
    strict().check(&request("/", &[&[("host", "127.0.0.1:8081")], headers].concat()))
}

#[test]
fn addresses_and_local_names_are_local() {
    for host in [
        "127.0.0.1:8081",
        "127.0.0.1",
        "[::1]:8081",
        "[::1]",
        "192.168.1.5:80",
        "localhost",
        "localhost:8081",
        "LocalHost:8081",
        "gateway.localhost",
        "localhost:65535",
    ] {
        assert_eq!(check_host(host), Ok(()), "{host}");
    }
}

#[test]
fn other_names_are_not_local() {
    for host in [
        "evil.example",
        "evil.example:8081",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "gateway",
        "evillocalhost",
        "localhost-evil.example",
        "xn--lcalhost-3ya.example",
        "a_b.evil.example",
    ] {
        assert_eq!(check_host(host), Err(Refused::UnknownHost), "{host}");
    }
}

#[test]
fn what_is_no_valid_host_is_not_local() {
    for host in [
        "",
        ":8081",
        "a{b.evil.example",
        "a}b.evil.example",
        "a\"b.evil.example",
        "a`b.evil.example",
        "\u{e9}vil.example",
        "evil example",
        "evil.example:x",
        "evil.example:99999999",
        "localhost:",
        "localhost:+80",
        "localhost:-1",
        "localhost:80:80",
        "localhost:65536",
        "localhost.",
        "127.0.0.1.",
        "localhost.:8081",
        ".localhost",
        "a..localhost",
        "2130706433",
        "127.1",
        "0x7f000001",
        "0x7f.1",
        "127.0.0.0x1",
        "0177.0.0.1",
        "1.2.3.4.5",
        "user@localhost",
        "evil.example@localhost",
        "localhost@evil.example",
        "localhost,evil.example",
        "localhost, localhost",
        "localhost/",
        "localhost#",
        "localhost?x",
        "localhost\\x",
        "http://localhost",
        "[::1",
        "::1",
        "[::1]x",
        "[::1]:x",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]:80",
        "[127.0.0.1]",
        "[localhost]",
        "%6cocalhost",
        "*.localhost",
        "local\u{ad}host",
    ] {
        assert_eq!(check_host(host), Err(Refused::InvalidHost), "{host:?}");
    }
}

#[test]
fn only_http_1_0_may_name_no_host_where_that_is_allowed() {
    let lenient = CrossOriginRules { may_omit_host: true, ..strict() };
    let mut hostless = request("/", &[]);
    for (version, allowed) in [(Version::HTTP_10, Ok(())), (Version::HTTP_11, Err(Refused::InvalidHost))] {
        *hostless.version_mut() = version;
        assert_eq!(lenient.check(&hostless), allowed, "{version:?}");
        assert_eq!(strict().check(&hostless), Err(Refused::InvalidHost), "{version:?}");
    }
    *hostless.version_mut() = Version::HTTP_10;
    hostless.headers_mut().insert(header::ORIGIN, http::HeaderValue::from_static("https://evil.example"));
    assert_eq!(lenient.check(&hostless), Err(Refused::ForeignPage));
    hostless.headers_mut().remove(header::ORIGIN);
    hostless.headers_mut().insert(header::HOST, http::HeaderValue::from_static("evil.example"));
    assert_eq!(lenient.check(&hostless), Err(Refused::UnknownHost));
}

#[test]
fn a_request_names_exactly_one_host() {
    let mut h2 = request("http://localhost:8081/admin", &[]);
    assert_eq!(strict().check(&h2), Err(Refused::InvalidHost), "HTTP/1 has to send the header");
    *h2.version_mut() = Version::HTTP_2;
    assert_eq!(strict().check(&h2), Ok(()));
    for (target, hosts, is_valid) in [
        ("/", &[][..], false),
        ("/", &["localhost", "localhost"], false),
        ("/", &["localhost", "evil.example"], false),
        ("http://localhost/", &["localhost"], true),
        ("http://LOCALHOST/", &["localhost"], true),
        ("http://localhost/", &["evil.example"], false),
        ("http://evil.example/", &["localhost"], false),
        ("http://user@localhost/", &["localhost"], false),
        ("http://localhost:81/", &["localhost:82"], false),
    ] {
        for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
            let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            let mut request = request(target, &headers);
            *request.version_mut() = version;
            assert_eq!(strict().check(&request).is_ok(), is_valid, "{target} {hosts:?} {version:?}");
        }
    }
}

#[test]
fn only_a_page_of_the_listener_itself_is_let_in() {
    assert_eq!(check(&[("origin", "http://127.0.0.1:8081")]), Ok(()));
    for origin in [
        "https://evil.example",
        "http://127.0.0.1:8080",
        "http://127.0.0.1",
        "https://127.0.0.1:8081",
        "null",
        "",
        "http://localhost:8081",
        "HTTP://127.0.0.1:8081",
        "http://127.0.0.1:8081/",
        "http://127.0.0.1.:8081",
        "http://127.0.0.1:8081, http://evil.example",
        "http://evil@127.0.0.1:8081",
        "http:127.0.0.1:8081",
        "chrome-extension://abc",
        "file://",
    ] {
        assert_eq!(check(&[("origin", origin)]), Err(Refused::ForeignPage), "{origin:?}");
    }
    let (own, evil) = (("origin", "http://127.0.0.1:8081"), ("origin", "https://evil.example"));
    for twice in [[own, evil], [evil, own], [own, own]] {
        assert_eq!(check(&twice), Err(Refused::ForeignPage), "{twice:?}");
    }
}

#[test]
fn an_origin_without_a_port_has_the_port_of_its_scheme() {
    for (host, origin, is_own) in [
        ("localhost", "http://localhost", true),
        ("localhost:80", "http://localhost", true),
        ("localhost", "http://localhost:80", true),
        ("localhost:443", "http://localhost", false),
        ("localhost:8081", "http://localhost", false),
        ("[::1]:81", "http://[0:0:0:0:0:0:0:1]:81", true),
    ] {
        let checked = strict().check(&request("/", &[("host", host), ("origin", origin)]));
        assert_eq!(checked.is_ok(), is_own, "{host} {origin}");
    }
}

#[test]
fn requests_that_a_browser_marks_as_of_another_site_are_refused_without_an_origin_too() {
    let site = |value| ("sec-fetch-site", value);
    let (navigate, document) = (("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"));
    for accepted in [
        &[site("none")][..],
        &[site("same-origin")],
        &[site("cross-site"), navigate, document],
        &[site("same-site"), navigate, document],
    ] {
        assert_eq!(check(accepted), Ok(()), "{accepted:?}");
    }
    for refused in [
        &[site("cross-site")][..],
        &[site("same-site")],
        &[site("")],
        &[site("unheard-of")],
        &[site("same-origin"), site("cross-site")],
        &[site("cross-site"), ("sec-fetch-mode", "no-cors")],
        &[site("cross-site"), navigate, ("sec-fetch-dest", "iframe")],
        &[site("cross-site"), ("origin", "http://127.0.0.1:8081")],
    ] {
        assert_eq!(check(refused), Err(Refused::ForeignPage), "{refused:?}");
    }
    let mut post = request("/", &[("host", "localhost"), site("cross-site"), navigate, document]);
    *post.method_mut() = Method::POST;
    assert_eq!(strict().check(&post), Err(Refused::ForeignPage), "a form that navigates");
}

#[test]
fn what_is_configured_is_let_in_beside_what_is_local() {
    let origin = |text| WebOrigin::parse(text).expect("an origin");
    let rules = CrossOriginRules {
        hosts: AllowedHosts::Local { single_labels: true, names: vec!["llm.example.com".to_owned()] },
        origins: Allowed::Only(vec![origin("https://app.example.com")]),
        may_end_tls: true,
        may_omit_host: false,
    };
    let check = |headers: &[_]| rules.check(&request("/", headers));
    for host in ["llm.example.com", "LLM.example.com:8080", "gateway:8080", "127.0.0.1"] {
        assert_eq!(check(&[("host", host)]), Ok(()), "{host}");
        let app = [("host", host), ("origin", "https://app.example.com"), ("sec-fetch-site", "cross-site")];
        assert_eq!(check(&app), Ok(()), "{host}");
        let other = [("host", host), ("origin", "http://app.example.com")];
        assert_eq!(check(&other), Err(Refused::ForeignPage), "{host}");
    }
    for host in ["evil.example", "x.llm.example.com", "2130706433", "llm.example.com."] {
        assert!(check(&[("host", host)]).is_err(), "{host}");
    }
    assert_eq!(check(&[("host", "llm.example.com"), ("origin", "https://llm.example.com")]), Ok(()));
}

#[test]
fn a_listener_for_other_machines_takes_every_host_but_no_foreign_page() {
    let rules = CrossOriginRules { hosts: AllowedHosts::All, may_end_tls: true, ..strict() };
    let check = |headers: &[_]| rules.check(&request("/", headers));
    assert_eq!(check(&[]), Ok(()));
    assert_eq!(check(&[("host", "llm.example.com")]), Ok(()));
    assert_eq!(check(&[("host", "llm.example.com"), ("origin", "https://llm.example.com")]), Ok(()));
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("host", "llm.example.com"), ("origin", "https://evil.example")],
        &[("host", "a{b"), ("origin", "http://a{b")],
        &[("host", "llm.example.com"), ("sec-fetch-site", "cross-site")],
    ] {
        assert_eq!(check(headers), Err(Refused::ForeignPage), "{headers:?}");
    }
    let open = CrossOriginRules { origins: Allowed::All, ..rules };
    assert_eq!(open.check(&request("/", &[("origin", "https://any.example")])), Ok(()));
}
