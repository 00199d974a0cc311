use http::HeaderValue;

use super::*;

fn checked(host: &'static str, origin: Option<&'static str>) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static(host));
    if let Some(origin) = origin {
        headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
    }
    without_token(&headers, None).is_ok()
}

#[test]
fn a_page_of_this_listener_is_let_in() {
    for host in ["127.0.0.1:8081", "[::1]:8081", "localhost:8081", "gateway.localhost"] {
        assert!(checked(host, None), "{host}");
    }
    assert!(checked("127.0.0.1:8081", Some("http://127.0.0.1:8081")));
}

#[test]
fn a_page_of_another_origin_is_kept_out() {
    for origin in ["https://evil.example", "http://127.0.0.1:8080", "https://127.0.0.1:8081", "null", ""] {
        assert!(!checked("127.0.0.1:8081", Some(origin)), "{origin}");
    }
}

#[test]
fn a_name_that_was_made_to_lead_here_is_kept_out() {
    assert!(!checked("evil.example:8081", None));
    assert!(!checked("evil.example:8081", Some("http://evil.example:8081")));
    assert!(!checked("127.0.0.1.evil.example", None));
    assert!(!checked("localhost.evil.example", None));
}

#[test]
fn only_the_token_opens_where_there_is_one() {
    let given = |value: &'static str| {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
        with_token(&headers, "let-me-in").is_ok()
    };
    assert!(given("Bearer let-me-in"));
    for wrong in ["Bearer let-me-out", "Bearer ", "Basic let-me-in", "let-me-in"] {
        assert!(!given(wrong), "{wrong}");
    }
    assert!(with_token(&HeaderMap::new(), "let-me-in").is_err());
}
