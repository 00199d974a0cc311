//! `pointsman schema`

use clap::Args as ClapArgs;

use super::{Failure, print};
use pointsman_config::schema_json;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// That of a line of the decision log instead
    #[arg(long)]
    decision_record: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let schema = if args.decision_record { pointsman_record::schema_json() } else { schema_json() };
    print(schema.trim_end())
}
