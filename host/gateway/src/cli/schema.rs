//! `pointsman schema`

use clap::Args as ClapArgs;
use pointsman_config::schema_json;

use super::{CommandError, print};

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Print the schema of a decision record instead
    #[arg(long)]
    decision_record: bool,
}

pub(super) fn run(args: &Args) -> Result<(), CommandError> {
    let schema = if args.decision_record { pointsman_record::schema_json() } else { schema_json() };
    print(schema.trim_end())
}
