//! `cargo xtask demo`: the main job, before the eyes of whoever tries it.

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
    /// Stop after the demonstration instead of serving on
    #[arg(long)]
    once: bool,
    /// Use this gateway instead of building one; its policies lie in --policies
    #[arg(long, requires = "policies")]
    binary: Option<PathBuf>,
    /// Where the policies lie, as NAME.wasm
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
    println!("\nA gateway with six simulated models is listening on {}.", fleet.clients());
    route(&fleet)?;
    orchestrate(&fleet)?;
    swap(&fleet, &gateway)?;
    if args.once {
        return Ok(());
    }
    println!("\nThe gateway goes on serving; stop it with Ctrl-C. Try:\n");
    println!("{}", requests::curl(fleet.clients()));
    fleet.wait()
}

/// Sends a dozen requests through the routes, and each to the largest model too.
fn route(fleet: &Fleet) -> Result<()> {
    println!("\nA dozen requests through four routes, beside sending all to {}:\n", requests::LARGEST);
    let mut rows = Vec::new();
    for request in requests::DOZEN {
        let routed = fleet.ask(request.route, request)?;
        let baseline = if request.media { None } else { Some(fleet.ask(requests::LARGEST, request)?) };
        rows.push(table::Row { request, routed, baseline });
    }
    println!("{}", table::of_routes(&rows));
    println!("{}", table::summary(&rows));
    Ok(())
}

/// Sends requests that are cut into tasks, and draws their plans.
fn orchestrate(fleet: &Fleet) -> Result<()> {
    println!("\nRequests that take more than one model, each cut into tasks by the policy of its route:");
    for request in requests::ORCHESTRATED {
        let answer = fleet.ask(request.route, request)?;
        println!("\n  {} ({}): {}", request.route, request.kind, answer.route);
        println!("{}", plans::picture(&fleet.plan(&answer.id)?)?);
    }
    println!("\n  Tasks drawn as █ decided how long it took. The same as a chart: {}", fleet.plans());
    Ok(())
}

/// Replaces the file of a policy while the gateway runs.
fn swap(fleet: &Fleet, gateway: &cargo::Gateway) -> Result<()> {
    println!(
        "\nRoute `live` has its policy in a file. The same request, before and after the file is replaced:\n"
    );
    let request = &requests::SWAPPED;
    let before = fleet.ask(request.route, request)?;
    let took = fleet.replace_policy(&gateway.policies.join("task-type.wasm"), &before.policy)?;
    let after = fleet.ask(request.route, request)?;
    println!("{}", table::of_swap(&before, &after));
    println!("Swapped {} ms after the file was renamed into place, without a restart.", took.as_millis());
    Ok(())
}
