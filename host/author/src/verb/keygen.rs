//! `pointsman policy keygen`

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use pointsman_domain::secret::Secret;
use pointsman_supply::signing::GeneratedKey;
use pointsman_terminal::{CommandError, TextTable, print};
use serde_json::json;

use crate::signing_key::KeyPasswordArgs;
use crate::{Toolbox, files, secrets};

const MORE: &str = "\
Writes NAME.key, which signs and stays secret, and NAME.pub, which verifies. Both have
the format of minisign. The key is encrypted with a password; --no-password is for
machines that sign without a person, where the file has to be protected otherwise.

Examples:
  pointsman policy keygen router
  pointsman policy keygen ci --no-password

Exit status: 0 made, 1 a file cannot be written, 2 usage, or a file exists already.";

/// The arguments of `pointsman policy keygen`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The path of the files, without `.key` and `.pub`
    #[arg(value_name = "NAME", default_value = "policy")]
    name: PathBuf,
    /// Do not encrypt the key
    #[arg(long, conflicts_with_all = ["key_password_env", "key_password_file"])]
    no_password: bool,
    #[command(flatten)]
    password: KeyPasswordArgs,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Fails with exit status 1 if a file cannot be written, 2 if it exists or there is no password.
pub fn run(args: &Args, toolbox: &Toolbox) -> Result<(), CommandError> {
    let with = |extension: &str| {
        let mut path = args.name.clone().into_os_string();
        path.push(extension);
        PathBuf::from(path)
    };
    let (secret, public) = (with(".key"), with(".pub"));
    refuse_existing(&[&secret, &public])?;
    let password = match (args.no_password, args.password.given(toolbox)?) {
        (true, _) => None,
        (false, Some(given)) => Some(given),
        (false, None) => Some(new_password()?),
    };
    let key = GeneratedKey::new(password.as_ref().map(Secret::expose)).map_err(CommandError::run)?;
    files::create(&secret, key.secret.as_bytes(), true)?;
    files::create(&public, key.public.as_bytes(), false)?;
    if args.json {
        let report = json!({
            "secret_key": secret.display().to_string(),
            "public_key_file": public.display().to_string(),
            "public_key": key.public_key,
            "encrypted": password.is_some(),
        });
        return print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?);
    }
    let encrypted = if password.is_some() { "" } else { ", not encrypted" };
    let mut table =
        TextTable::new(&["secret key", &format!("{}{encrypted}: keep it secret", secret.display())]);
    table.add(vec!["public key".to_owned(), public.display().to_string()]);
    table.add(vec!["in pointsman.toml".to_owned(), format!("public_key = \"{}\"", key.public_key)]);
    print(table.render(Vec::new()))
}

/// Refuses before anybody is asked for a password. Creating the files is what decides.
fn refuse_existing(paths: &[&Path]) -> Result<(), CommandError> {
    match paths.iter().find(|path| path.exists()) {
        None => Ok(()),
        Some(path) => Err(CommandError::Input(format!(
            "error: {} exists already\n  = hint: name another key; one that signed policies is still needed",
            path.display()
        ))),
    }
}

fn new_password() -> Result<Secret, CommandError> {
    let missing = || {
        CommandError::Input(
            "error: there is no password for the key, and no terminal to ask for it\n  = hint: give it with \
             --key-password-env or --key-password-file, or make a key with --no-password"
                .to_owned(),
        )
    };
    let password = secrets::ask("Password for the new key: ").ok_or_else(missing)?;
    let again = secrets::ask("The same password again: ").ok_or_else(missing)?;
    if password.expose().is_empty() {
        return Err(CommandError::Input(
            "error: the password is empty\n  = hint: --no-password makes a key without one".to_owned(),
        ));
    }
    if password != again {
        return Err(CommandError::Input("error: the two passwords differ; no key was made".to_owned()));
    }
    Ok(password)
}
