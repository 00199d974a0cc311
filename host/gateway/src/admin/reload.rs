//! `POST /admin/reload`, and reports of reloads

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use pointsman_admin_api::{ConfigResult, PolicyReload, ReloadReport};
use pointsman_serving::reload::{Report, Verdict};

use super::Admin;

/// Reads the configuration and all policies again. The status is 200 if everything is in force,
/// and 422 if something was rejected; the body is the report in both cases.
pub(super) async fn reload(State(admin): State<Arc<Admin>>) -> Response {
    let result = admin.reloader.reload("admin").await;
    let status = if result.is_clean() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, Json(report(&result))).into_response()
}

pub(super) fn report(report: &Report) -> ReloadReport {
    ReloadReport {
        cause: report.cause.to_owned(),
        at: report.at,
        config: match &report.config {
            Verdict::Applied => ConfigResult::Applied,
            Verdict::Rejected(error) => ConfigResult::Rejected(error.clone()),
        },
        policies: report
            .policies
            .iter()
            .map(|policy| PolicyReload {
                name: policy.name.clone(),
                change: policy.change.to_owned(),
                from: policy.from.clone(),
                to: policy.to.clone(),
                error: policy.error.clone(),
            })
            .collect(),
    }
}
