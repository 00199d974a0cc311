use super::*;

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn digest() -> Digest {
    HEX.parse().unwrap()
}

fn error(text: &str) -> String {
    Source::parse(text, Some(digest())).unwrap_err().to_string()
}

#[test]
fn a_path_is_a_file_relative_to_a_directory() {
    let source = Source::parse("policies/mine.wasm", None).unwrap().relative_to(Path::new("/etc/pointsman"));
    assert_eq!(*source.location(), Location::File("/etc/pointsman/policies/mine.wasm".into()));
    assert_eq!(source.to_string(), "/etc/pointsman/policies/mine.wasm");
    assert!(!source.is_fixed() && !source.is_remote());
}

#[test]
fn a_web_address_needs_a_digest() {
    let text = "https://example.com/policies/mine.wasm";
    let source = Source::parse(text, Some(digest())).unwrap();
    assert_eq!((source.to_string().as_str(), source.sha256()), (text, Some(digest())));
    assert!(source.is_fixed() && source.is_remote());
    assert_eq!(Source::parse(text, None), Err(InvalidSource::NoDigest));
}

#[test]
fn plain_http_is_for_this_machine() {
    for host in ["localhost", "127.0.0.1", "127.8.9.1:8080", "[::1]:80"] {
        let source = Source::parse(&format!("http://{host}/a.wasm"), Some(digest()));
        assert!(source.is_ok(), "{host}: {source:?}");
    }
    for host in ["example.com", "10.0.0.1", "localhost.example.com", "0.0.0.0", "[::2]"] {
        let refused = error(&format!("http://{host}/a.wasm"));
        assert!(refused.contains("is another machine, which needs https://"), "{host}: {refused}");
    }
}

#[test]
fn an_artifact_is_named_by_tag_or_by_digest() {
    let parse = |text: &str| match Source::parse(text, None).unwrap().location {
        Location::Registry(reference) => reference,
        other => panic!("{other:?}"),
    };
    let tagged = parse("oci://ghcr.io/acme/policies/router:v1.2");
    assert_eq!((tagged.registry(), tagged.repository()), ("ghcr.io", "acme/policies/router"));
    assert_eq!(*tagged.version(), ReferenceVersion::Tag("v1.2".to_owned()));
    assert_eq!(tagged.to_string(), "oci://ghcr.io/acme/policies/router:v1.2");

    let text = format!("oci://localhost:5000/router@sha256:{HEX}");
    let pinned = parse(&text);
    assert_eq!((pinned.registry(), pinned.repository()), ("localhost:5000", "router"));
    assert_eq!(*pinned.version(), ReferenceVersion::Digest(digest()));
    assert_eq!(pinned.to_string(), text);

    let both = parse(&format!("oci://ghcr.io/router:v1@sha256:{HEX}"));
    assert_eq!(*both.version(), ReferenceVersion::Digest(digest()), "the digest takes precedence");
}

#[test]
fn a_tag_may_move_and_a_digest_does_not() {
    let is_fixed = |text: &str, sha256| Source::parse(text, sha256).unwrap().is_fixed();
    assert!(!is_fixed("oci://ghcr.io/a:v1", None));
    assert!(is_fixed("oci://ghcr.io/a:v1", Some(digest())));
    assert!(is_fixed(&format!("oci://ghcr.io/a@sha256:{HEX}"), None));
}

#[test]
fn a_registry_is_called_over_https_except_on_this_machine() {
    let api = |text: &str, has_authorities| match Source::parse(text, None).unwrap().location {
        Location::Registry(reference) => reference.api(has_authorities),
        other => panic!("{other:?}"),
    };
    assert_eq!(api("oci://ghcr.io/a/b:v1", false), "https://ghcr.io/v2/a/b");
    assert_eq!(api("oci://10.0.0.1:5000/b:v1", false), "https://10.0.0.1:5000/v2/b");
    assert_eq!(api("oci://localhost:5000/b:v1", false), "http://localhost:5000/v2/b");
    assert_eq!(api("oci://[::1]:5000/b:v1", false), "http://[::1]:5000/v2/b");
    assert_eq!(api("oci://[::1]/b:v1", false), "http://[::1]/v2/b");
    assert_eq!(api("oci://127.0.0.1:5000/b:v1", true), "https://127.0.0.1:5000/v2/b");
    assert_eq!(api("oci://docker.io/acme/b:v1", false), "https://registry-1.docker.io/v2/acme/b");
}

#[test]
fn an_invalid_source_is_refused_with_the_reason() {
    for (text, expected) in [
        ("", "the source is empty"),
        ("ftp://example.com/a.wasm", "ftp:// is not supported; a source is the path of a file"),
        ("file:///a.wasm", "file:// is not supported"),
        ("https://", "this is not the URL of a file: empty host"),
        ("https://example.com", "it does not name a file"),
        ("https://example.com/a/", "it does not name a file"),
        ("https://example.com/a#b", "it has a fragment"),
        ("oci://ghcr.io", "there is no repository; a reference is oci://REGISTRY/REPOSITORY:TAG"),
        ("oci:///a:b", "\"\" is not a host"),
        ("oci://a b/c:d", "\"a b\" is not a host"),
        ("oci://host:port/c:d", "\"host:port\" is not a host"),
        ("oci://host?x/c:d", "\"host?x\" is not a host"),
        ("oci://ghcr.io/router", "there is neither a tag nor a digest"),
        ("oci://ghcr.io/Router:v1", "\"Router\" is not a repository, which is names of a-z"),
        ("oci://ghcr.io/a/../b:v1", "is not a repository"),
        ("oci://ghcr.io/a//b:v1", "is not a repository"),
        ("oci://ghcr.io/a..b:v1", "is not a repository"),
        ("oci://ghcr.io/:v1", "\"\" is not a repository"),
        ("oci://ghcr.io/a:", "\"\" is not a tag"),
        ("oci://ghcr.io/a:.v1", "\".v1\" is not a tag"),
        ("oci://ghcr.io/a:v/1", "\"v/1\" is not a tag"),
        ("oci://ghcr.io/a@sha256:12", "\"sha256:12\" is not a digest, which is sha256: and 64 hex digits"),
        ("oci://ghcr.io/a@sha512:12", "is not a digest"),
        ("oci://ghcr.io/a@", "\"\" is not a digest"),
    ] {
        let error = error(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn secrets_in_an_address_are_refused_and_not_shown() {
    for text in [
        "https://me:secret@example.com/a.wasm",
        "https://secret@example.com/a.wasm",
        "https://example.com/a.wasm?secret",
        "oci://me:secret@ghcr.io/a:v1",
    ] {
        let error = error(text);
        assert!(
            error.contains("credentials have settings of their own") && !error.contains("secret"),
            "{error}"
        );
    }
}
