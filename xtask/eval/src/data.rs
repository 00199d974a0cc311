//! Rows of recorded outcomes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use pointsman_sdk::testkit::request;
use pointsman_sdk::{Abilities, Request};
use serde::Deserialize;

/// Request with the outcome of each model.
#[derive(Clone, Debug)]
pub struct OutcomeRow {
    /// Identifier, unique in its file.
    pub id: String,
    /// Label of the data set, which no policy sees.
    pub category: String,
    /// The request as a policy sees it.
    pub request: Request,
    /// The newest user message.
    pub text: String,
    /// Names of the tools it offers.
    pub tools: Vec<String>,
    /// Outcomes by name of the model.
    pub outcomes: BTreeMap<String, Outcome>,
}

/// Outcome of a request with one model.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Outcome {
    /// Quality of the answer, 0..1.
    pub score: f64,
    /// Tokens of the request, as the model counts them.
    pub input_tokens: f64,
    /// Tokens of the answer, if known.
    pub output_tokens: Option<f64>,
    /// Milliseconds to the whole answer, if known.
    pub latency_ms: Option<f64>,
    /// Cost in US dollars.
    pub cost_usd: f64,
}

/// Data set, split into rows to learn from and rows to report on.
#[derive(Clone, Debug)]
pub struct DataSplit {
    /// Name in reports.
    pub name: &'static str,
    /// Rows to learn from.
    pub train: Vec<OutcomeRow>,
    /// Rows to report on.
    pub test: Vec<OutcomeRow>,
}

#[derive(Deserialize)]
struct RecordedRequest {
    id: String,
    category: String,
    request: RequestJson,
    outcomes: BTreeMap<String, Outcome>,
}

#[derive(Deserialize)]
struct RequestJson {
    messages: Vec<MessageJson>,
    #[serde(default)]
    tools: Vec<ToolJson>,
}

#[derive(Deserialize)]
struct MessageJson {
    role: String,
    content: String,
}

#[derive(Deserialize)]
struct ToolJson {
    function: FunctionJson,
}

#[derive(Deserialize)]
struct FunctionJson {
    name: String,
}

/// Loads all data sets of a folder. `ulab14` has its own split; the others are split in halves by
/// a hash of the row's id, so that the split never changes.
pub fn load(folder: &Path) -> Result<Vec<DataSplit>> {
    let ulab = DataSplit {
        name: "ulab14",
        train: rows(&folder.join("ulab14_train.jsonl"))?,
        test: rows(&folder.join("ulab14_test.jsonl"))?,
    };
    let halves = |name, file: &str| -> Result<DataSplit> {
        let (train, test) =
            rows(&folder.join(file))?.into_iter().partition(|row| hash(&row.id).is_multiple_of(2));
        Ok(DataSplit { name, train, test })
    };
    Ok(vec![ulab, halves("bfcl", "bfcl_tool_calls.jsonl")?, halves("mmlu-pro", "mmlu_pro.jsonl")?])
}

fn rows(path: &Path) -> Result<Vec<OutcomeRow>> {
    let text = fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))?;
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{}:{}", path.display(), number + 1);
        rows.push(parse_row(serde_json::from_str(line).with_context(place)?));
    }
    ensure!(!rows.is_empty(), "{} has no row", path.display());
    let models = |row: &OutcomeRow| row.outcomes.keys().cloned().collect::<Vec<_>>();
    let all = models(&rows[0]);
    ensure!(rows.iter().all(|row| models(row) == all), "{}: rows differ in their models", path.display());
    Ok(rows)
}

fn parse_row(line: RecordedRequest) -> OutcomeRow {
    let tools: Vec<String> = line.request.tools.into_iter().map(|tool| tool.function.name).collect();
    let messages = line.request.messages;
    let bytes: usize = messages.iter().map(|message| message.content.len()).sum();
    let newest = messages.into_iter().rev().find(|message| message.role == "user");
    OutcomeRow {
        request: Request {
            input_tokens: u32::try_from(bytes / 4).unwrap_or(u32::MAX),
            needs: if tools.is_empty() { Abilities::empty() } else { Abilities::TOOLS },
            ..request()
        },
        text: newest.map(|message| message.content).unwrap_or_default(),
        tools,
        id: line.id,
        category: line.category,
        outcomes: line.outcomes,
    }
}

/// Returns the 32-bit FNV-1a hash, with its low bits mixed.
fn hash(id: &str) -> u32 {
    let hash =
        id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash ^ (hash >> 15)
}
