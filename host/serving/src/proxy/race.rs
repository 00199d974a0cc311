//! Attempts of a decision, one after the other, or two at once where the policy hedges, until one
//! gives an answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use pointsman_backends::Backend;
use pointsman_config::MemoryLimits;
use pointsman_domain::attempts::{AttemptAction, AttemptLimits, Attempts};
use pointsman_domain::candidate::Candidate;
use pointsman_domain::decision::Decision;
use pointsman_domain::failure::{CallFailure, CallTimeouts, FailureKind};
use pointsman_domain::ids::{BackendName, ModelId};
use pointsman_domain::model::Model;
use pointsman_domain::plan::PlanLimitExceeded;

use super::attempt::{CallSettings, CommittedAnswer, ErrorAnswer, FailedAttempt, attempt};
use super::call::{OutgoingCall, ResponseMode};
use crate::accounting::{CallId, RequestAccounting};
use crate::memory::{HeldFor, HeldMemory};

/// Context of calls of models.
#[derive(Clone, Copy)]
pub struct CallContext<'a> {
    /// Backends by name.
    pub backends: &'a HashMap<BackendName, Backend>,
    /// Counter of the memory that answers hold.
    pub memory: &'a Arc<HeldMemory>,
    /// AttemptLimits on that memory.
    pub memory_limits: MemoryLimits,
}

/// No model answered.
#[derive(Debug, Default)]
pub struct NoAnswer {
    /// Attempts and their failures, in order.
    pub failures: Vec<(ModelId, CallFailure)>,
    /// The error of a backend to pass on: the request is at fault, or no model that was called
    /// supports it.
    pub answer: Option<Box<ErrorAnswer>>,
    /// Limit of the plan for which a target was not called.
    pub over_limit: Option<PlanLimitExceeded>,
}

impl NoAnswer {
    /// Returns whether the gateway had no memory left for an answer.
    pub fn is_out_of_memory(&self) -> bool {
        self.failures.iter().any(|(_, failure)| failure.kind == FailureKind::NoMemory)
    }

    /// Ends the attempts. An error that says that one model does not support the request is passed
    /// on only if all models say so.
    fn finish(mut self) -> Self {
        let is_unanimous = self.failures.iter().all(|(_, failure)| failure.kind.is_mismatch());
        self.answer = self.answer.filter(|_| is_unanimous && self.over_limit.is_none());
        self
    }

    /// Lists attempts and failures for the client, without details of the network behind the
    /// gateway.
    pub fn summary(&self) -> String {
        let tried = self.failures.iter();
        let tried = tried.map(|(model, failure)| format!("{model}: {}", failure.kind.client_message()));
        let left_out = self.over_limit.iter().map(ToString::to_string);
        tried.chain(left_out).collect::<Vec<_>>().join("; ")
    }
}

/// The attempt that gave an answer.
#[derive(Debug)]
pub struct WinningAttempt {
    /// The answer.
    pub committed: CommittedAnswer,
    /// The candidate that was called, by index.
    pub candidate: usize,
    /// The call in the accounting.
    pub call: CallId,
}

/// The end of an attempt.
struct AttemptResult {
    candidate: usize,
    call: CallId,
    result: Result<CommittedAnswer, FailedAttempt>,
}

/// Tries the targets of a decision until one answers. Each call is recorded in the accounting.
pub async fn race(
    calls: CallContext<'_>,
    candidates: &[Candidate],
    decision: &Decision,
    limits: AttemptLimits,
    outgoing: &OutgoingCall<'_>,
    accounting: &RequestAccounting,
) -> Result<WinningAttempt, NoAnswer> {
    let mut attempts = Attempts::new(decision.targets(), limits);
    let mut no_answer = NoAnswer::default();
    let mut running = FuturesUnordered::new();
    let mut hedge_after = decision.hedge_after();
    loop {
        match attempts.next(Instant::now(), fastrand::f64()) {
            AttemptAction::Call { candidate, timeout, is_retry } => {
                let model = &candidates[candidate].model;
                let permit = is_retry.then(|| model.live.acquire_retry(limits.retry_budget));
                if let Some(None) = permit {
                    attempts.deny_retry();
                    continue;
                }
                let more_may_follow = attempts.made() < limits.max_attempts;
                let (call, limit) = match outgoing.begin_call(model, accounting, more_may_follow) {
                    Ok(begun) => begun,
                    // Another target may be cheap enough.
                    Err(over_limit) => {
                        no_answer.over_limit = Some(over_limit);
                        continue;
                    }
                };
                let first_byte = model.time_limits.first_byte.map_or(timeout, |limit| limit.min(timeout));
                let settings = CallSettings {
                    max_output_tokens: limit,
                    traceparent: accounting.traceparent(call),
                    decision_id: accounting.id(),
                    timeouts: CallTimeouts { first_byte, ..limits.timeouts },
                };
                let attempt = one(calls, Arc::clone(model), outgoing, settings);
                running.push(async move {
                    let result = attempt.await;
                    drop(permit);
                    AttemptResult { candidate, call, result }
                });
            }
            AttemptAction::Wait(wait) if running.is_empty() => {
                tokio::time::sleep(wait).await;
                continue;
            }
            AttemptAction::GiveUp if running.is_empty() => return Err(no_answer.finish()),
            // A call is under way and nothing else may start yet.
            AttemptAction::Wait(_) | AttemptAction::GiveUp => {}
        }
        let Some(AttemptResult { candidate, call, result }) = first(&mut running, hedge_after).await else {
            hedge_after = None;
            continue;
        };
        let model = &candidates[candidate].model;
        match result {
            Ok(committed) => {
                match outgoing.mode {
                    ResponseMode::Answer { .. } => {
                        accounting.calls().record_first_token(call, committed.first_token_at)
                    }
                    ResponseMode::Output => accounting.calls().record_output(call, committed.first_token_at),
                }
                return Ok(WinningAttempt { committed, candidate, call });
            }
            Err(FailedAttempt { failure, answer }) => {
                record_failure(&failure, model, accounting, call, outgoing.task);
                let is_final = attempts.record_failure(candidate, &failure)
                    && (outgoing.content.is_of_client() || failure.kind == FailureKind::NoMemory);
                if is_final || (failure.kind.is_mismatch() && outgoing.content.is_of_client()) {
                    no_answer.answer = answer;
                }
                no_answer.failures.push((model.id.clone(), failure));
                if is_final {
                    return Err(no_answer);
                }
            }
        }
    }
}

async fn one(
    calls: CallContext<'_>,
    model: Arc<Model>,
    outgoing: &OutgoingCall<'_>,
    settings: CallSettings<'_>,
) -> Result<CommittedAnswer, FailedAttempt> {
    match calls.backends.get(&model.backend) {
        Some(backend) => {
            let memory = calls.memory.lease(HeldFor::Answers, calls.memory_limits);
            attempt(backend, model, outgoing, settings, memory).await
        }
        None => Err(FailureKind::Connect("the backend is not configured".to_owned()).into()),
    }
}

/// Waits for the first attempt to end; `None` when it is time for the request's one hedge.
async fn first<F>(running: &mut FuturesUnordered<F>, hedge_after: Option<Duration>) -> Option<AttemptResult>
where
    F: Future<Output = AttemptResult>,
{
    match hedge_after {
        Some(wait) => tokio::time::timeout(wait, running.next()).await.ok().flatten(),
        None => running.next().await,
    }
}

/// Records a failed attempt in the health of the model and in the accounting.
fn record_failure(
    failure: &CallFailure,
    model: &Model,
    accounting: &RequestAccounting,
    call: CallId,
    task: Option<usize>,
) {
    let now = Instant::now();
    if failure.kind.counts_against_health(&model.time_limits.fault_after) {
        model.live.record_failure(now);
    }
    if let Some(wait) = failure.retry_after {
        model.live.record_backoff_request(now, wait);
    }
    accounting.record_failure(call, model, task, failure.kind.clone());
}
