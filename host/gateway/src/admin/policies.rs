//! `GET /admin/policies` and `GET /admin/policies/POLICY`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use pointsman_admin_api::{
    ChosenVersion, DeclaredAnswer, DescriptionStatus, OverrideKind, PolicyList, PolicyStatus,
    RejectedVersion, SettingStatus, VersionStats,
};
use pointsman_config as config;
use pointsman_domain::ids::PolicyName;
use pointsman_policy::description::{self, SettingRow};
use pointsman_policy::{Isolation, PolicyStatsSummary, SelfDescription, SlotStatus};
use pointsman_serving::rollout;
use pointsman_serving::rollout::state::{OverrideKind as StoredOverride, VersionOverride};
use pointsman_serving::snapshot::{Snapshot, UnavailablePolicy};

use super::error::AdminError;
use super::{Admin, found, reload, routes};

/// Lists the policies in the order of the configuration.
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Json<PolicyList> {
    let (snapshot, state) = (admin.app.snapshot(), admin.reloader.rollouts.state());
    let policies = snapshot.config.policies.iter();
    let policies = policies.filter_map(|policy| described(&snapshot, &state, policy)).collect();
    Json(PolicyList { policies, last_reload: admin.reloader.last().as_ref().map(reload::report) })
}

/// Returns one policy.
pub(super) async fn one(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
) -> Result<Json<PolicyStatus>, AdminError> {
    let (snapshot, state) = (admin.app.snapshot(), admin.reloader.rollouts.state());
    let name = PolicyName::new(name);
    let policy = snapshot.config.policy(&name).and_then(|policy| described(&snapshot, &state, policy));
    Ok(Json(found(policy, || format!("there is no policy `{name}`"))?))
}

/// Returns the status with the description of the active version.
fn described(
    snapshot: &Snapshot,
    state: &rollout::RolloutState,
    policy: &config::Policy,
) -> Option<PolicyStatus> {
    let active = snapshot.slots.get(&policy.spec.name).map(|slot| slot.active());
    let description = active.as_ref().and_then(|active| description(active.description()));
    Some(PolicyStatus { description, ..status(snapshot, state, policy)? })
}

/// Returns what the file of a policy says about it, if it says anything.
fn description(read: &SelfDescription) -> Option<DescriptionStatus> {
    if *read == SelfDescription::default() {
        return None;
    }
    let content = read.content.clone().unwrap_or_default();
    let answers = |answers: Vec<description::DeclaredAnswer>| {
        answers
            .into_iter()
            .map(|answer| DeclaredAnswer { name: answer.name, meaning: answer.meaning })
            .collect()
    };
    let setting = |row: SettingRow| SettingStatus {
        name: row.name,
        expected: row.expected,
        required: row.required,
        default: row.default,
        description: row.description,
    };
    Some(DescriptionStatus {
        title: content.title,
        description: content.description,
        homepage: content.homepage,
        license: content.license,
        labels: answers(content.labels),
        refusals: answers(content.refusals),
        settings: read.settings_rows().into_iter().map(setting).collect(),
        problems: read.problems.iter().map(ToString::to_string).collect(),
    })
}

pub(super) fn status(
    snapshot: &Snapshot,
    state: &rollout::RolloutState,
    policy: &config::Policy,
) -> Option<PolicyStatus> {
    let name = &policy.spec.name;
    let config = &snapshot.config;
    let routes = |applies: &dyn Fn(&config::Route) -> bool| {
        config.routes.iter().filter(|route| applies(route)).map(|route| route.name.to_string()).collect()
    };
    let decided = state.policy(name);
    let versions = match snapshot.slots.get(name) {
        Some(slot) => loaded(slot.status()),
        None => unavailable(name, snapshot.unavailable.get(name)?),
    };
    Some(PolicyStatus {
        source: policy.source.to_string(),
        grants: policy.spec.grants.names(),
        isolation: match policy.spec.isolation {
            Isolation::Fresh => "fresh".to_owned(),
            Isolation::Warm { .. } => "warm".to_owned(),
        },
        routes: routes(&|route| snapshot.policy_of(route) == name),
        on_trial: routes(&|route| state.trial_of(route, config).is_some_and(|trial| trial.policy == *name)),
        chosen: decided.and_then(|decided| decided.chosen).map(chosen),
        holds: decided.map(|decided| routes::holds(&decided.holds)).unwrap_or_default(),
        ..versions
    })
}

/// The part of the status that a slot knows.
fn loaded(slot: SlotStatus) -> PolicyStatus {
    PolicyStatus {
        loaded: true,
        name: slot.name,
        active: slot.active,
        previous: slot.previous,
        loaded_at: slot.loaded_at,
        swaps: slot.swaps,
        decisions: slot.decisions,
        failures: failures(slot.failures),
        rejected: slot.rejected.map(|rejected| RejectedVersion {
            digest: rejected.digest,
            error: rejected.error,
            at: rejected.at,
        }),
        active_record: version_stats(slot.active_record),
        previous_record: slot.previous_record.map(version_stats),
        ..PolicyStatus::default()
    }
}

/// The same part for a policy of which no version could be loaded.
fn unavailable(name: &PolicyName, policy: &UnavailablePolicy) -> PolicyStatus {
    PolicyStatus {
        loaded: false,
        name: name.to_string(),
        rejected: Some(RejectedVersion { digest: None, error: policy.error.clone(), at: policy.at }),
        ..PolicyStatus::default()
    }
}

fn chosen(chosen: VersionOverride) -> ChosenVersion {
    ChosenVersion {
        digest: chosen.digest.to_string(),
        how: match chosen.how {
            StoredOverride::Pinned => OverrideKind::Pinned,
            StoredOverride::Uploaded => OverrideKind::Uploaded,
        },
        before: chosen.before.map(|digest| digest.to_string()),
    }
}

pub(super) fn version_stats(stats: PolicyStatsSummary) -> VersionStats {
    VersionStats {
        decisions: stats.decisions,
        failures: failures(stats.failures),
        decision_us_p50: stats.decision_us_p50,
        decision_us_p99: stats.decision_us_p99,
        requests: stats.requests,
        errors: stats.errors,
        mean_cost_usd: stats.mean_cost_usd,
        mean_latency_ms: stats.mean_latency_ms,
    }
}

fn failures(by_reason: Vec<(&'static str, u64)>) -> Vec<(String, u64)> {
    by_reason.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect()
}
