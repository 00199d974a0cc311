//! Recorded calls of many clients and providers: each is parsed, forwarded and counted.
//!
//! The recordings are not part of the project. `POINTSMAN_DATA` names the folder that has
//! them; without it, the tests report that they were left out.
#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot do its part fails, and says where its data come from"
)]

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use pointsman_domain::failure::ErrorCause;
use pointsman_domain::usage::Usage;
use pointsman_wire::openai::client::RequestScan;
use pointsman_wire::openai::pass_through::{CallMembers, StreamRelay};
use pointsman_wire::openai::provider::{classify_error, read_chat_count};
use serde_json::Value;

/// Recorded call of chat completions.
struct Recording {
    id: String,
    /// Body of the request, if it was recorded.
    request: Option<Value>,
    status: u16,
    response: Value,
}

/// Returns the recordings; none without `POINTSMAN_DATA`.
fn recordings() -> Vec<Recording> {
    let Some(data) = std::env::var_os("POINTSMAN_DATA").map(PathBuf::from) else {
        assert!(std::env::var_os("CI").is_none(), "CI has to set POINTSMAN_DATA");
        eprintln!("left out: POINTSMAN_DATA does not name the folder of the recordings");
        return Vec::new();
    };
    // Tests run in the folder of their crate, and the path may be relative to the project.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(data).join("conformance/corpus");
    let index = fs::read_to_string(root.join("index.jsonl")).expect("the corpus has an index");
    let entries = index.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    let recordings: Vec<_> =
        entries.filter(|entry| entry["api"] == "openai.chat").map(|entry| recording(&root, &entry)).collect();
    assert!(recordings.len() > 300, "{} recordings", recordings.len());
    recordings
}

fn recording(root: &Path, entry: &Value) -> Recording {
    let file = root.join(entry["file"].as_str().expect("an entry names its file"));
    let mut case: Value = serde_json::from_slice(&fs::read(file).expect("the file is there")).expect("JSON");
    let request = case
        .pointer_mut("/request/body")
        .map(Value::take)
        .filter(|body| body["messages"].is_array() && body["model"].is_string());
    let response = case["response"].take();
    let status = response["status"].as_u64().unwrap_or(200) as u16;
    Recording { id: entry["id"].to_string(), request, status, response }
}

/// Returns the input, cached input, output and reasoning tokens that a provider states.
fn expected(usage: &Value) -> Option<(u64, u64, u64, u64)> {
    let count = |path: &[&str]| {
        let value = path.iter().try_fold(usage, |value, key| value.get(key))?;
        value.as_u64().or_else(|| value.as_f64().map(|float| float as u64))
    };
    let (input, output) = (count(&["prompt_tokens"])?, count(&["completion_tokens"])?);
    let rest = count(&["total_tokens"]).and_then(|total| total.checked_sub(input)).unwrap_or(0);
    let output = output.max(rest);
    let cached = [
        &["prompt_tokens_details", "cached_tokens"][..],
        &["prompt_cache_hit_tokens"],
        &["num_cached_tokens"],
    ];
    let cached = cached.iter().filter_map(|path| count(path)).max().unwrap_or(0);
    let reasoning =
        count(&["completion_tokens_details", "reasoning_tokens"]).or(count(&["reasoning_tokens"]));
    Some((input, cached.min(input), output, reasoning.unwrap_or(0).min(output)))
}

#[track_caller]
fn check_usage(usage: Usage, stated: Option<&Value>, id: &str) {
    let Some(counts) = stated.and_then(expected).filter(|(input, ..)| *input > 0) else {
        assert!(usage.estimated, "{id}");
        return;
    };
    let Usage { input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, .. } = usage;
    assert_eq!((input_tokens, cached_input_tokens, output_tokens, reasoning_tokens), counts, "{id}");
    assert!(!usage.estimated, "{id}");
}

#[test]
fn requests_of_all_clients_are_forwarded_as_they_were_written() {
    let mut requests = 0;
    for Recording { id, request, status, .. } in recordings() {
        let Some(mut original) = request else { continue };
        let mut scan = RequestScan::default();
        let pushed = scan.push(Bytes::from(original.to_string()));
        let parsed = match pushed.and_then(|()| scan.finish()) {
            Ok(parsed) => parsed,
            // The provider rejected it too.
            Err(_) if status == 400 => continue,
            Err(error) => panic!("{id}: {error}"),
        };
        let call = CallMembers { upstream_name: "upstream", max_output_tokens: None, stream_usage: false };
        let body = parsed.body_for(&call).concat();
        let forwarded: Value = serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{id}: {error}"));
        original["model"] = "upstream".into();
        assert_eq!(forwarded, original, "{id}");
        assert!(parsed.input_tokens > 0, "{id}");
        requests += 1;
    }
    assert!(requests == 0 || requests > 200, "{requests} requests");
}

#[test]
fn whole_answers_of_all_providers_are_parsed_and_counted() {
    for Recording { id, status, response, .. } in recordings() {
        let Some(body) = response.get("body").filter(|body| status == 200 && body.get("choices").is_some())
        else {
            continue;
        };
        let answer =
            read_chat_count(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{id}: {error}"));
        check_usage(answer.usage_or_estimate(7), body.get("usage"), &id);
    }
}

/// Returns the events of a stream as text, or as they may have been written if only their data were recorded.
fn stream_of(response: &Value) -> Option<String> {
    if let Some(text) = response["sse_text"].as_str() {
        return Some(text.to_owned());
    }
    let events = response["stream_data"].as_array().or_else(|| response["stream_events"].as_array())?;
    let data = events.iter().map(|event| event.as_str().map_or_else(|| event.to_string(), str::to_owned));
    Some(data.map(|data| format!("data: {data}\n\n")).collect())
}

#[test]
fn streams_of_all_providers_are_forwarded_and_counted() {
    for Recording { id, response, .. } in recordings() {
        let Some(stream) = stream_of(&response) else { continue };
        let usage = stream.lines().rev().find_map(|line| {
            let event: Value = serde_json::from_str(line.strip_prefix("data:")?).ok()?;
            // Groq has it in a member of its own.
            let usage = event.get("usage").filter(|usage| usage.is_object());
            usage.or_else(|| event.get("x_groq")?.get("usage")).cloned()
        });
        let reports_error = stream.contains("\"error\":{") || stream.contains("\"error\": {");
        for size in [1, 17, stream.len()] {
            let (mut relay, mut out) = (StreamRelay::new(false, 1), Vec::new());
            for piece in stream.as_bytes().chunks(size) {
                relay.push(Bytes::copy_from_slice(piece), &mut out);
            }
            let ending = relay.finish(&mut out);
            assert_eq!(ending.is_err(), reports_error, "{id}: {ending:?}");
            let (sent, stream) = (out.concat(), stream.trim_end());
            assert!(sent.starts_with(stream.as_bytes()), "{id} is relayed byte for byte");
            if !reports_error {
                check_usage(relay.usage_or_estimate(7), usage.as_ref(), &id);
            }
        }
    }
}

#[test]
fn errors_of_all_providers_have_a_plausible_cause() {
    let mut errors = 0;
    for Recording { id, status, response, .. } in recordings().into_iter().filter(|it| it.status >= 400) {
        let body = response["body_text"].as_str().map_or_else(|| response["body"].to_string(), str::to_owned);
        let cause = classify_error(status, body.as_bytes());
        let usual: &[ErrorCause] = match status {
            400 => &[ErrorCause::Request, ErrorCause::Mismatch, ErrorCause::Access],
            401..=404 => &[ErrorCause::Access],
            429 => &[ErrorCause::Load, ErrorCause::Access],
            _ => &[ErrorCause::Server],
        };
        assert!(usual.contains(&cause), "{id}: {status} is {cause:?}: {body}");
        errors += 1;
    }
    assert!(errors == 0 || errors > 30, "{errors} errors");
}
