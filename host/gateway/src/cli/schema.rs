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
    /// Print the schema of descriptions of policies instead
    #[arg(long, conflicts_with_all = ["decision_record", "cases"])]
    description: bool,
}

pub(super) fn run(args: &Args) -> Result<(), CommandError> {
    let schema = if args.decision_record {
        pointsman_record::schema_json()
    } else if args.cases {
        pointsman_author::schema_json()
    } else if args.description {
        pointsman_policy::description::schema_json()
    } else {
        schema_json()
    };
    print(schema.trim_end())
}
