//! Simulation of one world, with its progress on a terminal.

use std::time::{Duration, Instant};

use pointsman_author::subject::Sandbox;
use pointsman_domain::model::Model;
use pointsman_evaluation::simulation::{SimulatedModel, SimulationReport, SimulationSetup, simulate};
use pointsman_terminal::{CommandError, Progress};

use crate::policy_chain::{PolicyChain, PolicyFiles};
use crate::workload::Workload;
use crate::world::World;

/// Most requests in flight: about a gigabyte.
const MAX_IN_FLIGHT: usize = 1 << 19;

/// Results of a simulation, and the time that it took.
#[derive(Debug)]
pub struct SimulatedRun {
    /// The results.
    pub report: SimulationReport,
    /// Time on the wall clock, without loading policies.
    pub took: Duration,
}

/// Simulates the requests of a workload. `number` keeps the state of policies apart from that of other runs.
///
/// # Errors
/// Fails with exit status 1 if requests arrive faster than they end, and 3 if a policy cannot be loaded.
pub fn run(
    world: &World,
    workload: &Workload,
    load: f64,
    files: &PolicyFiles,
    sandbox: &Sandbox,
    number: usize,
) -> Result<SimulatedRun, CommandError> {
    let mut chain = PolicyChain::load(sandbox, files, world, number)?;
    let setup = SimulationSetup {
        models: with_outcomes(&world.models, workload.graded_models()),
        limits: world.limits(),
        seed: workload.seed(),
        start: Instant::now(),
        max_in_flight: MAX_IN_FLIGHT,
    };
    let progress = Progress::step("simulating");
    let total = workload.count();
    let started = Instant::now();
    let report = simulate(&setup, workload.requests(load), &mut chain, &mut |arrived| {
        progress.show(&format!("simulating {arrived}/{total} requests"));
    });
    let took = started.elapsed();
    drop(progress);
    let report = report.map_err(|error| {
        CommandError::Run(format!(
            "error: {error}\n  = hint: lower --rate or --load, or give models more capacity"
        ))
    })?;
    Ok(SimulatedRun { report, took })
}

/// Returns the models with their places among those that have recorded outcomes. They are found by their
/// id, their name at the backend, or their id without the backend.
fn with_outcomes(models: &[SimulatedModel], graded: &[String]) -> Vec<SimulatedModel> {
    let place = |model: &Model| {
        let id = model.id.as_str();
        let short = id.split_once('/').map_or(id, |(_, name)| name);
        let names = [id, model.upstream_name.as_str(), short];
        names.iter().find_map(|name| graded.iter().position(|known| known == name))
    };
    models.iter().map(|it| SimulatedModel { outcome_place: place(&it.model), ..it.clone() }).collect()
}
