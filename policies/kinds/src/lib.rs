//! Kinds of requests that settings define, and the models for each. Shared by the policies `judge` and
//! `semantic`, which ask a model first and then route.

use pointsman_sdk::plan::{Step, able};
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Abilities, Modalities, Pattern, outline};
use pointsman_tradeoff::{Call, Preference};
use serde::Deserialize;

/// Longest name of a kind, so that labels stay short.
const LONGEST_NAME: usize = 32;
/// Most kinds: a label for each of them groups statistics.
const MOST_KINDS: usize = 32;
/// Models that are asked, one after the other, until one replies.
const HELPERS: usize = 2;

/// The models for a kind of request.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Models {
    /// Patterns of models, in the order in which they are tried; others follow as fallbacks.
    pub models: Vec<Pattern>,
    /// The order of models that fit the same pattern, or none.
    pub prefer: Preference,
}

/// Checks the names of kinds. `reserved` are the labels of a policy that are no kind.
///
/// # Errors
/// The error names the setting.
pub fn check_names<'a>(
    names: impl ExactSizeIterator<Item = &'a String>,
    otherwise: Option<&String>,
    reserved: &[&str],
) -> Result<(), String> {
    if !(2..=MOST_KINDS).contains(&names.len()) {
        return Err(format!("setting `kinds`: {} kinds, and 2 to {MOST_KINDS} are possible", names.len()));
    }
    let names: Vec<&String> = names.collect();
    for name in &names {
        let is_character =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_character) {
            return Err(format!(
                "setting `kinds.{name}`: a name has 1 to {LONGEST_NAME} characters of `a-z 0-9 _ -`"
            ));
        }
        if reserved.contains(&name.as_str()) {
            return Err(format!(
                "setting `kinds.{name}`: this name has another meaning in labels; rename it"
            ));
        }
    }
    match otherwise {
        Some(other) if !names.contains(&other) => {
            Err(format!("setting `otherwise`: there is no kind `{other}`"))
        }
        _ => Ok(()),
    }
}

/// Returns the candidates that can serve the request whole, the first of them as the kind has it.
///
/// # Errors
/// Refuses when there is none, or none that the budget can pay.
pub fn route(
    request: &Request,
    candidates: &[Candidate],
    models: &Models,
    label: String,
) -> Result<Decision, Refusal> {
    let whole = candidates.get(..outline::whole()).unwrap_or(candidates);
    if whole.is_empty() {
        return Err(Refusal::NoCandidate("no single model can serve the whole request".to_owned()));
    }
    let all: Vec<usize> = (0..whole.len()).collect();
    let mut order = call(request, whole, "chat").order(&all, models.prefer)?;
    let place = |index: usize| {
        let fits = |pattern: &Pattern| pattern.fits(&whole[index].id);
        models.models.iter().position(fits).unwrap_or(models.models.len())
    };
    // Stable: within a pattern the order stays, and a model that is not healthy comes last of all.
    order.sort_by_key(|&index| (!whole[index].healthy, place(index)));
    Ok(Decision::of(order, label))
}

/// Returns whether a request is one to ask about: a chat that several models can serve. With tools, each
/// turn of a loop would be asked about again, and might change the model: that is for settings to allow.
pub fn is_asked_about(request: &Request, with_tools: bool) -> bool {
    let has_tools = request.needs.contains(Abilities::TOOLS);
    request.operation == "chat" && outline::whole() > 1 && (with_tools || !has_tools)
}

/// Returns the healthy models that support an operation on texts, cheapest first: those that fit the
/// pattern, or all without one.
pub fn helpers(
    request: &Request,
    candidates: &[Candidate],
    operation: &str,
    pattern: Option<&Pattern>,
) -> Vec<usize> {
    let is_meant = |&index: &usize| {
        candidates[index].healthy && pattern.is_none_or(|pattern| pattern.fits(&candidates[index].id))
    };
    let able: Vec<usize> =
        able(candidates, operation, Modalities::TEXT).into_iter().filter(is_meant).collect();
    let mut order = call(request, candidates, operation).order(&able, Preference::Cost).unwrap_or_default();
    order.truncate(HELPERS);
    order
}

/// Routes by quality, or as the kind `otherwise` has it.
///
/// # Errors
/// As [`route`].
pub fn route_otherwise(
    request: &Request,
    candidates: &[Candidate],
    otherwise: Option<&Models>,
    label: &str,
    why: &str,
) -> Result<Step, Refusal> {
    let by_quality = Models::default();
    let decision = route(request, candidates, otherwise.unwrap_or(&by_quality), label.to_owned())?;
    Ok(Step::Route(decision.because(why)))
}

fn call<'a>(request: &'a Request, candidates: &'a [Candidate], task: &'a str) -> Call<'a> {
    Call { request, candidates, task, room: request.input_tokens, calls: 1 }
}

#[cfg(test)]
mod tests {
    use pointsman_sdk::testkit::{Gateway, candidate, request};

    use super::*;

    fn models() -> Vec<Candidate> {
        [("a/small", 0.1, 0.5), ("b/medium", 1.0, 0.6), ("c/large", 5.0, 0.9)]
            .map(|(id, price, quality)| Candidate { quality: Some(quality), ..candidate(id, price, price) })
            .into()
    }

    fn order(models_of_kind: &Models, candidates: &[Candidate]) -> Vec<u32> {
        let gateway = Gateway::new().whole(candidates.len());
        let decision = gateway.run(|| route(&request(), candidates, models_of_kind, "x".to_owned())).unwrap();
        decision.targets.iter().map(|target| target.candidate).collect()
    }

    #[test]
    fn patterns_come_first_in_their_order_and_the_preference_orders_the_rest() {
        let kind = |patterns: &[&str], prefer| Models {
            models: patterns.iter().map(|it| Pattern::new(*it)).collect(),
            prefer,
        };
        assert_eq!(order(&kind(&[], Preference::Cost), &models()), [0, 1, 2]);
        assert_eq!(order(&kind(&[], Preference::Quality), &models()), [2, 1, 0]);
        assert_eq!(order(&kind(&["medium", "*"], Preference::Cost), &models()), [1, 0, 2]);
        assert_eq!(order(&kind(&["large", "medium"], Preference::Cost), &models()), [2, 1, 0]);
        let mut broken = models();
        broken[2].healthy = false;
        assert_eq!(order(&kind(&["large"], Preference::Cost), &broken), [0, 1, 2]);
    }

    #[test]
    fn the_cheapest_healthy_models_help() {
        let gateway = Gateway::new().whole(3).operations(1, &["embedding"]);
        let helpers = |pattern: Option<&str>, operation: &str, candidates: &[Candidate]| {
            let pattern = pattern.map(Pattern::new);
            gateway.run(|| helpers(&request(), candidates, operation, pattern.as_ref()))
        };
        assert_eq!(helpers(None, "chat", &models()), [0, 2]);
        assert_eq!(helpers(Some("large"), "chat", &models()), [2]);
        assert_eq!(helpers(None, "embedding", &models()), [1]);
        assert_eq!(helpers(Some("x*"), "chat", &models()), [0; 0]);
        let mut broken = models();
        broken[0].healthy = false;
        assert_eq!(helpers(None, "chat", &broken), [2]);
    }

    #[test]
    fn nobody_is_asked_where_there_is_nothing_to_choose() {
        let asked = |whole, request: Request, with_tools| {
            Gateway::new().whole(whole).run(|| is_asked_about(&request, with_tools))
        };
        let tools = || Request { needs: Abilities::TOOLS, ..request() };
        assert!(asked(2, request(), false) && asked(2, tools(), true));
        assert!(!asked(1, request(), false) && !asked(2, tools(), false));
        assert!(!asked(3, Request { operation: "embedding".to_owned(), ..request() }, true));
    }

    #[test]
    fn names_of_kinds_are_checked() {
        let check = |names: &[&str], otherwise: Option<&str>| {
            let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
            check_names(names.iter(), otherwise.map(str::to_owned).as_ref(), &["unclear"])
        };
        assert_eq!(check(&["easy", "hard-1"], Some("easy")), Ok(()));
        assert_eq!(
            check(&["easy", "hard"], Some("other")).unwrap_err(),
            "setting `otherwise`: there is no kind `other`"
        );
        assert_eq!(check(&["easy"], None).unwrap_err(), "setting `kinds`: 1 kinds, and 2 to 32 are possible");
        let name = "setting `kinds.Hard`: a name has 1 to 32 characters of `a-z 0-9 _ -`";
        assert_eq!(check(&["easy", "Hard"], None).unwrap_err(), name);
        assert!(check(&["easy", "unclear"], None).unwrap_err().contains("another meaning"));
    }
}
