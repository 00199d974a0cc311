//! `pointsman policy pull`

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use pointsman_policy::Code;
use pointsman_supply::{
    FetchSpec, FetchedPolicy, Fetcher, Reference, ReferenceVersion, Source, SupplyError, signature_path,
};
use pointsman_terminal::{CommandError, Progress, TextTable, print};
use serde_json::json;

use crate::registry::{self, RegistryArgs};
use crate::subject::PolicyFile;
use crate::{Toolbox, files, signing_key};

const MORE: &str = "\
Fetches a policy as a gateway does: the digests of the manifest and of the policy are
verified, and with --public-key its signature. It is written only if it is a policy;
nothing of it is run. A signature is written to FILE.minisig.

Examples:
  pointsman policy pull ghcr.io/acme/router:1.2.0
  pointsman policy pull ghcr.io/acme/router:stable -o router.wasm --public-key router.pub

Exit status: 0 written, 1 not there or not valid, 2 usage, 3 it is no policy.";

/// The arguments of `pointsman policy pull`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The policy: REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:HEX
    #[arg(value_name = "REFERENCE")]
    reference: String,
    /// The file to write; by default the last part of the repository with `.wasm`
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The public key that must have signed the policy, or the file that has it
    #[arg(long, value_name = "KEY|FILE")]
    public_key: Option<String>,
    #[command(flatten)]
    registry: RegistryArgs,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if the policy cannot be fetched, verified or written, 2 for wrong arguments, 3 if
/// it is no policy.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let reference = registry::reference(&args.reference)?;
    let connection = args.registry.connection(&reference, toolbox)?;
    let source = Source::parse(&reference.to_string(), None).map_err(CommandError::run)?;
    let mut spec = FetchSpec::new(source);
    spec.public_key = args.public_key.as_deref().map(signing_key::public_key).transpose()?;
    spec.access = connection.access.clone();
    let fetched = fetch(&spec).map_err(|error| connection.error(&error))?;
    let output = args.output.clone().unwrap_or_else(|| default_output(&reference));
    let code = Code::with_digest(fetched.bytes.clone(), fetched.digest);
    let file = PolicyFile::of_code(&reference.to_string(), code)?.without_refusals()?;
    files::replace(&output, &fetched.bytes)?;
    if let Some(signature) = &fetched.signature {
        files::replace(&signature_path(&output), signature)?;
    }
    report(args, &reference, &fetched, &file, &output)
}

fn fetch(spec: &FetchSpec) -> Result<FetchedPolicy, SupplyError> {
    let _progress = Progress::step(&format!("fetching {}", spec.source));
    registry::wait(Fetcher::new().fetch(spec))?
}

/// Returns the last part of the repository as the name of a file in the current folder.
fn default_output(reference: &Reference) -> PathBuf {
    let name = reference.repository().rsplit('/').next().unwrap_or_default();
    PathBuf::from(format!("{name}.wasm"))
}

fn report(
    args: &Args,
    reference: &Reference,
    fetched: &FetchedPolicy,
    file: &PolicyFile,
    output: &Path,
) -> Result<(), CommandError> {
    let pinned = fetched.manifest.map(|digest| reference.with_version(ReferenceVersion::Digest(digest)));
    let pinned = pinned.map(|pinned| pinned.to_string()).unwrap_or_default();
    let (signature, verified) = (fetched.signature.is_some(), args.public_key.is_some());
    if args.json {
        let report = json!({
            "path": output.display().to_string(),
            "reference": reference.to_string(),
            "pinned": pinned,
            "sha256": fetched.digest.to_string(),
            "bytes": fetched.bytes.len(),
            "signed": signature,
            "signature_verified": verified,
            "grants": file.inspection.gate.grants,
        });
        return print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?);
    }
    let mut table = TextTable::new(&["pulled", &output.display().to_string()]);
    table.add(vec!["from".to_owned(), reference.to_string()]);
    table.add(vec!["pinned".to_owned(), pinned]);
    table.add(vec!["bytes".to_owned(), fetched.bytes.len().to_string()]);
    table.add(vec!["sha-256".to_owned(), fetched.digest.to_string()]);
    let signature = match (signature, verified) {
        (true, true) => "valid",
        (true, false) => "not verified; --public-key verifies it",
        (false, _) => "none",
    };
    table.add(vec!["signature".to_owned(), signature.to_owned()]);
    file.add_grants(&mut table);
    print(table.render(Vec::new()))
}
