//! `pointsman learn`

mod log;
mod report;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use pointsman_author::Toolbox;
use pointsman_author::files;
use pointsman_domain::prompt::Prompt;
use pointsman_evaluation::graded::{GradedData, halves, model_facts};
use pointsman_evaluation::learning::{
    LearningData, LearningModel, LearningOptions, LearningOutcome, LearningRow, learn,
};
use pointsman_terminal::{CommandError, Progress, print};
use pointsman_text_features::{Facts, Router, features};
use serde_json::json;

use crate::data::{DataSet, content, is_decision_log, newest_user_text, read};

const MORE: &str = "\
Learns settings of the built-in policy `learned` from recorded outcomes, or from decision logs
with ratings of answers (`decision_log.content`, and feedback of clients). Each model's score is
predicted from the text of a request; the settings hold the weights, and how much predicted score
a US dollar has to bring for a stated loss. docs/evaluating-policies.md has the method, its
limits, and the formats.

Examples:
  pointsman learn graded.jsonl -o learned.json
  pointsman learn /var/log/pointsman/decisions -o learned.json --max-loss 0.02
  pointsman learn graded.jsonl --half -o learned.json && \\
    pointsman evaluate graded.jsonl --policy builtin:learned --settings learned.json

Exit status: 0 learnt, 1 the data are too few or too many, or the file cannot be written, 2 usage.";

/// The arguments of `pointsman learn`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// Files of recorded outcomes, or decision logs: files, or folders of files
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,
    /// File of the settings: JSON, or a table of the configuration if it ends with .toml
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Score that may be lost against the best single model
    #[arg(long, value_name = "SCORE", default_value_t = LearningOptions::default().max_loss)]
    max_loss: f64,
    /// Share of the requests learnt from that count as familiar; 1 for no guard
    #[arg(long, value_name = "SHARE", default_value_t = LearningOptions::default().familiar)]
    familiar: f64,
    /// Folds of the cross-validation; 0 for none
    #[arg(long, value_name = "N", default_value_t = LearningOptions::default().folds)]
    folds: usize,
    /// Learn from the half that `pointsman evaluate` does not report on
    #[arg(long)]
    half: bool,
    /// Tokens of an answer where the data have none
    #[arg(long, value_name = "N")]
    answer_tokens: Option<f64>,
    /// Name of the ratings to learn from, if clients give several
    #[arg(long, value_name = "NAME")]
    rating: Option<String>,
    /// Print the report as JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Rows to learn from, with what the report says about them.
struct Source {
    data: LearningData,
    /// Records that were left out, by reason.
    left_out: Vec<(String, u64)>,
    is_log: bool,
    answers_known: bool,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if the data are too few or too many, 2 for wrong input.
pub fn run(args: &Args, _: &Toolbox) -> Result<(), CommandError> {
    args.check()?;
    let options = LearningOptions {
        max_loss: args.max_loss,
        familiar: args.familiar,
        folds: args.folds,
        ..LearningOptions::default()
    };
    let source = args.read(options.read_bytes)?;
    let progress = Progress::step("learning");
    let learnt = learn(&source.data, &options).map_err(|error| {
        CommandError::Run(format!("error: {error}\n{}", report::left_out(&source.left_out)))
    })?;
    drop(progress);
    let text = settings_text(&learnt.router, &args.output)?;
    files::replace(&args.output, text.as_bytes())?;
    let report = report::Report::new(&source, &learnt, text.len());
    if args.json {
        print(serde_json::to_string_pretty(&json!(report)).map_err(CommandError::run)?)
    } else {
        print(report.text(&args.output.display().to_string()).trim_end())
    }
}

/// Returns the settings as JSON, or as the table of a configuration.
fn settings_text(router: &Router, path: &std::path::Path) -> Result<String, CommandError> {
    if path.extension().is_none_or(|end| end != "toml") {
        return Ok(serde_json::to_string(router).map_err(CommandError::run)? + "\n");
    }
    let table = json!({
        "source": "builtin:learned",
        "grants": ["prompt"],
        "isolation": "warm",
        "settings": router,
    });
    let policy = json!({ "policies": { "learned": table } });
    toml::to_string(&policy).map_err(CommandError::run)
}

impl Args {
    fn check(&self) -> Result<(), CommandError> {
        let input = |what: String| Err(CommandError::Input(format!("error: {what}")));
        if !(0.0..=1.0).contains(&self.max_loss) {
            return input(format!("--max-loss is {}, which is not in 0..1", self.max_loss));
        }
        if !(0.0..=1.0).contains(&self.familiar) {
            return input(format!("--familiar is {}, which is not in 0..1", self.familiar));
        }
        if self.folds == 1 || self.folds > 20 {
            return input(format!("--folds is {}, which is neither 0 nor in 2..20", self.folds));
        }
        if self.answer_tokens.is_some_and(|tokens| !tokens.is_finite() || tokens < 0.0) {
            return input("--answer-tokens is less than 0".to_owned());
        }
        Ok(())
    }

    fn read(&self, read_bytes: usize) -> Result<Source, CommandError> {
        let logs = self.data.iter().filter(|path| is_decision_log(path)).count();
        if logs == 0 {
            let set = read(&self.data, self.answer_tokens)?;
            return Ok(graded(&set, self.half, self.answer_tokens.is_some(), read_bytes));
        }
        let input = |what: &str| Err(CommandError::Input(format!("error: {what}")));
        if logs < self.data.len() {
            return input("decision logs and files of recorded outcomes cannot be learnt from together");
        }
        if self.half {
            return input("--half is for files of recorded outcomes");
        }
        log::read(&self.data, self.rating.as_deref(), read_bytes)
    }
}

/// Returns the rows of recorded outcomes.
fn graded(set: &DataSet, half: bool, assumes_answers: bool, read_bytes: usize) -> Source {
    let chosen: GradedData = if half { halves(&set.graded).train } else { set.graded.clone() };
    let facts = model_facts(&chosen);
    let models = facts.iter().map(|model| LearningModel {
        name: model.model.clone(),
        input_price: model.input_price,
        output_price: model.output_price,
    });
    let requests = set.requests_of(&chosen);
    let rows = chosen.rows.iter().zip(&requests).map(|(row, request)| {
        let content = content(request);
        let text = newest_user_text(&content, read_bytes);
        let tools = content.tool_names();
        let facts = Facts {
            text: &text,
            tools,
            turns: content.turns(),
            needs_tools: !tools.is_empty(),
            ..Facts::default()
        };
        let outcomes = row.outcomes.iter().map(|outcome| {
            Some(LearningOutcome {
                score: outcome.score,
                output_tokens: Some(outcome.output_tokens),
                cost: outcome.cost,
                weight: Some(1.0),
            })
        });
        LearningRow {
            vector: features(&facts),
            input_tokens: f64::from(content.input_tokens()),
            outcomes: outcomes.collect(),
        }
    });
    Source {
        data: LearningData { models: models.collect(), rows: rows.collect() },
        left_out: Vec::new(),
        is_log: false,
        answers_known: set.answers_known || assumes_answers,
    }
}
