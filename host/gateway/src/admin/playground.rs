//! `POST /admin/playground`: one request, run by a policy and explained. Nothing of it enters the snapshot:
//! it runs in a process of its own, with an empty state.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use pointsman_admin_api::{PlaygroundProblem, PlaygroundRequest, PlaygroundRun};
use pointsman_domain::ids::PolicyName;
use pointsman_policy::PolicySpec;
use serde_json::json;
use tokio::sync::Semaphore;

use super::error::{AdminError, AdminErrorKind};
use super::operator_request::{invalid_body, read_json_within};
use super::{Admin, found};
use crate::playground::{self, RunCaseInput, RunCaseOutput};

/// Limit on the body, in bytes: a policy of 32 MiB in base64, and a case.
const MAX_BODY: usize = 60 << 20;
/// Name of uploaded policies in messages.
const UPLOADED: &str = "uploaded";

/// The playground: one run at a time.
#[derive(Debug)]
pub(crate) struct Playground(Arc<Semaphore>);

impl Default for Playground {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// Runs a case.
pub(super) async fn run(
    State(admin): State<Arc<Admin>>,
    body: Body,
) -> Result<Json<PlaygroundRun>, AdminError> {
    // Before the body is read, so that only one is held.
    let permit = Arc::clone(&admin.playground.0).try_acquire_owned().map_err(|_| {
        let message = "the playground runs one request at a time, and another one is under way; try again";
        AdminError::new(AdminErrorKind::Conflict, message).code("playground_busy")
    })?;
    let request: PlaygroundRequest = read_json_within(body, MAX_BODY).await?;
    let input = input(&admin, request).await?;
    let output = tokio::task::spawn_blocking(move || {
        // Held until the process has ended, even if the client has gone.
        let _permit = permit;
        playground::run(&input)
    });
    let output = output.await.unwrap_or_else(|error| RunCaseOutput::Failed(error.to_string()));
    Ok(Json(described(output)))
}

/// Finds the policy. One that is loaded runs with its own settings and grants, unless the case states others.
async fn input(admin: &Admin, request: PlaygroundRequest) -> Result<RunCaseInput, AdminError> {
    let PlaygroundRequest { policy, code, case } = request;
    match (policy, code) {
        (Some(name), None) => {
            let policy = PolicyName::new(name.as_str());
            let snapshot = admin.app.snapshot();
            let slot = found(snapshot.slots.get(&policy), || format!("there is no policy `{name}`"))?;
            let version = slot.active();
            let code = admin.reloader.active_code(&policy).await?;
            let code = BASE64.encode(code.bytes());
            Ok(RunCaseInput { name, code, shared: shared(version.spec()), case })
        }
        (None, Some(code)) => {
            Ok(RunCaseInput { name: UPLOADED.to_owned(), code, shared: "{}".to_owned(), case })
        }
        _ => Err(invalid_body(
            "state either `policy`, the name of a loaded policy, or `code`, a WebAssembly file in base64"
                .to_owned(),
        )
        .param("policy")),
    }
}

/// Returns what a case inherits from the configuration of a policy.
fn shared(spec: &PolicySpec) -> String {
    let settings: serde_json::Value = serde_json::from_str(&spec.settings).unwrap_or_else(|_| json!({}));
    json!({ "settings": settings, "grants": spec.grants.names() }).to_string()
}

fn described(output: RunCaseOutput) -> PlaygroundRun {
    let problem = |kind: &str, message: String| PlaygroundRun {
        report: None,
        problem: Some(PlaygroundProblem { kind: kind.to_owned(), message }),
    };
    match output {
        RunCaseOutput::Report(report) => PlaygroundRun { report: Some(report), problem: None },
        RunCaseOutput::InvalidCase(message) => problem("invalid-case", message),
        RunCaseOutput::NotLoaded(message) => problem("not-loaded", message),
        RunCaseOutput::Failed(message) => problem("failed", message),
    }
}
