//! `GET /admin/routes`: who decides at each, and which policy is on trial.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use pointsman_domain::ids::{Digest, RouteName};
use pointsman_domain::rollout::Hold;
use serde::Serialize;

use super::Admin;
use super::operate::found;
use crate::client::error::ApiError;
use crate::clock::unix_seconds;
use crate::config::{self, Mode};
use crate::rollout;
use crate::rollout::trial::ScoreStatus;
use crate::snapshot::Snapshot;

/// One route.
#[derive(Debug, Serialize)]
pub(super) struct Route {
    name: String,
    /// The policy that decides.
    policy: String,
    /// Name and digest of the version that does; the name alone while none is loaded.
    version: String,
    /// When it took over from the policy that the configuration names.
    #[serde(skip_serializing_if = "Option::is_none")]
    promoted: Option<Promoted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trial: Option<Trial>,
    /// Versions that may not decide here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    holds: Vec<Held>,
}

#[derive(Debug, Serialize)]
struct Promoted {
    instead_of: String,
    /// In seconds since 1970.
    at: u64,
}

/// The policy on trial, and how it does.
#[derive(Debug, Serialize)]
struct Trial {
    policy: String,
    #[serde(flatten)]
    mode: Mode,
    /// That it does not decide for now, because its version is on hold.
    suspended: bool,
    /// Absent while it is suspended.
    #[serde(flatten)]
    score: Option<ScoreStatus>,
}

/// A version on hold.
#[derive(Debug, Serialize)]
pub(super) struct Held {
    digest: String,
    /// Whether it still is, or is only remembered for the next time.
    in_force: bool,
    #[serde(flatten)]
    hold: Hold,
}

/// Lists them in the order of the configuration.
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Json<Vec<Route>> {
    let (snapshot, state) = (admin.app.snapshot(), admin.reloader.rollouts.state());
    Json(snapshot.config.routes.iter().filter_map(|route| of(&snapshot, &state, route)).collect())
}

/// One of them.
pub(super) async fn one(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
) -> Result<Json<Route>, ApiError> {
    let (snapshot, state) = (admin.app.snapshot(), admin.reloader.rollouts.state());
    let name = RouteName::new(name);
    let route = snapshot.config.route(&name).and_then(|route| of(&snapshot, &state, route));
    Ok(Json(found(route, || format!("there is no route `{name}`"))?))
}

pub(super) fn of(snapshot: &Snapshot, state: &rollout::State, route: &config::Route) -> Option<Route> {
    let policy = snapshot.policy_of(route);
    let served = snapshot.served.get(route.name.as_str())?;
    let trial = state.trial_of(route, &snapshot.config).map(|trial| Trial {
        policy: trial.policy.to_string(),
        mode: trial.mode,
        suspended: served.trial.is_none(),
        score: served.trial.as_ref().map(|trial| trial.score().status(trial.mode)),
    });
    let holds = state.routes.get(&route.name).map(|state| Held::all(&state.holds)).unwrap_or_default();
    Some(Route {
        name: route.name.to_string(),
        policy: policy.to_string(),
        version: match snapshot.slots.get(policy) {
            Some(slot) => slot.active().version().to_owned(),
            None => policy.to_string(),
        },
        promoted: state
            .promoted(route, &snapshot.config)
            .map(|promoted| Promoted { instead_of: promoted.instead_of.to_string(), at: promoted.at }),
        trial,
        holds,
    })
}

impl Held {
    /// All that are remembered, in force or not.
    pub(super) fn all(holds: &BTreeMap<Digest, Hold>) -> Vec<Self> {
        let now = unix_seconds();
        let held = |(digest, hold): (&Digest, &Hold)| Self {
            digest: digest.to_string(),
            in_force: hold.is_in_force(now),
            hold: hold.clone(),
        };
        holds.iter().map(held).collect()
    }
}
