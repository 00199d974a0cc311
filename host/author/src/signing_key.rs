//! Keys of minisign on the command line.

use std::path::{Path, PathBuf};

use clap::Args;
use pointsman_domain::secret::Secret;
use pointsman_supply::PublicKey;
use pointsman_supply::signing::{SigningError, SigningKey, StoredKey, public_key_in};
use pointsman_terminal::CommandError;

use crate::Toolbox;
use crate::files;
use crate::secrets::{self, SecretArgs};

/// Longest file of a key, in bytes.
const MAX_KEY_BYTES: u64 = 16 << 10;

/// Arguments for the password of a secret key.
#[derive(Clone, Debug, Default, Args)]
pub struct KeyPasswordArgs {
    /// Environment variable with the password of the key; without it, the terminal is asked
    #[arg(long, value_name = "NAME")]
    pub key_password_env: Option<String>,
    /// File with the password of the key
    #[arg(long, value_name = "FILE", conflicts_with = "key_password_env")]
    pub key_password_file: Option<PathBuf>,
}

impl KeyPasswordArgs {
    /// Returns the password that the arguments name, if they name one.
    ///
    /// # Errors
    /// Fails with exit status 2 if it is not there.
    pub fn given(&self, toolbox: &Toolbox) -> Result<Option<Secret>, CommandError> {
        let args = SecretArgs {
            options: ["--key-password-env", "--key-password-file"],
            variable: self.key_password_env.as_deref(),
            file: self.key_password_file.as_deref(),
        };
        args.read(toolbox)
    }
}

/// Reads a secret key. If it is encrypted, the arguments or the terminal give the password.
///
/// # Errors
/// Fails with exit status 2 if there is no such key, or the password is missing or wrong.
pub fn read(path: &Path, password: &KeyPasswordArgs, toolbox: &Toolbox) -> Result<SigningKey, CommandError> {
    let wrong = |error: SigningError| {
        let hint = match error {
            SigningError::PasswordRequired | SigningError::WrongPassword => {
                "\n  = hint: give the password with --key-password-env or --key-password-file"
            }
            _ => "",
        };
        CommandError::Input(format!("error: {}: {error}{hint}", path.display()))
    };
    let stored = StoredKey::parse(&files::read_text(path, MAX_KEY_BYTES)?).map_err(wrong)?;
    let password = match password.given(toolbox)? {
        None if stored.is_encrypted() => secrets::ask(&format!("Password of {}: ", path.display()))
            .ok_or_else(|| wrong(SigningError::PasswordRequired))
            .map(Some)?,
        given => given,
    };
    stored.decrypt(password.as_ref().map(Secret::expose)).map_err(wrong)
}

/// Reads a public key: the key itself, or the path of a `.pub` file.
///
/// # Errors
/// Fails with exit status 2 if it is neither.
pub fn public_key(given: &str) -> Result<PublicKey, CommandError> {
    if let Ok(key) = given.parse() {
        return Ok(key);
    }
    let path = Path::new(given);
    if !path.exists() {
        return Err(CommandError::Input(format!(
            "error: {given} is neither a public key of minisign nor a file\n  = hint: a public key is the line that \
             begins with RW in the .pub file"
        )));
    }
    public_key_in(&files::read_text(path, MAX_KEY_BYTES)?).ok_or_else(|| {
        CommandError::Input(format!(
            "error: {given} has no public key of minisign\n  = hint: give the .pub file, not the secret key"
        ))
    })
}
