//! Calls of models.

use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::failure::{ErrorCause, FailureKind, TimeLimit};
use pointsman_domain::live::{InFlight, RetryPermit};
use pointsman_domain::model::Model;
use pointsman_domain::usage::Usage;

use super::decision::DecisionMaker;
use super::engine::Engine;
use super::events::Event;
use super::request::PREFIX_BLOCK_TOKENS;
use super::server::Admission;
use super::slab::Key;
use crate::random::Random;

/// Status of a call that finds the queue full.
const TOO_MANY: u16 = 429;
/// Status of a call that fails by chance.
const SERVER_ERROR: u16 = 500;

/// Call of a model.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) run: Key,
    pub(super) race: usize,
    pub(super) candidate: usize,
    pub(super) model: Arc<Model>,
    pub(super) server: usize,
    /// Number among the calls of the request.
    pub(super) number: usize,
    pub(super) sent_at: Duration,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u32,
    pub(super) streaming: bool,
    pub(super) state: CallState,
    pub(super) permit: Option<RetryPermit>,
    pub(super) _in_flight: InFlight,
}

/// Progress of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallState {
    /// The queue is full.
    Rejected,
    Queued,
    /// The model works on it.
    Working(Work),
    /// The first token of its stream has arrived.
    Streaming(Work),
}

/// Work of a model on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work {
    fails: bool,
    cached_tokens: u64,
    first_token_at: Duration,
    ends_at: Duration,
}

/// Call to make.
pub(super) struct CallPlan {
    pub(super) candidate: usize,
    pub(super) model: Arc<Model>,
    pub(super) server: usize,
    /// Longest wait for the first byte.
    pub(super) timeout: Duration,
    pub(super) permit: Option<RetryPermit>,
    pub(super) output_tokens: u32,
}

impl Call {
    fn usage(&self, work: Work) -> Usage {
        Usage {
            cached_input_tokens: work.cached_tokens,
            ..Usage::counted(self.input_tokens, self.output_tokens.into())
        }
    }
}

impl<M: DecisionMaker> Engine<'_, M> {
    /// Sends a call to its model.
    pub(super) fn send(&mut self, key: Key, race_index: usize, plan: CallPlan) {
        let CallPlan { candidate, model, server, timeout, permit, output_tokens } = plan;
        let outcome = self.runs.get(key).and_then(|run| self.outcome(&run.request, server));
        let Some(run) = self.runs.get_mut(key) else { return };
        let number = run.calls as usize;
        run.calls += 1;
        run.add_backend(self.backends[server]);
        let Some(race) = run.races.get_mut(race_index) else { return };
        let counted =
            outcome.filter(|_| race.task.is_none()).map(|outcome| outcome.input_tokens.round() as u64);
        let input_tokens = counted.filter(|tokens| *tokens > 0).unwrap_or(race.input_tokens);
        let streaming = race.streaming;
        let in_flight = model.live.track_call();
        let time_limits = model.time_limits;
        let call = self.calls.insert(Call {
            run: key,
            race: race_index,
            candidate,
            model,
            server,
            number,
            sent_at: self.now,
            input_tokens,
            output_tokens,
            streaming,
            state: CallState::Queued,
            permit,
            _in_flight: in_flight,
        });
        race.running.push(call);
        self.report.models[server].calls += 1;
        let first_byte = time_limits.first_byte.map_or(timeout, |limit| limit.min(timeout));
        let limits = &self.setup.limits.timeouts;
        let answer = limits.answer.filter(|_| !streaming);
        let limit = [Some(first_byte), limits.first_content, answer].into_iter().flatten().min();
        let result_at = match self.servers[server].admit(call, self.now) {
            Admission::Work => self.work(call),
            Admission::Queue => None,
            Admission::Reject => {
                if let Some(call) = self.calls.get_mut(call) {
                    call.state = CallState::Rejected;
                }
                self.events.add(self.now, Event::CallResult(call));
                Some(self.now)
            }
        };
        if let Some(ends) = limit.and_then(|limit| self.now.checked_add(limit))
            && result_at.is_none_or(|at| at > ends)
        {
            self.events.add(ends, Event::CallTimeout(call));
        }
    }

    /// Begins the work on a call that has a place, and returns the time of its first result.
    fn work(&mut self, key: Key) -> Option<Duration> {
        let call = self.calls.get_mut(key)?;
        let run = self.runs.get(call.run)?;
        let server = &mut self.servers[call.server];
        let behaviour = server.behaviour;
        let is_whole = run.races.get(call.race).is_some_and(|race| race.task.is_none());
        let known = if is_whole { server.cache.look_up(&run.request.prefix) } else { 0 };
        // Providers cache whole blocks, and always read at least the last token.
        let cached_tokens =
            (known as u64 * u64::from(PREFIX_BLOCK_TOKENS)).min(call.input_tokens.saturating_sub(1));
        let first_token_at =
            self.now + behaviour.time_to_first_token(call.input_tokens.saturating_sub(cached_tokens));
        let ends_at = first_token_at + behaviour.generation_time(call.output_tokens, call.streaming);
        let mut chance = Random::new(self.setup.seed ^ mixed(run.number, call.number as u64));
        let fails = chance.unit() < behaviour.failure_rate;
        call.state = CallState::Working(Work { fails, cached_tokens, first_token_at, ends_at });
        let result_at = if fails || call.streaming { first_token_at } else { ends_at };
        self.events.add(result_at, Event::CallResult(key));
        Some(result_at)
    }

    /// Handles the first result of a call.
    pub(super) fn call_result(&mut self, key: Key) {
        let Some(call) = self.calls.get_mut(key) else { return };
        match call.state {
            CallState::Rejected => {
                let kind = FailureKind::Status { status: TOO_MANY, cause: ErrorCause::Load };
                self.report.models[call.server].rejected += 1;
                self.call_failed(key, kind);
            }
            CallState::Working(Work { fails: true, .. }) => {
                self.call_failed(key, FailureKind::server_error(SERVER_ERROR));
            }
            CallState::Working(work) if call.streaming => {
                call.state = CallState::Streaming(work);
                call.permit = None;
                let (run, race, candidate) = (call.run, call.race, call.candidate);
                self.events.add(work.ends_at, Event::StreamEnd(key));
                self.stream_committed(run, race, key, candidate);
            }
            CallState::Working(work) => self.call_ended(key, work),
            CallState::Queued | CallState::Streaming(_) => {}
        }
    }

    /// Handles the end of a committed stream.
    pub(super) fn stream_ended(&mut self, key: Key) {
        if let Some(CallState::Streaming(work)) = self.calls.get(key).map(|call| call.state) {
            self.call_ended(key, work);
        }
    }

    /// Handles a call that has given no byte in time.
    pub(super) fn call_timed_out(&mut self, key: Key) {
        let Some(call) = self.calls.get(key) else { return };
        if !matches!(call.state, CallState::Streaming(_)) {
            let waited = self.now - call.sent_at;
            self.report.timeouts += 1;
            self.call_failed(key, FailureKind::Timeout { limit: TimeLimit::FirstByte, waited });
        }
    }

    fn call_ended(&mut self, key: Key, work: Work) {
        let Some(call) = self.remove_call(key) else { return };
        let usage = call.usage(work);
        let (now, tokens) = (self.instant(self.now), u64::from(call.output_tokens));
        if call.streaming {
            let first_token = work.first_token_at - call.sent_at;
            call.model.live.record_stream(now, tokens, first_token, self.now - work.first_token_at);
        } else {
            call.model.live.record_whole_answer(
                &call.model.expected,
                now,
                tokens,
                self.now.saturating_sub(call.sent_at),
            );
        }
        let cost = call.model.price.charge(&usage);
        self.report.models[call.server].add_usage(&usage, cost);
        if let Some(run) = self.runs.get_mut(call.run) {
            run.add_usage(usage, cost, call.race);
            run.spending.settle(call.number, usage, &call.model);
        }
        self.race_won(&call);
    }

    fn call_failed(&mut self, key: Key, kind: FailureKind) {
        let Some(call) = self.remove_call(key) else { return };
        self.report.models[call.server].failed_calls += 1;
        if kind.counts_against_health(&call.model.time_limits.fault_after) {
            call.model.live.record_failure(self.instant(self.now));
        }
        if kind.may_be_charged() {
            self.charge_input(&call);
        } else if let Some(run) = self.runs.get_mut(call.run) {
            run.spending.settle(call.number, Usage::default(), &call.model);
        }
        let Some(run) = self.runs.get_mut(call.run) else { return };
        let Some(race) = run.races.get_mut(call.race) else { return };
        race.running.retain(|running| *running != key);
        race.attempts.record_failure(call.candidate, &kind.into());
        let (run, race) = (call.run, call.race);
        // The permit of a retry is released before the next call is chosen.
        drop(call);
        self.drive(run, race);
    }

    /// Ends a call whose result is not needed. Its input may be charged.
    pub(super) fn cancel_call(&mut self, key: Key) {
        if let Some(call) = self.remove_call(key) {
            self.charge_input(&call);
        }
    }

    fn charge_input(&mut self, call: &Call) {
        let usage = Usage::counted(call.input_tokens, 0).estimated();
        let cost = call.model.price.charge(&usage);
        self.report.models[call.server].add_usage(&usage, cost);
        if let Some(run) = self.runs.get_mut(call.run) {
            run.add_usage(usage, cost, call.race);
        }
    }

    /// Removes a call, and gives its place to the next one in the queue.
    fn remove_call(&mut self, key: Key) -> Option<Call> {
        let call = self.calls.remove(key)?;
        let server = &mut self.servers[call.server];
        match call.state {
            CallState::Rejected => {}
            CallState::Queued => server.leave_queue(self.now),
            CallState::Working(_) | CallState::Streaming(_) => {
                let calls = &self.calls;
                if let Some(next) = server.release(self.now, |key| calls.get(key).is_some()) {
                    self.work(next);
                }
            }
        }
        Some(call)
    }
}

/// Mixes the numbers of a request and of its call into a seed.
pub(super) fn mixed(request: u64, call: u64) -> u64 {
    Random::new(request.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ call.wrapping_mul(0xc2b2_ae3d_27d4_eb4f)).bits()
}
