//! Access to the recorded calls and translation pairs.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Recorded call of an API.
pub struct RecordedCall {
    /// Id, for messages of tests.
    pub id: String,
    /// Kind: `recorded`, `response_fixture`, `mock` or `handmade`.
    pub kind: String,
    /// Name of the provider.
    pub provider: String,
    /// True if the response is a stream.
    pub streaming: bool,
    /// Status of the response.
    pub status: u16,
    /// The whole case.
    pub case: Value,
}

impl RecordedCall {
    /// Returns the request's JSON body, if the request is known and has one.
    pub fn request_body(&self) -> Option<&Value> {
        self.case.get("request")?.get("body").filter(|body| !body.is_null())
    }

    /// Returns the response's JSON body, if it has one.
    pub fn response_body(&self) -> Option<&Value> {
        self.case.get("response")?.get("body").filter(|body| !body.is_null())
    }

    /// Returns the text of a response that is a stream of events: as recorded, or framed anew from
    /// the data of its events.
    pub fn response_stream(&self) -> Option<String> {
        let response = self.case.get("response")?;
        if let Some(text) = response.get("sse_text").and_then(Value::as_str) {
            return Some(text.to_owned());
        }
        let frame = |data: String| format!("data: {data}\n\n");
        if let Some(data) = response.get("stream_data").and_then(Value::as_array) {
            return Some(data.iter().filter_map(Value::as_str).map(|data| frame(data.to_owned())).collect());
        }
        let events = response.get("stream_events")?.as_array()?;
        Some(events.iter().map(|event| frame(event.to_string())).collect())
    }
}

/// Translation pair that another project emits: evidence of one reasonable mapping.
pub struct TranslationPair {
    /// Id, for messages of tests.
    pub id: String,
    /// Input: `body`, `sse_text` or `stream_events`.
    pub input: Value,
    /// Output of the other project.
    pub expected: Value,
}

/// Returns the recorded calls of an API, such as `anthropic.messages`; `None` without the data.
pub fn calls(api: &str) -> Option<Vec<RecordedCall>> {
    let root = corpus()?;
    let index = std::fs::read_to_string(root.join("index.jsonl")).expect("the index of the corpus");
    let rows = index.lines().map(|line| serde_json::from_str::<Value>(line).expect("a row of the index"));
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let calls: Vec<_> = rows
        .filter(|row| row["api"] == api)
        .map(|row| RecordedCall {
            id: text(&row, "id"),
            kind: text(&row, "kind"),
            provider: text(&row, "provider"),
            streaming: row["streaming"] == true,
            status: row["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or(200),
            case: read(&root.join(text(&row, "file"))),
        })
        .collect();
    assert!(!calls.is_empty(), "the corpus has no call of {api}");
    Some(calls)
}

/// Returns the pairs of a kind (`request`, `response` or `stream`) between two APIs; `None` without
/// the data.
pub fn pairs(kind: &str, from: &str, to: &str) -> Option<Vec<TranslationPair>> {
    let name = format!("{kind}__{from}__to__{to}.jsonl");
    let projects = std::fs::read_dir(corpus()?.join("goldens")).expect("the folder of pairs");
    let files =
        projects.map(|project| project.expect("a folder").path().join(&name)).filter(|path| path.exists());
    let pairs = files.flat_map(|path| {
        let text = std::fs::read_to_string(&path).expect("a file of pairs");
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let pair = |line: String| {
        let mut value: Value = serde_json::from_str(&line).expect("a pair");
        TranslationPair {
            id: value["id"].as_str().unwrap_or_default().to_owned(),
            input: value["input"].take(),
            expected: value["expected"].take(),
        }
    };
    Some(pairs.map(pair).collect())
}

fn corpus() -> Option<PathBuf> {
    let Some(data) = std::env::var_os("POINTSMAN_DATA") else {
        assert!(std::env::var_os("CI").is_none(), "CI needs POINTSMAN_DATA");
        eprintln!("left out: POINTSMAN_DATA names no folder of recorded data");
        return None;
    };
    // Tests run in the folder of their crate.
    let data = Path::new(&data);
    let root = if data.is_absolute() { data.to_owned() } else { Path::new("../..").join(data) };
    Some(root.join("conformance/corpus"))
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("a case of the corpus")
}
