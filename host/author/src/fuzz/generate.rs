//! Generation of cases: requests with everything that the case format can state.

use std::collections::BTreeMap;

use super::dictionary::{Dictionary, WordUse};
use super::random::Random;
use crate::case::Case;
use crate::case::format::{
    EarlierCall, Message, MessagePart, Messages, OutcomeFormat, RatingFormat, RequestFormat, TaskOutcome,
};
use crate::case::words::{Ability, ContentKind, IsolationName, OperationName, StatusName};

pub mod candidates;
pub mod text;

/// Most bytes of one text of a message.
const MAX_TEXT: usize = 64 << 10;
/// Most bytes of a value that the policy keeps.
const MAX_VALUE: usize = 4 << 10;
/// Roles of messages.
const ROLES: &[&str] = &["user", "assistant", "system", "tool", "developer", "function", "", "someone"];

/// Properties of a policy that determine which inputs are useful.
#[derive(Clone, Copy, Debug, Default)]
pub struct Features {
    /// True if it may answer with plans.
    pub orchestrates: bool,
    /// True if it imports `state`.
    pub keeps_state: bool,
    /// True if it observes outcomes.
    pub wants_outcomes: bool,
    /// True if it takes ratings.
    pub wants_ratings: bool,
}

/// Generates a case.
pub fn case(random: &mut Random, dictionary: &Dictionary, features: Features) -> Case {
    let request = request(random, dictionary);
    let candidates = candidates::candidates(random, dictionary, &request, features.orchestrates);
    let mut case = Case { candidates: Some(candidates), request, ..Case::default() };
    if features.keeps_state && random.flip() {
        case.state = Some(state(random, dictionary));
    }
    if random.one_in(6) || (random.flip() && (features.wants_outcomes || features.wants_ratings)) {
        add_earlier(random, dictionary, features, &mut case);
    }
    case
}

/// Generates a request.
pub fn request(random: &mut Random, dictionary: &Dictionary) -> RequestFormat {
    let mut request = RequestFormat {
        messages: messages(random, dictionary),
        streaming: random.one_in(4).then_some(true),
        ..RequestFormat::default()
    };
    for _ in 0..random.below(4) {
        change_fact(random, dictionary, &mut request);
    }
    request
}

/// Changes one fact of a request.
pub fn change_fact(random: &mut Random, dictionary: &Dictionary, request: &mut RequestFormat) {
    match random.below(14) {
        0 => request.id = Some(text::name(random, dictionary)),
        1 => request.operation = random.pick_ref(OperationName::ALL).copied(),
        2 => request.model = Some(text::name(random, dictionary)),
        3 => request.tenant = Some(text::name(random, dictionary)),
        4 => request.session = Some(text::name(random, dictionary)),
        5 => request.input_tokens = Some(random.count()),
        6 => request.max_output_tokens = Some(random.count()),
        7 => request.inputs = Some(random.subset(ContentKind::ALL)).filter(|all| !all.is_empty()),
        8 => request.needs = Some(random.subset(Ability::ALL)),
        9 => request.turns = Some(random.count()),
        10 => request.deadline_ms = Some(random.count()),
        11 => request.budget_left = Some(random.pick(&[0.0, 1e-12, 0.000_1, 0.5, 1e9])),
        12 => request.tools = Some(tools(random, dictionary)),
        _ => {
            let key = random.pick(&dictionary.words(WordUse::RequestAttribute)).to_owned();
            let value = match random.below(6) {
                0 => text::text(random, dictionary, MAX_TEXT),
                1 => random.count().to_string(),
                2 => "v".repeat(random.below(MAX_TEXT)),
                _ => random.pick(&dictionary.words(WordUse::Text)).to_owned(),
            };
            request.attributes.insert(key, value);
        }
    }
}

fn tools(random: &mut Random, dictionary: &Dictionary) -> Vec<String> {
    let count = if random.one_in(8) { random.between(20, 128) } else { random.below(4) };
    (0..count).map(|_| text::name(random, dictionary)).collect()
}

/// Generates a conversation.
pub fn messages(random: &mut Random, dictionary: &Dictionary) -> Option<Messages> {
    let count = match random.below(20) {
        0 => return None,
        1 => 0,
        2..=8 => return Some(Messages::Text(text::text(random, dictionary, MAX_TEXT))),
        9..=13 => random.between(1, 4),
        14..=17 => random.between(5, 12),
        _ => random.between(13, 60),
    };
    let most = MAX_TEXT / count.max(1);
    let message = |number: usize| {
        let role = match random.below(3) {
            0 => random.pick(ROLES),
            _ if number.is_multiple_of(2) => "user",
            _ => "assistant",
        };
        message(random, dictionary, role, most)
    };
    Some(Messages::List((0..count).map(message).collect()))
}

/// Generates a message.
pub fn message(random: &mut Random, dictionary: &Dictionary, role: &str, most: usize) -> Message {
    let mut message =
        Message { role: Some(role.to_owned()).filter(|role| role != "user"), ..Message::default() };
    if !random.one_in(12) {
        message.text = Some(text::text(random, dictionary, most));
    }
    if random.one_in(6) {
        message.parts = (0..random.between(1, 5)).map(|_| part(random, dictionary, most)).collect();
    }
    message
}

fn part(random: &mut Random, dictionary: &Dictionary, most: usize) -> MessagePart {
    match random.pick_ref(ContentKind::ALL) {
        Some(kind) if *kind != ContentKind::Text => MessagePart {
            kind: Some(*kind),
            bytes: Some(random.pick(&[0, 1, 1_200, 48_000, 100_000])),
            text: None,
        },
        _ => MessagePart {
            text: Some(text::text(random, dictionary, most.min(4_000))),
            ..MessagePart::default()
        },
    }
}

/// Generates values that the policy keeps.
pub fn state(random: &mut Random, dictionary: &Dictionary) -> BTreeMap<String, String> {
    let keys = dictionary.words(WordUse::StateKey);
    let mut values = BTreeMap::new();
    for key in random.subset(&keys) {
        let value = match random.below(6) {
            0 => text::text(random, dictionary, MAX_VALUE),
            1 => random.pick(&["", "-1", "nan", "[]", "{}", "null", "9223372036854775807"]).to_owned(),
            _ => random.count().to_string(),
        };
        values.insert(key.to_owned(), value);
    }
    values
}

/// Adds calls before the request, in the same instance.
pub fn add_earlier(random: &mut Random, dictionary: &Dictionary, features: Features, case: &mut Case) {
    let takes_events = features.wants_outcomes || features.wants_ratings;
    let only_requests = !takes_events || random.one_in(3);
    case.isolation = (only_requests || random.flip()).then_some(IsolationName::Warm);
    for _ in 0..random.between(1, 4) {
        let mut call = EarlierCall::default();
        match random.below(3) {
            1 if !only_requests && features.wants_outcomes => {
                call.outcome = Some(outcome(random, dictionary, case));
            }
            2 if !only_requests && features.wants_ratings => {
                call.rating = Some(rating(random, dictionary, case));
            }
            _ => {
                let mut earlier = request(random, dictionary);
                earlier.operation = case.request.operation;
                call.request = Some(earlier);
            }
        }
        case.earlier.push(call);
    }
}

fn model(random: &mut Random, case: &Case) -> Option<String> {
    let candidates = case.candidates.as_deref().unwrap_or_default();
    match random.below(6) {
        0 => Some("nowhere/model".to_owned()),
        _ => random.pick_ref(candidates).map(|entry| entry.id().to_owned()),
    }
}

fn outcome(random: &mut Random, dictionary: &Dictionary, case: &Case) -> OutcomeFormat {
    let status = random.pick_ref(StatusName::ALL).copied();
    OutcomeFormat {
        id: random.flip().then(|| text::name(random, dictionary)),
        label: random.flip().then(|| text::name(random, dictionary)),
        model: if status == Some(StatusName::Answered) { model(random, case) } else { None },
        attempts: random.flip().then(|| random.count()),
        input_tokens: random.flip().then(|| random.count()),
        output_tokens: random.flip().then(|| random.count()),
        cost: random.flip().then(|| random.pick(&[0.0, 1e-12, 0.01, 1e6])),
        first_token_ms: random.flip().then(|| random.pick(&[0.0, 120.0, 1e9])),
        latency_ms: random.flip().then(|| random.pick(&[0.0, 0.001, 900.0, 1e9])),
        error: (status != Some(StatusName::Answered)).then(|| text::text(random, dictionary, 500)),
        status,
    }
}

fn rating(random: &mut Random, dictionary: &Dictionary, case: &Case) -> RatingFormat {
    RatingFormat {
        decision: random.flip().then(|| text::name(random, dictionary)),
        label: random.flip().then(|| text::name(random, dictionary)),
        model: model(random, case),
        score: Some(random.pick(&[0.0, 1e-9, 0.5, 1.0])),
        name: random.flip().then(|| text::name(random, dictionary)),
    }
}

/// Generates the result of a task. A task that is not optional fails rarely, because that ends the request.
pub fn task_outcome(
    random: &mut Random,
    dictionary: &Dictionary,
    name: &str,
    is_optional: bool,
) -> TaskOutcome {
    let mut outcome = TaskOutcome { name: name.to_owned(), ..TaskOutcome::default() };
    if random.one_in(if is_optional { 3 } else { 20 }) {
        outcome.error = random.flip().then(|| text::text(random, dictionary, 300));
        return outcome;
    }
    outcome.output = Some(match random.below(8) {
        0 => String::new(),
        1 => random.pick(&["{", "[1, 2", "{\"a\": }", "not JSON", "{}", "[]", "null", "\"x\""]).to_owned(),
        2 => format!("```json\n{{\"{}\": 1}}\n```", text::name(random, dictionary).replace(['"', '\\'], "")),
        3 => random.pick(&dictionary.words(WordUse::Text)).to_owned(),
        4 => random.pick(&["yes", "no", "7", "0.5", "A", "score: 3/10"]).to_owned(),
        _ => text::text(random, dictionary, MAX_TEXT),
    });
    if random.one_in(3) {
        outcome.finish_reason =
            Some(random.pick(&["stop", "length", "tool_calls", "content_filter", ""]).to_owned());
        outcome.input_tokens = Some(random.count());
        outcome.output_tokens = Some(random.count());
        outcome.latency_ms = Some(random.pick(&[0.0, 40.0, 1e9]));
        outcome.cost = Some(random.pick(&[0.0, 0.002, 1e6]));
    }
    outcome
}

#[cfg(test)]
mod tests;
