//! Comparison of a logged answer with that of the policy.

use pointsman_author::comparison::decisions::Change;
use pointsman_domain::candidate::Candidate;
use pointsman_domain::decision::Decision;
use pointsman_domain::plan::PlanStep;
use pointsman_policy::{PolicyAnswer, PolicyFailure};
use pointsman_record::{
    AnswerRecord, CandidateRecord, DecisionEntryRecord, DecisionRecord, TargetRecord, ms,
};

/// Answer of the policy, validated.
pub(super) type NewAnswer = Result<PolicyAnswer, PolicyFailure>;

/// Returns the entry whose answer was carried out first: the first one, or what followed where it failed.
pub(super) fn followed<'r, 'a>(record: &'r DecisionRecord<'a>) -> Option<&'r DecisionEntryRecord<'a>> {
    match record.decisions.first()? {
        DecisionEntryRecord { answer: AnswerRecord::Failure { .. }, .. } => record.decisions.last(),
        first => Some(first),
    }
}

/// Returns what differs, as `policy diff` classifies it. A reason may differ.
pub(super) fn change(
    entry: &DecisionEntryRecord<'_>,
    new: &NewAnswer,
    candidates: &[Candidate],
) -> Option<Change> {
    let old = &entry.answer;
    let was_failure = matches!(old, AnswerRecord::Failure { .. });
    match (old, new) {
        (_, Err(_)) => (!was_failure).then_some(Change::Fails),
        (AnswerRecord::Refusal { code, message }, Ok(PolicyAnswer::Refusal(refusal))) => {
            let is_same = *code == refusal.code() && *message == refusal.message();
            (!is_same).then_some(Change::Details)
        }
        (AnswerRecord::Failure { .. }, Ok(PolicyAnswer::Refusal(_))) => Some(Change::Kind),
        (_, Ok(PolicyAnswer::Refusal(_))) => Some(Change::Refuses),
        (AnswerRecord::Failure { .. } | AnswerRecord::Refusal { .. }, Ok(_)) => Some(Change::Recovers),
        (
            AnswerRecord::Route { targets, label, hedge_after_ms, propensity, .. },
            Ok(PolicyAnswer::Step(PlanStep::Route(decision))),
        ) => route_change(
            &LoggedRoute { entry, targets, label, hedge_after_ms: *hedge_after_ms, propensity: *propensity },
            decision,
            candidates,
        ),
        (AnswerRecord::Plan { label, tasks, .. }, Ok(PolicyAnswer::Step(PlanStep::Run(plan)))) => {
            if *tasks != plan.tasks().len() {
                Some(Change::Plan)
            } else {
                (*label != plan.label()).then_some(Change::Label)
            }
        }
        (AnswerRecord::Finish { label, .. }, Ok(PolicyAnswer::Step(PlanStep::Finish(finish)))) => {
            (*label != finish.label()).then_some(Change::Label)
        }
        (_, Ok(PolicyAnswer::Step(_))) => Some(Change::Kind),
    }
}

struct LoggedRoute<'r> {
    entry: &'r DecisionEntryRecord<'r>,
    targets: &'r [TargetRecord],
    label: &'r str,
    hedge_after_ms: Option<f64>,
    propensity: Option<f64>,
}

fn route_change(old: &LoggedRoute<'_>, new: &Decision, candidates: &[Candidate]) -> Option<Change> {
    let old_id = |target: &TargetRecord| old.entry.candidates.get(target.candidate).map(|it| &*it.model);
    let new_ids =
        || new.targets().iter().map(|it| candidates.get(it.candidate).map(|it| it.model.id.as_str()));
    if old.targets.first().and_then(old_id) != new_ids().next().flatten() {
        return Some(Change::Target);
    }
    if !old.targets.iter().map(old_id).eq(new_ids()) {
        return Some(Change::Fallbacks);
    }
    if old.label != new.label() {
        return Some(Change::Label);
    }
    let timeouts = new.targets().iter().map(|target| target.timeout.map(ms));
    let is_same = old.targets.iter().map(|target| target.timeout_ms).eq(timeouts)
        && old.hedge_after_ms == new.hedge_after().map(ms)
        && match (old.propensity, new.propensity()) {
            (Some(old), Some(new)) => (old - new).abs() < 1e-9,
            (old, new) => old.is_some() == new.is_some(),
        };
    (!is_same).then_some(Change::Details)
}

/// An action whose outcome can be estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ActionRef<'a> {
    /// The model that is called first, with US dollars per million tokens of input and output.
    Model { id: &'a str, prices: (f64, f64) },
    /// A plan, by its label.
    Plan { label: &'a str },
}

/// Returns the action of a logged answer, if it is one.
pub(super) fn logged_action<'a>(entry: &'a DecisionEntryRecord<'_>) -> Option<ActionRef<'a>> {
    match &entry.answer {
        AnswerRecord::Route { targets, .. } => {
            let CandidateRecord { model, input_usd_per_million, output_usd_per_million, .. } =
                entry.candidates.get(targets.first()?.candidate)?;
            Some(ActionRef::Model { id: model, prices: (*input_usd_per_million, *output_usd_per_million) })
        }
        AnswerRecord::Plan { label, .. } => Some(ActionRef::Plan { label }),
        AnswerRecord::Finish { .. } | AnswerRecord::Refusal { .. } | AnswerRecord::Failure { .. } => None,
    }
}

/// Returns the action of the policy's answer, if it is one.
pub(super) fn new_action<'a>(answer: &'a NewAnswer, candidates: &'a [Candidate]) -> Option<ActionRef<'a>> {
    match answer {
        Ok(PolicyAnswer::Step(PlanStep::Route(decision))) => {
            let model = &candidates.get(decision.targets().first()?.candidate)?.model;
            let prices = (model.price.input_per_million(), model.price.output_per_million());
            Some(ActionRef::Model { id: model.id.as_str(), prices })
        }
        Ok(PolicyAnswer::Step(PlanStep::Run(plan))) => Some(ActionRef::Plan { label: plan.label() }),
        Ok(PolicyAnswer::Step(PlanStep::Finish(_)) | PolicyAnswer::Refusal(_)) | Err(_) => None,
    }
}

/// Returns the propensity of the policy's decision, if it states one.
pub(super) fn propensity(answer: &NewAnswer) -> Option<f64> {
    match answer {
        Ok(PolicyAnswer::Step(PlanStep::Route(decision))) => decision.propensity(),
        _ => None,
    }
}

/// Describes a logged answer by its first target or its kind.
pub(super) fn logged_name(entry: &DecisionEntryRecord<'_>) -> String {
    match (logged_action(entry), &entry.answer) {
        (Some(action), _) => action.name(),
        (None, AnswerRecord::Refusal { code, .. }) => format!("refusal ({code})"),
        (None, AnswerRecord::Failure { reason, .. }) => format!("failure ({reason})"),
        (None, _) => "answer of the policy".to_owned(),
    }
}

/// Describes the policy's answer in the same way.
pub(super) fn new_name(answer: &NewAnswer, candidates: &[Candidate]) -> String {
    match (new_action(answer, candidates), answer) {
        (Some(action), _) => action.name(),
        (None, Ok(PolicyAnswer::Refusal(refusal))) => format!("refusal ({})", refusal.code()),
        (None, Err(failure)) => format!("failure ({})", failure.reason()),
        (None, Ok(_)) => "answer of the policy".to_owned(),
    }
}

impl ActionRef<'_> {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Model { id, .. } => (*id).to_owned(),
            Self::Plan { label } => format!("plan {label}"),
        }
    }
}
