//! `pointsman simulate`

mod report;

use clap::Args as ClapArgs;
use pointsman_author::Toolbox;
use pointsman_author::subject::Sandbox;
use pointsman_policy::FuelCounting;
use pointsman_terminal::{CommandError, print};

use crate::policy_chain::{PolicyArgs, PolicyFiles};
use crate::simulated_run::{SimulatedRun, run as run_world};
use crate::workload::WorkloadArgs;
use crate::world::{WhatIf, World, WorldArgs};

pub use report::json_of;

const MORE: &str = "\
Simulates a route of a configuration in its own time: the models with their speed, places,
queues, failures and prices, and the route's policies in the gateway's sandbox, on live
statistics of the simulated time. Nothing is called. docs/simulating.md describes the model
and how far it agrees with a gateway.

Examples:
  pointsman simulate
  pointsman simulate --config pointsman.toml --route auto --rate 50 --requests 100000
  pointsman simulate --trace AzureLLMInferenceTrace_conv.csv --load 2
  pointsman simulate --policy . --without fleet/llama-70b --price fleet/llama-7b=5/5

Exit status: 0 simulated, 1 overload, 2 usage, 3 a policy cannot be loaded.";

/// The arguments of `pointsman simulate`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    #[command(flatten)]
    world: WorldArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    workload: WorkloadArgs,
    #[command(flatten)]
    what_if: WhatIf,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// A simulated world.
struct Simulated {
    name: String,
    world: World,
    run: SimulatedRun,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if requests arrive faster than they end, 2 for wrong input, 3 if a policy
/// cannot be loaded.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let world = args.world.load()?;
    let changed = match args.what_if.is_given() {
        true => Some(args.what_if.apply(&world)?),
        false => None,
    };
    let workload = args.workload.load()?;
    let files = PolicyFiles::read(&world, &args.policy, toolbox)?;
    let sandbox = Sandbox::new(toolbox, FuelCounting::Off)?;
    let name = if changed.is_some() { "as configured" } else { "simulated" };
    let mut worlds = vec![(name.to_owned(), world, 1.0)];
    worlds.extend(changed.map(|changed| (args.what_if.describe(), changed, args.what_if.load())));
    let mut simulated = Vec::new();
    for (number, (name, world, load)) in worlds.into_iter().enumerate() {
        let run = run_world(&world, &workload, load, &files, &sandbox, number)?;
        simulated.push(Simulated { name, world, run });
    }
    if args.json {
        let report = report::json(&simulated, &workload);
        print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?)
    } else {
        print(report::text(&simulated, &workload))
    }
}
