//! `pointsman demo`: routing, orchestration and a hot swap on simulated models.
//!
//! The gateway runs as a process of its own, on loopback, with the configuration that `pointsman serve` has
//! without a file. [`fleet`] starts it and talks to it; [`requests`] are the requests; [`comparison`] puts what
//! they cost beside the cost at one model, and [`plans`] draws those that are split into tasks.

mod comparison;
pub mod fleet;
mod plans;
pub mod requests;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use pointsman_terminal::{CommandError, print};

use comparison::Comparison;
use fleet::{Fleet, FleetFiles};
use requests::{BASELINE, DOZEN, ORCHESTRATED, Request, SWAPPED};

/// Policies of the route `live`, before and after its file is replaced.
const LIVE: [&str; 2] = ["cost", "task-type"];

/// The arguments of `pointsman demo`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
No model is called: all models are simulated in the gateway. It listens on free ports of loopback alone, and its
files are removed at the end.

Exit status: 0 ended, 1 the gateway cannot start or does not answer.")]
pub struct Args {
    /// Exit after the demonstration instead of keeping the gateway running
    #[arg(long)]
    once: bool,
}

/// Services of the program for the command.
#[derive(Clone, Debug)]
pub struct DemoTools {
    /// The program, for `pointsman serve`.
    pub program: PathBuf,
    /// Configuration with simulated models.
    pub default_config: &'static str,
    /// Returns the bytes of a built-in policy, by its name.
    pub builtin: fn(&str) -> Option<&'static [u8]>,
}

/// Runs the demonstration, and then the gateway until it is interrupted.
///
/// # Errors
/// Fails with exit status 1 if the gateway cannot start or ends, does not answer as expected, or if the
/// demonstration is interrupted.
pub fn run(args: &Args, tools: &DemoTools) -> Result<(), CommandError> {
    let [live, next] = LIVE.map(tools.builtin);
    let (Some(live), Some(next)) = (live, next) else {
        return Err(CommandError::run("the policies of the demonstration are not built in"));
    };
    print("Starting a gateway with simulated models ...")?;
    let fleet =
        Fleet::start(&FleetFiles { program: &tools.program, default_config: tools.default_config, live })?;
    print(format_args!(
        "It listens on {} for clients, and on {} for operators.",
        fleet.client_url(),
        fleet.admin_url()
    ))?;
    route(&fleet)?;
    orchestrate(&fleet)?;
    swap(&fleet, next)?;
    if args.once {
        return print(next_steps(None));
    }
    print(next_steps(Some(&fleet)))?;
    fleet.wait()
}

/// Sends a dozen requests to routes, and those with text alone also to the baseline.
fn route(fleet: &Fleet) -> Result<(), CommandError> {
    print(format_args!(
        "\n1. Routing: one model for each request\n\nClients name a route as the model, and its policy chooses the \
         model that answers. For comparison, the same request is\nalso sent to {BASELINE}, the largest model: that is \
         the baseline. A minus means less than the baseline.\n"
    ))?;
    let mut rows = Vec::new();
    for request in DOZEN {
        let routed = fleet.ask(request.route, request)?;
        let baseline = if request.media { None } else { Some(fleet.ask(BASELINE, request)?) };
        rows.push(Comparison { request, routed, baseline });
    }
    print(comparison::table(&rows))?;
    print(format_args!("\n{}", comparison::summary(&rows)))
}

/// Sends requests that policies split into tasks, and draws their plans.
fn orchestrate(fleet: &Fleet) -> Result<(), CommandError> {
    print(
        "\n2. Orchestration: several models for one request\n\nHere a policy splits a request into tasks, for what one \
         model cannot do or does less well. Several calls cost more\nthan one; what is saved is the time of tasks that \
         run at once. Tasks drawn as █ are on the critical path.",
    )?;
    for request in ORCHESTRATED {
        let answer = fleet.ask(request.route, request)?;
        let chart = plans::chart(&fleet.plan(&answer.id)?);
        let chart = chart.ok_or_else(|| CommandError::run("the gateway's trace of a plan is incomplete"))?;
        print(format_args!("\n  {} ({}): {}\n{chart}", request.route, request.kind, answer.route))?;
    }
    Ok(())
}

/// Replaces the file of a policy while the gateway runs.
fn swap(fleet: &Fleet, next: &[u8]) -> Result<(), CommandError> {
    print(
        "\n3. A hot swap: another policy without a restart\n\nThe policy of the route `live` is a file. The same \
         request before and after the file is replaced:\n",
    )?;
    let request: &Request = &SWAPPED;
    let before = fleet.ask(request.route, request)?;
    let took = fleet.replace_policy(next, &before.policy)?;
    let after = fleet.ask(request.route, request)?;
    print(comparison::swap_table(&before, &after))?;
    print(format_args!(
        "\nThe new policy decides {} ms after the file was renamed into place, without a restart.",
        took.as_millis()
    ))
}

/// Returns the commands to try next.
fn next_steps(running: Option<&Fleet>) -> String {
    let here = running.map_or_else(String::new, |fleet| {
        format!(
            "\nThe gateway keeps running; Ctrl-C stops it. Try in another terminal:\n\n{}\n  pointsman top --admin {}\n  \
             # the live page: {}\n",
            requests::curl(fleet.client_url()),
            fleet.admin_url(),
            fleet.admin_url()
        )
    });
    format!(
        "{here}\nNext, with your own models and policies:\n\n  pointsman init                        # a configuration \
         for the providers of your environment\n  pointsman check --probe               # reach each of them\n  pointsman \
         serve --config pointsman.toml\n  pointsman policy new mine --lang rust # a policy of your own"
    )
}
