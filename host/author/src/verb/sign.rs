//! `pointsman policy sign`

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args as ClapArgs;
use pointsman_supply::signature_path;
use pointsman_supply::signing::SigningKey;
use pointsman_terminal::{CommandError, TextTable, print};
use serde_json::json;

use crate::signing_key::{self, KeyPasswordArgs};
use crate::subject::PolicyFile;
use crate::{Toolbox, files};

const MORE: &str = "\
Writes FILE.minisig, a signature in the format of minisign over the bytes of the
policy. A gateway whose configuration has the public key loads the policy only with it.
`pointsman policy push --sign` signs and publishes in one step.

Examples:
  pointsman policy sign router.wasm --key router.key
  pointsman policy sign router.wasm --key ci.key --key-password-env KEY_PASSWORD

Exit status: 0 signed, 1 the signature cannot be written, 2 usage or the key, 3 no policy.";

/// The arguments of `pointsman policy sign`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The WebAssembly file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The secret key: a file of `pointsman policy keygen` or `minisign -G`
    #[arg(long, value_name = "KEYFILE")]
    key: PathBuf,
    #[command(flatten)]
    password: KeyPasswordArgs,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if the signature cannot be written, 2 if the key cannot be used, 3 if the file
/// is no policy.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let file = PolicyFile::read(&args.file.display().to_string(), toolbox)?;
    let key = signing_key::read(&args.key, &args.password, toolbox)?;
    let signature = signature(&key, &file)?;
    let path = signature_path(&args.file);
    files::replace(&path, signature.as_bytes())?;
    if args.json {
        let report = json!({
            "signature": path.display().to_string(),
            "public_key": key.public_key(),
            "sha256": file.code.digest().to_string(),
        });
        return print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?);
    }
    let mut table = TextTable::new(&["signature", &path.display().to_string()]);
    table.add(vec!["public key".to_owned(), key.public_key()]);
    table.add(vec!["sha-256".to_owned(), file.code.digest().to_string()]);
    print(table.render(Vec::new()))
}

/// Signs a policy at this time.
///
/// # Errors
/// Fails with exit status 2 if the key is damaged.
pub fn signature(key: &SigningKey, file: &PolicyFile) -> Result<String, CommandError> {
    let name = Path::new(&file.source).file_name().unwrap_or_default().to_string_lossy();
    let signed = key.sign(file.code.bytes(), &name, unix_seconds());
    signed.map_err(|error| CommandError::Input(format!("error: {error}")))
}

/// Returns the time in seconds since 1970.
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
