//! `GET /admin/models` and `GET /admin/usage`

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use pointsman_domain::model::Model;
use serde::Serialize;

use super::Admin;
use crate::ledger::Line;

/// A model with its price and what was measured of it.
#[derive(Debug, Serialize)]
pub(super) struct ModelStatus {
    pub(super) id: String,
    healthy: bool,
    /// True while its backend has asked not to be called.
    resting: bool,
    in_flight: u32,
    first_token_ms: Option<f64>,
    tokens_per_second: Option<f64>,
    error_rate: f64,
    input_usd_per_million: f64,
    output_usd_per_million: f64,
    context_window: Option<u32>,
}

/// All models, in the order of the configuration.
pub(super) async fn models(State(admin): State<Arc<Admin>>) -> Json<Vec<ModelStatus>> {
    let now = Instant::now();
    let snapshot = admin.app.snapshot();
    Json(snapshot.config.models.iter().map(|model| status(model, now)).collect())
}

/// What was used since the start, by route, model and key.
pub(super) async fn usage(State(admin): State<Arc<Admin>>) -> Json<Vec<Line>> {
    Json(admin.app.recorder.ledger.report())
}

pub(super) fn status(model: &Model, now: Instant) -> ModelStatus {
    let live = model.live.snapshot(&model.expected, now);
    ModelStatus {
        id: model.id.to_string(),
        healthy: live.healthy,
        resting: live.resting,
        in_flight: live.in_flight,
        first_token_ms: live.first_token_ms,
        tokens_per_second: live.tokens_per_second,
        error_rate: live.error_rate,
        input_usd_per_million: model.price.input_per_million(),
        output_usd_per_million: model.price.output_per_million(),
        context_window: model.context_window,
    }
}
