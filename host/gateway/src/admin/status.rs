//! `GET /admin/models` and `GET /admin/usage`

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Json;
use axum::extract::State;
use pointsman_admin_api::{FailureCauses, ModelStatus, RequestSums, UsageLine};
use pointsman_domain::candidate::Candidate;
use pointsman_domain::model::Model;
use pointsman_domain::outcome::FailureCounts;
use pointsman_domain::usage_totals::UsageTotals;
use pointsman_record::{CandidateRecord, unix_ms};

use super::Admin;

/// Lists the models in the order of the configuration.
pub(super) async fn models(State(admin): State<Arc<Admin>>) -> Json<Vec<ModelStatus>> {
    let now = Instant::now();
    let snapshot = admin.app.snapshot();
    Json(snapshot.config.models.iter().map(|model| model_status(model, now)).collect())
}

/// Lists usage since the start by route, model and key.
pub(super) async fn usage(State(admin): State<Arc<Admin>>) -> Json<Vec<UsageLine>> {
    let lines = admin.app.recorder.ledger.report().into_iter();
    let line = lines.map(|line| UsageLine {
        route: line.route,
        model: line.model,
        key: line.key,
        sums: sums(&line.totals),
    });
    Json(line.collect())
}

pub(super) fn model_status(model: &Arc<Model>, now: Instant) -> ModelStatus {
    let live = model.live.snapshot(&model.expected, now);
    let candidate = Candidate { model: Arc::clone(model), live };
    let facts = CandidateRecord::new(&candidate);
    let wall_ms = |at: Instant| {
        unix_ms(SystemTime::now()).saturating_sub(milliseconds(now.saturating_duration_since(at)))
    };
    let owned = |words: Vec<Cow<'_, str>>| words.into_iter().map(Cow::into_owned).collect();
    ModelStatus {
        id: facts.model.into_owned(),
        healthy: facts.healthy,
        resting: live.resting,
        down_since_ms: model.live.down_since().map(&wall_ms),
        resting_since_ms: model.live.resting_since(now).map(&wall_ms),
        in_flight: facts.in_flight,
        first_token_ms: facts.first_token_ms,
        tokens_per_second: facts.tokens_per_second,
        error_rate: facts.error_rate,
        input_usd_per_million: facts.input_usd_per_million,
        output_usd_per_million: facts.output_usd_per_million,
        context_window: facts.context_window,
        max_output_tokens: facts.max_output_tokens,
        operations: owned(facts.operations),
        inputs: owned(facts.inputs),
        abilities: owned(facts.abilities),
        quality: facts.quality,
        quality_by_task: facts.quality_by_task.into_owned(),
    }
}

pub(super) fn sums(totals: &UsageTotals) -> RequestSums {
    RequestSums {
        answered: totals.answered,
        failed: totals.failed,
        failed_by: causes(totals.failed_by),
        cancelled: totals.cancelled,
        input_tokens: totals.input_tokens,
        cached_input_tokens: totals.cached_input_tokens,
        output_tokens: totals.output_tokens,
        reasoning_tokens: totals.reasoning_tokens,
        cost_usd: totals.cost.usd(),
        compared_cost_usd: totals.compared_cost.usd(),
        baseline_cost_usd: totals.baseline_cost.usd(),
    }
}

pub(super) fn causes(counts: FailureCounts) -> FailureCauses {
    let FailureCounts { client, model, policy, limit } = counts;
    FailureCauses { client, model, policy, limit }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
