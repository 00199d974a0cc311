//! `pointsman policy index`

mod entry;
mod folder;
mod page;
mod repository;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use pointsman_supply::PublicKey;
use pointsman_terminal::{CommandError, TextTable, print};
use serde_json::json;

use entry::{Entry, IndexedPolicy};
use repository::RepositoryPolicies;

use crate::Toolbox;
use crate::registry::RegistryArgs;

/// First part of the sources that are repositories.
const OCI: &str = "oci://";

const MORE: &str = "\
Lists every .wasm file of a folder, and every tagged policy of an OCI repository: what it
says about itself, what it may do, its digest, its settings and labels. Nothing of a policy
is compiled or run. The page has no scripts and loads nothing; `index.json` beside it has
the same for programs. A file NAME.wasm.minisig, or the signature that `policy push --sign`
published, is shown, and verified with --public-key.

Examples:
  pointsman policy index policies
  pointsman policy index policies --out public/index.html --title \"Our policies\"
  pointsman policy index oci://ghcr.io/acme/router oci://ghcr.io/acme/guard:stable

Exit status: 0 written, 1 a file is no policy or a signature is wrong (the index says
which, and is written) or a registry cannot be read, 2 usage.";

/// The arguments of `pointsman policy index`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// Folders of policies, and repositories: oci://REGISTRY/REPOSITORY, with a tag or digest for one
    /// policy
    #[arg(value_name = "FOLDER|REPOSITORY", default_value = ".")]
    sources: Vec<String>,
    /// The page to write; `index.json` is written beside it. By default in the first folder, or here
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Title of the page
    #[arg(long, default_value = "Policies")]
    title: String,
    /// Minisign public key that must have signed the policies: one line that begins with `RW`
    #[arg(long, value_name = "KEY")]
    public_key: Option<PublicKey>,
    #[command(flatten)]
    registry: RegistryArgs,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 2 if a folder cannot be read or has no policies, 1 if a registry cannot be read,
/// or the index cannot be written or has faulty entries.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let mut entries: Vec<Entry> = Vec::new();
    for source in &args.sources {
        if source.starts_with(OCI) {
            let policies = RepositoryPolicies::find(source, &args.registry, toolbox)?;
            entries.extend(policies.fetch_each().map(|policy| Entry::of(&policy, args.public_key.as_ref())));
        } else {
            let files = folder::files(Path::new(source))?;
            let policies = files.iter().map(|file| folder::policy(file));
            entries.extend(policies.map(|policy| Entry::of(&policy, args.public_key.as_ref())));
        }
    }
    let page = args.out.clone().unwrap_or_else(|| default_page(&args.sources));
    let data = page.with_file_name("index.json");
    let document = json!({ "title": args.title, "policies": entries });
    let text = serde_json::to_string_pretty(&document).map_err(CommandError::run)?;
    write(&page, &page::render(&args.title, &entries))?;
    write(&data, &format!("{text}\n"))?;
    if args.json {
        print(text)?;
    } else {
        print(describe(&entries, &page, &data))?;
    }
    let faulty = entries.iter().filter(|entry| entry.is_faulty()).count();
    if faulty == 0 {
        return Ok(());
    }
    Err(CommandError::Run(format!("error: {faulty} of {} files are faulty", entries.len())))
}

/// Returns the path of the page in the first folder, or in the current one.
fn default_page(sources: &[String]) -> PathBuf {
    let folder = sources.iter().find(|source| !source.starts_with(OCI));
    folder.map(PathBuf::from).unwrap_or_default().join("index.html")
}

fn write(path: &Path, text: &str) -> Result<(), CommandError> {
    fs::write(path, text)
        .map_err(|error| CommandError::Run(format!("error: cannot write {}: {error}", path.display())))
}

fn describe(entries: &[Entry], page: &Path, data: &Path) -> String {
    let mut table = TextTable::new(&["FILE", "TITLE", "GRANTS", "SIGNATURE"]);
    for entry in entries {
        table.add(match &entry.policy {
            IndexedPolicy::Readable(policy) => vec![
                entry.file.clone(),
                policy.description.as_ref().map_or_else(|| "-".to_owned(), |it| it.title.clone()),
                if policy.gate.grants.is_empty() { "-".to_owned() } else { policy.gate.grants.join(", ") },
                entry.signature.describe(),
            ],
            IndexedPolicy::Unreadable { error } => vec![entry.file.clone(), format!("no policy: {error}")],
        });
    }
    table.render(vec![format!("wrote {} and {}", page.display(), data.display())])
}

#[cfg(test)]
mod tests;
