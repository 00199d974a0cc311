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
fn a_token_determines_the_role() {
    let (operator, reading) = (Some(Secret::new("let-me-in")), Some(Secret::new("let-me-see")));
    let both = AdminTokens { operator: operator.clone(), read_only: reading.clone() };
    let role = |tokens: &AdminTokens, value: &'static str| {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
        role_of(&headers, tokens).ok()
    };
    assert_eq!(role(&both, "Bearer let-me-in"), Some(CallerRole::Operator));
    assert_eq!(role(&both, "Bearer let-me-see"), Some(CallerRole::ReadOnly));
    for wrong in ["Bearer let-me-out", "Bearer ", "Basic let-me-in", "let-me-in", "let-me-see"] {
        assert_eq!(role(&both, wrong), None, "{wrong}");
    }
    assert!(role_of(&HeaderMap::new(), &both).is_err());
    let operators = AdminTokens { operator, read_only: None };
    assert_eq!(role(&operators, "Bearer let-me-see"), None);
    let readers = AdminTokens { operator: None, read_only: reading };
    assert_eq!(role(&readers, "Bearer let-me-in"), None);
    assert_eq!(role(&readers, "Bearer let-me-see"), Some(CallerRole::ReadOnly));
    assert!(role_of(&HeaderMap::new(), &readers).is_err());
}
