//! The simulation's clock, and what happens to a request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_domain::candidate::Candidate;
use pointsman_domain::decision::Decision;
use pointsman_domain::model::Model;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Outcome, RequestEnd};
use pointsman_domain::plan::{PlanLimits, PlanSpending};
use pointsman_domain::request::RequestFacts;
use pointsman_domain::usage::Usage;

use super::call::{Call, mixed};
use super::decision::{Action, DecisionMaker, DecisionQuery, Selection};
use super::events::{Event, EventQueue};
use super::fault::Fault;
use super::model::SimulatedModel;
use super::plan::PlanRun;
use super::race::{Race, RaceSettings};
use super::report::{ModelReport, SimulationReport};
use super::request::{RequestLimits, SimulatedRequest};
use super::server::Server;
use super::slab::{Key, Slab};
use crate::graded::GradedOutcome;
use crate::random::Random;

/// Requests from one report of the progress to the next.
const PROGRESS_STEP: u64 = 1_000;

/// Settings of a simulation.
#[derive(Clone, Debug)]
pub struct SimulationSetup {
    /// Models of the route, in its order.
    pub models: Vec<SimulatedModel>,
    /// Limits of the route.
    pub limits: RequestLimits,
    /// Seed of failures and of the jitter of retries.
    pub seed: u64,
    /// Time that stands for the start. Only differences from it matter.
    pub start: Instant,
    /// Most requests in flight, which bounds the memory: each takes about 2 KiB.
    pub max_in_flight: usize,
}

/// Reason for which a simulation has no results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimulationError {
    /// Requests arrive faster than they end.
    #[error(
        "{in_flight} requests are in flight after {} s: they arrive faster than the models answer",
        after.as_secs()
    )]
    Overload {
        /// Requests in flight.
        in_flight: usize,
        /// Simulated time at which the limit was reached.
        after: Duration,
    },
}

/// Request in flight.
pub(super) struct Run {
    /// Number among all requests.
    pub(super) number: u64,
    pub(super) request: SimulatedRequest,
    pub(super) facts: Arc<RequestFacts>,
    pub(super) arrived: Duration,
    pub(super) deadline: Duration,
    pub(super) random: Random,
    pub(super) candidates: Arc<[Candidate]>,
    pub(super) whole: usize,
    pub(super) stage: usize,
    label: String,
    pub(super) races: Vec<Race>,
    pub(super) plan: Option<PlanRun>,
    pub(super) spending: PlanSpending,
    pub(super) calls: u32,
    pub(super) depth: u32,
    usage: Usage,
    cost: Picodollars,
    /// Backends that were called, by number.
    backends: Vec<usize>,
    pub(super) first_token: Option<Duration>,
    pub(super) answered_by: Option<usize>,
    /// Recorded score of the answer, if it is known.
    pub(super) score: Option<f64>,
    pub(super) took_over: bool,
}

impl Run {
    pub(super) fn add_usage(&mut self, usage: Usage, cost: Picodollars, race: usize) {
        self.usage = self.usage + usage;
        self.cost += cost;
        let task = self.races.get(race).and_then(|race| race.task);
        if let (Some(task), Some(plan)) = (task, &mut self.plan) {
            plan.add_usage(task, usage, cost);
        }
    }

    pub(super) fn add_backend(&mut self, backend: usize) {
        if !self.backends.contains(&backend) {
            self.backends.push(backend);
        }
    }
}

/// State of a simulation.
pub(super) struct Engine<'s, M> {
    pub(super) setup: &'s SimulationSetup,
    pub(super) maker: &'s mut M,
    models: Vec<Arc<Model>>,
    pub(super) servers: Vec<Server>,
    /// Number of the backend of each model.
    pub(super) backends: Vec<usize>,
    pub(super) events: EventQueue,
    pub(super) runs: Slab<Run>,
    pub(super) calls: Slab<Call>,
    pub(super) report: SimulationReport,
    pub(super) now: Duration,
    arrived: u64,
}

/// Simulates requests, which arrive in the order of their times, until each has ended. `progress` gets the
/// number of requests that have arrived, from time to time.
///
/// # Errors
/// Fails if requests arrive faster than they end, for longer than the memory lasts.
pub fn simulate<M: DecisionMaker>(
    setup: &SimulationSetup,
    requests: impl IntoIterator<Item = SimulatedRequest>,
    maker: &mut M,
    progress: &mut dyn FnMut(u64),
) -> Result<SimulationReport, SimulationError> {
    let mut engine = Engine::new(setup, maker);
    let mut requests = requests.into_iter();
    let mut next = requests.next();
    loop {
        let arrives_next = match (&next, engine.events.next_at()) {
            (Some(request), Some(event)) => request.at <= event,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if arrives_next && let Some(request) = next.take() {
            next = requests.next();
            engine.arrive(request)?;
            if engine.arrived.is_multiple_of(PROGRESS_STEP) {
                progress(engine.arrived);
            }
        } else if engine.runs.len() > 0
            && let Some((at, event)) = engine.events.pop()
        {
            engine.now = engine.now.max(at);
            engine.handle(event);
        } else if next.is_none() {
            break;
        } else {
            // Only void events are left before the next arrival.
            engine.events.pop();
        }
    }
    progress(engine.arrived);
    Ok(engine.finish())
}

impl<'s, M: DecisionMaker> Engine<'s, M> {
    fn new(setup: &'s SimulationSetup, maker: &'s mut M) -> Self {
        let models: Vec<Arc<Model>> = setup.models.iter().map(|it| Arc::clone(&it.model)).collect();
        let backend =
            |model: &Arc<Model>| models.iter().position(|other| other.backend == model.backend).unwrap_or(0);
        Self {
            setup,
            maker,
            servers: setup.models.iter().map(Server::new).collect(),
            backends: models.iter().map(backend).collect(),
            report: SimulationReport {
                models: models.iter().map(|model| ModelReport::new(model.id.clone())).collect(),
                ..SimulationReport::default()
            },
            models,
            events: EventQueue::default(),
            runs: Slab::new(),
            calls: Slab::new(),
            now: Duration::ZERO,
            arrived: 0,
        }
    }

    /// Returns the instant of a simulated time.
    pub(super) fn instant(&self, at: Duration) -> Instant {
        self.setup.start.checked_add(at).unwrap_or(self.setup.start)
    }

    pub(super) fn server_of(&self, model: &Arc<Model>) -> Option<usize> {
        self.models.iter().position(|known| Arc::ptr_eq(known, model))
    }

    /// Returns the recorded outcome of a request with a model.
    pub(super) fn outcome(&self, request: &SimulatedRequest, server: usize) -> Option<GradedOutcome> {
        let place = self.setup.models.get(server)?.outcome_place?;
        request.outcomes.get(place).copied()
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::CallResult(call) => self.call_result(call),
            Event::StreamEnd(call) => self.stream_ended(call),
            Event::CallTimeout(call) => self.call_timed_out(call),
            Event::RetryDue(run, race) => self.drive(run, race),
            Event::HedgeDue(run, race) => self.hedge(run, race),
            Event::TaskDeadline(run, race) => self.task_timed_out(run, race),
            Event::Deadline(run) => self.failed(run, Fault::Deadline),
        }
    }

    fn arrive(&mut self, request: SimulatedRequest) -> Result<(), SimulationError> {
        self.now = self.now.max(request.at);
        if self.runs.len() >= self.setup.max_in_flight {
            return Err(SimulationError::Overload { in_flight: self.runs.len(), after: self.now });
        }
        let route = self.setup.limits.timeout;
        let own = request.facts.deadline_ms.map(|ms| Duration::from_millis(ms.into()));
        let deadline = self.now.saturating_add(own.map_or(route, |own| own.min(route)));
        let number = self.arrived;
        self.arrived += 1;
        let key = self.runs.insert(Run {
            number,
            facts: Arc::clone(&request.facts),
            request,
            arrived: self.now,
            deadline,
            random: Random::new(self.setup.seed ^ mixed(number, u64::MAX)),
            candidates: Arc::default(),
            whole: 0,
            stage: 0,
            label: String::new(),
            races: Vec::with_capacity(1),
            plan: None,
            spending: PlanSpending::default(),
            calls: 0,
            depth: 0,
            usage: Usage::default(),
            cost: Picodollars::ZERO,
            backends: Vec::with_capacity(1),
            first_token: None,
            answered_by: None,
            score: None,
            took_over: false,
        });
        self.events.add(deadline, Event::Deadline(key));
        self.decide(key, 0);
        Ok(())
    }

    /// Asks for a decision, from a stage on, and follows it.
    pub(super) fn decide(&mut self, key: Key, stage: usize) {
        let now = self.instant(self.now);
        let Some(run) = self.runs.get_mut(key) else { return };
        Arc::make_mut(&mut run.facts).set_time_left(run.deadline.saturating_sub(self.now));
        let query = DecisionQuery {
            request: &run.facts,
            content: &run.request.content,
            models: &self.models,
            now,
            stage,
        };
        let Selection { action, candidates, whole, stage, orchestrates, failures } =
            self.maker.decide(&query);
        failures.iter().for_each(|reason| self.report.count_decision_failure(reason));
        (run.candidates, run.whole, run.stage) = (candidates, whole, stage);
        match action {
            Action::Route(decision) => {
                decision.label().clone_into(&mut run.label);
                run.depth += 1;
                let limits = self.setup.limits.plan;
                // A policy that may plan spends no more if it does not.
                let budget = Some((limits, None)).filter(|_| orchestrates && limits.cost.is_some());
                self.start_whole(key, &decision, budget);
            }
            Action::Plan(step) => {
                step.label().clone_into(&mut run.label);
                self.take_step(key, step);
            }
            Action::Refuse => self.failed(key, Fault::Refused),
            Action::NoCandidate => self.failed(key, Fault::NoCandidate),
            Action::Reject => self.failed(key, Fault::Rejected),
        }
    }

    /// Starts the attempts for a whole request.
    pub(super) fn start_whole(
        &mut self,
        key: Key,
        decision: &Decision,
        budget: Option<(PlanLimits, Option<u32>)>,
    ) {
        let Some(run) = self.runs.get(key) else { return };
        let settings = RaceSettings {
            task: None,
            operation: run.facts.operation,
            deadline: run.deadline,
            input_tokens: run.request.input_tokens.into(),
            answers: true,
            budget,
        };
        self.start_race(key, decision, settings);
    }

    /// Ends a request with an answer.
    pub(super) fn answered(&mut self, key: Key) {
        self.cancel_races(key, None);
        let Some(run) = self.runs.remove(key) else { return };
        let latency = self.now - run.arrived;
        let report = &mut self.report;
        report.requests.answered += 1;
        report.latency.add(latency);
        report.first_token.add(run.first_token.unwrap_or(latency));
        report.takeovers += u64::from(run.took_over);
        report.shape.calls += u64::from(run.calls);
        report.shape.depth += u64::from(run.depth);
        report.shape.largest_depth = report.shape.largest_depth.max(run.depth);
        report.shape.with_several_calls += u64::from(run.calls > 1);
        report.shape.backends += run.backends.len() as u64;
        if let Some(score) = run.score {
            report.recorded_quality.0 += score;
            report.recorded_quality.1 += 1;
        }
        if let Some(server) = run.answered_by {
            report.models[server].answered += 1;
            if let Some(quality) = self.models[server].quality.general {
                report.stated_quality.0 += quality;
                report.stated_quality.1 += 1;
            }
        }
        self.end(&run, None);
    }

    /// Ends a request without an answer.
    pub(super) fn failed(&mut self, key: Key, fault: Fault) {
        self.cancel_races(key, None);
        let Some(run) = self.runs.remove(key) else { return };
        self.report.count_failure(fault);
        self.end(&run, Some(fault));
    }

    fn end(&mut self, run: &Run, fault: Option<Fault>) {
        self.report.cost += run.cost;
        self.report.simulated = self.now;
        if !run.label.is_empty() {
            self.report.count_label(&run.label);
        }
        if !self.maker.observes() {
            return;
        }
        let latency = self.now - run.arrived;
        let outcome = Outcome {
            id: run.facts.id.clone(),
            label: run.label.clone(),
            ending: if fault.is_none() { RequestEnd::Answered } else { RequestEnd::Failed },
            model: run.answered_by.map(|server| self.models[server].id.clone()),
            attempts: run.calls,
            usage: run.usage,
            cost: run.cost,
            first_token: run.first_token,
            latency,
            error: fault.map(|fault| format!("{fault:?}")),
            fault: fault.map(Fault::party),
        };
        self.maker.observe(run.stage, &outcome);
    }

    fn finish(mut self) -> SimulationReport {
        let end = self.report.simulated;
        for (server, report) in self.servers.iter_mut().zip(&mut self.report.models) {
            (report.mean_working, report.mean_queue, report.longest_queue) = server.load(end);
            let places = server.behaviour.capacity.filter(|places| *places > 0);
            report.utilisation = places.map(|places| report.mean_working / f64::from(places));
        }
        self.report
    }
}
