use http::{HeaderValue, header};

use super::*;

fn is_allowed(headers: &[(header::HeaderName, &'static str)]) -> bool {
    let mut request = Request::get("/admin/overview").body(()).expect("a request");
    for (name, value) in headers {
        request.headers_mut().append(name, HeaderValue::from_static(value));
    }
    check_origin(&request, false).is_ok()
}

#[test]
fn without_a_token_only_this_machine_is_allowed() {
    let (host, origin) = (header::HOST, header::ORIGIN);
    assert!(is_allowed(&[(host.clone(), "127.0.0.1:8081")]));
    assert!(is_allowed(&[(host.clone(), "localhost:8081"), (origin.clone(), "http://localhost:8081")]));
    for refused in [
        &[][..],
        &[(host.clone(), "evil.example:8081")],
        &[(host.clone(), "gateway:8081")],
        &[(host.clone(), "a{b.evil.example:8081")],
        &[(host.clone(), "127.0.0.1:8081"), (host.clone(), "127.0.0.1:8081")],
        &[(host.clone(), "127.0.0.1:8081"), (origin.clone(), "https://127.0.0.1:8081")],
    ] {
        assert!(!is_allowed(refused), "{refused:?}");
    }
}

#[test]
fn a_configured_token_is_required() {
    let given = |value: &'static str| {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
        check_token(&headers, "let-me-in").is_ok()
    };
    assert!(given("Bearer let-me-in"));
    for wrong in ["Bearer let-me-out", "Bearer ", "Basic let-me-in", "let-me-in"] {
        assert!(!given(wrong), "{wrong}");
    }
    assert!(check_token(&HeaderMap::new(), "let-me-in").is_err());
}
