//! `GET /admin/policies`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pointsman_policy::{Grants, Isolation, SlotStatus};
use serde::Serialize;

use super::Admin;
use crate::config::{self, PolicySource};
use crate::reload::Report;
use crate::snapshot::Snapshot;

/// All policies and the last reload.
#[derive(Debug, Serialize)]
pub(super) struct Policies {
    policies: Vec<Policy>,
    last_reload: Option<Report>,
}

/// One policy: what the configuration says and how the loaded version does.
#[derive(Debug, Serialize)]
struct Policy {
    source: String,
    grants: Vec<String>,
    isolation: &'static str,
    routes: Vec<String>,
    #[serde(flatten)]
    status: SlotStatus,
}

/// Lists them in the order of the configuration.
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Json<Policies> {
    let snapshot = admin.app.snapshot();
    let policies = snapshot.config.policies.iter().filter_map(|policy| of(&snapshot, policy)).collect();
    Json(Policies { policies, last_reload: admin.reloader.last() })
}

fn of(snapshot: &Snapshot, policy: &config::Policy) -> Option<Policy> {
    let name = &policy.spec.name;
    let routes = snapshot.config.routes.iter().filter(|route| route.policy == *name);
    Some(Policy {
        source: match &policy.source {
            PolicySource::Builtin(name) => format!("builtin:{name}"),
            PolicySource::File(path) => path.display().to_string(),
        },
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
        routes: routes.map(|route| route.name.to_string()).collect(),
        status: snapshot.slots.get(name)?.status(),
    })
}
