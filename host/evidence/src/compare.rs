//! `pointsman compare`

mod live;
mod report;
mod side;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use pointsman_author::Toolbox;
use pointsman_author::subject::Sandbox;
use pointsman_evaluation::trade_off::PaybackInputs;
use pointsman_policy::FuelCounting;
use pointsman_terminal::{CommandError, print};

use crate::workload::WorkloadArgs;
use crate::world::FleetArgs;
use live::LiveArgs;
use side::{Side, SideFigures};

/// Most sides.
const MAX_SIDES: usize = 16;

const MORE: &str = "\
Serves the same requests by several configurations or routes, and puts cost, latency,
quality, complexity and payback side by side. A side is a configuration and a route or model,
FILE#ROUTE; without # if the file has one route, and #ROUTE for the built-in configuration.
Sides are simulated; with --live they are routes of a running gateway, which answers real
requests. Payback is that of each side against the first one. docs/trade-off.md has the
rules and the formula.

Examples:
  pointsman compare '#cost' '#performance' '#collaborate'
  pointsman compare old.toml new.toml#auto --trace trace.csv --requests-per-month 3000000 --one-off-usd 20000
  pointsman compare cost auto --live http://127.0.0.1:8080 --requests 200

Exit status: 0 compared, 1 overload or no gateway, 2 usage, 3 a policy cannot be loaded.";

/// The arguments of `pointsman compare`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// Configurations and routes; with --live, routes of the running gateway
    #[arg(value_name = "SIDE", required = true, num_args = 1..=MAX_SIDES)]
    sides: Vec<String>,
    #[command(flatten)]
    workload: WorkloadArgs,
    #[command(flatten)]
    fleet: FleetArgs,
    #[command(flatten)]
    live: LiveArgs,
    #[command(flatten)]
    payback: PaybackArgs,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Inputs of the payback time.
#[derive(Clone, Copy, Debug, ClapArgs)]
struct PaybackArgs {
    /// Requests a month
    #[arg(long, value_name = "N", default_value_t = 1e6, value_parser = amount)]
    requests_per_month: f64,
    /// Cost of the work until a side serves, in US dollars
    #[arg(long, value_name = "USD", default_value_t = 0.0, value_parser = amount)]
    one_off_usd: f64,
    /// Cost of running a side, in US dollars a month
    #[arg(long, value_name = "USD", default_value_t = 0.0, value_parser = amount)]
    monthly_usd: f64,
}

impl From<PaybackArgs> for PaybackInputs {
    fn from(args: PaybackArgs) -> Self {
        let PaybackArgs { requests_per_month, one_off_usd, monthly_usd } = args;
        Self { requests_per_month, one_off_usd, monthly_usd }
    }
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if a side is overloaded or the gateway cannot be reached, 2 for wrong input,
/// 3 if a policy cannot be loaded.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let workload = args.workload.load()?;
    let figures: Vec<SideFigures> = match args.live.url() {
        Some(url) => args
            .sides
            .iter()
            .map(|route| live::measure(url, route, &args.live, &workload))
            .collect::<Result<_, _>>()?,
        None => {
            let sides = args.sides.iter().map(|given| Side::read(given, &args.fleet, toolbox));
            let sides: Vec<Side> = sides.collect::<Result<_, _>>()?;
            let sandbox = Sandbox::new(toolbox, FuelCounting::Off)?;
            let measured = sides.iter().enumerate();
            measured
                .map(|(number, side)| side.measure(&workload, &sandbox, number))
                .collect::<Result<_, _>>()?
        }
    };
    let inputs = args.payback.into();
    if args.json {
        let report = report::json(&figures, &workload, &inputs);
        print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?)
    } else {
        print(report::text(&figures, &workload, &inputs, args.live.url().is_some()))
    }
}

/// Parses an amount of at least 0.
fn amount(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim().parse().ok();
    number
        .filter(|number| (0.0..=1e15).contains(number))
        .ok_or_else(|| "expected a number from 0 to 10^15".to_owned())
}

/// Splits `FILE#ROUTE`. A name of a file may contain `#` if a route follows.
fn split(given: &str) -> (Option<PathBuf>, Option<&str>) {
    let (file, route) = match given.rsplit_once('#') {
        Some((file, route)) => (file, Some(route)),
        None => (given, None),
    };
    ((!file.is_empty()).then(|| PathBuf::from(file)), route.filter(|route| !route.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_a_file_and_a_route() {
        assert_eq!(split("a.toml#auto"), (Some("a.toml".into()), Some("auto")));
        assert_eq!(split("a.toml"), (Some("a.toml".into()), None));
        assert_eq!(split("#auto"), (None, Some("auto")));
        assert_eq!(split("a#b.toml#auto"), (Some("a#b.toml".into()), Some("auto")));
        assert_eq!(amount("2500"), Ok(2_500.0));
        assert!(amount("-1").is_err() && amount("x").is_err());
    }
}
