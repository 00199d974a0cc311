//! Requests of a simulation: their arrivals, lengths and contents.

mod content;
mod trace;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;
use pointsman_author::case::format::RequestFormat;
use pointsman_author::case::{folder, input};
use pointsman_domain::model::Abilities;
use pointsman_domain::prompt::Prompt;
use pointsman_domain::request::RequestFacts;
use pointsman_evaluation::graded::GradedOutcome;
use pointsman_evaluation::random::Random;
use pointsman_evaluation::simulation::SimulatedRequest;
use pointsman_terminal::CommandError;

use crate::data;

pub use content::SyntheticContent;
pub use trace::{Recorded, Trace, TraceEntry};

/// Requests without a trace and a number.
const REQUESTS: u64 = 10_000;
/// Most requests of a simulation.
const MAX_REQUESTS: u64 = 100_000_000;
/// Requests a second without a trace and a rate.
const RATE: f64 = 10.0;
/// Longest length that is drawn, in means.
const LONGEST: f64 = 10.0;
/// Model name of requests without a case.
const MODEL: &str = "auto";

/// Options of the requests.
#[derive(Clone, Debug, ClapArgs)]
pub struct WorkloadArgs {
    /// Arrivals and lengths of a trace: CSV of Azure, JSON lines of Mooncake, or a decision log
    #[arg(long, value_name = "FILE", conflicts_with = "rate")]
    trace: Option<PathBuf>,
    /// Requests a second, at random times (a Poisson process)
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// Requests. A trace with fewer is repeated. Default: those of the trace or of --graded, or 10,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_REQUESTS))]
    requests: Option<u64>,
    /// Seed of random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Contents, facts and outcomes of requests, in their order, from recorded outcomes (the data of `evaluate`)
    #[arg(long, value_name = "FILE", conflicts_with = "cases")]
    graded: Vec<PathBuf>,
    /// Contents and facts of requests, from cases of `policy test`, which need expect nothing: a file or a folder
    #[arg(long, value_name = "PATH")]
    cases: Option<PathBuf>,
    /// Mean tokens of inputs without a trace or cases
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    input_tokens: u32,
    /// Mean tokens of answers without a trace
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    output_tokens: u32,
    /// Request streams
    #[arg(long)]
    stream: bool,
}

/// Requests, which are the same each time that they are generated.
#[derive(Debug)]
pub struct Workload {
    source: Source,
    count: u64,
    seed: u64,
    stream: bool,
    mean_input: u32,
    mean_output: u32,
    /// Facts and contents of requests; empty without cases and recorded outcomes.
    shapes: Vec<Shape>,
    /// Models of the recorded outcomes, of which requests have one after the other; empty without them.
    /// Cases are drawn at random.
    graded_models: Vec<String>,
}

#[derive(Debug)]
enum Source {
    Trace(Trace),
    /// Requests a second.
    Rate(f64),
}

/// Facts and content of a case, or of a request with recorded outcomes.
struct Shape {
    facts: Arc<RequestFacts>,
    content: Arc<dyn Prompt>,
    outcomes: Arc<[GradedOutcome]>,
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shape").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl WorkloadArgs {
    /// Reads the trace, and the cases or the recorded outcomes.
    ///
    /// # Errors
    /// Fails with exit status 2 and the place if one is invalid.
    pub fn load(&self) -> Result<Workload, CommandError> {
        let source = match &self.trace {
            Some(path) => Source::Trace(Trace::read(path)?),
            None => Source::Rate(self.rate.unwrap_or(RATE)),
        };
        let (shapes, graded_models) = match &self.cases {
            Some(path) => (shapes_of_cases(path)?, Vec::new()),
            None if self.graded.is_empty() => (Vec::new(), Vec::new()),
            None => shapes_of_outcomes(&self.graded)?,
        };
        let usual = match &source {
            Source::Trace(trace) => trace.entries.len() as u64,
            Source::Rate(_) if self.graded.is_empty() => REQUESTS,
            Source::Rate(_) => shapes.len() as u64,
        };
        Ok(Workload {
            source,
            count: self.requests.unwrap_or(usual),
            seed: self.seed,
            stream: self.stream,
            mean_input: self.input_tokens,
            mean_output: self.output_tokens,
            shapes,
            graded_models,
        })
    }
}

fn shapes_of_cases(path: &Path) -> Result<Vec<Shape>, CommandError> {
    let cases = folder::requests(path).map_err(|error| CommandError::Input(error.to_string()))?;
    if cases.is_empty() {
        return Err(CommandError::Input(format!("error: there are no cases at {}", path.display())));
    }
    let shape = |loaded: &folder::LoadedCase| Shape::new(&loaded.case.request, Arc::default());
    Ok(cases.iter().map(shape).collect())
}

/// Reads recorded outcomes. The second value has the names of the models.
fn shapes_of_outcomes(paths: &[PathBuf]) -> Result<(Vec<Shape>, Vec<String>), CommandError> {
    let data = data::read(paths, None)?;
    let rows = data.requests.iter().zip(data.graded.rows);
    let shapes = rows.map(|(request, row)| Shape::new(request, row.outcomes.into())).collect();
    Ok((shapes, data.graded.models))
}

impl Shape {
    fn new(request: &RequestFormat, outcomes: Arc<[GradedOutcome]>) -> Self {
        let input = input::input_of(request, &[], None, false);
        Self { facts: input.request, content: input.prompt, outcomes }
    }
}

impl Workload {
    /// Returns the number of requests.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the seed of random numbers.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns what the decision log recorded of the requests, if the trace is one.
    pub fn recorded(&self) -> Option<&Recorded> {
        match &self.source {
            Source::Trace(trace) => trace.recorded.as_ref(),
            Source::Rate(_) => None,
        }
    }

    /// Returns the models of the recorded outcomes; empty if no outcomes are known.
    pub fn graded_models(&self) -> &[String] {
        &self.graded_models
    }

    /// Describes the requests.
    pub fn describe(&self) -> String {
        match &self.source {
            Source::Trace(trace) => format!("{} requests of {}", self.count, trace.name),
            Source::Rate(rate) => format!("{} requests at {rate} a second", self.count),
        }
    }

    /// Generates the requests, which arrive `load` times as fast as they are.
    pub fn requests(&self, load: f64) -> impl Iterator<Item = SimulatedRequest> + '_ {
        let mut random = Random::new(self.seed);
        let mut at = Duration::ZERO;
        (0..self.count).map(move |number| match &self.source {
            Source::Trace(trace) => self.of_trace(trace, number, load, &mut random),
            Source::Rate(rate) => {
                at += Duration::try_from_secs_f64(random.exponential() / rate / load).unwrap_or_default();
                let input = length(self.mean_input, &mut random);
                let output = length(self.mean_output, &mut random);
                self.request(number, at, (input, output), Arc::default(), &mut random)
            }
        })
    }

    fn of_trace(&self, trace: &Trace, number: u64, load: f64, random: &mut Random) -> SimulatedRequest {
        let length = trace.entries.len().max(1) as u64;
        let (round, index) = (number / length, number % length);
        let Some(entry) = trace.entries.get(index as usize) else {
            return self.request(number, Duration::ZERO, (1, 1), Arc::default(), random);
        };
        let at = trace.period().as_secs_f64() * round as f64 + entry.at.as_secs_f64();
        let at = Duration::try_from_secs_f64(at / load).unwrap_or_default();
        let lengths = (entry.input_tokens, entry.output_tokens);
        let request = self.request(number, at, lengths, Arc::clone(&entry.prefix), random);
        match &entry.facts {
            Some(recorded) if self.shapes.is_empty() => {
                let id = request.facts.id.clone();
                SimulatedRequest { facts: Arc::new(RequestFacts { id, ..(**recorded).clone() }), ..request }
            }
            _ => request,
        }
    }

    fn request(
        &self,
        number: u64,
        at: Duration,
        (input_tokens, output_tokens): (u32, u32),
        prefix: Arc<[u64]>,
        random: &mut Random,
    ) -> SimulatedRequest {
        // A policy may draw by a hash of the id.
        let id = format!("{:016x}", Random::new(self.seed ^ number).bits());
        let drawn = random.below(self.shapes.len());
        let in_order = number % self.shapes.len().max(1) as u64;
        let place = if self.graded_models.is_empty() { drawn } else { in_order as usize };
        let shape = self.shapes.get(place);
        let (facts, content) = match shape {
            Some(shape) => {
                let facts = RequestFacts { id, ..(*shape.facts).clone() };
                (facts, Arc::clone(&shape.content))
            }
            None => {
                let facts = RequestFacts {
                    input_tokens,
                    least_input_tokens: input_tokens,
                    ..RequestFacts::new(id, MODEL)
                };
                (facts, Arc::new(SyntheticContent::new(input_tokens)) as Arc<dyn Prompt>)
            }
        };
        let mut facts = facts;
        if self.stream {
            facts.streaming = true;
            facts.needs |= Abilities::STREAMING;
        }
        SimulatedRequest {
            at,
            input_tokens: if self.shapes.is_empty() { input_tokens } else { facts.input_tokens },
            facts: Arc::new(facts),
            content,
            output_tokens,
            prefix,
            outcomes: shape.map(|shape| Arc::clone(&shape.outcomes)).unwrap_or_default(),
        }
    }
}

/// Draws a length from the exponential distribution with a mean.
fn length(mean: u32, random: &mut Random) -> u32 {
    let means = random.exponential().min(LONGEST);
    (means * f64::from(mean)).round().max(1.0) as u32
}

/// Parses requests a second.
fn rate(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim().parse().ok();
    number
        .filter(|number| (1e-6..=1e9).contains(number))
        .ok_or_else(|| "expected requests a second, from 0.000001 to a billion".to_owned())
}

#[cfg(test)]
mod tests;
