//! `GET /admin/policies`: what serves under each name, and how it does.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use pointsman_domain::ids::PolicyName;
use pointsman_policy::{Grants, Isolation, RecordStatus, Rejected, SlotStatus};
use serde::Serialize;

use super::Admin;
use super::operate::found;
use super::routes::Held;
use crate::client::error::ApiError;
use crate::config;
use crate::reload::Report;
use crate::rollout;
use crate::rollout::state::Chosen;
use crate::snapshot::{Snapshot, UnavailablePolicy};

/// All policies and the last reload.
#[derive(Debug, Serialize)]
pub(super) struct Policies {
    policies: Vec<Policy>,
    last_reload: Option<Report>,
}

/// One policy: what the configuration says and how the loaded version does.
#[derive(Debug, Serialize)]
pub(super) struct Policy {
    source: String,
    grants: Vec<String>,
    isolation: &'static str,
    /// Where it decides.
    routes: Vec<String>,
    /// Where it is on trial.
    on_trial: Vec<String>,
    /// The version that serves whatever the source says.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen: Option<Chosen>,
    /// Versions that may not serve.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    holds: Vec<Held>,
    /// False while no version could be loaded: `rejected` says why.
    loaded: bool,
    #[serde(flatten)]
    status: SlotStatus,
}

/// Lists them in the order of the configuration.
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Json<Policies> {
    let (snapshot, state) = (admin.app.snapshot(), admin.reloader.rollouts.state());
    let policies = snapshot.config.policies.iter();
    let policies = policies.filter_map(|policy| of(&snapshot, &state, policy)).collect();
    Json(Policies { policies, last_reload: admin.reloader.last() })
}

/// One of them.
pub(super) async fn one(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
) -> Result<Json<Policy>, ApiError> {
    let (snapshot, state) = (admin.app.snapshot(), admin.reloader.rollouts.state());
    let name = PolicyName::new(name);
    let policy = snapshot.config.policy(&name).and_then(|policy| of(&snapshot, &state, policy));
    Ok(Json(found(policy, || format!("there is no policy `{name}`"))?))
}

pub(super) fn of(snapshot: &Snapshot, state: &rollout::State, policy: &config::Policy) -> Option<Policy> {
    let name = &policy.spec.name;
    let config = &snapshot.config;
    let routes = |here: &dyn Fn(&config::Route) -> bool| {
        config.routes.iter().filter(|route| here(route)).map(|route| route.name.to_string()).collect()
    };
    let decided = state.policy(name);
    let (loaded, status) = match snapshot.slots.get(name) {
        Some(slot) => (true, slot.status()),
        None => (false, unavailable(name, snapshot.unavailable.get(name)?)),
    };
    Some(Policy {
        source: policy.source.to_string(),
        grants: policy
            .spec
            .grants
            .iter_names()
            .map(|(name, _): (&str, Grants)| name.to_lowercase())
            .collect(),
        isolation: match policy.spec.isolation {
            Isolation::Fresh => "fresh",
            Isolation::Warm { .. } => "warm",
        },
        routes: routes(&|route| snapshot.policy_of(route) == name),
        on_trial: routes(&|route| state.trial_of(route, config).is_some_and(|trial| trial.policy == *name)),
        chosen: decided.and_then(|decided| decided.chosen),
        holds: decided.map(|decided| Held::all(&decided.holds)).unwrap_or_default(),
        loaded,
        status,
    })
}

/// The status of a policy without any version, with the members of one that has a version.
fn unavailable(name: &PolicyName, policy: &UnavailablePolicy) -> SlotStatus {
    SlotStatus {
        name: name.to_string(),
        active: String::new(),
        previous: None,
        loaded_at: 0,
        swaps: 0,
        decisions: 0,
        failures: Vec::new(),
        rejected: Some(Rejected { digest: None, error: policy.error.clone(), at: policy.at }),
        active_record: RecordStatus::default(),
        previous_record: None,
    }
}
