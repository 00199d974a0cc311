//! One line of a log, replayed.

use std::sync::Arc;

use pointsman_author::case::recorded::{InputBuilder, VisibleFacts};
use pointsman_author::comparison::decisions::Change;
use pointsman_domain::request::RequestFacts;
use pointsman_evaluation::random::Random;
use pointsman_policy::{DecisionInput, Policy, PolicyAnswer};
use pointsman_record::{DecisionEntryRecord, DecisionRecord, FeedbackRecord, LogLine};

use super::answer::{self, ActionRef, NewAnswer};
use super::filter::Filter;
use super::names::{Names, number_of};
use super::outcome::RecordedOutcomes;
use super::size::SizeClass;

/// One record in this many is also decided under another id, although the policy states no propensity.
const PROBE: u64 = 64;
/// Label of requests whose client named the model.
const DIRECT: &str = "direct";
/// Longest part of a failure's text that distinguishes it, in characters.
const MAX_PROBLEM: usize = 120;

/// Result of reading and deciding a line.
#[derive(Debug)]
pub(super) enum LineResult {
    /// The line is no record.
    Error(String),
    /// The record does not meet the conditions.
    Filtered,
    /// The policy cannot decide the request again, for a reason.
    NotReplayable { reason: Arc<str>, weight: f64 },
    /// The line is a rating, of a decision with this number.
    Rating { decision: u64, score: f64 },
    /// The policy decided again.
    Replayed(Box<Replayed>),
}

/// A request that the policy decided again.
#[derive(Debug)]
pub(super) struct Replayed {
    /// Number of the id.
    pub(super) id: u64,
    pub(super) at_ms: u64,
    /// Number of requests that the record stands for.
    pub(super) weight: f64,
    pub(super) client: Client,
    pub(super) change: Option<Change>,
    /// First targets or kinds of answers: the logged one and the new one.
    pub(super) names: (Arc<str>, Arc<str>),
    pub(super) failure: Option<Arc<str>>,
    pub(super) refusal: Option<Arc<str>>,
    /// True if the policy states that it drew.
    pub(super) draws: bool,
    /// True if the policy draws and does not state that.
    pub(super) hides_draws: bool,
    pub(super) estimable: Result<Estimable, &'static str>,
}

/// The client and the kind of a request.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) route: Arc<str>,
    /// Name of the key, or `-`.
    pub(super) key: Arc<str>,
    pub(super) operation: Arc<str>,
    pub(super) size: SizeClass,
    pub(super) size_name: Arc<str>,
}

/// An action, with the parts of its cost.
#[derive(Clone, Debug)]
pub(super) struct Action {
    pub(super) name: Arc<str>,
    /// US dollars for the input, and per unit of what is predicted: per output token, or 1 for plans.
    pub(super) cost: (f64, f64),
}

/// Observations that estimates are made from.
#[derive(Debug)]
pub(super) struct Estimable {
    pub(super) cluster: u64,
    pub(super) logged: Action,
    pub(super) target: Action,
    /// Action in a draw that is independent of the logged one.
    pub(super) redrawn: Action,
    pub(super) propensity: Option<f64>,
    /// Models that could be drawn, where the propensity is known.
    pub(super) candidates: Vec<Arc<str>>,
    pub(super) outcomes: RecordedOutcomes,
    /// Difference of the cost if the new target reads and writes as many tokens as the logged one, in US dollars.
    pub(super) cost_shift: Option<f64>,
}

/// Requests that count as dependent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ClusterBy {
    /// The requests of a session; those without one are independent
    #[default]
    Session,
    /// The requests of a key
    Key,
    /// None
    Request,
}

/// Replays lines with a policy.
pub(super) struct Replayer {
    policy: Arc<Policy>,
    executor: tokio::runtime::Runtime,
    inputs: InputBuilder,
    filter: Arc<Filter>,
    cluster: ClusterBy,
    rating: Option<Arc<str>>,
    names: Names,
}

/// Options of replayers.
#[derive(Clone, Debug, Default)]
pub(super) struct ReplayOptions {
    pub(super) filter: Arc<Filter>,
    pub(super) visible: VisibleFacts,
    pub(super) cluster: ClusterBy,
    /// Name of the ratings that count; without it, all do.
    pub(super) rating: Option<Arc<str>>,
}

impl Replayer {
    /// Creates a replayer for one thread.
    pub(super) fn new(policy: Arc<Policy>, options: &ReplayOptions) -> std::io::Result<Self> {
        let executor = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let inputs = InputBuilder::new(options.visible, policy.orchestrates());
        let ReplayOptions { filter, cluster, rating, .. } = options.clone();
        Ok(Self { policy, executor, inputs, filter, cluster, rating, names: Names::default() })
    }

    /// Replays a line.
    pub(super) fn line(&mut self, line: &[u8]) -> LineResult {
        match LogLine::parse(line) {
            Err(error) => LineResult::Error(error.to_string()),
            Ok(LogLine::Feedback(rating)) => self.rating(&rating),
            Ok(LogLine::Decision(record)) if self.filter.accepts(&record) => match self.request(&record) {
                Ok(replayed) => LineResult::Replayed(Box::new(replayed)),
                Err(reason) => {
                    LineResult::NotReplayable { reason: self.names.get(&reason), weight: weight(&record) }
                }
            },
            Ok(LogLine::Decision(_)) => LineResult::Filtered,
        }
    }

    fn rating(&self, rating: &FeedbackRecord<'_>) -> LineResult {
        match self.rating.as_deref() {
            Some(name) if rating.name.as_deref() != Some(name) => LineResult::Filtered,
            _ => LineResult::Rating { decision: number_of(&rating.decision), score: rating.score },
        }
    }

    /// Lets the policy decide a request again. The error is the reason why it cannot.
    fn request(&mut self, record: &DecisionRecord<'_>) -> Result<Replayed, String> {
        let first = record.decisions.first().ok_or("no decision")?;
        let followed = answer::followed(record).ok_or("no decision")?;
        if first.policy.is_none() && is_direct(first) {
            return Err("the client named the model".to_owned());
        }
        let input = self.inputs.input(record, first)?;
        let new = self.decide(input.clone());
        let (redrawn, hides_draws) = self.redraw(&input, &new);
        let candidates = &input.candidates;
        let problem = |text: &str| -> String { text.chars().take(MAX_PROBLEM).collect() };
        let failure = new.as_ref().err().map(|failure| problem(&format!("{}: {failure}", failure.reason())));
        let refusal = match &new {
            Ok(PolicyAnswer::Refusal(refusal)) => {
                Some(problem(&format!("{}: {}", refusal.code(), refusal.message())))
            }
            _ => None,
        };
        let size = SizeClass::of(record.request.input_tokens);
        let names = (answer::logged_name(followed), answer::new_name(&new, candidates));
        Ok(Replayed {
            id: number_of(&record.id),
            at_ms: record.at_ms,
            weight: weight(record),
            client: Client {
                route: self.names.get(&record.route),
                key: self.names.get(record.key.as_deref().unwrap_or("-")),
                operation: self.names.get(&record.request.operation),
                size,
                size_name: self.names.get(size.name()),
            },
            change: answer::change(first, &new, candidates),
            failure: failure.map(|text| self.names.get(&text)),
            refusal: refusal.map(|text| self.names.get(&text)),
            draws: redrawn.is_some(),
            hides_draws,
            estimable: self.estimable(record, followed, &input, &new, redrawn.as_ref()),
            names: (self.names.get(&names.0), self.names.get(&names.1)),
        })
    }

    fn decide(&self, input: DecisionInput) -> NewAnswer {
        self.executor.block_on(self.policy.decide(input))
    }

    /// Lets a policy that draws decide under another id and session, so that its draw does not depend on the logged one:
    /// policies draw by a hash of these, and two draws from the same hash are not independent. Also returns whether the
    /// policy draws without stating it, as far as one record shows.
    fn redraw(&self, input: &DecisionInput, new: &NewAnswer) -> (Option<NewAnswer>, bool) {
        let states_draw = answer::propensity(new).is_some_and(|propensity| propensity < 1.0);
        let is_probed = || new.is_ok() && number_of(&input.request.id).is_multiple_of(PROBE);
        if !states_draw && !is_probed() {
            return (None, false);
        }
        let request = RequestFacts {
            id: other_id(&input.request.id),
            session: input.request.session.as_deref().map(other_id),
            ..RequestFacts::clone(&input.request)
        };
        let redrawn = self.decide(DecisionInput { request: Arc::new(request), ..input.clone() });
        if states_draw {
            return (Some(redrawn), false);
        }
        let action = |answer| answer::new_action(answer, &input.candidates).map(|action| action.name());
        (None, redrawn.is_ok() && action(&redrawn) != action(new))
    }

    fn estimable(
        &mut self,
        record: &DecisionRecord<'_>,
        followed: &DecisionEntryRecord<'_>,
        input: &DecisionInput,
        new: &NewAnswer,
        redrawn: Option<&NewAnswer>,
    ) -> Result<Estimable, &'static str> {
        let outcomes = RecordedOutcomes::of(record).ok_or("the record has no outcome")?;
        let logged = answer::logged_action(followed).ok_or("the logged answer was no decision or plan")?;
        let target = match new {
            Ok(PolicyAnswer::Refusal(_)) => return Err("the policy refuses"),
            Err(_) => return Err("the policy fails"),
            Ok(_) => answer::new_action(new, &input.candidates).ok_or("the policy answers itself")?,
        };
        let redrawn = redrawn.map(|answer| answer::new_action(answer, &input.candidates));
        let propensity = match &followed.answer {
            pointsman_record::AnswerRecord::Route { propensity, .. } => *propensity,
            _ => None,
        };
        // A draw that gives no action has no weight.
        let propensity = propensity.filter(|_| redrawn != Some(None));
        let tokens = tokens(record);
        let cost_shift = match (logged, target) {
            (ActionRef::Model { prices: old, .. }, ActionRef::Model { prices: new, .. }) => {
                Some(((new.0 - old.0) * tokens.0 + (new.1 - old.1) * tokens.1) / 1e6)
            }
            _ => None,
        };
        let cluster = match self.cluster {
            ClusterBy::Session => record.request.session.as_deref().map(|session| ("session", session)),
            ClusterBy::Key => record.key.as_deref().map(|key| ("key", key)),
            ClusterBy::Request => None,
        };
        let (kind, cluster) = cluster.unwrap_or(("id", &record.id));
        let candidates = match propensity {
            Some(_) => {
                followed.candidates.iter().take(followed.whole).map(|it| self.names.get(&it.model)).collect()
            }
            None => Vec::new(),
        };
        let mut action = |action| self.action(action, tokens.0);
        Ok(Estimable {
            cluster: number_of(kind) ^ number_of(cluster),
            logged: action(logged),
            target: action(target),
            redrawn: action(redrawn.flatten().unwrap_or(target)),
            propensity,
            candidates,
            outcomes,
            cost_shift,
        })
    }

    fn action(&mut self, action: ActionRef<'_>, input_tokens: f64) -> Action {
        match action {
            ActionRef::Model { id, prices: (input, output) } => {
                Action { name: self.names.get(id), cost: (input * input_tokens / 1e6, output / 1e6) }
            }
            ActionRef::Plan { .. } => Action { name: self.names.get(&action.name()), cost: (0.0, 1.0) },
        }
    }
}

/// Returns the number of requests that a record stands for.
fn weight(record: &DecisionRecord<'_>) -> f64 {
    record.sampling.filter(|share| *share > 0.0 && *share <= 1.0).map_or(1.0, |share| 1.0 / share)
}

fn is_direct(entry: &DecisionEntryRecord<'_>) -> bool {
    matches!(&entry.answer, pointsman_record::AnswerRecord::Route { label, .. } if label == DIRECT)
}

/// Returns the tokens of input and output of the last answer, or the estimate of the input if there is none.
fn tokens(record: &DecisionRecord<'_>) -> (f64, f64) {
    let answered = record.attempts.iter().rfind(|attempt| attempt.result == "answered");
    answered.map_or((f64::from(record.request.input_tokens), 0.0), |attempt| {
        (attempt.input_tokens as f64, attempt.output_tokens as f64)
    })
}

/// Returns another id, in the form of those that the gateway makes, which is the same each time.
fn other_id(id: &str) -> String {
    let mut random = Random::new(number_of(id));
    let (a, b) = (random.bits(), random.bits());
    format!(
        "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | (b >> 48) & 0x3fff,
        b & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_id_has_the_form_of_a_uuid_and_is_the_same_each_time() {
        let id = "01a219e7-79db-7132-bf55-1dd069ee6218";
        let other = other_id(id);
        assert_eq!(other, other_id(id));
        assert_ne!(other, id);
        let lengths: Vec<usize> = other.split('-').map(str::len).collect();
        assert_eq!((lengths, other.as_bytes()[14]), (vec![8, 4, 4, 4, 12], b'7'));
        assert_ne!(other_id("a"), other_id("b"));
    }
}
