//! A side of a comparison, simulated.

use pointsman_author::Toolbox;
use pointsman_author::subject::Sandbox;
use pointsman_evaluation::trade_off::ComplexityFacts;
use pointsman_terminal::CommandError;

use super::split;
use crate::figures::Latency;
use crate::policy_chain::{PolicyArgs, PolicyFiles};
use crate::simulated_run;
use crate::workload::Workload;
use crate::world::{FleetArgs, World};

/// A configuration and a route of it.
pub(super) struct Side {
    name: String,
    world: World,
    files: PolicyFiles,
}

/// Measured figures of a side.
#[derive(Clone, Debug)]
pub(super) struct SideFigures {
    pub(super) name: String,
    pub(super) answered: u64,
    pub(super) failed: u64,
    pub(super) mean_cost_usd: Option<f64>,
    pub(super) latency: Latency,
    pub(super) first_token: Latency,
    /// Mean stated quality of the models that answered.
    pub(super) quality: Option<f64>,
    /// Mean recorded score of the answers whose score is known, and the number of these answers.
    pub(super) recorded_quality: (Option<f64>, u64),
    pub(super) complexity: ComplexityFacts,
    /// Longest chain of tasks of any request.
    pub(super) largest_depth: u32,
    /// Calls of models that answered or gave an output, by model.
    pub(super) models: Vec<(String, u64)>,
}

impl Side {
    /// Reads the configuration and the policies of the route.
    pub(super) fn read(given: &str, fleet: &FleetArgs, toolbox: &Toolbox) -> Result<Self, CommandError> {
        let (file, route) = split(given);
        let world = World::load(file.as_deref(), route, fleet)?;
        let files = PolicyFiles::read(&world, &PolicyArgs::default(), toolbox)?;
        Ok(Self { name: given.to_owned(), world, files })
    }

    /// Simulates the requests.
    pub(super) fn measure(
        &self,
        workload: &Workload,
        sandbox: &Sandbox,
        number: usize,
    ) -> Result<SideFigures, CommandError> {
        let run = simulated_run::run(&self.world, workload, 1.0, &self.files, sandbox, number)?;
        let report = run.report;
        let answered = report.requests.answered;
        let mean = |sum: u64| if answered > 0 { sum as f64 / answered as f64 } else { 0.0 };
        let called = report.models.iter().filter(|model| model.calls > 0);
        let backends: std::collections::BTreeSet<&str> =
            called.clone().filter_map(|model| model.id.as_str().split('/').next()).collect();
        let complexity = ComplexityFacts {
            calls: mean(report.shape.calls),
            depth: mean(report.shape.depth),
            several_calls: mean(report.shape.with_several_calls),
            providers: backends.len() as u64,
            policy_lines: self.files.lines(),
            configuration_lines: Some(self.world.config.text.code_lines()),
        };
        Ok(SideFigures {
            name: self.name.clone(),
            answered,
            failed: report.requests.failed(),
            mean_cost_usd: report.mean_cost_usd(),
            latency: Latency::of(&report.latency),
            first_token: Latency::of(&report.first_token),
            quality: report.mean_stated_quality(),
            recorded_quality: (report.mean_recorded_quality(), report.recorded_quality.1),
            complexity,
            largest_depth: report.shape.largest_depth,
            models: called.map(|model| (model.id.to_string(), model.calls)).collect(),
        })
    }
}
