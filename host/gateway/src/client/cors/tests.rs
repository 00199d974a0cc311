use super::*;

fn policy(origins: &[&str]) -> CorsPolicy {
    let parse = |text: &&str| WebOrigin::parse(text).expect("an origin");
    CorsPolicy::new(match origins {
        ["*"] => Allowed::All,
        _ => Allowed::Only(origins.iter().map(parse).collect()),
    })
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().fold(HeaderMap::new(), |mut headers, &(name, value)| {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        headers
    })
}

#[test]
fn the_allowed_origin_is_repeated_unless_all_are_allowed() {
    let listed = ["https://app.example.com", "http://localhost:3000"];
    let cases: &[(&[&str], &[&'static str], Option<&str>)] = &[
        (&listed, &["https://app.example.com"], Some("https://app.example.com")),
        (&listed, &["https://app.example.com:443"], Some("https://app.example.com:443")),
        (&listed, &["http://localhost:3000"], Some("http://localhost:3000")),
        (&listed, &["http://app.example.com"], None),
        (&listed, &["https://app.example.com:8443"], None),
        (&listed, &["https://app.example.com.evil.example"], None),
        (&listed, &["null"], None),
        (&listed, &["*"], None),
        (&listed, &["https://app.example.com", "https://evil.example"], None),
        (&listed, &[], None),
        (&[], &["https://app.example.com"], None),
        (&["*"], &["https://anything.example"], Some("*")),
        (&["*"], &["null"], Some("*")),
        (&["*"], &[], None),
    ];
    for (origins, sent, expected) in cases {
        let request = headers(&sent.iter().map(|&origin| ("origin", origin)).collect::<Vec<_>>());
        let allowed = policy(origins).allowed_origin(&request);
        let allowed = allowed.as_ref().map(|value| value.to_str().expect("text"));
        assert_eq!(allowed, *expected, "{origins:?} {sent:?}");
    }
}

#[test]
fn a_preflight_response_allows_what_was_asked_for_and_never_credentials() {
    let asked = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type,x-stainless-os"),
        ("access-control-request-private-network", "true"),
    ];
    for (origins, origin) in [(["https://app.example.com"], "https://app.example.com"), (["*"], "*")] {
        let (status, response) = policy(&origins).preflight(&headers(&asked));
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert_eq!(response["access-control-allow-origin"], origin);
        assert_eq!(response["access-control-allow-methods"], "GET, POST");
        assert_eq!(response["access-control-allow-headers"], "authorization,content-type,x-stainless-os");
        assert_eq!(response["access-control-max-age"], "7200");
        assert_eq!(response["access-control-allow-private-network"], "true");
        assert!(response["vary"].to_str().is_ok_and(|vary| vary.starts_with("origin, ")));
        assert!(!response.contains_key("access-control-allow-credentials"));
    }
    let (_, response) = policy(&["https://other.example.com"]).preflight(&headers(&asked));
    assert!(response.keys().all(|name| name == "vary"), "{response:?}");
}

#[test]
fn responses_vary_by_origin_where_a_list_decides() {
    let response = |origins: &[&str], origin: Option<&'static str>| {
        let mut response = HeaderMap::new();
        policy(origins).expose(origin.map(HeaderValue::from_static), &mut response);
        response
    };
    let listed = ["https://app.example.com"];
    assert_eq!(response(&listed, None)["vary"], "origin");
    assert_eq!(response(&listed, None).len(), 1);
    let exposed = response(&listed, Some("https://app.example.com"));
    assert_eq!(exposed["access-control-expose-headers"], EXPOSED);
    assert!(!exposed.contains_key("access-control-allow-credentials"));
    assert_eq!((response(&[], None).len(), response(&["*"], None).len()), (0, 0));
}
