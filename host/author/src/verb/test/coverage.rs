//! The kinds of answers that cases lead to.

use std::collections::BTreeMap;

use pointsman_policy::PolicyDescription;
use pointsman_policy::description::DeclaredAnswer;
use serde::Serialize;

use super::CaseResult;

/// Kind of an internal error of the policy.
const INTERNAL: &str = "internal";

/// Numbers of cases by what the policy answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Coverage {
    /// Cases by label, labels of steps in between included.
    pub(super) labels: BTreeMap<String, usize>,
    /// Cases by kind of refusal.
    pub(super) refusals: BTreeMap<String, usize>,
    /// Cases by kind of failure; `settings` for rejected settings.
    pub(super) failures: BTreeMap<String, usize>,
    /// Comparison with the labels and refusals that the policy's description declares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) declared: Option<DeclaredCoverage>,
}

/// Differences between the answers that a description declares and those that cases led to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct DeclaredCoverage {
    /// Declared labels that no case led to.
    pub(super) labels_never_given: Vec<String>,
    /// Labels that are not declared.
    pub(super) labels_not_declared: Vec<String>,
    /// Declared refusals that no case led to.
    pub(super) refusals_never_given: Vec<String>,
    /// Refusals that are not declared. Empty if the description declares none.
    pub(super) refusals_not_declared: Vec<String>,
}

impl Coverage {
    pub(super) fn of(results: &[CaseResult], description: Option<&PolicyDescription>) -> Self {
        let mut coverage = Self::default();
        for observed in results.iter().flat_map(|result| &result.observed) {
            if let Some(label) = &observed.label {
                *coverage.labels.entry(label.clone()).or_default() += 1;
            }
            if let Some(problem) = &observed.problem {
                let counts =
                    if observed.kind == "refusal" { &mut coverage.refusals } else { &mut coverage.failures };
                *counts.entry(problem.kind.clone()).or_default() += 1;
            }
        }
        coverage.declared = description.map(|description| coverage.compare(description));
        coverage
    }

    fn compare(&self, description: &PolicyDescription) -> DeclaredCoverage {
        // An internal error is a refusal of the contract, and a failure for the gateway.
        let internal = self.failures.get_key_value(INTERNAL);
        let refusals: Vec<&String> = self.refusals.keys().chain(internal.map(|(kind, _)| kind)).collect();
        let (labels_never_given, labels_not_declared) =
            differences(&description.labels, &self.labels.keys().collect::<Vec<_>>());
        let (refusals_never_given, refusals_not_declared) = differences(&description.refusals, &refusals);
        DeclaredCoverage {
            labels_never_given,
            labels_not_declared,
            refusals_never_given,
            refusals_not_declared,
        }
    }
}

/// Returns the declared names that do not occur, and those that occur and are not declared. Without any
/// declaration, nothing has to be declared.
fn differences(declared: &[DeclaredAnswer], given: &[&String]) -> (Vec<String>, Vec<String>) {
    let never = declared.iter().filter(|answer| !given.iter().any(|name| answer.matches(name)));
    let undeclared = given
        .iter()
        .filter(|name| !declared.is_empty() && !declared.iter().any(|answer| answer.matches(name)));
    (never.map(|answer| answer.name.clone()).collect(), undeclared.map(|name| (*name).clone()).collect())
}

#[cfg(test)]
mod tests {
    use pointsman_policy::SelfDescription;
    use serde_json::json;

    use super::*;

    #[test]
    fn declared_answers_are_compared_with_those_that_were_given() {
        let description = SelfDescription::of_value(&json!({
            "title": "x",
            "labels": [{ "name": "task:*", "meaning": "m" }, { "name": "other", "meaning": "m" }],
            "refusals": [{ "name": "internal", "meaning": "m" }, { "name": "denied", "meaning": "m" }],
        }));
        let counts = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 1)).collect();
        let coverage = Coverage {
            labels: counts(&["task:code", "strange"]),
            refusals: counts(&["no-candidate"]),
            failures: counts(&["internal", "trap"]),
            declared: None,
        };
        let declared = coverage.compare(description.content.as_ref().unwrap());
        assert_eq!(declared.labels_never_given, ["other"]);
        assert_eq!(declared.labels_not_declared, ["strange"]);
        assert_eq!(declared.refusals_never_given, ["denied"]);
        assert_eq!(declared.refusals_not_declared, ["no-candidate"]);
        assert_eq!(coverage.compare(&PolicyDescription::default()), DeclaredCoverage::default());
    }
}
