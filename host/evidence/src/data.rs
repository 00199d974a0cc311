//! Data files of recorded outcomes: reading, and the requests in them as policies see them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use pointsman_author::case::content::CaseContent;
use pointsman_author::case::format::{Message, Messages, RequestFormat};
use pointsman_domain::prompt::Prompt;
use pointsman_evaluation::graded::format::{GradedLine, RecordedRequest};
use pointsman_evaluation::graded::{GradedData, GradedOutcome, GradedRow};
use pointsman_terminal::CommandError;
use pointsman_text_features::{Facts, classify};

/// Most rows of a command: they are held in memory.
pub(crate) const MAX_ROWS: usize = 200_000;
/// Longest line, in bytes.
const MAX_LINE_BYTES: u64 = 16 << 20;
/// Role of the messages that features are computed from.
const USER: &str = "user";
/// Bytes of the newest user message that the built-in policies classify.
const CLASSIFIED_BYTES: usize = 2048;

/// Rows of data files with their requests.
#[derive(Debug, Default)]
pub(crate) struct DataSet {
    /// Outcomes.
    pub(crate) graded: GradedData,
    /// Request of each row.
    pub(crate) requests: Vec<RequestFormat>,
    /// True if each row states the tokens of all its answers.
    pub(crate) answers_known: bool,
}

/// Reads data files.
///
/// # Errors
/// Fails with the place of the first line that is wrong.
pub(crate) fn read(paths: &[PathBuf], answer_tokens: Option<f64>) -> Result<DataSet, CommandError> {
    let mut set = DataSet { answers_known: true, ..DataSet::default() };
    for path in paths {
        let file = File::open(path).map_err(|error| {
            CommandError::Input(format!("error: cannot read {}: {error}", path.display()))
        })?;
        let mut input = BufReader::new(file);
        let mut number = 0;
        while let Some(line) = next_line(&mut input, path, &mut number)? {
            let place = || format!("{}:{number}", path.display());
            let row = parse(&line, &place)?;
            set.add(row, answer_tokens, &place)?;
        }
    }
    if set.requests.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(CommandError::Input(format!("error: {}: there is no row", names.join(", "))));
    }
    Ok(set)
}

/// Returns true if the first line of a file that is not blank looks like a line of a decision log.
pub(crate) fn is_decision_log(path: &Path) -> bool {
    if path.is_dir() || path.extension().is_some_and(|end| end == "zst") {
        return true;
    }
    let Ok(file) = File::open(path) else { return false };
    let mut number = 0;
    match next_line(&mut BufReader::new(file), path, &mut number) {
        Ok(Some(line)) => serde_json::from_str::<serde_json::Value>(&line)
            .is_ok_and(|line| line.get("decisions").is_some() || line.get("kind").is_some()),
        _ => false,
    }
}

/// Reads the next line that is not blank.
fn next_line(
    input: &mut impl BufRead,
    path: &Path,
    number: &mut u64,
) -> Result<Option<String>, CommandError> {
    loop {
        let mut line = Vec::new();
        *number += 1;
        let fault = |what: String| CommandError::Input(format!("error: {}:{number}: {what}", path.display()));
        let mut limited = std::io::Read::take(&mut *input, MAX_LINE_BYTES);
        let read =
            limited.read_until(b'\n', &mut line).map_err(|error| fault(format!("cannot read: {error}")))?;
        if read == 0 {
            return Ok(None);
        }
        if read as u64 == MAX_LINE_BYTES {
            return Err(fault(format!("the line is longer than {} MiB", MAX_LINE_BYTES >> 20)));
        }
        let line = String::from_utf8(line).map_err(|_| fault("the line is not UTF-8".to_owned()))?;
        if !line.trim().is_empty() {
            return Ok(Some(line));
        }
    }
}

/// Parses a line. The error shows the place in it.
fn parse(line: &str, place: &dyn Fn() -> String) -> Result<GradedLine, CommandError> {
    serde_json::from_str(line).map_err(|error| {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        let (excerpt, caret) = excerpt(line, error.column());
        CommandError::Input(format!(
            "error: {}:{}: {message}\n  |\n  | {excerpt}\n  | {caret}\n  = hint: a line is a JSON object with `id`, \
             `request` and `outcomes`; docs/evaluating-policies.md has the format",
            place(),
            error.column()
        ))
    })
}

/// Returns the text around a column, counted in bytes from 1, and a line with a caret below it.
fn excerpt(line: &str, column: usize) -> (String, String) {
    const AROUND: usize = 36;
    let at = line.floor_char_boundary(column.saturating_sub(1));
    let from = line.floor_char_boundary(at.saturating_sub(AROUND));
    let to = line.floor_char_boundary(at + AROUND);
    let printable =
        |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let before = printable(line.get(from..at).unwrap_or_default());
    let after = printable(line.get(at..to.max(at)).unwrap_or_default());
    let caret = format!("{}^", " ".repeat(before.chars().count()));
    (format!("{before}{after}"), caret)
}

impl DataSet {
    fn add(
        &mut self,
        line: GradedLine,
        answer_tokens: Option<f64>,
        place: &dyn Fn() -> String,
    ) -> Result<(), CommandError> {
        let fault = |what: String| Err(CommandError::Input(format!("error: {}: {what}", place())));
        if self.requests.len() == MAX_ROWS {
            return fault(format!("there are more than {MAX_ROWS} rows"));
        }
        if line.outcomes.len() < 2 {
            return fault("fewer than two models have an outcome".to_owned());
        }
        let models: Vec<&String> = line.outcomes.keys().collect();
        if self.graded.models.is_empty() {
            self.graded.models = models.iter().map(|&model| model.clone()).collect();
        } else if self.graded.models.iter().ne(models.iter().copied()) {
            let missing = self.graded.models.iter().find(|model| !line.outcomes.contains_key(*model));
            let what = match missing {
                Some(model) => format!("no outcome of {model}, which the rows before have"),
                None => "an outcome of a model that the rows before have none of".to_owned(),
            };
            return fault(format!("{what}\n  = hint: every row needs the outcomes of the same models"));
        }
        let mut outcomes = Vec::with_capacity(models.len());
        for (model, outcome) in &line.outcomes {
            if let Some(what) = outcome.fault() {
                return fault(format!("outcome of {model}: {what}"));
            }
            let Some(input_cost) = outcome.cost_usd else {
                return fault(format!("outcome of {model}: `cost_usd` is missing"));
            };
            self.answers_known &= outcome.output_tokens.is_some();
            // Without the tokens of the answer, the cost is that of the request; answers are assumed to have its price.
            let assumed = answer_tokens.unwrap_or(0.0);
            let per_token = input_cost / outcome.input_tokens.max(1.0);
            let cost = outcome.output_tokens.map_or(input_cost + assumed * per_token, |_| input_cost);
            outcomes.push(GradedOutcome {
                score: outcome.score,
                input_tokens: outcome.input_tokens,
                output_tokens: outcome.output_tokens.unwrap_or(assumed),
                latency_ms: outcome.latency_ms,
                cost,
            });
        }
        let request = request(&line.request);
        let content = content(&request);
        let (newest, tools) = (newest_user_text(&content, usize::MAX), content.tool_names());
        let classified = Facts {
            text: cut(&newest, CLASSIFIED_BYTES),
            tools,
            turns: content.turns(),
            needs_tools: !tools.is_empty(),
            ..Facts::default()
        };
        let kind = classify(&classified).name();
        self.graded.rows.push(GradedRow {
            id: line.id,
            category: line.category,
            prompt: hash(&line.request),
            length: newest.len(),
            kind,
            outcomes,
        });
        self.requests.push(request);
        Ok(())
    }

    /// Returns the requests of some rows, in their order. Ids need not be unique, so rows are found by place.
    pub(crate) fn requests_of(&self, rows: &GradedData) -> Vec<RequestFormat> {
        let mut by_row: BTreeMap<(&str, u64), Vec<usize>> = BTreeMap::new();
        for (place, row) in self.graded.rows.iter().enumerate().rev() {
            by_row.entry((row.id.as_str(), row.prompt)).or_default().push(place);
        }
        let mut requests = Vec::with_capacity(rows.rows.len());
        for row in &rows.rows {
            let place = by_row.get_mut(&(row.id.as_str(), row.prompt)).and_then(Vec::pop);
            requests.push(place.and_then(|place| self.requests.get(place).cloned()).unwrap_or_default());
        }
        requests
    }
}

/// Returns the request in the format of cases.
fn request(recorded: &RecordedRequest) -> RequestFormat {
    let message = |message: &pointsman_evaluation::graded::format::RecordedMessage| Message {
        role: Some(message.role.clone()),
        text: Some(message.content.as_ref().map(|content| content.text()).unwrap_or_default()),
        parts: Vec::new(),
    };
    let tools: Vec<String> = recorded.tools.iter().map(|tool| tool.function.name.clone()).collect();
    RequestFormat {
        messages: Some(Messages::List(recorded.messages.iter().map(message).collect())),
        tools: (!tools.is_empty()).then_some(tools),
        ..RequestFormat::default()
    }
}

/// Returns the content of a request.
pub(crate) fn content(request: &RequestFormat) -> CaseContent {
    CaseContent::new(request.messages.as_ref(), request.tools.as_deref().unwrap_or_default())
}

/// Returns the text of the newest user message, cut as the gateway cuts it.
pub(crate) fn newest_user_text(content: &CaseContent, max_bytes: usize) -> String {
    let newest = (0..content.message_count()).rev().find(|message| content.role(*message) == Some(USER));
    let text = newest.and_then(|message| content.text(message)).unwrap_or_default();
    cut(text, max_bytes).to_owned()
}

fn cut(text: &str, max_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(max_bytes)).unwrap_or(text)
}

/// Returns the 64-bit FNV-1a hash of all messages and tools of a request.
fn hash(request: &RecordedRequest) -> u64 {
    let texts = request.messages.iter().flat_map(|message| {
        let content = message.content.as_ref().map(|content| content.text()).unwrap_or_default();
        [message.role.clone(), content]
    });
    let tools = request.tools.iter().map(|tool| tool.function.name.clone());
    let bytes = texts.chain(tools).flat_map(|text| text.into_bytes().into_iter().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
