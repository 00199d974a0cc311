//! `cargo xtask demo`: routing, orchestration and a hot swap on a simulated fleet.

pub mod fleet;
mod plans;
pub mod requests;
mod table;

use std::path::PathBuf;

use anyhow::Result;

use crate::cargo;
use fleet::Fleet;

#[derive(clap::Args)]
pub struct Args {
    /// Exit after the demonstration instead of keeping the gateway running
    #[arg(long)]
    once: bool,
    /// Use this gateway binary instead of building one
    #[arg(long, requires = "policies")]
    binary: Option<PathBuf>,
    /// The directory of its built-in policies, as NAME.wasm
    #[arg(long, requires = "binary")]
    policies: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<()> {
    let gateway = match (args.binary, args.policies) {
        (Some(binary), Some(policies)) => cargo::Gateway { binary, policies },
        _ => {
            println!("Building the gateway and its policies (the first time takes some minutes) ...");
            cargo::build_gateway()?
        }
    };
    let mut fleet = Fleet::start(&gateway)?;
    println!("\nA gateway with simulated models is listening on {}.", fleet.client_url());
    route(&fleet)?;
    orchestrate(&fleet)?;
    swap(&fleet, &gateway)?;
    if args.once {
        return Ok(());
    }
    println!("\nThe gateway keeps running; stop it with Ctrl-C. Try:\n");
    println!("{}", requests::curl(fleet.client_url()));
    fleet.wait()
}

/// Sends a dozen requests to routes, and each also to the largest model, for comparison.
fn route(fleet: &Fleet) -> Result<()> {
    println!("\nA dozen requests to four routes, compared with sending all to {}:\n", requests::LARGEST);
    let mut rows = Vec::new();
    for request in requests::DOZEN {
        let routed = fleet.ask(request.route, request)?;
        let baseline = if request.media { None } else { Some(fleet.ask(requests::LARGEST, request)?) };
        rows.push(table::Comparison { request, routed, baseline });
    }
    println!("{}", table::format_comparisons(&rows));
    println!("{}", table::summary(&rows));
    Ok(())
}

/// Sends requests that policies split into tasks, and draws their plans.
fn orchestrate(fleet: &Fleet) -> Result<()> {
    println!("\nRequests that need more than one model, each split into tasks by the policy of its route:");
    for request in requests::ORCHESTRATED {
        let answer = fleet.ask(request.route, request)?;
        println!("\n  {} ({}): {}", request.route, request.kind, answer.route);
        println!("{}", plans::chart(&fleet.plan(&answer.id)?)?);
    }
    println!(
        "\n  Tasks drawn as █ are on the critical path. The same as a chart: {}",
        fleet.plan_chart_url()
    );
    Ok(())
}

/// Replaces the file of a policy while the gateway runs.
fn swap(fleet: &Fleet, gateway: &cargo::Gateway) -> Result<()> {
    println!(
        "\nThe policy of route `live` is a file. The same request before and after the file is replaced:\n"
    );
    let request = &requests::SWAPPED;
    let before = fleet.ask(request.route, request)?;
    let took = fleet.replace_policy(&gateway.policies.join("task-type.wasm"), &before.policy)?;
    let after = fleet.ask(request.route, request)?;
    println!("{}", table::format_swap(&before, &after));
    println!("Swapped {} ms after the file was renamed into place, without a restart.", took.as_millis());
    Ok(())
}
