//! Comparison of what a policy answered with what a case expects.

use pointsman_policy::{CallTrace, ImportCall};
use pointsman_state::PolicyState;
use serde::Serialize;

use crate::case::format::{Expectation, ExpectedPlan, ExpectedTask, KindAndText};
use crate::execution::{EarlierRun, RequestRun, Stopped};
use crate::observed::{Observed, ObservedPlan, ObservedTask};

/// Largest difference of probabilities that count as equal.
const PROPENSITY_TOLERANCE: f64 = 1e-6;

/// A difference between what is expected and what a policy answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Member of the case's expectation.
    pub what: String,
    /// Expected value.
    pub expected: String,
    /// Value of the answer.
    pub actual: String,
}

/// Actions of a policy for a request, as far as cases compare them.
#[derive(Default)]
pub struct Evidence<'a> {
    /// Answers in order.
    pub observed: &'a [Observed],
    /// Traces of the calls, in the same order.
    pub traces: &'a [&'a CallTrace],
    /// Executed instructions.
    pub fuel: Option<u64>,
    /// Reason why the request was not carried on.
    pub stopped: Option<&'a Stopped>,
    /// State that the policy keeps.
    pub kept: Option<&'a PolicyState>,
    /// Calls before the request.
    pub earlier: &'a [EarlierRun],
}

impl<'a> Evidence<'a> {
    /// Collects the evidence of a run, whose answers were described.
    pub fn new(run: &'a RequestRun, observed: &'a [Observed], traces: &'a [&'a CallTrace]) -> Self {
        Self {
            observed,
            traces,
            fuel: run.fuel(),
            stopped: run.stopped.as_ref(),
            kept: run.kept(),
            earlier: &run.earlier,
        }
    }
}

/// Returns all differences.
pub fn differences(expected: &Expectation, evidence: &Evidence<'_>) -> Vec<Difference> {
    let mut found = Differences { prefix: String::new(), found: Vec::new() };
    found.earlier(evidence.earlier);
    for (number, step) in expected.steps.iter().enumerate() {
        found.prefix = format!("steps[{number}].");
        match (evidence.observed.get(number), evidence.traces.get(number)) {
            (Some(observed), Some(trace)) => found.answer(step, observed, &[trace]),
            _ => found.add("kind", "a further answer", &format!("{} answers", evidence.observed.len())),
        }
    }
    found.prefix.clear();
    if let Some(last) = evidence.observed.last() {
        found.answer(expected, last, evidence.traces);
    }
    found.fuel(expected, evidence.fuel);
    found.state(expected, evidence.kept);
    found.end(expected, evidence);
    found.found
}

struct Differences {
    prefix: String,
    found: Vec<Difference>,
}

impl Differences {
    fn add(&mut self, what: &str, expected: &str, actual: &str) {
        self.found.push(Difference {
            what: format!("{}{what}", self.prefix),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
        });
    }

    fn equal(&mut self, what: &str, expected: Option<&str>, actual: Option<&str>) {
        if let Some(expected) = expected
            && actual != Some(expected)
        {
            self.add(what, expected, actual.unwrap_or("none"));
        }
    }

    fn contains(&mut self, what: &str, expected: Option<&str>, actual: Option<&str>) {
        if let Some(expected) = expected
            && !actual.is_some_and(|actual| actual.contains(expected))
        {
            self.add(what, &format!("contains \"{expected}\""), actual.unwrap_or("none"));
        }
    }

    /// Compares one answer.
    fn answer(&mut self, expected: &Expectation, actual: &Observed, traces: &[&CallTrace]) {
        self.equal("target", expected.target.as_deref(), actual.targets.first().map(String::as_str));
        if let Some(targets) = &expected.targets
            && *targets != actual.targets
        {
            self.add("targets", &targets.join(", "), &none_if_empty(&actual.targets));
        }
        self.equal("label", expected.label.as_deref(), actual.label.as_deref());
        self.contains("reason", expected.reason.as_deref(), actual.reason.as_deref());
        let text = |number: Option<u64>| number.map(|number| number.to_string());
        let hedge = text(expected.hedge_after_ms);
        self.equal("hedge_after_ms", hedge.as_deref(), text(actual.hedge_after_ms).as_deref());
        self.propensity(expected.propensity, actual.propensity);
        self.problem("refusal", expected.refusal.as_ref(), actual);
        self.problem("failure", expected.failure.as_ref(), actual);
        if let Some(text) = &expected.settings_rejected {
            let rejected = actual.problem.as_ref().filter(|_| actual.kind == "settings-rejected");
            match rejected {
                Some(problem) => self.contains("settings_rejected", Some(text), Some(&problem.text)),
                None => self.add("settings_rejected", &format!("contains \"{text}\""), &actual.summary()),
            }
        }
        self.contains("answer", expected.answer.as_deref(), actual.answer.as_deref());
        match (&expected.plan, &actual.plan) {
            (Some(expected), Some(actual)) => self.plan(expected, actual),
            (Some(_), None) => self.add("plan", "a plan", &actual.summary()),
            (None, _) => {}
        }
        self.traces(expected, traces);
        self.unexpected_problem(expected, actual);
    }

    /// A refusal or a failure that the case does not mention is a difference, whatever else it expects.
    fn unexpected_problem(&mut self, expected: &Expectation, actual: &Observed) {
        let names_problem = expected.refusal.is_some()
            || expected.failure.is_some()
            || expected.settings_rejected.is_some()
            || expected.is_empty();
        if actual.problem.is_some() && !names_problem && self.found.is_empty() {
            self.add("kind", "an answer", &actual.summary());
        }
    }

    fn propensity(&mut self, expected: Option<f64>, actual: Option<f64>) {
        let Some(expected) = expected else { return };
        if !actual.is_some_and(|actual| (actual - expected).abs() <= PROPENSITY_TOLERANCE) {
            let actual = actual.map_or_else(|| "none".to_owned(), |actual| actual.to_string());
            self.add("propensity", &expected.to_string(), &actual);
        }
    }

    fn problem(&mut self, what: &str, expected: Option<&KindAndText>, actual: &Observed) {
        let Some((kind, text)) = expected.map(KindAndText::parts) else { return };
        let shown = if text.is_empty() { kind.to_owned() } else { format!("{kind}, contains \"{text}\"") };
        match actual.problem.as_ref().filter(|_| actual.kind == what) {
            Some(problem) if problem.kind == kind && problem.text.contains(text) => {}
            _ => self.add(what, &shown, &actual.summary()),
        }
    }

    fn plan(&mut self, expected: &ExpectedPlan, actual: &ObservedPlan) {
        if let Some(count) = expected.count
            && count != actual.tasks.len()
        {
            self.add("plan.count", &count.to_string(), &actual.tasks.len().to_string());
        }
        self.equal("plan.next", expected.next.as_deref(), Some(&actual.next));
        let Some(tasks) = &expected.tasks else { return };
        if tasks.len() != actual.tasks.len() {
            let names: Vec<String> = actual.tasks.iter().map(|task| task.name.clone()).collect();
            self.add("plan.tasks", &format!("{} tasks", tasks.len()), &none_if_empty(&names));
        }
        for (number, (expected, actual)) in tasks.iter().zip(&actual.tasks).enumerate() {
            self.task(&format!("plan.tasks[{number}]"), expected, actual);
        }
    }

    fn task(&mut self, place: &str, expected: &ExpectedTask, actual: &ObservedTask) {
        let member = |name: &str| format!("{place}.{name}");
        self.equal(&member("name"), expected.name.as_deref(), Some(&actual.name));
        self.equal(&member("operation"), expected.operation.as_deref(), Some(actual.operation));
        let first = actual.targets.first().map(String::as_str);
        self.equal(&member("target"), expected.target.as_deref(), first);
        if let Some(targets) = &expected.targets
            && *targets != actual.targets
        {
            self.add(&member("targets"), &targets.join(", "), &none_if_empty(&actual.targets));
        }
        if let Some(after) = &expected.after {
            let (mut wanted, mut waits) = (after.clone(), actual.after.clone());
            wanted.sort();
            waits.sort();
            if wanted != waits {
                self.add(&member("after"), &none_if_empty(&wanted), &none_if_empty(&waits));
            }
        }
        if let Some(optional) = expected.optional
            && optional != actual.optional
        {
            self.add(&member("optional"), &optional.to_string(), &actual.optional.to_string());
        }
        let text = |limit: Option<u32>| limit.map(|limit| limit.to_string());
        let limit = text(expected.max_output_tokens);
        self.equal(&member("max_output_tokens"), limit.as_deref(), text(actual.max_output_tokens).as_deref());
    }

    fn traces(&mut self, expected: &Expectation, traces: &[&CallTrace]) {
        let lines = || traces.iter().flat_map(|trace| &trace.log);
        for text in expected.log.iter().flat_map(|words| words.texts()) {
            if !lines().any(|line| line.text.contains(text)) {
                let actual: Vec<String> = lines().map(|line| line.text.clone()).collect();
                self.add("log", &format!("a line with \"{text}\""), &none_if_empty(&actual));
            }
        }
        let called = |name: &String| {
            traces.iter().flat_map(|trace| &trace.imports).find(|call| is_call_of(call, name))
        };
        for name in expected.calls.iter().flat_map(|words| words.texts()) {
            if called(name).is_none() {
                self.add("calls", name, "it is not called");
            }
        }
        for name in expected.never_calls.iter().flat_map(|words| words.texts()) {
            if let Some(call) = called(name) {
                let actual = format!("called: {}.{}({})", call.interface, call.function, call.arguments);
                self.add("never_calls", name, &actual);
            }
        }
    }

    /// A call before the request may give any answer, but not fail.
    fn earlier(&mut self, calls: &[EarlierRun]) {
        for (number, call) in calls.iter().enumerate() {
            if let Some(failure) = &call.failure {
                let what = format!("earlier[{number}].{}", call.kind);
                self.add(&what, "an answer", &format!("{}: {failure}", failure.reason()));
            }
        }
    }

    fn fuel(&mut self, expected: &Expectation, actual: Option<u64>) {
        if let (Some(most), Some(actual)) = (expected.max_fuel, actual)
            && actual > most
        {
            self.add("max_fuel", &format!("at most {most}"), &actual.to_string());
        }
    }

    fn state(&mut self, expected: &Expectation, actual: Option<&PolicyState>) {
        for (key, expected) in &expected.state {
            let value = actual.and_then(|state| state.value(key)).unwrap_or_default();
            let value = String::from_utf8_lossy(&value);
            if value != *expected {
                let shown = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
                self.add(&format!("state.{key}"), &shown(expected), &shown(&value));
            }
        }
    }

    /// A request that stopped on the way has no end to compare, unless the case expects the plan there.
    fn end(&mut self, expected: &Expectation, evidence: &Evidence<'_>) {
        match evidence.stopped {
            None => {}
            Some(Stopped::NoResult { .. })
                if expected.plan.is_some() || ends_in_steps(expected, evidence) => {}
            Some(stopped) => self.add("end", "an end of the request", &stopped.to_string()),
        }
    }
}

/// Returns whether only steps are expected, up to the last answer.
fn ends_in_steps(expected: &Expectation, evidence: &Evidence<'_>) -> bool {
    let end = Expectation { steps: Vec::new(), ..expected.clone() };
    end.is_empty() && expected.steps.len() >= evidence.observed.len()
}

fn none_if_empty(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn is_call_of(call: &ImportCall, name: &str) -> bool {
    match name.split_once('.') {
        Some((interface, function)) => call.interface == interface && call.function == function,
        None => call.interface == name,
    }
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoResult { task } => write!(
                f,
                "the plan resumes, and the case has no result for its task `{task}`; hint: add \
                 [[tasks]] with name = \"{task}\" and its output"
            ),
            Self::TaskFailed { task } => write!(f, "the task `{task}` failed, and it is not optional"),
            Self::UnknownCandidate { task, candidate } => {
                write!(f, "the result of `{task}` names the candidate `{candidate}`, which there is not")
            }
            Self::TooManySteps { limit } => write!(f, "the policy plans on after {limit} answers"),
        }
    }
}

#[cfg(test)]
mod tests;
