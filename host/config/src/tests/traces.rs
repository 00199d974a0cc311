//! Settings of the export of spans.

use std::time::Duration;

use pointsman_domain::trace::SampleRatio;

use super::{accepted, rejected};

/// Returns the messages of all problems, without positions and hints.
fn errors(text: &str) -> Vec<String> {
    let rendered = rejected(text);
    assert!(!rendered.contains("sk-secret"), "{rendered}");
    rendered.lines().filter_map(|line| Some(line.strip_prefix("error: ")?.to_owned())).collect()
}

#[test]
fn without_an_endpoint_there_are_no_spans() {
    assert_eq!(accepted("").traces, None);
    assert_eq!(accepted("[traces]\nsample = 0.5\nservice_name = \"gateway\"").traces, None);
}

#[test]
fn an_endpoint_is_all_that_is_needed() {
    let traces = accepted("[traces]\nendpoint = \"http://127.0.0.1:4318\"").traces.unwrap();
    assert_eq!(traces.collector.base_url, "http://127.0.0.1:4318/v1/traces");
    assert_eq!((traces.sample, traces.content), (SampleRatio::ALL, false));
    assert_eq!((traces.timeout, traces.service_name.as_str()), (Duration::from_secs(10), "pointsman"));
    assert!(traces.collector.headers.is_empty());
}

#[test]
fn the_path_of_otlp_is_added_where_it_is_missing() {
    for (endpoint, address) in [
        ("https://otlp.example.com/", "https://otlp.example.com/v1/traces"),
        ("https://otlp.example.com/otlp", "https://otlp.example.com/otlp/v1/traces"),
        ("https://otlp.example.com/v1/traces", "https://otlp.example.com/v1/traces"),
        ("https://otlp.example.com/a/v1/traces/", "https://otlp.example.com/a/v1/traces"),
    ] {
        let traces = accepted(&format!("[traces]\nendpoint = \"{endpoint}\"")).traces.unwrap();
        assert_eq!(traces.collector.base_url, address);
    }
}

#[test]
fn headers_are_read_from_the_file_and_keys_from_the_environment() {
    let traces = accepted(
        r#"
[traces]
endpoint = "http://127.0.0.1:4318"
headers = { X-Scope-OrgID = "team" }
headers_env = { x-honeycomb-team = "API_KEY" }"#,
    );
    let headers = traces.traces.unwrap().collector.headers;
    assert_eq!(headers["x-scope-orgid"], "team");
    assert_eq!(headers["x-honeycomb-team"], "sk-secret");
    assert!(!format!("{headers:?}").contains("sk-secret"), "{headers:?}");
}

#[test]
fn invalid_settings_are_reported() {
    assert_eq!(
        errors(
            r#"
[traces]
endpoint = "localhost:4318"
sample = 10
timeout = "0s"
service_name = """#
        ),
        [
            "\"localhost:4318\" is not the address of a collector",
            "10 is not a share of traces",
            "`timeout` is zero, so no collector could answer in time",
            "`service_name` is empty",
        ]
    );
    assert_eq!(errors("[traces]\ncontent = true"), ["`content` is on, but there is no `endpoint`"]);
}

#[test]
fn a_key_is_not_written_in_the_configuration_and_not_shown() {
    assert_eq!(
        errors(
            r#"
[traces]
endpoint = "http://me:sk-secret@127.0.0.1:4318"
headers = { Authorization = "Bearer sk-secret" }
headers_env = { x-key = "sk-secret-key", x-other = "NOT_SET", x-empty = "EMPTY" }
headers_file = { x-file = "missing.txt" }"#
        ),
        [
            "`endpoint` holds a user name or a password",
            "the header `Authorization` carries a key",
            "`x-key` is not the name of an environment variable",
            "the environment variable `NOT_SET` is not set",
            "the environment variable `EMPTY` is empty",
            "cannot read /nowhere/missing.txt: No such file or directory (os error 2)",
        ]
    );
}

#[test]
fn a_header_is_given_once_and_not_in_place_of_the_gateway_s_own() {
    assert_eq!(
        errors(
            r#"
[traces]
endpoint = "http://127.0.0.1:4318"
headers = { x-key = "a", content-type = "text/plain" }
headers_env = { X-Key = "API_KEY" }"#
        ),
        ["the header `content-type` is set by Pointsman", "the header `X-Key` is given twice"]
    );
}
