//! `pointsman dev`

use pointsman_config::DEFAULT_TOML;
use pointsman_dev::{Args, DevTools};

use super::{CommandError, policy, runtime};
use crate::program::this_program;

pub(super) fn run(args: &Args) -> Result<(), CommandError> {
    let tools = DevTools {
        toolbox: policy::toolbox()?,
        program: this_program().map_err(CommandError::run)?,
        default_config: DEFAULT_TOML,
        code_cache: runtime::code_cache,
    };
    pointsman_dev::run(args, &tools)
}
