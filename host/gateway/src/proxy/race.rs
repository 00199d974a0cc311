//! Runs a decision: attempt after attempt, or two at once where the policy asks
//! for a hedge, until one has something for the client.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use pointsman_backends::Backend;
use pointsman_domain::attempts::{Attempts, Limits, Next};
use pointsman_domain::candidate::Candidate;
use pointsman_domain::decision::Decision;
use pointsman_domain::failure::{CallFailure, FailureKind};
use pointsman_domain::ids::{BackendName, ModelId};
use pointsman_domain::model::Model;

use super::attempt::{Committed, ErrorAnswer, Failed, Outgoing, attempt};
use crate::ledger::Account;

/// No model answered.
#[derive(Debug, Default)]
pub(crate) struct Exhausted {
    /// What was tried and how it failed, in order.
    pub(crate) failures: Vec<(ModelId, CallFailure)>,
    /// A backend's words that the client should hear: the request is at fault.
    pub(crate) words: Option<Box<ErrorAnswer>>,
}

/// What an attempt of a candidate came to.
type Finished = (usize, Result<Committed, Failed>);

/// Tries a decision's targets until one answers.
pub(crate) async fn race(
    backends: &HashMap<BackendName, Backend>,
    candidates: &[Candidate],
    decision: &Decision,
    limits: Limits,
    outgoing: &Outgoing,
    account: &mut Account,
) -> Result<Committed, Exhausted> {
    let mut attempts = Attempts::new(decision.targets(), limits);
    let mut exhausted = Exhausted::default();
    let mut running = FuturesUnordered::new();
    let mut hedge_after = decision.hedge_after();
    loop {
        match attempts.next(Instant::now(), fastrand::f64()) {
            Next::Call { candidate, timeout } => {
                let model = &candidates[candidate].model;
                account.sent(model);
                running.push(one(backends, candidate, Arc::clone(model), outgoing, timeout));
            }
            Next::Wait(wait) if running.is_empty() => {
                tokio::time::sleep(wait).await;
                continue;
            }
            Next::GiveUp if running.is_empty() => return Err(exhausted),
            // A call is under way and nothing else may start yet.
            Next::Wait(_) | Next::GiveUp => {}
        }
        let Some((candidate, result)) = first(&mut running, hedge_after).await else {
            hedge_after = None;
            continue;
        };
        let model = &candidates[candidate].model;
        match result {
            Ok(committed) => {
                account.answering(model, committed.first_token_at);
                return Ok(committed);
            }
            Err(Failed { failure, words }) => {
                settle(&failure, model, account);
                let is_final = attempts.failed(candidate, &failure);
                exhausted.failures.push((model.id.clone(), failure));
                if is_final {
                    exhausted.words = words;
                    return Err(exhausted);
                }
            }
        }
    }
}

async fn one(
    backends: &HashMap<BackendName, Backend>,
    candidate: usize,
    model: Arc<Model>,
    outgoing: &Outgoing,
    timeout: Duration,
) -> Finished {
    let result = match backends.get(&model.backend) {
        Some(backend) => attempt(backend, model, outgoing, timeout).await,
        None => Err(FailureKind::Connect("the backend is not configured".to_owned()).into()),
    };
    (candidate, result)
}

/// The first attempt to finish; `None` when it is time for the request's one hedge.
async fn first<F>(running: &mut FuturesUnordered<F>, hedge_after: Option<Duration>) -> Option<Finished>
where
    F: Future<Output = Finished>,
{
    match hedge_after {
        Some(wait) => tokio::time::timeout(wait, running.next()).await.ok().flatten(),
        None => running.next().await,
    }
}

/// Books a failed attempt: on the model's health, and off the account where no
/// work was done.
fn settle(failure: &CallFailure, model: &Model, account: &mut Account) {
    tracing::info!(model = %model.id, "an attempt failed: {failure}");
    if failure.kind.is_models_fault() {
        model.live.failed(Instant::now());
    }
    if matches!(failure.kind, FailureKind::Connect(_) | FailureKind::Status(_)) {
        account.turned_away(&model.id);
    }
}
