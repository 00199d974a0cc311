//! `pointsman policy verify`

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use pointsman_policy::Code;
use pointsman_supply::signing::trusted_comment;
use pointsman_supply::{PublicKey, SignatureError, signature_path};
use pointsman_terminal::{CommandError, TextTable, print};
use serde_json::json;

use crate::subject::MAX_FILE_BYTES;
use crate::{files, signing_key};

/// Longest signature, in bytes.
const MAX_SIGNATURE_BYTES: u64 = 8 << 10;

const MORE: &str = "\
Verifies a signature as a gateway does whose configuration has the public key: by
minisign, or by `pointsman policy sign`. The file is read, not run.

Examples:
  pointsman policy verify router.wasm --public-key router.pub
  pointsman policy verify router.wasm --public-key RWTPB4lzeaywJoUV2O+86FQY6PVFm0nZJJwJ1IQdgCDrTK3N43CFMFUB

Exit status: 0 valid, 1 missing or invalid, 2 usage.";

/// The arguments of `pointsman policy verify`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The public key, or the file that has it
    #[arg(long, value_name = "KEY|FILE")]
    public_key: String,
    /// The signature; by default FILE.minisig
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if the signature is missing or invalid, 2 if the file or the key is.
pub fn run(args: &Args) -> Result<(), CommandError> {
    let key = signing_key::public_key(&args.public_key)?;
    let code = Code::new(files::read(&args.file, MAX_FILE_BYTES)?);
    let path = args.signature.clone().unwrap_or_else(|| signature_path(&args.file));
    let signature = read_signature(&path)?;
    check(code.bytes(), &signature, &key, &path)?;
    let (digest, comment) = (code.digest().to_string(), trusted_comment(&signature));
    if args.json {
        let report = json!({
            "valid": true,
            "sha256": digest,
            "signature": path.display().to_string(),
            "comment": comment,
        });
        return print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?);
    }
    let mut table = TextTable::new(&["valid", &args.file.display().to_string()]);
    table.add(vec!["sha-256".to_owned(), digest]);
    table.add(vec!["signature".to_owned(), path.display().to_string()]);
    table.add(vec!["comment".to_owned(), comment]);
    print(table.render(Vec::new()))
}

/// Reads the text of a signature.
///
/// # Errors
/// Fails with exit status 1 if there is none, 2 if it cannot be read.
pub fn read_signature(path: &Path) -> Result<String, CommandError> {
    if !path.exists() {
        return Err(invalid(SignatureError::Missing, path));
    }
    files::read_text(path, MAX_SIGNATURE_BYTES)
}

/// Verifies a signature, which is at a path.
///
/// # Errors
/// Fails with exit status 1 if it is invalid.
pub fn check(bytes: &[u8], signature: &str, key: &PublicKey, path: &Path) -> Result<(), CommandError> {
    pointsman_supply::verify(bytes, signature, key).map_err(|error| invalid(error, path))
}

fn invalid(error: SignatureError, path: &Path) -> CommandError {
    CommandError::Run(format!("error: {error} (looked for in {})", path.display()))
}
