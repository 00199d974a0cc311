//! How new policies and versions are tried, and when they are undone.

use std::time::Duration;

use pointsman_domain::ids::PolicyName;
use pointsman_domain::rollout::{HoldBackoff, Thresholds};
use serde::{Deserialize, Serialize};

use super::document::Node;
use super::problem::Problems;
use super::raw;

/// When a new version or a policy on trial is undone by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rollback {
    /// Whether anything is.
    pub enabled: bool,
    /// How much worse than the old one a new one may be.
    pub thresholds: Thresholds,
    /// How long a version is watched after it took over.
    pub watch: Duration,
    /// How long what was undone is left alone.
    pub backoff: HoldBackoff,
}

/// A policy on trial at a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The policy.
    pub policy: PolicyName,
    /// What it is allowed to do.
    #[serde(flatten)]
    pub mode: Mode,
}

/// What a policy on trial is allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case")]
pub enum Mode {
    /// It is asked about every request, and its answers are only compared.
    Shadow,
    /// It decides a share of the requests.
    Canary {
        /// How many of a hundred: above 0, and at most 100.
        percent: f64,
    },
}

impl Mode {
    /// Whether it is a share that can be.
    pub fn is_possible(self) -> bool {
        match self {
            Self::Shadow => true,
            Self::Canary { percent } => percent > 0.0 && percent <= 100.0,
        }
    }
}

pub(super) fn rollback(raw: &raw::Rollback, node: Node<'_>, problems: &mut Problems<'_>) -> Rollback {
    for (key, number, least, what) in [
        ("failure_rate", raw.failure_rate, 0.0, "a share from 0 on"),
        ("error_rate", raw.error_rate, 0.0, "a share from 0 on"),
        ("decision_time", raw.decision_time, 1.0, "a factor from 1 on"),
    ] {
        if !number.is_finite() || number < least {
            problems.add(node.get(key).place(), format!("`{key}` is not {what}"));
        }
    }
    if raw.backoff.get().as_secs() == 0 {
        problems
            .add(node.get("backoff").place(), "`backoff` is shorter than a second")
            .hint("a version that was undone would come back at once");
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

/// The trial of a route.
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
        problems
            .add(place.place(), format!("unknown policy `{name}`"))
            .did_you_mean(name, policies, "policies");
    } else if raw.policy.as_ref() == Some(name) {
        problems
            .add(place.place(), format!("the route's own policy `{name}` is on trial"))
            .hint("a new version of a policy is watched without a trial; to try it beside the old one, give it a name of its own");
    }
    Some(Trial { policy: PolicyName::new(name.as_str()), mode })
}
