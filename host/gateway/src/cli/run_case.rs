//! `pointsman run-case`: the process in which the page's playground runs a policy.

use std::io::{self, Read};
use std::process::ExitCode;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use pointsman_author::Toolbox;
use pointsman_author::subject::PolicyFile;
use pointsman_author::verb::run::explained;
use pointsman_policy::Code;
use serde_json::Value;

use super::{CommandError, policy, write_stdout};
use crate::playground::{RunCaseInput, RunCaseOutput};

/// Runs the case of standard input.
pub(super) fn run() -> ExitCode {
    let output = match run_input() {
        Ok(report) => RunCaseOutput::Report(report),
        Err(CommandError::Input(message)) => RunCaseOutput::InvalidCase(message),
        Err(CommandError::Load(message)) => RunCaseOutput::NotLoaded(message),
        Err(CommandError::Run(message)) => RunCaseOutput::Failed(message),
    };
    let written = serde_json::to_string(&output).map_err(io::Error::other).and_then(write_stdout);
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_input() -> Result<Value, CommandError> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(CommandError::run)?;
    let input: RunCaseInput = serde_json::from_str(&text).map_err(CommandError::run)?;
    let bytes = BASE64
        .decode(&input.code)
        .map_err(|error| CommandError::Load(format!("error: the policy is not base64: {error}")))?;
    let file = PolicyFile::of_code(&input.name, Code::new(bytes))?;
    // The service that this process works for has no cache of its user's.
    let toolbox = Toolbox { code_cache: None, ..policy::toolbox()? };
    explained(&file, &input.shared, &input.case, &toolbox)
}
