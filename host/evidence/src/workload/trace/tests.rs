use std::fs;

use super::*;

fn read(content: &str) -> Result<Trace, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace");
    fs::write(&path, content).unwrap();
    let folder = format!("{}/", folder.path().display());
    Trace::read(&path).map_err(|error| error.to_string().replace(&folder, ""))
}

#[test]
fn a_trace_of_azure_has_times_and_tokens() {
    let text = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 23:59:59.5000000,374,44\n\n\
                2023-11-17 00:00:01.2500000,396,109\n2023-11-16 23:59:58.5000000,1,2\n";
    let trace = read(text).unwrap();
    let entries: Vec<_> =
        trace.entries.iter().map(|it| (it.at.as_millis(), it.input_tokens, it.output_tokens)).collect();
    assert_eq!(entries, [(0, 1, 2), (1_000, 374, 44), (2_750, 396, 109)]);
    assert_eq!(trace.period(), Duration::from_millis(2_750 + 1_375));
    assert_eq!(trace.recorded, None);
}

#[test]
fn a_trace_of_mooncake_has_the_blocks_of_prompts() {
    let line = |at: u32, blocks: &str| {
        format!(
            "{{\"timestamp\": {at}, \"input_length\": 700, \"output_length\": 5, \"hash_ids\": {blocks}}}\n"
        )
    };
    let trace = read(&(line(0, "[0, 1]") + &line(1_500, "[0, 2]"))).unwrap();
    assert_eq!((trace.entries.len(), &*trace.entries[1].prefix), (2, &[0, 2][..]));
    assert_eq!(trace.entries[1].at, Duration::from_millis(1_500));
}

#[test]
fn a_fault_is_shown_in_its_line() {
    let titles = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
    let error = read(&format!("{titles}2023-11-16 18:15:46.68,37x,44\n")).unwrap_err();
    assert_eq!(
        error,
        "error: \"37x\" is not a number of tokens\n  --> trace:2:24\n   |\n 2 | 2023-11-16 18:15:46.68,37x,44\n   | \
         \u{20}                      ^^^"
    );
    for (line, reason) in [
        ("2023-11-16 18:15:46.68,1", "a request has 3 fields, and this line has 2"),
        ("2023-13-16 18:15:46.68,1,1", "is not a time such as"),
        ("2023-11-16 18:65:46.68,1,1", "is not a time such as"),
        ("2023-11-16 18:15:46.68,1,-1", "\"-1\" is not a number of tokens"),
    ] {
        let error = read(&format!("{titles}{line}\n")).unwrap_err();
        assert!(error.contains(reason) && error.contains("trace:2:"), "{error}");
    }
    let error = read("{\"timestamp\": 0, \"input_length\": \"x\"}\n").unwrap_err();
    assert!(
        error.contains("not a request of a trace: invalid type") && error.contains("trace:1:"),
        "{error}"
    );
    let error = read("TIMESTAMP,Tokens\n").unwrap_err();
    assert!(error.contains("the titles are not TIMESTAMP,ContextTokens,GeneratedTokens"), "{error}");
}

#[test]
fn what_is_no_trace_is_an_error() {
    for (content, reason) in [
        ("", "is no trace"),
        ("hello\n", "is no trace"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n", "has no requests"),
    ] {
        let error = read(content).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
    let long = format!("{{\"timestamp\": {}1}}", " ".repeat(1 << 20));
    assert!(read(&long).unwrap_err().contains("longer than 1 MiB"));
    assert!(Trace::read(Path::new("/nowhere/trace.csv")).unwrap_err().to_string().contains("cannot read"));
}

#[test]
fn the_published_traces_are_read() {
    let Some(data) = pointsman_config::environment("POINTSMAN_DATA") else {
        // Nothing to compare with: the traces are not part of the project.
        assert!(pointsman_config::environment("CI").is_none(), "CI needs POINTSMAN_DATA");
        println!("left out: POINTSMAN_DATA is not set");
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(data).join("load");
    let requests = |name: &str| Trace::read(&folder.join(name)).map(|trace| trace.entries.len()).unwrap();
    assert_eq!(requests("AzureLLMInferenceTrace_conv.csv"), 19_366);
    assert_eq!(requests("AzureLLMInferenceTrace_code.csv"), 8_819);
    assert_eq!(requests("mooncake_conversation_trace.jsonl"), 12_031);
}
