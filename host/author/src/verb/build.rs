//! `pointsman policy build`

use std::path::PathBuf;

use clap::Args as ClapArgs;
use pointsman_policy::description::SettingsSchema;
use pointsman_terminal::{CommandError, TextTable, print};
use serde_json::json;

use crate::Toolbox;
use crate::build::{self, BuiltPolicy};
use crate::subject::PolicyFile;

const MORE: &str = "\
The language is that of `policy.toml`, or follows from Cargo.toml, tsconfig.json,
package.json, pyproject.toml, requirements.txt or policy.c. docs/policy-builds.md
describes the file and what each language needs.

`description.toml` or `description.json` in the folder is checked and attached: title,
labels, settings. docs/policy-description.md describes it, and `pointsman schema
--description` prints its JSON Schema for editors.

Exit status: 0 built, 1 the source does not compile or describes itself wrongly, 2 usage,
a missing tool or a fault in the description, 3 the result is no policy that the gateway
loads.";

/// The arguments of `pointsman policy build`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The folder of the policy
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if the source does not compile, 2 if something is missing, 3 if the result is
/// no policy.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let built = build::folder(&args.folder)?;
    let file = checked(&built, toolbox)?;
    check_description(&file)?;
    let title = file.inspection.description.as_ref().map(|description| &description.title);
    if args.json {
        let report = json!({
            "path": built.path.display().to_string(),
            "language": built.language.name(),
            "bytes": file.code.bytes().len(),
            "sha256": file.code.digest().to_string(),
            "grants": file.inspection.gate.grants,
            "title": title,
            "unchecked_keywords": unchecked(&file),
        });
        return print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?);
    }
    print(describe(&built, &file))
}

/// Reads what was built, and checks it as the load gate does before compiling.
///
/// # Errors
/// Fails with exit status 3 and the remedy if the gateway would not load it.
pub fn checked(built: &BuiltPolicy, toolbox: &Toolbox) -> Result<PolicyFile, CommandError> {
    let source = built.path.display().to_string();
    let file = PolicyFile::read(&source, toolbox).and_then(PolicyFile::without_refusals);
    file.map_err(|error| with_remedy(error, built))
}

/// Adds the remedy for mistakes that each language invites.
fn with_remedy(error: CommandError, built: &BuiltPolicy) -> CommandError {
    let CommandError::Load(text) = error else { return error };
    let hint = if text.contains("exports neither") {
        Some(match built.language {
            build::Language::Rust => "export the policy with `pointsman_sdk::export!(MyPolicy);`".to_owned(),
            _ => {
                "export `router` with `route` and `configuration` with `validate`, and build it for a world \
                  that exports them"
                    .to_owned()
            }
        })
    } else {
        None
    };
    match hint {
        Some(hint) => CommandError::Load(format!("{text}\n  = hint: {hint}")),
        None => CommandError::Load(text),
    }
}

/// Rejects faults of a description that the source attaches itself.
fn check_description(file: &PolicyFile) -> Result<(), CommandError> {
    let problems = &file.inspection.description_problems;
    if problems.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    Err(CommandError::Run(format!("error: {}: its description has faults{}", file.source, list.concat())))
}

/// Returns the keywords of the settings' schema that the gateway does not check.
fn unchecked(file: &PolicyFile) -> Vec<String> {
    let description = file.inspection.description.as_ref();
    let settings = description.and_then(|description| description.settings.as_ref());
    settings.into_iter().flat_map(SettingsSchema::unchecked_keywords).map(ToString::to_string).collect()
}

fn describe(built: &BuiltPolicy, file: &PolicyFile) -> String {
    let mut table = TextTable::new(&["built", &built.path.display().to_string()]);
    if let Some(description) = &file.inspection.description {
        table.add(vec!["title".to_owned(), description.title.clone()]);
    }
    table.add(vec!["language".to_owned(), built.language.name().to_owned()]);
    table.add(vec!["bytes".to_owned(), file.code.bytes().len().to_string()]);
    table.add(vec!["sha-256".to_owned(), file.code.digest().to_string()]);
    file.add_grants(&mut table);
    let note = |path: String| format!("note: `{path}` is not checked by the gateway");
    table.render(unchecked(file).into_iter().map(note).collect())
}
