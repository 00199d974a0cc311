//! `pointsman schema`

use clap::Args as ClapArgs;
use pointsman_config::schema_json;

use super::{CommandError, print};

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Print the schema of a decision record instead
    #[arg(long)]
    decision_record: bool,
    /// Print the schema of case files for policies instead
    #[arg(long, conflicts_with = "decision_record")]
    cases: bool,
}

pub(super) fn run(args: &Args) -> Result<(), CommandError> {
    let schema = match (args.decision_record, args.cases) {
        (true, _) => pointsman_record::schema_json(),
        (_, true) => pointsman_author::schema_json(),
        _ => schema_json(),
    };
    print(schema.trim_end())
}
