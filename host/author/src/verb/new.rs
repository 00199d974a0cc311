//! `pointsman policy new`

mod folder;
mod name;
mod sdk;

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use pointsman_terminal::{CommandError, print};
use serde_json::json;

use crate::build::{self, Language};
use crate::template::{Template, Values};

use folder::NewFolder;

const MORE: &str = "\
The folder has a small policy that works, its cases, the setup of editors, instructions
for coding agents (AGENTS.md) and a workflow for GitHub. `pointsman policy test` builds
and tests it at once; README.md says what its language needs. Nothing is written into a
folder that has files.

Examples:
  pointsman policy new by-length --lang rust
  pointsman policy new by-length --lang js --path policies/by-length
  pointsman policy new by-length --lang rust --sdk ../pointsman

Exit status: 0 created, 1 it cannot be written, 2 usage, or the folder has files.";

/// The arguments of `pointsman policy new`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The name of the policy: lower-case letters, digits and hyphens
    #[arg(value_name = "NAME")]
    name: String,
    /// The language of the policy
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,
    /// The folder to create; by default the name, in the current folder
    #[arg(long, value_name = "FOLDER")]
    path: Option<PathBuf>,
    /// Source of the SDK for a policy in Rust: a version on crates.io, the folder of a checkout, or the URL of
    /// a Git repository; by default this program's version
    #[arg(long, value_name = "VERSION|FOLDER|URL")]
    sdk: Option<String>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// A command for the author to run, and its effect.
type NextStep = (String, &'static str);

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if the folder cannot be written, 2 for a wrong argument or a folder that is
/// not empty.
pub fn run(args: &Args) -> Result<(), CommandError> {
    name::check(&args.name, args.lang)?;
    if args.sdk.is_some() && args.lang != Language::Rust {
        return Err(CommandError::Input(
            "error: --sdk is for policies in Rust\n  = hint: leave it out; a policy in another language carries \
             the contract in WIT"
                .to_owned(),
        ));
    }
    let sdk = sdk::dependency(args.sdk.as_deref())?;
    let path = args.path.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let template = Template::of(args.lang);
    let files = template.files(&Values { name: &args.name, sdk: &sdk });

    let folder = NewFolder::begin(&path)?;
    folder.write(&files)?;
    build::prepare(folder.path())?;
    folder.finish()?;

    let next = next_steps(&path, &template);
    if args.json {
        let report = json!({
            "name": args.name,
            "language": args.lang.name(),
            "path": path.display().to_string(),
            "files": files.keys().collect::<Vec<_>>(),
            "next": next.iter().map(|(command, _)| command).collect::<Vec<_>>(),
        });
        return print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?);
    }
    print(describe(args, &path, files.len(), &next))
}

/// Returns the commands up to the first decision.
fn next_steps(path: &Path, template: &Template) -> Vec<NextStep> {
    let mut steps = vec![(format!("cd {}", quoted(path)), "")];
    steps.extend(template.setup.iter().map(|(command, effect)| ((*command).to_owned(), *effect)));
    steps.push(("pointsman policy test".to_owned(), "builds it, and runs its cases"));
    let run = "pointsman policy run --case cases/long.toml";
    steps.push((run.to_owned(), "shows what it does with one request"));
    steps
}

/// Returns a path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=,:@%".contains(&byte);
    if text.bytes().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

fn describe(args: &Args, path: &Path, files: usize, next: &[NextStep]) -> String {
    let width = next.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let step = |(command, effect): &NextStep| match *effect {
        "" => format!("  {command}"),
        effect => format!("  {command:width$}  # {effect}"),
    };
    let steps: Vec<String> = next.iter().map(step).collect();
    format!(
        "created {}: the policy `{}` in {}, {files} files\n\nnext:\n{}\n\nREADME.md describes the policy and what its \
         language needs, AGENTS.md the contract.",
        path.display(),
        args.name,
        args.lang.title(),
        steps.join("\n"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_steps_are_commands_with_their_effects() {
        let args =
            Args { name: "by-length".to_owned(), lang: Language::Python, path: None, sdk: None, json: false };
        let path = Path::new("our policies/by-length");
        let next = next_steps(path, &Template::of(Language::Python));
        insta::assert_snapshot!(describe(&args, path, 20, &next), @r"
        created our policies/by-length: the policy `by-length` in Python, 20 files

        next:
          cd 'our policies/by-length'
          python3 -m venv .venv                        # an environment for the compiler
          .venv/bin/pip install -r requirements.txt    # the compiler
          pointsman policy test                        # builds it, and runs its cases
          pointsman policy run --case cases/long.toml  # shows what it does with one request

        README.md describes the policy and what its language needs, AGENTS.md the contract.
        ");
    }
}
