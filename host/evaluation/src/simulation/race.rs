//! Attempts for a request or for a task, in the order of the domain's rules.

use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::attempts::{AttemptAction, Attempts};
use pointsman_domain::decision::Decision;
use pointsman_domain::model::{Model, Operation};
use pointsman_domain::plan::{CallLimits, OutputLimit, PlanLimits};

use super::call::{Call, CallPlan};
use super::decision::DecisionMaker;
use super::engine::Engine;
use super::events::Event;
use super::fault::Fault;
use super::slab::Key;

/// Attempts of one decision.
#[derive(Debug)]
pub(super) struct Race {
    /// Task that it is for; `None` for the whole request.
    pub(super) task: Option<usize>,
    pub(super) operation: Operation,
    pub(super) attempts: Attempts,
    pub(super) running: Vec<Key>,
    hedge_after: Option<Duration>,
    /// Time at which another target is called as well.
    hedge_at: Option<Duration>,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u32,
    pub(super) streaming: bool,
    /// True if the answer is that of the request.
    pub(super) answers: bool,
    /// Limits of the plan that it belongs to, and that of its task on output tokens.
    pub(super) budget: Option<(PlanLimits, Option<u32>)>,
    first_target: usize,
    pub(super) is_over: bool,
}

/// Purpose of a race.
pub(super) struct RaceSettings {
    pub(super) task: Option<usize>,
    pub(super) operation: Operation,
    pub(super) deadline: Duration,
    pub(super) input_tokens: u64,
    pub(super) answers: bool,
    pub(super) budget: Option<(PlanLimits, Option<u32>)>,
}

impl<M: DecisionMaker> Engine<'_, M> {
    /// Starts the attempts of a decision.
    pub(super) fn start_race(&mut self, key: Key, decision: &Decision, settings: RaceSettings) {
        let RaceSettings { task, operation, deadline, input_tokens, answers, budget } = settings;
        let limits = self.setup.limits.attempts(self.instant(deadline));
        let Some(run) = self.runs.get_mut(key) else { return };
        let index = run.races.len();
        run.races.push(Race {
            task,
            operation,
            attempts: Attempts::new(decision.targets(), limits),
            running: Vec::new(),
            hedge_after: decision.hedge_after(),
            hedge_at: None,
            input_tokens,
            output_tokens: run.request.output_tokens,
            streaming: answers && run.facts.streaming,
            answers,
            budget,
            first_target: decision.targets().first().map_or(0, |target| target.candidate),
            is_over: false,
        });
        if task.is_some() && deadline < run.deadline {
            self.events.add(deadline, Event::TaskDeadline(key, index));
        }
        self.drive(key, index);
    }

    /// Makes the next call, waits for its time, or gives up.
    pub(super) fn drive(&mut self, key: Key, index: usize) {
        let (now, budget) = (self.instant(self.now), self.setup.limits.retry_budget);
        let max_attempts = self.setup.limits.max_attempts;
        loop {
            let Some(run) = self.runs.get_mut(key) else { return };
            let jitter = run.random.unit();
            let Some(race) = run.races.get_mut(index).filter(|race| !race.is_over) else { return };
            match race.attempts.next(now, jitter) {
                AttemptAction::Call { candidate, timeout, is_retry } => {
                    let Some(model) = run.candidates.get(candidate).map(|it| Arc::clone(&it.model)) else {
                        continue;
                    };
                    let permit = is_retry.then(|| model.live.acquire_retry(budget));
                    if let Some(None) = permit {
                        race.attempts.deny_retry();
                        continue;
                    }
                    let more_may_follow = race.attempts.made() < max_attempts;
                    let Some(server) = self.server_of(&model) else { continue };
                    let Some(output_tokens) =
                        self.output_tokens(key, index, (server, &model), more_may_follow)
                    else {
                        continue;
                    };
                    if let Some(race) = self.runs.get_mut(key).and_then(|run| run.races.get_mut(index)) {
                        race.hedge_at = race.hedge_after.map(|wait| self.now + wait);
                        if let Some(at) = race.hedge_at {
                            self.events.add(at, Event::HedgeDue(key, index));
                        }
                    }
                    let permit = permit.flatten();
                    let plan = CallPlan { candidate, model, server, timeout, permit, output_tokens };
                    return self.send(key, index, plan);
                }
                AttemptAction::Wait(wait) if race.running.is_empty() => {
                    return self.events.add(self.now + wait, Event::RetryDue(key, index));
                }
                AttemptAction::GiveUp if race.running.is_empty() => return self.race_lost(key, index),
                // A call is under way and nothing else may start yet.
                AttemptAction::Wait(_) | AttemptAction::GiveUp => return,
            }
        }
    }

    /// Calls another target, because there is no answer yet. A request has one hedge.
    pub(super) fn hedge(&mut self, key: Key, index: usize) {
        let Some(race) = self.runs.get_mut(key).and_then(|run| run.races.get_mut(index)) else { return };
        if race.hedge_at == Some(self.now) && !race.is_over && !race.running.is_empty() {
            race.hedge_after = None;
            race.hedge_at = None;
            self.report.hedges += 1;
            self.drive(key, index);
        }
    }

    /// Returns the tokens that a call gives; `None` if a limit of the plan forbids the call.
    fn output_tokens(
        &mut self,
        key: Key,
        index: usize,
        (server, model): (usize, &Model),
        more_may_follow: bool,
    ) -> Option<u32> {
        let request = &self.runs.get(key)?.request;
        let recorded =
            self.outcome(request, server).map_or(0, |outcome| outcome.output_tokens.round() as u32);
        let run = self.runs.get_mut(key)?;
        let race = run.races.get(index)?;
        let client = run.facts.max_output_tokens.filter(|_| race.answers);
        let window = model.context_window.and_then(|window| {
            window.checked_sub(u32::try_from(race.input_tokens).unwrap_or(u32::MAX)).filter(|left| *left > 0)
        });
        let most = [client, model.max_output_tokens, window].into_iter().flatten().min();
        let length = if race.task.is_none() && recorded > 0 { recorded } else { race.output_tokens };
        let wanted = match race.operation {
            Operation::Embedding | Operation::Moderation | Operation::Speech => 0,
            _ => most.map_or(length, |most| most.min(length)),
        };
        let Some((limits, own)) = race.budget else { return Some(wanted) };
        let output = match (race.operation, own) {
            (Operation::Embedding | Operation::Moderation | Operation::Speech, _) => OutputLimit::AtMost(0),
            (Operation::Transcription | Operation::Translation, _) => OutputLimit::AtMost(race.input_tokens),
            (_, Some(own)) => OutputLimit::AtMost(client.map_or(own, |client| client.min(own)).into()),
            (_, None) => OutputLimit::Share(most.map(u64::from)),
        };
        let call = CallLimits {
            model,
            task: race.task,
            input_tokens: race.input_tokens,
            output,
            answers: 1,
            more_may_follow,
        };
        let limit = run.spending.reserve(run.calls as usize, &call, &limits).ok()?;
        Some(wanted.min(limit))
    }

    /// Handles the first token of the client's answer. No other model may take over from now on.
    pub(super) fn stream_committed(&mut self, key: Key, index: usize, call: Key, candidate: usize) {
        self.end_race(key, index, Some(call));
        if let Some(run) = self.runs.get_mut(key) {
            run.first_token = Some(self.now - run.arrived);
            run.took_over = run.races.get(index).is_some_and(|race| race.first_target != candidate);
        }
        self.cancel_races(key, Some(index));
    }

    /// Handles the end of a call that gave an answer or an output.
    pub(super) fn race_won(&mut self, call: &Call) {
        let (key, index) = (call.run, call.race);
        self.end_race(key, index, None);
        let outcome = self.runs.get(key).and_then(|run| self.outcome(&run.request, call.server));
        let Some(run) = self.runs.get_mut(key) else { return };
        let Some(race) = run.races.get(index) else { return };
        let took_over = race.first_target != call.candidate;
        match race.task {
            Some(task) if !race.answers => {
                self.report.takeovers += u64::from(took_over);
                self.task_done(key, task, call.candidate, call.output_tokens);
            }
            _ => {
                run.took_over = took_over;
                run.answered_by = Some(call.server);
                run.score = outcome.filter(|_| race.task.is_none()).map(|outcome| outcome.score);
                run.first_token.get_or_insert(self.now - run.arrived);
                self.answered(key);
            }
        }
    }

    /// Handles attempts without an answer.
    pub(super) fn race_lost(&mut self, key: Key, index: usize) {
        let Some(race) = self.runs.get_mut(key).and_then(|run| run.races.get_mut(index)) else { return };
        race.is_over = true;
        match race.task {
            Some(task) => self.task_failed(key, task),
            None => self.failed(key, Fault::NoAnswer),
        }
    }

    /// Handles the end of a task's time.
    pub(super) fn task_timed_out(&mut self, key: Key, index: usize) {
        let is_open = |race: &&mut Race| !race.is_over;
        let Some(race) = self.runs.get_mut(key).and_then(|run| run.races.get_mut(index)).filter(is_open)
        else {
            return;
        };
        let Some(task) = race.task else { return };
        self.end_race(key, index, None);
        self.task_failed(key, task);
    }

    /// Ends a race and its calls but one.
    pub(super) fn end_race(&mut self, key: Key, index: usize, kept: Option<Key>) {
        let Some(race) = self.runs.get_mut(key).and_then(|run| run.races.get_mut(index)) else { return };
        race.is_over = true;
        let mut running = std::mem::take(&mut race.running);
        race.running.extend(kept);
        running.retain(|call| Some(*call) != kept);
        for call in running {
            self.cancel_call(call);
        }
    }

    /// Ends all races of a request but one.
    pub(super) fn cancel_races(&mut self, key: Key, kept: Option<usize>) {
        let races = self.runs.get(key).map_or(0, |run| run.races.len());
        for index in (0..races).filter(|index| Some(*index) != kept) {
            self.end_race(key, index, None);
        }
    }
}
