//! A case as the input of a policy.

use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::candidate::{Candidate, can_serve};
use pointsman_domain::ids::KeyName;
use pointsman_domain::live::{ExpectedSpeed, LiveSnapshot};
use pointsman_domain::model::{Abilities, Modalities, Model, Operation, Quality};
use pointsman_domain::money::Price;
use pointsman_domain::plan::PlanLimits;
use pointsman_domain::request::RequestFacts;
use pointsman_policy::{DecisionInput, Limits, Orchestration, StateUse};

use super::content::CaseContent;
use super::format::{CandidateEntry, CandidateFormat, Case, LimitsFormat, RequestFormat};
use super::words;

/// Time of one call where a case states none. Speed is for benches: a slow machine fails no case.
const DEADLINE: Duration = Duration::from_secs(1);
/// Decision id where a request has none.
const ID: &str = "case";
/// Requested model where a request names none.
const MODEL: &str = "auto";
/// Backend of candidates whose id names none.
const BACKEND: &str = "example";

/// Creates a policy's input from a case. An orchestrating policy sees candidates that can serve a part
/// of the request, after those that can serve it whole; so they are put in that order.
pub fn decision_input(case: &Case, orchestrates: bool) -> DecisionInput {
    input_of(&case.request, case.candidates.as_deref().unwrap_or_default(), case.whole, orchestrates)
}

/// Creates a policy's input from a request and the models that the policy sees.
pub fn input_of(
    request: &RequestFormat,
    candidates: &[CandidateEntry],
    whole: Option<usize>,
    orchestrates: bool,
) -> DecisionInput {
    let tools = request.tools.as_deref().unwrap_or_default();
    let content = CaseContent::new(request.messages.as_ref(), tools);
    let request = request_facts(request, &content);
    let mut candidates = candidates_of(candidates, &request);
    let whole = order(&mut candidates, &request, whole, orchestrates);
    DecisionInput {
        request: Arc::new(request),
        candidates: candidates.into(),
        prompt: Arc::new(content),
        orchestration: Orchestration { whole, limits: PlanLimits::default(), results: Arc::default() },
        state: StateUse::default(),
    }
}

/// Creates candidates from their facts. Ids without facts are left out.
pub fn candidates_of(entries: &[CandidateEntry], request: &RequestFacts) -> Vec<Candidate> {
    let facts = entries.iter().filter_map(|entry| match entry {
        CandidateEntry::Facts(facts) => Some(&**facts),
        CandidateEntry::Id(_) => None,
    });
    facts.map(|facts| candidate(facts, request)).collect()
}

/// Puts candidates that can serve the whole request first, for an orchestrating policy without a
/// stated number. Returns their number.
pub fn order(
    candidates: &mut [Candidate],
    request: &RequestFacts,
    stated: Option<usize>,
    orchestrates: bool,
) -> usize {
    match stated {
        Some(whole) => whole.min(candidates.len()),
        None if orchestrates => {
            candidates.sort_by_key(|candidate| !can_serve(&candidate.model, request));
            candidates.iter().filter(|candidate| can_serve(&candidate.model, request)).count()
        }
        None => candidates.len(),
    }
}

/// Returns the limits of a case.
pub fn limits(stated: Option<LimitsFormat>) -> Limits {
    let stated = stated.unwrap_or_default();
    let usual = Limits::default();
    Limits {
        deadline: stated.deadline_ms.map_or(DEADLINE, |ms| Duration::from_millis(ms.into())),
        memory_bytes: stated.memory_bytes.unwrap_or(usual.memory_bytes),
        prompt_bytes: stated.prompt_bytes.unwrap_or(usual.prompt_bytes),
        ..usual
    }
}

fn request_facts(stated: &RequestFormat, content: &CaseContent) -> RequestFacts {
    let id = stated.id.as_deref().unwrap_or(ID);
    let model = stated.model.as_deref().unwrap_or(MODEL);
    let streaming = stated.streaming.unwrap_or(false);
    let mut needs = Abilities::empty();
    needs.set(Abilities::TOOLS, stated.tools.as_ref().is_some_and(|tools| !tools.is_empty()));
    needs.set(Abilities::STREAMING, streaming);
    let input_tokens = stated.input_tokens.unwrap_or_else(|| content.input_tokens());
    RequestFacts {
        operation: stated.operation.map_or(Operation::Chat, |name| name.value()),
        tenant: stated.tenant.as_deref().map(KeyName::new),
        session: stated.session.clone(),
        input_tokens,
        least_input_tokens: 0,
        max_output_tokens: stated.max_output_tokens,
        inputs: stated.inputs.as_deref().map_or_else(|| content.kinds(), words::modalities),
        needs: stated.needs.as_deref().map_or(needs, words::abilities),
        turns: stated.turns.unwrap_or_else(|| content.turns()),
        streaming,
        deadline_ms: stated.deadline_ms,
        budget_left: stated.budget_left,
        attributes: stated.attributes.clone(),
        ..RequestFacts::new(id, model)
    }
}

fn candidate(facts: &CandidateFormat, request: &RequestFacts) -> Candidate {
    let (backend, name) = facts.id.split_once('/').unwrap_or((BACKEND, &facts.id));
    let speed =
        ExpectedSpeed { first_token_ms: facts.first_token_ms, tokens_per_second: facts.tokens_per_second };
    let operations = facts.operations.as_deref();
    let model = Model {
        id: pointsman_domain::ids::ModelId::new(facts.id.as_str()),
        operations: operations
            .map_or_else(|| vec![Operation::Chat], |names| names.iter().map(|name| name.value()).collect()),
        inputs: facts.inputs.as_deref().map_or(Modalities::TEXT, words::modalities),
        abilities: facts.abilities.as_deref().map_or(request.needs, words::abilities),
        context_window: facts.context_window,
        max_output_tokens: facts.max_output_tokens,
        price: Price::per_million(facts.input_price.unwrap_or(0.0), facts.output_price.unwrap_or(0.0)),
        quality: Quality { general: facts.quality, by_task: facts.task_quality.clone() },
        expected: speed,
        attributes: facts.attributes.clone(),
        ..Model::new(backend, name)
    };
    let live = LiveSnapshot {
        healthy: facts.healthy.unwrap_or(true),
        resting: false,
        in_flight: facts.in_flight.unwrap_or(0),
        first_token_ms: speed.first_token_ms,
        tokens_per_second: speed.tokens_per_second,
        error_rate: facts.error_rate.unwrap_or(0.0),
    };
    Candidate { model: Arc::new(model), live }
}

#[cfg(test)]
mod tests {
    use super::super::document::{Syntax, parse};
    use super::super::folder::resolve;
    use super::*;

    fn case(text: &str) -> Case {
        let mut case = parse(text, Syntax::Toml).unwrap().cases.remove(0);
        case.candidates = Some(resolve(case.candidates.unwrap_or_default(), &[]).unwrap());
        case
    }

    #[test]
    fn facts_that_are_not_stated_follow_from_the_messages() {
        let case = case(
            "request.messages = \"What is the capital of Peru?\"\nrequest.tools = [\"search\"]\n\
             request.streaming = true\ncandidates = [{ id = \"a/b\" }]\n",
        );
        let input = decision_input(&case, false);
        let request = &input.request;
        assert_eq!((request.id.as_str(), request.model.as_str()), (ID, MODEL));
        assert_eq!((request.input_tokens, request.turns), (7 + 4 + 3, 1));
        assert_eq!(request.needs, Abilities::TOOLS | Abilities::STREAMING);
        let model = &input.candidates[0].model;
        assert_eq!((model.id.as_str(), model.abilities), ("a/b", request.needs));
        assert!(input.candidates[0].live.healthy);
    }

    #[test]
    fn candidates_of_an_orchestrating_policy_that_serve_the_whole_come_first() {
        let text = "request.inputs = [\"text\", \"image\"]\n\
                    candidates = [{ id = \"a/text\" }, { id = \"a/sees\", inputs = [\"text\", \"image\"] }]\n";
        let ids = |input: &DecisionInput| -> Vec<String> {
            input.candidates.iter().map(|it| it.model.id.to_string()).collect()
        };
        let routed = decision_input(&case(text), false);
        assert_eq!((ids(&routed)[0].as_str(), routed.orchestration.whole), ("a/text", 2));
        let planned = decision_input(&case(text), true);
        assert_eq!((ids(&planned)[0].as_str(), planned.orchestration.whole), ("a/sees", 1));
        let stated = decision_input(&case(&format!("whole = 2\n{text}")), true);
        assert_eq!((ids(&stated)[0].as_str(), stated.orchestration.whole), ("a/text", 2));
    }
}
