//! Cases from a decision log: the requests that a gateway served, with the decisions that it made.
//!
//! A case is only made where the record has everything that the policy can see. What is missing is
//! never guessed: the record is left out, and counted with the reason.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use pointsman_policy::Inspection;
use pointsman_record::{
    AnswerRecord, CandidateRecord, ContentRecord, DecisionEntryRecord, DecisionRecord, RecordReader,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::folder::{CaseError, LoadedCase};
use super::format::{
    CandidateEntry, CandidateFormat, Case, Expectation, ExpectedPlan, KindAndText, Message, Messages,
    RequestFormat,
};

mod input;

pub use input::InputBuilder;

/// Ends of the names of files of a log.
const ENDS: [&str; 2] = [".jsonl", ".jsonl.zst"];

/// Cases of a log, and what was left out.
#[derive(Debug, Default)]
pub struct RecordedCases {
    /// Cases, the oldest first.
    pub cases: Vec<LoadedCase>,
    /// Records that were left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Records whose settings differ from those of the cases.
    pub other_settings: u64,
}

/// Options for the cases of a log.
#[derive(Clone, Copy, Debug)]
pub struct LogOptions<'a> {
    /// Settings of all cases. Records have only a digest of theirs.
    pub settings: &'a Map<String, Value>,
    /// SHA-256 of their JSON text.
    pub settings_digest: &'a str,
    /// Only records that this policy decided first.
    pub decided_by: Option<&'a str>,
    /// Most cases.
    pub limit: usize,
    /// Records that become cases when there are more.
    pub kept: Kept,
}

/// The records of a log that are kept when there are more than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The first. Further records are counted as left out.
    Oldest,
    /// The last.
    Newest,
}

/// Facts that a policy can see and that records may lack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VisibleFacts {
    text: bool,
    tools: bool,
    outline: bool,
    state: bool,
}

/// Reads the cases of a log: a file, or all files of its folder.
///
/// # Errors
/// Fails if a file cannot be read. Lines that are no records are left out.
pub fn load(path: &Path, policy: &Inspection, options: &LogOptions<'_>) -> Result<RecordedCases, CaseError> {
    load_for(&[path], &[policy], options)
}

/// Reads the cases of several logs, with everything that any of several policies can see.
///
/// # Errors
/// Fails as [`load`] does.
pub fn load_for(
    paths: &[&Path],
    policies: &[&Inspection],
    options: &LogOptions<'_>,
) -> Result<RecordedCases, CaseError> {
    let visible = policies
        .iter()
        .map(|policy| VisibleFacts::of(policy))
        .fold(VisibleFacts::default(), VisibleFacts::or);
    let mut recorded = RecordedCases::default();
    let mut cases = VecDeque::new();
    let files: Vec<Vec<PathBuf>> = paths.iter().map(|path| files(path)).collect::<Result<_, _>>()?;
    for file in files.into_iter().flatten() {
        let unreadable =
            |error: std::io::Error| CaseError::Read { path: file.clone(), reason: error.to_string() };
        for record in RecordReader::open(&file).map_err(unreadable)? {
            let case = match &record {
                Ok(_) if options.kept == Kept::Oldest && cases.len() >= options.limit => {
                    Err("beyond --limit".to_owned())
                }
                Ok(record) => case_of(record, visible, options.decided_by),
                Err(error) => Err(line_error(error)),
            };
            match case {
                Ok((mut case, digest)) => {
                    case.settings = Some(options.settings.clone());
                    recorded.other_settings +=
                        u64::from(digest.is_some_and(|it| it != options.settings_digest));
                    let name = case.name.clone().unwrap_or_default();
                    cases.push_back(LoadedCase { name, file: file.clone(), case });
                    if cases.len() > options.limit {
                        cases.pop_front();
                    }
                }
                Err(reason) => *recorded.left_out.entry(reason).or_default() += 1,
            }
        }
    }
    recorded.cases = cases.into();
    Ok(recorded)
}

/// Returns the files of a log, a file or a folder, in the order of their names, which is that of their time.
///
/// # Errors
/// Fails if the folder cannot be read, or has no file of a log.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, CaseError> {
    let unreadable = |reason: String| CaseError::Read { path: path.to_owned(), reason };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| unreadable(error.to_string()))?;
    let is_log = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        ENDS.iter().any(|end| name.ends_with(end))
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_log).collect();
    files.sort();
    if files.is_empty() {
        return Err(unreadable(format!("there is no file that ends with {}", ENDS.join(" or "))));
    }
    Ok(files)
}

fn line_error(error: &pointsman_record::ReadError) -> String {
    match &error.kind {
        pointsman_record::ReadErrorKind::UnsupportedSchema(schema) => {
            format!("schema {schema} of a later version")
        }
        _ => "not a decision record".to_owned(),
    }
}

impl VisibleFacts {
    /// Returns the facts that a policy imports.
    pub fn of(policy: &Inspection) -> Self {
        let imports =
            |interface: &str, functions: &[&str]| {
                let name = format!("pointsman:policy/{interface}@");
                policy.imports.iter().filter(|import| import.name.starts_with(&name)).any(|import| {
                    import.functions.iter().any(|function| functions.contains(&function.as_str()))
                })
            };
        Self {
            text: imports("prompt", &["message-count", "role", "text", "last-user-text"]),
            tools: imports("prompt", &["tool-names"]),
            outline: imports("outline", &["parts"]),
            state: imports("state", &["get", "list", "add"]),
        }
    }

    /// Returns the recorded content if the policy reads it. The error is the reason why a request cannot be
    /// repeated: a fact that the policy can see is not recorded.
    fn recorded<'r>(
        self,
        record: &'r DecisionRecord<'_>,
        entry: &DecisionEntryRecord<'_>,
    ) -> Result<Option<&'r ContentRecord>, &'static str> {
        if self.tools && record.request.needs.iter().any(|need| need == "tools") {
            return Err("names of tools are not recorded");
        }
        if self.outline {
            return Err("the outline is not recorded");
        }
        // What a policy adds to, it reads as well.
        if self.state && entry.state.is_none_or(|state| state.reads + state.writes > 0) {
            return Err("the values that the policy kept are not recorded");
        }
        if !self.text {
            return Ok(None);
        }
        let content = record.content.as_deref().ok_or("no content (`decision_log.content` was off)")?;
        if content.left_out_bytes > 0 || content.left_out_messages > 0 {
            return Err("the content is cut off");
        }
        Ok(Some(content))
    }

    fn or(self, other: Self) -> Self {
        Self {
            text: self.text || other.text,
            tools: self.tools || other.tools,
            outline: self.outline || other.outline,
            state: self.state || other.state,
        }
    }
}

/// Makes the case of a record, with the digest of the settings under which it was decided. The error is
/// the reason why there is none.
fn case_of(
    record: &DecisionRecord<'_>,
    visible: VisibleFacts,
    decided_by: Option<&str>,
) -> Result<(Case, Option<String>), String> {
    let Some(entry) = record.decisions.first() else { return Err("no decision".to_owned()) };
    let Some(policy) = &entry.policy else { return Err("no policy decided".to_owned()) };
    if decided_by.is_some_and(|name| name != policy) {
        return Err("another policy decided".to_owned());
    }
    let expect = expectation(entry)?;
    let mut request = request(record)?;
    request.messages = visible.recorded(record, entry)?.map(messages);
    let candidates = entry.candidates.iter().map(candidate).collect::<Result<_, _>>()?;
    let case = Case {
        name: Some(record.id.clone().into_owned()),
        request,
        candidates: Some(candidates),
        whole: Some(entry.whole),
        expect,
        ..Case::default()
    };
    Ok((case, entry.settings_digest.as_ref().map(|digest| digest.clone().into_owned())))
}

fn expectation(entry: &DecisionEntryRecord<'_>) -> Result<Expectation, String> {
    let owned = |label: &Cow<'_, str>| Some(label.clone().into_owned());
    Ok(match &entry.answer {
        AnswerRecord::Route { targets, label, .. } => {
            let id = |index: usize| entry.candidates.get(index).map(|it| it.model.clone().into_owned());
            let targets: Option<Vec<String>> = targets.iter().map(|target| id(target.candidate)).collect();
            let targets = targets.ok_or("a target that is no candidate")?;
            Expectation { targets: Some(targets), label: owned(label), ..Expectation::default() }
        }
        AnswerRecord::Plan { label, tasks, .. } => {
            let plan = ExpectedPlan { count: Some(*tasks), ..ExpectedPlan::default() };
            Expectation { plan: Some(plan), label: owned(label), ..Expectation::default() }
        }
        AnswerRecord::Finish { label, .. } => Expectation { label: owned(label), ..Expectation::default() },
        AnswerRecord::Refusal { code, .. } => {
            let kind = KindAndText::Kind(code.replace('_', "-"));
            Expectation { refusal: Some(kind), ..Expectation::default() }
        }
        AnswerRecord::Failure { .. } => return Err("the policy failed".to_owned()),
    })
}

fn request(record: &DecisionRecord<'_>) -> Result<RequestFormat, String> {
    let facts = &record.request;
    Ok(RequestFormat {
        id: Some(record.id.clone().into_owned()),
        operation: Some(word(&facts.operation)?),
        model: Some(facts.model.clone().into_owned()),
        tenant: record.key.as_ref().map(|key| key.clone().into_owned()),
        session: facts.session.as_ref().map(|session| session.clone().into_owned()),
        input_tokens: Some(facts.input_tokens),
        max_output_tokens: facts.max_output_tokens,
        inputs: Some(words(&facts.inputs)?),
        needs: Some(words(&facts.needs)?),
        turns: Some(facts.turns),
        streaming: Some(facts.streaming),
        deadline_ms: facts.deadline_ms,
        budget_left: facts.budget_left_usd,
        messages: None,
        tools: None,
        attributes: facts.attributes.clone().into_owned(),
    })
}

fn messages(content: &ContentRecord) -> Messages {
    let message = |it: &pointsman_record::MessageRecord| Message {
        role: Some(it.role.clone()),
        text: Some(it.text.clone()),
        parts: Vec::new(),
    };
    Messages::List(content.messages.iter().map(message).collect())
}

fn candidate(record: &CandidateRecord<'_>) -> Result<CandidateEntry, String> {
    // Records of the first version do not have operations.
    let operations = if record.operations.is_empty() { None } else { Some(words(&record.operations)?) };
    Ok(CandidateEntry::Facts(Box::new(CandidateFormat {
        id: record.model.clone().into_owned(),
        context_window: record.context_window,
        max_output_tokens: record.max_output_tokens,
        inputs: Some(words(&record.inputs)?),
        abilities: Some(words(&record.abilities)?),
        operations,
        input_price: Some(record.input_usd_per_million),
        output_price: Some(record.output_usd_per_million),
        quality: record.quality,
        task_quality: record.quality_by_task.clone().into_owned(),
        attributes: record.attributes.clone().into_owned(),
        healthy: Some(record.healthy),
        in_flight: Some(record.in_flight),
        first_token_ms: record.first_token_ms,
        tokens_per_second: record.tokens_per_second,
        error_rate: Some(record.error_rate),
    })))
}

fn word<T: DeserializeOwned>(word: &str) -> Result<T, String> {
    serde_json::from_value(Value::from(word)).map_err(|_| format!("the unknown word `{word}`"))
}

fn words<T: DeserializeOwned>(all: &[Cow<'_, str>]) -> Result<Vec<T>, String> {
    all.iter().map(|it| word(it)).collect()
}

#[cfg(test)]
mod tests;
