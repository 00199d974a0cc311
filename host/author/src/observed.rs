//! Answers of a policy, with ids of models in place of indices, for reports and comparisons.

use pointsman_domain::candidate::Candidate;
use pointsman_domain::decision::Refusal;
use pointsman_domain::plan::{ComposedPart, ContentRef, Continuation, Plan, PlanStep, Task, TaskResult};
use pointsman_domain::prompt::Prompt;
use pointsman_policy::{PolicyAnswer, PolicyFailure};
use serde::Serialize;

use crate::execution::RequestRun;

/// An answer of a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Observed {
    /// `decision`, `plan`, `finish`, `refusal`, `failure` or `settings-rejected`.
    pub kind: &'static str,
    /// Ids of the targets of a decision, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Reason in the policy's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Milliseconds after which the next target is started too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedge_after_ms: Option<u64>,
    /// Probability of the first target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propensity: Option<f64>,
    /// Plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<ObservedPlan>,
    /// Composed answer, as far as the outputs in it are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Kind and text of a refusal or a failure; the text of settings that were rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ObservedProblem>,
}

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ObservedPlan {
    /// Tasks in order.
    pub tasks: Vec<ObservedTask>,
    /// `answer NAME`, `compose` or `resume`.
    pub next: String,
}

/// A task.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ObservedTask {
    /// Name.
    pub name: String,
    /// Operation.
    pub operation: &'static str,
    /// Ids of the targets.
    pub targets: Vec<String>,
    /// Names of the tasks that it waits for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// True if the plan continues when it fails.
    pub optional: bool,
    /// Most output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
}

/// A refusal or a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ObservedProblem {
    /// Kind, as in the case format.
    pub kind: String,
    /// Message.
    pub text: String,
}

impl Observed {
    /// Describes the answers of a request, in order.
    pub fn of_run(run: &RequestRun) -> Vec<Self> {
        let candidates = &run.input.candidates;
        let describe = |call: &pointsman_policy::Examination| {
            Self::of_answer(&call.answer, candidates, &run.results, &*run.input.prompt)
        };
        run.calls.iter().map(describe).collect()
    }

    /// Describes an answer.
    pub fn of_answer(
        answer: &Result<PolicyAnswer, PolicyFailure>,
        candidates: &[Candidate],
        results: &[TaskResult],
        prompt: &dyn Prompt,
    ) -> Self {
        let composed = |parts: &[ComposedPart]| compose(parts, results, prompt);
        match answer {
            Ok(PolicyAnswer::Step(PlanStep::Route(decision))) => Self {
                kind: "decision",
                targets: decision.targets().iter().map(|target| id(candidates, target.candidate)).collect(),
                label: Some(decision.label().to_owned()),
                reason: decision.reason().map(str::to_owned),
                hedge_after_ms: decision.hedge_after().map(|after| after.as_millis() as u64),
                propensity: decision.propensity(),
                ..Self::default()
            },
            Ok(PolicyAnswer::Step(PlanStep::Run(plan))) => Self {
                kind: "plan",
                label: Some(plan.label().to_owned()),
                reason: plan.reason().map(str::to_owned),
                answer: match plan.next() {
                    Continuation::Compose(parts) => composed(parts),
                    Continuation::Answer(_) | Continuation::Resume(_) => None,
                },
                plan: Some(ObservedPlan::of(plan, candidates, results)),
                ..Self::default()
            },
            Ok(PolicyAnswer::Step(PlanStep::Finish(finish))) => Self {
                kind: "finish",
                label: Some(finish.label().to_owned()),
                reason: finish.reason().map(str::to_owned),
                answer: composed(finish.content()),
                ..Self::default()
            },
            Ok(PolicyAnswer::Refusal(refusal)) => {
                let kind = match refusal {
                    Refusal::NoCandidate(_) => "no-candidate",
                    Refusal::Denied(_) => "denied",
                };
                Self::problem("refusal", kind, refusal.message())
            }
            Err(failure) => Self::problem("failure", failure.reason(), &failure.to_string()),
        }
    }

    /// Describes the rejection of settings.
    pub fn settings_rejected(text: &str) -> Self {
        Self::problem("settings-rejected", "settings", text)
    }

    fn problem(kind: &'static str, of: &str, text: &str) -> Self {
        let problem = ObservedProblem { kind: of.to_owned(), text: text.to_owned() };
        Self { kind, problem: Some(problem), ..Self::default() }
    }

    /// Returns the answer on one line.
    pub fn summary(&self) -> String {
        let mut words = vec![self.kind.to_owned()];
        if !self.targets.is_empty() {
            words.push(self.targets.join(", "));
        }
        if let Some(problem) = &self.problem {
            words.push(format!("{}: {}", problem.kind, problem.text));
        }
        if let Some(plan) = &self.plan {
            let names: Vec<&str> = plan.tasks.iter().map(|task| task.name.as_str()).collect();
            words.push(format!("{}, then {}", names.join(", "), plan.next));
        }
        if let Some(label) = &self.label {
            words.push(format!("label {label}"));
        }
        if let Some(reason) = &self.reason {
            words.push(format!("reason \"{reason}\""));
        }
        words.join("  ")
    }
}

impl ObservedPlan {
    fn of(plan: &Plan, candidates: &[Candidate], results: &[TaskResult]) -> Self {
        let name = |number: usize| match plan.task(number) {
            Some(task) => task.name().to_owned(),
            None => results.get(number).map_or_else(|| number.to_string(), |result| result.name.to_string()),
        };
        let task = |task: &Task| ObservedTask {
            name: task.name().to_owned(),
            operation: task.operation.name(),
            targets: task.decision().targets().iter().map(|it| id(candidates, it.candidate)).collect(),
            after: task.after.iter().map(|number| name(*number)).collect(),
            optional: task.optional,
            max_output_tokens: task.max_output_tokens,
        };
        Self {
            tasks: plan.tasks().iter().map(task).collect(),
            next: match plan.next() {
                Continuation::Answer(number) => format!("answer {}", name(*number)),
                Continuation::Compose(_) => "compose".to_owned(),
                Continuation::Resume(_) => "resume".to_owned(),
            },
        }
    }
}

/// Returns the id of a candidate.
pub fn id(candidates: &[Candidate], index: usize) -> String {
    candidates.get(index).map_or_else(|| index.to_string(), |it| it.model.id.to_string())
}

/// Puts an answer together. `None` if an output in it is not known.
fn compose(parts: &[ComposedPart], results: &[TaskResult], prompt: &dyn Prompt) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            ComposedPart::Text(own) => text += own,
            ComposedPart::Original(place) => text += original(*place, prompt).unwrap_or("[media]"),
            ComposedPart::Output(output) => {
                let result = results.get(output.task)?;
                let output = result.output.as_deref().or(output.otherwise.as_deref());
                text += output.unwrap_or_default();
            }
        }
    }
    Some(text)
}

fn original(place: ContentRef, prompt: &dyn Prompt) -> Option<&str> {
    let text = prompt.part_text(place.message, place.part)?;
    match place.excerpt {
        Some((from, to)) => text.get(from..to),
        None => Some(text),
    }
}
