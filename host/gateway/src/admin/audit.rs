//! `GET /admin/audit?limit=100`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pointsman_admin_api::{Actor, AuditEvent, AuditQuery, Role};
use pointsman_serving::rollout::{self, AuditEntry};

use super::Admin;
use super::query::ApiQuery;

/// Events that are listed by default.
const DEFAULT_LIMIT: usize = 100;

/// Lists the newest events first.
pub(super) async fn list(
    State(admin): State<Arc<Admin>>,
    ApiQuery(query): ApiQuery<AuditQuery>,
) -> Json<Vec<AuditEvent>> {
    Json(newest(&admin, query.limit.unwrap_or(DEFAULT_LIMIT)))
}

/// Returns the newest events of the audit log, with changes of conditions, the newest first.
pub(super) fn newest_with_conditions(admin: &Admin, limit: usize) -> Vec<AuditEvent> {
    let mut events = newest(admin, limit);
    events.extend(admin.condition_log.newest(limit));
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    events.truncate(limit);
    events
}

fn newest(admin: &Admin, limit: usize) -> Vec<AuditEvent> {
    admin.reloader.rollouts.audit.newest(limit).iter().map(event).collect()
}

pub(super) fn event(event: &AuditEntry) -> AuditEvent {
    AuditEvent {
        at: event.at,
        who: match &event.who {
            rollout::Actor::Configuration => Actor::Configuration,
            rollout::Actor::Admin(name) => Actor::Admin(name.clone()),
            rollout::Actor::Gateway => Actor::Gateway,
        },
        role: event.role.map(|role| match role {
            rollout::AdminRole::Operator => Role::Operator,
        }),
        action: event.action.clone(),
        policy: event.policy.as_ref().map(ToString::to_string),
        route: event.route.as_ref().map(ToString::to_string),
        model: None,
        key: event.key.as_ref().map(ToString::to_string),
        digest: event.digest.as_ref().map(ToString::to_string),
        from: event.from.as_ref().map(ToString::to_string),
        why: event.why.clone(),
    }
}
