//! Differences of two policies' decisions over the same requests.

use std::collections::BTreeMap;

use pointsman_domain::candidate::Candidate;
use pointsman_domain::money::Picodollars;
use pointsman_domain::plan::{PlanStep, Task};
use pointsman_domain::request::RequestFacts;
use pointsman_policy::{LoadError, PolicyAnswer};
use serde::Serialize;

use super::file::OldAndNew;
use crate::case::Case;
use crate::case::folder::LoadedCase;
use crate::execution::{RequestRun, execute_case};
use crate::observed::Observed;
use crate::subject::{LoadOptions, Subject};

/// Names of cases that a group of changes lists.
const MAX_NAMES: usize = 5;
/// Longest part of a failure's text that distinguishes groups, in characters.
const MAX_PROBLEM: usize = 120;

/// Decisions of two policies over the same requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DecisionComparison {
    /// Requests.
    pub requests: u64,
    /// Requests that both decide in the same way.
    pub same: u64,
    /// Requests by what differs.
    pub changes: BTreeMap<Change, u64>,
    /// Requests that only the new policy fails at, by the failure.
    pub new_failures: BTreeMap<String, u64>,
    /// Requests that only the new policy refuses, by the refusal.
    pub new_refusals: BTreeMap<String, u64>,
    /// Predicted cost of the requests that both policies send to models, in US dollars.
    pub cost_usd: CostComparison,
    /// Executed instructions of the requests that both policies answer.
    pub fuel: FuelComparison,
    /// Changes of the same kind for the same clients, the most frequent first.
    pub groups: Vec<ChangeGroup>,
}

/// Sums of predicted costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CostComparison {
    /// Requests that count.
    pub requests: u64,
    /// Sum for the old policy.
    pub old: f64,
    /// Sum for the new policy.
    pub new: f64,
}

/// Sums of executed instructions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FuelComparison {
    /// Sum for the old policy.
    pub old: u64,
    /// Sum for the new policy.
    pub new: u64,
}

/// Difference between two answers. The first one that applies counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The new policy fails.
    Fails,
    /// The new policy refuses.
    Refuses,
    /// The old policy failed or refused.
    Recovers,
    /// One answers with a decision and the other with a plan, or one finishes.
    Kind,
    /// The first target.
    Target,
    /// The plan's tasks or its end.
    Plan,
    /// Further targets or their order.
    Fallbacks,
    /// The label.
    Label,
    /// Delay of the next target, probability, or the text of an answer or refusal.
    Details,
}

/// Requests of the same clients whose decision changes in the same way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeGroup {
    /// The difference.
    pub change: Change,
    /// Requested model, which is the route.
    pub route: String,
    /// Name of the client's key.
    pub key: Option<String>,
    /// Operation.
    pub operation: &'static str,
    /// First targets, or kinds of answers that have none.
    pub target: OldAndNew<String>,
    /// Labels.
    pub label: OldAndNew<Option<String>>,
    /// Number of requests.
    pub count: u64,
    /// Predicted change of cost of these requests, in US dollars; absent if a policy sends none of them to
    /// models.
    pub cost_change_usd: Option<f64>,
    /// Names of some of the cases.
    pub cases: Vec<String>,
}

/// One policy of a comparison.
pub struct Side<'a, 's> {
    /// The policy.
    pub subject: &'a mut Subject<'s>,
    /// Settings in place of those of the cases.
    pub settings: Option<serde_json::Map<String, serde_json::Value>>,
}

/// The answer of one policy to a request.
struct Answer {
    observed: Observed,
    /// Predicted cost, if models are called.
    cost: Option<Picodollars>,
    fuel: Option<u64>,
    request: Option<(String, Option<String>, &'static str)>,
}

/// Compares the decisions of two policies.
///
/// # Errors
/// Fails with the name of a policy that cannot be loaded for a case, for other reasons than its settings.
pub fn compare(
    old: &mut Side<'_, '_>,
    new: &mut Side<'_, '_>,
    cases: &[LoadedCase],
    progress: &mut dyn FnMut(),
) -> Result<DecisionComparison, (String, LoadError)> {
    let mut comparison = DecisionComparison::default();
    let mut groups: BTreeMap<String, ChangeGroup> = BTreeMap::new();
    for case in cases {
        let (before, after) = (old.answer(&case.case)?, new.answer(&case.case)?);
        comparison.add(case, before, after, &mut groups);
        progress();
    }
    comparison.groups = groups.into_values().collect();
    comparison.groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    Ok(comparison)
}

impl Side<'_, '_> {
    fn answer(&mut self, case: &Case) -> Result<Answer, (String, LoadError)> {
        let mut case = case.clone();
        if let Some(settings) = &self.settings {
            case.settings = Some(settings.clone());
        }
        let policy = match self.subject.load(&LoadOptions::of_case(&case)) {
            Ok(policy) => policy,
            Err(LoadError::Settings(text)) => return Ok(Answer::of(Observed::settings_rejected(&text))),
            Err(LoadError::SettingsSchema(misfit)) => {
                return Ok(Answer::of(Observed::settings_rejected(&misfit.to_string())));
            }
            Err(error) => return Err((self.subject.file().source.clone(), error)),
        };
        match execute_case(self.subject.sandbox(), &policy, &case) {
            Ok(run) => Ok(Answer::of_run(&run)),
            Err(error) => Ok(Answer::of(Observed::settings_rejected(&format!("state: {error}")))),
        }
    }
}

impl Answer {
    fn of(observed: Observed) -> Self {
        Self { observed, cost: None, fuel: None, request: None }
    }

    fn of_run(run: &RequestRun) -> Self {
        let request = &run.input.request;
        let key = request.tenant.as_ref().map(|tenant| tenant.as_str().to_owned());
        Self {
            observed: Observed::of_run(run).pop().unwrap_or_default(),
            cost: predicted_cost(run),
            fuel: run.fuel(),
            request: Some((request.model.to_string(), key, request.operation.name())),
        }
    }

    /// Returns the first target, or the kind of an answer without one.
    fn target(&self) -> String {
        match (self.observed.targets.first(), &self.observed.problem) {
            (Some(target), _) => target.clone(),
            (None, Some(problem)) => format!("{} ({})", self.observed.kind, problem.kind),
            (None, None) => self.observed.kind.to_owned(),
        }
    }

    fn is_failure(&self) -> bool {
        matches!(self.observed.kind, "failure" | "settings-rejected")
    }
}

impl DecisionComparison {
    fn add(
        &mut self,
        case: &LoadedCase,
        old: Answer,
        new: Answer,
        groups: &mut BTreeMap<String, ChangeGroup>,
    ) {
        self.requests += 1;
        if let (Some(before), Some(after)) = (old.cost, new.cost) {
            self.cost_usd.requests += 1;
            self.cost_usd.old += before.usd();
            self.cost_usd.new += after.usd();
        }
        if let (Some(before), Some(after)) = (old.fuel, new.fuel) {
            self.fuel.old = self.fuel.old.saturating_add(before);
            self.fuel.new = self.fuel.new.saturating_add(after);
        }
        let Some(change) = change(&old, &new) else {
            self.same += 1;
            return;
        };
        *self.changes.entry(change).or_default() += 1;
        if let Some(problem) = new.observed.problem.as_ref() {
            let text: String = problem.text.chars().take(MAX_PROBLEM).collect();
            let problems = match change {
                Change::Fails => Some(&mut self.new_failures),
                Change::Refuses => Some(&mut self.new_refusals),
                _ => None,
            };
            if let Some(problems) = problems {
                *problems.entry(format!("{}: {text}", problem.kind)).or_default() += 1;
            }
        }
        let group = ChangeGroup::of(change, old, new, case);
        let identity =
            format!("{:?}", (change, &group.route, &group.key, group.operation, &group.target, &group.label));
        match groups.get_mut(&identity) {
            None => drop(groups.insert(identity, group)),
            Some(known) => known.add(group),
        }
    }
}

impl ChangeGroup {
    fn of(change: Change, old: Answer, new: Answer, case: &LoadedCase) -> Self {
        let cost_change = old.cost.zip(new.cost).map(|(old, new)| new.usd() - old.usd());
        let target = OldAndNew { old: old.target(), new: new.target() };
        let (route, key, operation) = old.request.or(new.request).unwrap_or_else(|| {
            // Both reject the settings, in other words.
            ("-".to_owned(), None, "-")
        });
        Self {
            change,
            route,
            key,
            operation,
            target,
            label: OldAndNew { old: old.observed.label, new: new.observed.label },
            count: 1,
            cost_change_usd: cost_change,
            cases: vec![case.name.clone()],
        }
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.cost_change_usd = match (self.cost_change_usd, other.cost_change_usd) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        if self.cases.len() < MAX_NAMES {
            self.cases.extend(other.cases);
        }
    }
}

/// Returns what differs between two answers. A reason may differ.
fn change(old: &Answer, new: &Answer) -> Option<Change> {
    let (a, b) = (&old.observed, &new.observed);
    let plain = |it: &Observed| Observed { reason: None, ..it.clone() };
    if plain(a) == plain(b) {
        return None;
    }
    let refuses = |it: &Observed| it.kind == "refusal";
    Some(if new.is_failure() && !old.is_failure() {
        Change::Fails
    } else if refuses(b) && !refuses(a) && !old.is_failure() {
        Change::Refuses
    } else if a.problem.is_some() && b.problem.is_none() {
        Change::Recovers
    } else if a.kind != b.kind {
        Change::Kind
    } else if a.targets.first() != b.targets.first() {
        Change::Target
    } else if a.plan != b.plan {
        Change::Plan
    } else if a.targets != b.targets {
        Change::Fallbacks
    } else if a.label != b.label {
        Change::Label
    } else {
        Change::Details
    })
}

/// Returns the predicted cost of a request's calls: of each task of a plan, and of the decision. `None` if
/// the policy sends the request to no model.
///
/// A call is assumed to read the request's input tokens and to write the expected output tokens, at the
/// prices of its first target.
fn predicted_cost(run: &RequestRun) -> Option<Picodollars> {
    let mut costs = Vec::new();
    let input = &run.input;
    for call in &run.calls {
        match &call.answer {
            Ok(PolicyAnswer::Step(PlanStep::Route(decision))) => {
                costs.extend(first_cost(decision.targets(), &input.candidates, &input.request));
            }
            Ok(PolicyAnswer::Step(PlanStep::Run(plan))) => {
                costs.extend(plan.tasks().iter().filter_map(|task| task_cost(task, run)));
            }
            _ => {}
        }
    }
    (!costs.is_empty()).then(|| costs.into_iter().sum())
}

fn task_cost(task: &Task, run: &RequestRun) -> Option<Picodollars> {
    let request = &*run.input.request;
    let limit = task.max_output_tokens.or(request.max_output_tokens);
    let request = RequestFacts { max_output_tokens: limit, ..request.clone() };
    first_cost(task.decision().targets(), &run.input.candidates, &request)
}

fn first_cost(
    targets: &[pointsman_domain::decision::Target],
    candidates: &[Candidate],
    request: &RequestFacts,
) -> Option<Picodollars> {
    candidates.get(targets.first()?.candidate).map(|candidate| candidate.predicted_cost(request))
}

#[cfg(test)]
mod tests;
