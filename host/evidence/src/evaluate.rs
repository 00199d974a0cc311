//! `pointsman evaluate`

mod report;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use pointsman_author::Toolbox;
use pointsman_author::case::format::{CandidateEntry, RequestFormat};
use pointsman_author::subject::{PolicyFile, Sandbox};
use pointsman_author::verb::{run::settings_text, source};
use pointsman_evaluation::graded::{
    Bounds, DecisionCurve, ModelFacts, Split, SplitCounts, Strategy, StrategyResult, TwoModelResult,
    by_length, corrected_oracle, halves, hull, measure, model_facts, oracle, reliability, single_models,
    two_models, without_leaks,
};
use pointsman_policy::FuelCounting;
use pointsman_terminal::{CommandError, print};
use serde::Serialize;

use crate::data::{DataSet, read};
use crate::routing::{Router, candidates};

/// Prices of the strong model, relative to its own, at which a router between two models is asked.
const PRICE_STEPS: i32 = 16;
/// Ratio of neighbouring prices.
const PRICE_RATIO: f64 = 1.6;

const MORE: &str = "\
Runs policies over recorded requests whose outcome with each model is known, and reports what
they score and save beside baselines that a router has to beat. Prices, speeds and quality come
from training rows, figures from the others. Without --train, rows are split in halves by a hash
of the request, so that equal requests are on one side. docs/evaluating-policies.md has the format
of the data, the definition of each baseline, and the formulas.

Examples:
  pointsman evaluate graded.jsonl --policy builtin:dynamic --by-kind
  pointsman evaluate test.jsonl --train train.jsonl --policy builtin:learned --settings learned.json
  pointsman evaluate graded.jsonl --policy ours.wasm --min-saved 0.3 --max-loss 0.01 --json

Exit status: 0 evaluated, 1 a bound is broken or a policy fails, 2 usage, 3 a policy cannot be
loaded.";

/// The arguments of `pointsman evaluate`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// Files of recorded outcomes: one JSON object a line
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,
    /// File of the rows to learn facts from; requests that are also in DATA are left out there
    #[arg(long, value_name = "FILE")]
    train: Vec<PathBuf>,
    /// A policy: a folder, a WebAssembly file, or `builtin:NAME`. May be given several times
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// Settings of the policies, in their order: JSON, or the path of a JSON or TOML file
    #[arg(long, value_name = "JSON")]
    settings: Vec<String>,
    /// State the quality of models by kind of task too, learnt from training rows
    #[arg(long)]
    by_kind: bool,
    /// Keep instances of policies between decisions, which is faster. A policy that remembers requests in its memory
    /// decides differently then
    #[arg(long)]
    keep_instances: bool,
    /// Tokens of an answer where the data have none
    #[arg(long, value_name = "N")]
    answer_tokens: Option<f64>,
    /// Measure the policies as routers between a strong and a weak model: APGR and CPT
    #[arg(long, num_args = 2, value_names = ["STRONG", "WEAK"])]
    two: Vec<String>,
    /// Exit with status 1 if a policy saves a smaller share than this against the best model, 0..1
    #[arg(long, value_name = "SHARE")]
    min_saved: Option<f64>,
    /// Exit with status 1 if a policy loses more of the score than this against the best model
    #[arg(long, value_name = "SCORE")]
    max_loss: Option<f64>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Report of the command.
#[derive(Debug, Serialize)]
struct Evaluation {
    rows: SplitCounts,
    /// Names of models.
    models: Vec<String>,
    /// Tokens of an answer that were assumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    assumed_answer_tokens: Option<f64>,
    /// True if the costs have no tokens of answers.
    answers_missing: bool,
    baselines: Vec<StrategyResult>,
    policies: Vec<StrategyResult>,
    /// Mean score of the oracle after correction for noise.
    corrected_oracle: f64,
    /// Reliability that the correction uses.
    reliability: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    two_models: Vec<TwoModelLine>,
}

/// Measures of a policy between two models.
#[derive(Debug, Serialize)]
struct TwoModelLine {
    policy: String,
    strong: String,
    weak: String,
    #[serde(flatten)]
    result: TwoModelResult,
}

/// A policy with its settings.
struct GivenPolicy {
    name: String,
    file: PolicyFile,
    settings: String,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if a bound is broken or a policy fails, 2 for wrong input, 3 if a policy cannot be loaded.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    args.check()?;
    let given = args.policies(toolbox)?;
    let set = read(&args.data, args.answer_tokens)?;
    let (split, training) = args.split(&set)?;
    let facts = model_facts(&split.train);
    let requests = set.requests_of(&split.test);
    let sandbox = Sandbox::new(toolbox, FuelCounting::Off)?;
    let candidates = candidates(&facts, args.by_kind);
    let mut strategies = Vec::new();
    for (number, policy) in given.iter().enumerate() {
        let settings = policy.settings.clone();
        let mut router = Router::new(&sandbox, &policy.file, number, settings, args.keep_instances);
        let chosen = router.decide(&requests, &candidates)?;
        strategies.push(Strategy::of(policy.name.clone(), facts.len(), chosen.into_iter()));
    }
    let two = args.between_two(&split, &facts, &requests, &sandbox, &given)?;
    let answers_known = set.answers_known && training;
    let evaluation = evaluate(args, &split, &facts, &strategies, answers_known, two);
    if args.json {
        print(serde_json::to_string_pretty(&evaluation).map_err(CommandError::run)?)?;
    } else {
        print(report::text(&evaluation).trim_end())?;
    }
    let bounds = Bounds { min_saved: args.min_saved, max_loss: args.max_loss };
    let broken = evaluation.policies.iter().flat_map(|policy| {
        bounds.broken(policy).into_iter().map(move |what| format!("error: {}: {what}", policy.name))
    });
    let broken: Vec<String> = broken.collect();
    if broken.is_empty() { Ok(()) } else { Err(CommandError::Run(broken.join("\n"))) }
}

fn evaluate(
    args: &Args,
    split: &Split,
    facts: &[ModelFacts],
    policies: &[Strategy],
    answers_known: bool,
    two_models: Vec<TwoModelLine>,
) -> Evaluation {
    let hull = hull(&split.test);
    let singles = single_models(facts, &split.test);
    let empty = Strategy { name: String::new(), shares: Vec::new() };
    let reference = singles.get(1).unwrap_or(&empty).clone();
    let result = |strategy: &Strategy| measure(strategy, &reference, &split.test, &hull);
    let measured: Vec<StrategyResult> = policies.iter().map(result).collect();
    let mut baselines: Vec<StrategyResult> = singles.iter().map(result).collect();
    for policy in &measured {
        let budget = policy.cost_of_1000 / 1000.0 * split.test.rows.len() as f64;
        baselines.push(result(&by_length(&policy.name, facts, &split.test, budget)));
    }
    baselines.push(result(&oracle(&split.test)));
    let reliability = reliability(&split.test);
    Evaluation {
        rows: split.counts,
        models: split.test.models.clone(),
        assumed_answer_tokens: args.answer_tokens.filter(|_| !answers_known),
        answers_missing: !answers_known && args.answer_tokens.is_none(),
        corrected_oracle: corrected_oracle(&split.test, reliability),
        reliability,
        baselines,
        policies: measured,
        two_models,
    }
}

impl Args {
    fn check(&self) -> Result<(), CommandError> {
        let input = |what: &str| Err(CommandError::Input(format!("error: {what}")));
        if self.settings.len() > self.policy.len() {
            return input("--settings is given more often than --policy");
        }
        if self.answer_tokens.is_some_and(|tokens| !tokens.is_finite() || tokens < 0.0) {
            return input("--answer-tokens is less than 0");
        }
        if self.min_saved.is_some_and(|share| !share.is_finite() || share > 1.0) {
            return input("--min-saved is a share of at most 1");
        }
        if self.max_loss.is_some_and(|loss| !loss.is_finite()) {
            return input("--max-loss is no number");
        }
        Ok(())
    }

    fn policies(&self, toolbox: &Toolbox) -> Result<Vec<GivenPolicy>, CommandError> {
        let settings = |number: usize| match self.settings.get(number) {
            Some(given) => settings_text(given),
            None => Ok("{}".to_owned()),
        };
        let mut given: Vec<GivenPolicy> = Vec::new();
        for (number, name) in self.policy.iter().enumerate() {
            let file = source::policy(name, toolbox)?.without_refusals()?;
            let times = given.iter().filter(|policy| policy.file.source == *name).count();
            let name = if times > 0 { format!("{name} ({})", times + 1) } else { name.clone() };
            given.push(GivenPolicy { name, file, settings: settings(number)? });
        }
        Ok(given)
    }

    /// Returns the split, and whether the training rows have the tokens of all answers.
    fn split(&self, set: &DataSet) -> Result<(Split, bool), CommandError> {
        let (split, known) = if self.train.is_empty() {
            (halves(&set.graded), true)
        } else {
            let train = read(&self.train, self.answer_tokens)?;
            if train.graded.models != set.graded.models {
                return Err(CommandError::Input(
                    "error: the files to learn from and to report on have different models".to_owned(),
                ));
            }
            (without_leaks(train.graded, &set.graded), train.answers_known)
        };
        let SplitCounts { train, test, leaks } = split.counts;
        if train == 0 || test == 0 {
            return Err(CommandError::Input(format!(
                "error: {train} rows to learn from and {test} to report on, after {leaks} leaks were left out; both \
                 need rows"
            )));
        }
        Ok((split, known))
    }

    /// Measures the policies between two models.
    fn between_two(
        &self,
        split: &Split,
        facts: &[ModelFacts],
        requests: &[RequestFormat],
        sandbox: &Sandbox,
        given: &[GivenPolicy],
    ) -> Result<Vec<TwoModelLine>, CommandError> {
        let [strong, weak] = self.two.as_slice() else { return Ok(Vec::new()) };
        let place = |name: &String| {
            split.test.models.iter().position(|model| model == name).ok_or_else(|| {
                let models = split.test.models.join(", ");
                CommandError::Input(format!(
                    "error: --two: there is no model `{name}`\n  = hint: models: {models}"
                ))
            })
        };
        let (strong_place, weak_place) = (place(strong)?, place(weak)?);
        let pair: Vec<ModelFacts> =
            [strong_place, weak_place].iter().filter_map(|place| facts.get(*place).cloned()).collect();
        let mut lines = Vec::new();
        for (number, policy) in given.iter().enumerate() {
            let (number, settings) = (given.len() + number, policy.settings.clone());
            let mut router = Router::new(sandbox, &policy.file, number, settings, self.keep_instances);
            let mut curve = DecisionCurve::default();
            for step in -PRICE_STEPS..=PRICE_STEPS {
                let candidates = priced(&pair, PRICE_RATIO.powi(step), self.by_kind);
                let chosen = router.decide(requests, &candidates)?;
                curve.settings.push(chosen.into_iter().map(|model| model == 0).collect());
            }
            let result = two_models(&split.test, strong_place, weak_place, &curve).ok_or_else(|| {
                CommandError::Input(format!("error: --two: {strong} does not score better than {weak}"))
            })?;
            let (strong, weak) = (strong.clone(), weak.clone());
            lines.push(TwoModelLine { policy: policy.name.clone(), strong, weak, result });
        }
        Ok(lines)
    }
}

/// Returns two candidates, the first of which costs some times as much.
fn priced(pair: &[ModelFacts], factor: f64, by_kind: bool) -> Vec<CandidateEntry> {
    let mut pair = pair.to_vec();
    if let Some(strong) = pair.first_mut() {
        strong.input_price *= factor;
        strong.output_price *= factor;
    }
    candidates(&pair, by_kind)
}
