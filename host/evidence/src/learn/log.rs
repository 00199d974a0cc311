//! Rows from decision logs: requests whose answer was rated, with the outcome of the model that answered.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pointsman_author::case::recorded::files;
use pointsman_evaluation::learning::{LearningData, LearningModel, LearningOutcome, LearningRow, MAX_ROWS};
use pointsman_record::{
    AnswerRecord, CandidateRecord, DecisionRecord, FeedbackByDecision, LogLine, RecordReader,
};
use pointsman_terminal::CommandError;
use pointsman_text_features::{Facts, features};

use super::Source;

/// Role of the messages that features are computed from.
const USER: &str = "user";

/// Reads decision logs twice: ratings first, since they come after the decisions that they rate.
///
/// # Errors
/// Fails if a file cannot be read, or there are more rated requests than can be learnt from.
pub(super) fn read(
    paths: &[PathBuf],
    rating: Option<&str>,
    read_bytes: usize,
) -> Result<Source, CommandError> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(files(path).map_err(|error| CommandError::Input(error.to_string()))?);
    }
    let mut feedback = FeedbackByDecision::default();
    for_each_line(&all, |line| {
        if let LogLine::Feedback(record) = line
            && rating.is_none_or(|name| record.name.as_deref() == Some(name))
        {
            feedback.add(record);
        }
        Ok(())
    })?;
    let mut rows = LogRows { rating: feedback, read_bytes, ..LogRows::default() };
    let broken = for_each_line(&all, |line| match line {
        LogLine::Decision(record) => rows.add(&record),
        LogLine::Feedback(_) => Ok(()),
    })?;
    if broken > 0 {
        rows.left_out.insert("not a decision record", broken);
    }
    Ok(rows.finish())
}

/// Calls a function with each line. Returns the number of lines that are no records.
fn for_each_line(
    files: &[PathBuf],
    mut of: impl FnMut(LogLine) -> Result<(), CommandError>,
) -> Result<u64, CommandError> {
    let mut broken = 0;
    for file in files {
        let unreadable = |error: &dyn std::fmt::Display| {
            CommandError::Input(format!("error: cannot read {}: {error}", file.display()))
        };
        let mut reader = RecordReader::open(file).map_err(|error| unreadable(&error))?;
        while let Some(line) = reader.next_log_line() {
            match line {
                Ok(line) => of(line)?,
                Err(error) if matches!(error.kind, pointsman_record::ReadErrorKind::Io(_)) => {
                    return Err(unreadable(&error));
                }
                Err(_) => broken += 1,
            }
        }
    }
    Ok(broken)
}

/// A rated request.
struct LogRow {
    row: LearningRow,
    model: usize,
    outcome: LearningOutcome,
}

/// Rows as they are read.
#[derive(Default)]
struct LogRows {
    rating: FeedbackByDecision,
    read_bytes: usize,
    models: Vec<LearningModel>,
    rows: Vec<LogRow>,
    left_out: BTreeMap<&'static str, u64>,
}

impl LogRows {
    fn add(&mut self, record: &DecisionRecord<'_>) -> Result<(), CommandError> {
        match self.row(record) {
            Ok(_) if self.rows.len() == MAX_ROWS => Err(CommandError::Run(format!(
                "error: there are more than {MAX_ROWS} rated requests\n  = hint: give fewer files of the log"
            ))),
            Ok(row) => {
                self.rows.push(row);
                Ok(())
            }
            Err(reason) => {
                *self.left_out.entry(reason).or_default() += 1;
                Ok(())
            }
        }
    }

    /// Returns the row of a record, or the reason why it has none.
    fn row(&mut self, record: &DecisionRecord<'_>) -> Result<LogRow, &'static str> {
        let ratings = self.rating.of(record);
        let outcome = record.outcome.as_ref().ok_or("no outcome")?;
        if record.plan.is_some() {
            return Err("answered by a plan of several tasks");
        }
        let model = outcome.model.as_deref().ok_or("no model answered")?;
        let rated: Vec<f64> =
            ratings.iter().filter(|rating| rating.model == model).map(|rating| rating.score).collect();
        if rated.is_empty() {
            return Err("not rated");
        }
        let content = record.content.as_deref().ok_or("no content: enable decision_log.content")?;
        let newest = content.messages.iter().rev().find(|message| message.role == USER);
        let text = newest.map(|message| message.text.as_str()).unwrap_or_default();
        let text = text.get(..text.floor_char_boundary(self.read_bytes)).unwrap_or(text);
        let has = |kinds: &[std::borrow::Cow<'_, str>], names: &[&str]| {
            kinds.iter().any(|kind| names.contains(&kind.as_ref()))
        };
        let request = &record.request;
        // Names of tools are not recorded.
        let facts = Facts {
            text,
            tools: &[],
            turns: request.turns,
            pictures: has(&request.inputs, &["image", "video"]),
            sound: has(&request.inputs, &["audio"]),
            needs_tools: has(&request.needs, &["tools"]),
            needs_reasoning: has(&request.needs, &["reasoning"]),
        };
        let entry = record.decisions.first().ok_or("no decision")?;
        for candidate in &entry.candidates {
            self.learn_price(candidate);
        }
        let place = self.models.iter().position(|known| known.name == model).ok_or("not a candidate")?;
        let outcome = LearningOutcome {
            score: rated.iter().sum::<f64>() / rated.len() as f64,
            output_tokens: Some(outcome.output_tokens as f64),
            cost: outcome.cost_usd,
            weight: propensity(&entry.answer, model, &entry.candidates)
                .map(|probability| 1.0 / probability / record.sampling.unwrap_or(1.0)),
        };
        let row = LearningRow {
            vector: features(&facts),
            input_tokens: f64::from(request.input_tokens),
            outcomes: Vec::new(),
        };
        Ok(LogRow { row, model: place, outcome })
    }

    /// Keeps the newest price of each candidate.
    fn learn_price(&mut self, candidate: &CandidateRecord<'_>) {
        let (input_price, output_price) = (candidate.input_usd_per_million, candidate.output_usd_per_million);
        let name = candidate.model.to_string();
        match self.models.iter_mut().find(|known| known.name == name) {
            Some(known) => (known.input_price, known.output_price) = (input_price, output_price),
            None => self.models.push(LearningModel { name, input_price, output_price }),
        }
    }

    fn finish(self) -> Source {
        let count = self.models.len();
        let rows = self.rows.into_iter().map(|LogRow { mut row, model, outcome }| {
            row.outcomes = (0..count).map(|place| (place == model).then_some(outcome)).collect();
            row
        });
        Source {
            data: LearningData { rows: rows.collect(), models: self.models },
            left_out: self.left_out.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect(),
            is_log: true,
            answers_known: true,
        }
    }
}

/// Returns the probability with which the model was chosen, if the policy stated it and the first choice answered.
fn propensity(answer: &AnswerRecord<'_>, model: &str, candidates: &[CandidateRecord<'_>]) -> Option<f64> {
    let AnswerRecord::Route { targets, propensity, .. } = answer else { return None };
    let first = candidates.get(targets.first()?.candidate)?;
    (first.model == model).then_some(*propensity).flatten().filter(|probability| *probability > 0.0)
}
