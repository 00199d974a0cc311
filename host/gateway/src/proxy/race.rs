//! Runs a decision: attempt after attempt, or two at once where the policy asks
//! for a hedge, until one has something for the client.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use pointsman_backends::Backend;
use pointsman_domain::attempts::{AttemptAction, AttemptLimits, Attempts};
use pointsman_domain::candidate::Candidate;
use pointsman_domain::decision::Decision;
use pointsman_domain::failure::{CallFailure, CallTimeouts, FailureKind};
use pointsman_domain::ids::{BackendName, ModelId};
use pointsman_domain::model::Model;
use pointsman_domain::plan::PlanLimitExceeded;

use super::attempt::{CallSettings, Committed, ErrorAnswer, Failed, attempt};
use super::outgoing::{Outgoing, Wanted};
use crate::ledger::{Account, CallId};
use crate::memory::{HeldFor, HeldMemory, MemoryLimits};

/// Context of calls of models.
#[derive(Clone, Copy)]
pub(crate) struct CallContext<'a> {
    /// Backends by name.
    pub(crate) backends: &'a HashMap<BackendName, Backend>,
    /// Counter of the memory that answers hold.
    pub(crate) memory: &'a Arc<HeldMemory>,
    /// Limits on that memory.
    pub(crate) memory_limits: MemoryLimits,
}

/// No model answered.
#[derive(Debug, Default)]
pub(crate) struct Exhausted {
    /// What was tried and how it failed, in order.
    pub(crate) failures: Vec<(ModelId, CallFailure)>,
    /// The error of a backend that the client gets: the request is at fault, or no model that
    /// was called supports it.
    pub(crate) answer: Option<Box<ErrorAnswer>>,
    /// Limit of the plan for which a target was not called.
    pub(crate) over_limit: Option<PlanLimitExceeded>,
}

impl Exhausted {
    /// Returns whether it failed because the gateway had no memory left for an answer.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.failures.iter().any(|(_, failure)| failure.kind == FailureKind::NoMemory)
    }

    /// Ends the attempts. That one model does not support the request is the client's business
    /// only if no other might.
    fn given_up(mut self) -> Self {
        let is_unanimous = self.failures.iter().all(|(_, failure)| failure.kind.is_mismatch());
        self.answer = self.answer.filter(|_| is_unanimous && self.over_limit.is_none());
        self
    }

    /// What was tried and how it failed, in words that a client may hear.
    pub(crate) fn for_client(&self) -> String {
        let tried = self.failures.iter();
        let tried = tried.map(|(model, failure)| format!("{model}: {}", failure.kind.for_client()));
        let left_out = self.over_limit.iter().map(ToString::to_string);
        tried.chain(left_out).collect::<Vec<_>>().join("; ")
    }
}

/// An attempt that won.
#[derive(Debug)]
pub(crate) struct Won {
    /// What it brought.
    pub(crate) committed: Committed,
    /// Which candidate it called.
    pub(crate) candidate: usize,
    /// The call in the account.
    pub(crate) call: CallId,
}

/// What an attempt came to.
struct Finished {
    candidate: usize,
    call: CallId,
    result: Result<Committed, Failed>,
}

/// Tries a decision's targets until one answers. Calls are noted in the account.
pub(crate) async fn race(
    calls: CallContext<'_>,
    candidates: &[Candidate],
    decision: &Decision,
    limits: AttemptLimits,
    outgoing: &Outgoing<'_>,
    account: &Account,
) -> Result<Won, Exhausted> {
    let mut attempts = Attempts::new(decision.targets(), limits);
    let mut exhausted = Exhausted::default();
    let mut running = FuturesUnordered::new();
    let mut hedge_after = decision.hedge_after();
    loop {
        match attempts.next(Instant::now(), fastrand::f64()) {
            AttemptAction::Call { candidate, timeout, is_retry } => {
                let model = &candidates[candidate].model;
                let permit = is_retry.then(|| model.live.begin_retry(limits.retry_budget));
                if let Some(None) = permit {
                    attempts.deny_retry();
                    continue;
                }
                let more_may_follow = attempts.made() < limits.max_attempts;
                let (call, limit) = match outgoing.begin_call(model, account, more_may_follow) {
                    Ok(begun) => begun,
                    // Another target may be cheap enough.
                    Err(over_limit) => {
                        exhausted.over_limit = Some(over_limit);
                        continue;
                    }
                };
                let first_byte = model.time_limits.first_byte.map_or(timeout, |limit| limit.min(timeout));
                let settings = CallSettings {
                    max_output_tokens: limit,
                    traceparent: account.traceparent(call),
                    timeouts: CallTimeouts { first_byte, ..limits.timeouts },
                };
                let attempt = one(calls, Arc::clone(model), outgoing, settings);
                running.push(async move {
                    let result = attempt.await;
                    drop(permit);
                    Finished { candidate, call, result }
                });
            }
            AttemptAction::Wait(wait) if running.is_empty() => {
                tokio::time::sleep(wait).await;
                continue;
            }
            AttemptAction::GiveUp if running.is_empty() => return Err(exhausted.given_up()),
            // A call is under way and nothing else may start yet.
            AttemptAction::Wait(_) | AttemptAction::GiveUp => {}
        }
        let Some(Finished { candidate, call, result }) = first(&mut running, hedge_after).await else {
            hedge_after = None;
            continue;
        };
        let model = &candidates[candidate].model;
        match result {
            Ok(committed) => {
                match outgoing.wanted {
                    Wanted::Answer { .. } => account.answering(call, committed.first_token_at),
                    Wanted::Output => account.brought(call, committed.first_token_at),
                }
                return Ok(Won { committed, candidate, call });
            }
            Err(Failed { failure, answer }) => {
                settle(&failure, model, account, call, outgoing.task);
                let is_final = attempts.failed(candidate, &failure)
                    && (outgoing.payload.is_the_clients() || failure.kind == FailureKind::NoMemory);
                if is_final || (failure.kind.is_mismatch() && outgoing.payload.is_the_clients()) {
                    exhausted.answer = answer;
                }
                exhausted.failures.push((model.id.clone(), failure));
                if is_final {
                    return Err(exhausted);
                }
            }
        }
    }
}

async fn one(
    calls: CallContext<'_>,
    model: Arc<Model>,
    outgoing: &Outgoing<'_>,
    settings: CallSettings,
) -> Result<Committed, Failed> {
    match calls.backends.get(&model.backend) {
        Some(backend) => {
            let memory = calls.memory.lease(HeldFor::Answers, calls.memory_limits);
            attempt(backend, model, outgoing, settings, memory).await
        }
        None => Err(FailureKind::Connect("the backend is not configured".to_owned()).into()),
    }
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

/// Books a failed attempt: on the model's health and in the account.
fn settle(failure: &CallFailure, model: &Model, account: &Account, call: CallId, task: Option<usize>) {
    let now = Instant::now();
    if failure.kind.counts_against_health(&model.time_limits.fault_after) {
        model.live.failed(now);
    }
    if let Some(wait) = failure.retry_after {
        model.live.rest(now, wait);
    }
    account.call_failed(call, model, task, failure.kind.clone());
}
