//! `pointsman demo`

use pointsman_config::DEFAULT_TOML;
use pointsman_demo::{Args, DemoTools};

use super::CommandError;
use crate::builtin;
use crate::program::this_program;

pub(super) fn run(args: &Args) -> Result<(), CommandError> {
    let tools = DemoTools {
        program: this_program().map_err(CommandError::run)?,
        default_config: DEFAULT_TOML,
        builtin: builtin::bytes,
    };
    pointsman_demo::run(args, &tools)
}
