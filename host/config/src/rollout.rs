//! Trials of policies, and automatic rollback.

use std::time::Duration;

use pointsman_domain::ids::PolicyName;
use pointsman_domain::rollout::{HoldBackoff, Thresholds};
use serde::{Deserialize, Serialize};

use super::document::Node;
use super::problem::Problems;
use super::raw;
use super::undeclared::unknown_policy;

/// Settings of the automatic rollback of a new version or a policy on trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rollback {
    /// True if rollback is on.
    pub enabled: bool,
    /// Tolerated differences between the new version and the old one.
    pub thresholds: Thresholds,
    /// Time for which a version is watched after it took over.
    pub watch: Duration,
    /// Delay before a version that was rolled back is tried again.
    pub backoff: HoldBackoff,
}

/// A policy on trial at a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Name of the policy on trial.
    pub policy: PolicyName,
    /// Effect of its decisions.
    #[serde(flatten)]
    pub mode: Mode,
}

/// Effect of the decisions of a policy on trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case")]
pub enum Mode {
    /// It is called for every request, and its decisions are only compared.
    Shadow,
    /// It decides a share of the requests.
    Canary {
        /// Percentage of requests: above 0, and at most 100.
        percent: f64,
    },
}

impl Mode {
    /// Returns whether the percentage is in range.
    pub fn is_possible(self) -> bool {
        match self {
            Self::Shadow => true,
            Self::Canary { percent } => percent > 0.0 && percent <= 100.0,
        }
    }
}

pub(super) fn rollback(raw: &raw::Rollback, node: Node<'_>, problems: &mut Problems<'_>) -> Rollback {
    for (key, number, least, what) in [
        ("failure_rate", raw.failure_rate, 0.0, "a share of at least 0"),
        ("error_rate", raw.error_rate, 0.0, "a share of at least 0"),
        ("decision_time", raw.decision_time, 1.0, "a factor of at least 1"),
    ] {
        if !number.is_finite() || number < least {
            problems.add(node.get(key).place(), format!("`{key}` is not {what}"));
        }
    }
    if raw.backoff.get().as_secs() == 0 {
        problems
            .add(node.get("backoff").place(), "`backoff` is shorter than a second")
            .hint("a version that was rolled back would be tried again at once");
    }
    Rollback {
        enabled: raw.enabled,
        thresholds: Thresholds {
            failure_rate: raw.failure_rate,
            error_rate: raw.error_rate,
            decision_time: raw.decision_time,
        },
        watch: raw.watch.get(),
        backoff: HoldBackoff { first: raw.backoff.get(), attempts: raw.attempts },
    }
}

/// Reads `shadow` or `canary` of a route.
pub(super) fn trial(
    raw: &raw::Route,
    node: Node<'_>,
    policies: &[&str],
    problems: &mut Problems<'_>,
) -> Option<Trial> {
    if raw.shadow.is_some() && raw.canary.is_some() {
        problems
            .add(node.get("canary").key(), "the route has a `shadow` and a `canary`")
            .hint("one policy is on trial at a time");
    }
    let (name, mode, place) = match (&raw.shadow, &raw.canary) {
        (_, Some(canary)) => {
            let mode = Mode::Canary { percent: canary.percent };
            (&canary.policy, mode, node.get("canary").get("policy"))
        }
        (Some(shadow), None) => (shadow, Mode::Shadow, node.get("shadow")),
        (None, None) => return None,
    };
    if !mode.is_possible() {
        problems.add(
            node.get("canary").get("percent").place(),
            "`percent` is not a number above 0 and up to 100",
        );
    }
    if !policies.contains(&name.as_str()) {
        unknown_policy(name, policies, place.place(), problems);
    } else if raw.policy.as_ref() == Some(name) {
        problems
            .add(place.place(), format!("the route's own policy `{name}` is on trial"))
            .hint("a new version of a policy is watched without a trial; to try it beside the old one, give it a name of its own");
    }
    Some(Trial { policy: PolicyName::new(name.as_str()), mode })
}
