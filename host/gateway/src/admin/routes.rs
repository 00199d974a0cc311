//! `GET /admin/routes` and `GET /admin/routes/ROUTE`

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use pointsman_admin_api::{
    Comparison, HoldStatus, Promotion, RouteStatus, TrialMode, TrialScore, TrialStatus, ValuePair,
};
use pointsman_config::{self as config, Mode};
use pointsman_domain::ids::{Digest, RouteName};
use pointsman_domain::rollout::Hold;
use pointsman_serving::clock::unix_seconds;
use pointsman_serving::rollout;
use pointsman_serving::rollout::trial::{self, TrialStatsSummary};
use pointsman_serving::snapshot::Snapshot;

use super::error::AdminError;
use super::{Admin, found, policies};

/// Lists the routes in the order of the configuration.
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Json<Vec<RouteStatus>> {
    let (snapshot, state) = (admin.app.snapshot(), admin.reloader.rollouts.state());
    let routes = snapshot.config.routes.iter();
    Json(routes.filter_map(|route| status(&snapshot, &state, route)).collect())
}

/// Returns one route.
pub(super) async fn one(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
) -> Result<Json<RouteStatus>, AdminError> {
    let (snapshot, state) = (admin.app.snapshot(), admin.reloader.rollouts.state());
    let name = RouteName::new(name);
    let route = snapshot.config.route(&name).and_then(|route| status(&snapshot, &state, route));
    Ok(Json(found(route, || format!("there is no route `{name}`"))?))
}

pub(super) fn status(
    snapshot: &Snapshot,
    state: &rollout::RolloutState,
    route: &config::Route,
) -> Option<RouteStatus> {
    let policy = snapshot.policy_of(route);
    let served = snapshot.served.get(route.name.as_str())?;
    let trial = state.trial_of(route, &snapshot.config).map(|trial| TrialStatus {
        policy: trial.policy.to_string(),
        mode: match trial.mode {
            Mode::Shadow => TrialMode::Shadow,
            Mode::Canary { percent } => TrialMode::Canary { percent },
        },
        suspended: served.trial.is_none(),
        score: served.trial.as_ref().map(|served| score(served.stats().summary(trial.mode))),
    });
    Some(RouteStatus {
        name: route.name.to_string(),
        policy: policy.to_string(),
        version: match snapshot.slots.get(policy) {
            Some(slot) => slot.active().version().to_owned(),
            None => policy.to_string(),
        },
        promoted: state
            .promoted(route, &snapshot.config)
            .map(|promoted| Promotion { instead_of: promoted.instead_of.to_string(), at: promoted.at }),
        trial,
        holds: state.routes.get(&route.name).map(|state| holds(&state.holds)).unwrap_or_default(),
    })
}

/// Returns all holds that are remembered, in force or not.
pub(super) fn holds(holds: &BTreeMap<Digest, Hold>) -> Vec<HoldStatus> {
    let now = unix_seconds();
    let status = |(digest, hold): (&Digest, &Hold)| HoldStatus {
        digest: digest.to_string(),
        in_force: hold.is_in_force(now),
        strikes: hold.strikes,
        since: hold.since,
        until: hold.until,
        why: hold.why.clone(),
    };
    holds.iter().map(status).collect()
}

fn score(score: TrialStatsSummary) -> TrialScore {
    let pair = |pair: trial::ComparedMeans| ValuePair {
        active: pair.active,
        trial: pair.trial,
        difference: pair.difference,
    };
    TrialScore {
        version: score.version,
        since: score.since,
        compared: score.compared.map(|compared| Comparison {
            decisions: compared.decisions,
            skipped: compared.skipped,
            agreement: compared.agreement,
            predicted_cost_usd: compared.predicted_cost_usd.map(pair),
            predicted_latency_ms: compared.predicted_latency_ms.map(pair),
        }),
        active: policies::version_stats(score.active),
        trial: policies::version_stats(score.trial),
    }
}
