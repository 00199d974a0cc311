//! Faults of a policy that an input shows.

use pointsman_domain::text::printable;
use pointsman_policy::PolicyFailure;

use crate::case::Case;
use crate::case::format::Expectation;
use crate::case::words::{ContentKind, OperationName};
use crate::observed::Observed;

/// Longest message of a problem, in bytes.
const MAX_MESSAGE: usize = 2_000;
/// Longest part of a message that distinguishes problems, in bytes.
const MAX_SITE: usize = 160;
/// Words before the place of a panic.
const PANIC: &str = "panicked at ";

/// Kinds of problems that are no failure of a call.
pub mod kind {
    /// The policy does not load with settings that are a variation of accepted ones.
    pub const LOAD: &str = "load";
    /// The same input gives different answers.
    pub const NONDETERMINISTIC: &str = "nondeterministic";
    /// An instance that served earlier requests decides differently.
    pub const HISTORY: &str = "history";
    /// A call executes many more instructions than others of its size.
    pub const SLOW: &str = "slow";
    /// Instructions grow faster than the input.
    pub const GROWTH: &str = "growth";
}

/// A problem that an input shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Kind: that of a failure, such as `trap`, or one of [`kind`].
    pub kind: &'static str,
    /// The call: `decision`, `resume`, `outcome`, `rating` or `load`.
    pub call: &'static str,
    /// Description.
    pub message: String,
    /// Part of the description that is the same for each input that shows the problem.
    pub site: String,
    /// Expectation of the case, which it fails as long as the policy has the problem.
    pub expect: Expectation,
}

/// A problem with the smallest case that shows it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The problem, as the case shows it.
    pub problem: Problem,
    /// The case.
    pub case: Case,
    /// Number of the first input that showed it, from 1.
    pub run: u64,
    /// Seconds from the start to that input.
    pub seconds: f64,
    /// Number of inputs that showed it.
    pub times: u64,
}

impl Problem {
    /// Creates the problem of a failed call. `None` if the policy is not at fault.
    pub fn of_failure(call: &'static str, failure: &PolicyFailure, max_fuel: u64) -> Option<Self> {
        if !failure.is_policys_fault() {
            return None;
        }
        let message = failure.to_string();
        Some(Self::new(failure.reason(), call, &message, any_answer(max_fuel)))
    }

    /// Creates a problem.
    pub fn new(kind: &'static str, call: &'static str, message: &str, expect: Expectation) -> Self {
        Self { kind, call, message: printable(message, MAX_MESSAGE), site: site(message), expect }
    }

    /// Sets the part of the description that is the same for each input.
    #[must_use]
    pub fn at(self, site: &str) -> Self {
        Self { site: site.to_owned(), ..self }
    }

    /// Returns whether two problems are the same fault of the policy.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.kind, self.call, &self.site) == (other.kind, other.call, &other.site)
    }
}

/// Returns the expectation that every answer within a number of instructions meets.
pub fn any_answer(max_fuel: u64) -> Expectation {
    Expectation { max_fuel: Some(max_fuel), ..Expectation::default() }
}

/// Returns the expectation of an answer.
pub fn same_answer(observed: &Observed) -> Expectation {
    use crate::case::format::{ExpectedPlan, KindAndText};
    let problem = observed.problem.as_ref().map(|problem| KindAndText::Kind(problem.kind.clone()));
    let is_refusal = observed.kind == "refusal";
    Expectation {
        targets: (observed.kind == "decision").then(|| observed.targets.clone()),
        label: observed.label.clone(),
        answer: observed.answer.clone(),
        plan: observed.plan.as_ref().map(|plan| ExpectedPlan {
            count: Some(plan.tasks.len()),
            next: Some(plan.next.clone()),
            tasks: None,
        }),
        refusal: problem.clone().filter(|_| is_refusal),
        failure: problem.filter(|_| !is_refusal),
        ..Expectation::default()
    }
}

/// Returns the part of a message that does not depend on the input: the place of a panic, or the words
/// without numbers and quotations.
fn site(message: &str) -> String {
    if let Some((_, rest)) = message.split_once(PANIC)
        && let Some((place, _)) = rest.split_once(": ")
    {
        return place.to_owned();
    }
    let mut site = String::new();
    let mut until: Option<char> = None;
    // Digits of a number: `Some(true)` if they are kept, as those of lines and columns are.
    let mut number: Option<bool> = None;
    for character in message.chars() {
        if let Some(end) = until {
            until = until.filter(|_| character != end);
        } else if character.is_ascii_digit() {
            let is_new = number.is_none();
            let is_kept = *number.get_or_insert(site.ends_with(':'));
            if is_kept {
                site.push(character);
            } else if is_new {
                site.push('#');
            }
        } else {
            number = None;
            match character {
                '"' | '`' => until = Some(character),
                '‘' => until = Some('’'),
                _ => site.push(character),
            }
        }
    }
    let words: Vec<&str> = site.split(' ').map(without_input).collect();
    let mut site = words.join(" ");
    site.truncate(site.floor_char_boundary(MAX_SITE));
    site
}

/// Replaces a word that depends on the input: the id of a model, an operation or a kind of content.
fn without_input(word: &str) -> &str {
    let plain = word.trim_end_matches([',', ';', '.']);
    let is_word_of_case = serde_json::from_value::<OperationName>(plain.into()).is_ok()
        || serde_json::from_value::<ContentKind>(plain.into()).is_ok();
    if is_word_of_case || word.contains('/') { "_" } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_of_a_problem_does_not_depend_on_the_input() {
        let same = [
            (
                "the policy trapped: panicked at src/lib.rs:40:13: index out of bounds: the len is 1 (wasm trap: x)",
                "src/lib.rs:40:13",
            ),
            (
                "the policy's answer is invalid: target 12 is none of the 3 candidates",
                "the policy's answer is invalid: target # is none of the # candidates",
            ),
            ("TypeError: \"x y\" is 7 (policy.js:12:3)", "TypeError:  is # (policy.js:12:3)"),
            ("no `model` 1e9", "no  #e#"),
            ("task `t0`: a/m1 is not called for chat, or image", "task : _ is not called for _ or _"),
        ];
        for (message, expected) in same {
            assert_eq!(site(message), expected);
        }
        assert_eq!(site(&"ä".repeat(200)).len(), MAX_SITE);
    }

    #[test]
    fn a_call_that_had_no_capacity_is_no_problem_of_the_policy() {
        assert_eq!(Problem::of_failure("decision", &PolicyFailure::Starved, 1), None);
        let trap =
            |text: &str| Problem::of_failure("decision", &PolicyFailure::Trap(text.to_owned()), 9).unwrap();
        let (first, second) = (trap("panicked at a.rs:1:1: 1"), trap("panicked at a.rs:1:1: 2"));
        assert!(first.is_same(&second) && first != second);
        assert!(!first.is_same(&trap("panicked at a.rs:2:1: 1")));
        assert_eq!((first.kind, first.expect.max_fuel), ("trap", Some(9)));
    }

    #[test]
    fn the_expectation_of_an_answer_has_what_identifies_it() {
        let decision = Observed {
            kind: "decision",
            targets: vec!["a/b".to_owned()],
            label: Some("x".to_owned()),
            ..Observed::default()
        };
        let expect = same_answer(&decision);
        assert_eq!(expect.targets, Some(vec!["a/b".to_owned()]));
        assert_eq!((expect.label.as_deref(), expect.refusal), (Some("x"), None));
    }
}
