//! Rows of recorded outcomes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use pointsman_sdk::testkit::request;
use pointsman_sdk::{Abilities, Request};
use serde::Deserialize;

/// One request and what each model made of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Unique in its file.
    pub id: String,
    /// The data set's own label, which no policy sees.
    pub category: String,
    /// The request as a policy sees it.
    pub request: Request,
    /// The newest user message.
    pub text: String,
    /// Names of the tools it offers.
    pub tools: Vec<String>,
    /// By model, in the order of the model's name.
    pub outcomes: BTreeMap<String, Outcome>,
}

/// What one model made of a request.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Outcome {
    /// How good the answer was, 0..1.
    pub score: f64,
    /// Tokens of the request, as the model counts them.
    pub input_tokens: f64,
    /// Tokens of the answer, if known.
    pub output_tokens: Option<f64>,
    /// Milliseconds to the whole answer, if known.
    pub latency_ms: Option<f64>,
    /// US dollars.
    pub cost_usd: f64,
}

/// Rows to learn from, and rows to report on.
#[derive(Clone, Debug)]
pub struct Split {
    /// What the data is called in reports.
    pub name: &'static str,
    /// To learn from.
    pub train: Vec<Row>,
    /// To report on.
    pub test: Vec<Row>,
}

#[derive(Deserialize)]
struct RecordedRequest {
    id: String,
    category: String,
    request: Body,
    outcomes: BTreeMap<String, Outcome>,
}

#[derive(Deserialize)]
struct Body {
    messages: Vec<Message>,
    #[serde(default)]
    tools: Vec<Tool>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: String,
}

#[derive(Deserialize)]
struct Tool {
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
}

/// All data sets of a folder. `ulab14` comes with its own split; the others are
/// split in halves by a hash of the row's id, so that the split never changes.
pub fn load(folder: &Path) -> Result<Vec<Split>> {
    let ulab = Split {
        name: "ulab14",
        train: rows(&folder.join("ulab14_train.jsonl"))?,
        test: rows(&folder.join("ulab14_test.jsonl"))?,
    };
    let halves = |name, file: &str| -> Result<Split> {
        let (train, test) =
            rows(&folder.join(file))?.into_iter().partition(|row| hash(&row.id).is_multiple_of(2));
        Ok(Split { name, train, test })
    };
    Ok(vec![ulab, halves("bfcl", "bfcl_tool_calls.jsonl")?, halves("mmlu-pro", "mmlu_pro.jsonl")?])
}

fn rows(path: &Path) -> Result<Vec<Row>> {
    let text = fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))?;
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{}:{}", path.display(), number + 1);
        rows.push(row(serde_json::from_str(line).with_context(place)?));
    }
    ensure!(!rows.is_empty(), "{} has no row", path.display());
    let models = |row: &Row| row.outcomes.keys().cloned().collect::<Vec<_>>();
    let all = models(&rows[0]);
    ensure!(rows.iter().all(|row| models(row) == all), "{}: rows differ in their models", path.display());
    Ok(rows)
}

fn row(line: RecordedRequest) -> Row {
    let tools: Vec<String> = line.request.tools.into_iter().map(|tool| tool.function.name).collect();
    let messages = line.request.messages;
    let bytes: usize = messages.iter().map(|message| message.content.len()).sum();
    let newest = messages.into_iter().rev().find(|message| message.role == "user");
    Row {
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

/// FNV-1a, 32 bits, with its low bits mixed.
fn hash(id: &str) -> u32 {
    let hash =
        id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash ^ (hash >> 15)
}
