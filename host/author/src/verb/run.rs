//! `pointsman policy run`

mod text;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args as ClapArgs;
use pointsman_dialects::protocol::Protocol;
use pointsman_dialects::request::ClientRequestScan;
use pointsman_domain::request::RequestFacts;
use pointsman_policy::{DecisionInput, FuelCounting, Orchestration, StateUse};
use pointsman_state::WriteError;
use pointsman_terminal::{CommandError, Paint, print};
use serde_json::{Value, json};

use crate::Toolbox;
use crate::case::folder::{self, LoadedCase};
use crate::case::format::Case;
use crate::case::{document, input};
use crate::execution::{RequestRun, execute, execute_case, set_state};
use crate::observed::Observed;
use crate::subject::{LoadOptions, PolicyFile, Sandbox, Subject, not_loadable};
use crate::verb::source;

/// Longest body of a request that is read, in bytes.
const MAX_BODY_BYTES: usize = 64 << 20;
/// Id of a request that is read from a body.
const ID: &str = "request";

const MORE: &str = "\
Examples:
  pointsman policy run --case cases/short.toml
  pointsman policy run policy.wasm --request body.json --candidates cases/defaults.toml
  pointsman policy run builtin:cost --request body.json --settings '{\"min_quality\": 0.7}'

Exit status: 0 the policy answered, 1 it failed, 2 usage, 3 the policy cannot be loaded.";

/// The arguments of `pointsman policy run`.
#[derive(Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The policy: a folder, a WebAssembly file, or `builtin:NAME`
    #[arg(value_name = "POLICY", default_value = ".")]
    policy: String,
    /// Run the request of this case file
    #[arg(long, value_name = "FILE", required_unless_present = "request", conflicts_with = "request")]
    case: Option<PathBuf>,
    /// Name of the case, if the file has several
    #[arg(long, value_name = "NAME", requires = "case")]
    name: Option<String>,
    /// Run this request: a body in JSON as a client sends it
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// The API of the request
    #[arg(long, value_name = "API", value_enum, default_value = "chat-completions", requires = "request")]
    api: Api,
    /// Take the candidates from a case file or a `defaults.toml`
    #[arg(long, value_name = "FILE", requires = "request")]
    candidates: Option<PathBuf>,
    /// Settings of the policy: JSON, or the path of a JSON or TOML file
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Use no colours
    #[arg(long)]
    no_colour: bool,
}

/// An API of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Api {
    /// OpenAI's chat completions
    ChatCompletions,
    /// OpenAI's responses
    Responses,
    /// OpenAI's completions
    Completions,
    /// Anthropic's messages
    Messages,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if the policy fails, 2 for wrong input, 3 if the policy cannot be loaded.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let file = source::policy(&args.policy, toolbox)?;
    let sandbox = Sandbox::new(toolbox, FuelCounting::On)?;
    let mut subject = Subject::new(&sandbox, &file);
    let case = match (&args.case, &args.candidates) {
        (Some(path), _) => the_case(path, args.name.as_deref())?.case,
        (None, candidates) => without_request(candidates.as_deref())?,
    };
    let mut options = LoadOptions::of_case(&case);
    if let Some(given) = &args.settings {
        options.settings = settings_text(given)?;
    }
    let policy = subject.load(&options).map_err(|error| not_loadable(&file.source, &error))?;
    let run = match &args.request {
        Some(path) => {
            let input = from_body(path, args.api, &case, policy.orchestrates())?;
            set_state(&policy, case.state.as_ref()).map(|()| execute(&sandbox, &policy, input, &[]))
        }
        None => execute_case(&sandbox, &policy, &case),
    };
    let run = run.map_err(|error| invalid_state(&error))?;
    show(args, &file, &run)
}

/// Runs the request of a case and describes it for programs, as `--json` does. The case is JSON text, and
/// `shared` has what it does not state itself.
///
/// # Errors
/// Fails with exit status 2 if a text is invalid, and 3 if the policy cannot be loaded.
pub fn explained(
    file: &PolicyFile,
    shared: &str,
    case: &str,
    toolbox: &Toolbox,
) -> Result<Value, CommandError> {
    let case = folder::of_text(case, shared).map_err(|error| CommandError::Input(error.to_string()))?;
    let sandbox = Sandbox::new(toolbox, FuelCounting::On)?;
    let policy = Subject::new(&sandbox, file)
        .load(&LoadOptions::of_case(&case))
        .map_err(|error| not_loadable(&file.source, &error))?;
    let run = execute_case(&sandbox, &policy, &case).map_err(|error| invalid_state(&error))?;
    Ok(text::json(file, &run, &Observed::of_run(&run)))
}

fn invalid_state(error: &WriteError) -> CommandError {
    CommandError::Input(format!("error: the `state` of the case: {error}"))
}

fn show(args: &Args, file: &PolicyFile, run: &RequestRun) -> Result<(), CommandError> {
    let observed = Observed::of_run(run);
    if args.json {
        let report = text::json(file, run, &observed);
        print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?)?;
    } else {
        print(text::describe(file, run, &observed, Paint::stdout(args.no_colour)).trim_end())?;
    }
    match observed.last() {
        Some(last) if last.kind == "failure" => {
            Err(CommandError::Run(format!("error: the policy failed: {}", last.summary())))
        }
        _ => Ok(()),
    }
}

/// Finds the case of a file by its name, or the only one.
fn the_case(path: &Path, name: Option<&str>) -> Result<LoadedCase, CommandError> {
    let cases = folder::load(path).map_err(|error| CommandError::Input(error.to_string()))?;
    let names: Vec<String> = cases.iter().map(|case| case.name.clone()).collect();
    let listed = |what: &str| {
        CommandError::Input(format!(
            "error: {} has {what}\n  = hint: choose one with --name: {}",
            path.display(),
            names.join(", ")
        ))
    };
    let mut chosen = cases.into_iter().filter(|case| name.is_none_or(|name| case.name == name));
    match (chosen.next(), chosen.next()) {
        (Some(case), None) => Ok(case),
        (Some(_), Some(_)) => Err(listed("several cases")),
        (None, _) => Err(listed("no such case")),
    }
}

/// Returns a case without a request: candidates, settings and limits of a file, or stand-ins.
fn without_request(candidates: Option<&Path>) -> Result<Case, CommandError> {
    let mut case = Case { candidates: Some(folder::stand_ins()), ..Case::default() };
    let Some(path) = candidates else { return Ok(case) };
    let shared = folder::shared(path).map_err(|error| CommandError::Input(error.to_string()))?;
    if shared.candidates.is_empty() {
        return Err(CommandError::Input(format!("error: {} has no candidates", path.display())));
    }
    case.candidates = Some(shared.candidates);
    case.settings = shared.settings;
    case.grants = shared.grants;
    case.limits = shared.limits;
    Ok(case)
}

fn from_body(path: &Path, api: Api, case: &Case, orchestrates: bool) -> Result<DecisionInput, CommandError> {
    let invalid = |reason: String| CommandError::Input(format!("error: {}: {reason}", path.display()));
    let body = fs::read(path).map_err(|error| invalid(format!("cannot read it: {error}")))?;
    let mut scan = ClientRequestScan::new(api.protocol(), MAX_BODY_BYTES);
    scan.push(Bytes::from(body)).map_err(|error| invalid(error.message))?;
    let body = scan.finish().map_err(|error| invalid(error.message))?;
    let mut request = RequestFacts::new(ID, "");
    body.describe(&mut request);
    let mut candidates = input::candidates_of(case.candidates.as_deref().unwrap_or_default(), &request);
    let whole = input::order(&mut candidates, &request, case.whole, orchestrates);
    Ok(DecisionInput {
        request: request.into(),
        candidates: candidates.into(),
        prompt: body.prompt(),
        orchestration: Orchestration { whole, ..Orchestration::default() },
        state: StateUse::default(),
    })
}

impl Api {
    const fn protocol(self) -> Protocol {
        match self {
            Self::ChatCompletions => Protocol::ChatCompletions,
            Self::Responses => Protocol::Responses,
            Self::Completions => Protocol::Completions,
            Self::Messages => Protocol::Messages,
        }
    }
}

/// Returns settings as a JSON object: given as JSON, or as a file in JSON or TOML.
///
/// # Errors
/// Fails if they are no object.
pub fn settings_text(given: &str) -> Result<String, CommandError> {
    let invalid = |reason: String| CommandError::Input(format!("error: --settings: {reason}"));
    let (text, syntax) = if given.trim_start().starts_with('{') {
        (given.to_owned(), document::Syntax::Json)
    } else {
        let path = Path::new(given);
        let syntax = document::Syntax::of(path).ok_or_else(|| {
            invalid("give a JSON object, or a file that ends with .json or .toml".to_owned())
        })?;
        let text =
            fs::read_to_string(path).map_err(|error| invalid(format!("cannot read {given}: {error}")))?;
        (text, syntax)
    };
    let settings: serde_json::Map<String, serde_json::Value> = match syntax {
        document::Syntax::Json => serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?,
        document::Syntax::Toml => toml::from_str(&text).map_err(|error| invalid(error.to_string()))?,
    };
    Ok(json!(settings).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_json_or_a_file() {
        assert_eq!(settings_text(r#" { "a": 1 }"#).unwrap(), r#"{"a":1}"#);
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("settings.toml");
        fs::write(&path, "a.b = [1, 2]\n").unwrap();
        assert_eq!(settings_text(&path.display().to_string()).unwrap(), r#"{"a":{"b":[1,2]}}"#);
        for wrong in ["[1]", "{", "settings.yaml", "no-such-file.json"] {
            assert!(settings_text(wrong).unwrap_err().to_string().starts_with("error: --settings: "));
        }
    }
}
