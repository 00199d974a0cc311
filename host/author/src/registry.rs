//! Registries on the command line: references, credentials, certificate authorities and proxies.

mod docker;

use std::path::PathBuf;

use clap::Args;
use pointsman_domain::secret::Secret;
use pointsman_supply::{Credentials, InvalidSource, Reference, RemoteAccess, SupplyError};
use pointsman_terminal::CommandError;

use crate::Toolbox;
use crate::files;
use crate::secrets::SecretArgs;

/// Longest file of certificate authorities, in bytes.
const MAX_AUTHORITIES_BYTES: u64 = 4 << 20;

/// Arguments for calls to a registry.
#[derive(Clone, Debug, Default, Args)]
pub struct RegistryArgs {
    /// User name for the registry; by default that of `docker login`
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Environment variable with the password or token for the registry
    #[arg(long, value_name = "NAME", requires = "username")]
    password_env: Option<String>,
    /// File with the password or token for the registry
    #[arg(long, value_name = "FILE", requires = "username", conflicts_with = "password_env")]
    password_file: Option<PathBuf>,
    /// Certificate authorities of the registry in PEM, instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// Everything that calls to a registry need.
pub struct Connection {
    /// Credentials, certificate authorities and the environment's proxies.
    pub access: RemoteAccess,
    /// Reason for which credentials of Docker's configuration are not used.
    unusable: Option<String>,
}

/// Parses a reference, with or without `oci://`.
///
/// # Errors
/// Fails with exit status 2 if it is none.
pub fn reference(text: &str) -> Result<Reference, CommandError> {
    Reference::parse(text).map_err(|error| match error {
        // The text has a user name in it, and may have a password.
        InvalidSource::Secret => CommandError::Input(format!("error: the reference is invalid: {error}")),
        error => CommandError::Input(format!("error: {text}: {error}")),
    })
}

/// Waits for calls to a registry.
///
/// # Errors
/// Fails if the system gives no sockets or threads.
pub fn wait<T>(calls: impl Future<Output = T>) -> Result<T, SupplyError> {
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let executor = executor.map_err(|error| SupplyError::Client { reason: error.to_string() })?;
    Ok(executor.block_on(calls))
}

impl RegistryArgs {
    /// Reads what the arguments name. Without a user name, the credentials are those that
    /// `docker login` stored, if any.
    ///
    /// # Errors
    /// Fails with exit status 2 if something that they name is not there.
    pub fn connection(&self, reference: &Reference, toolbox: &Toolbox) -> Result<Connection, CommandError> {
        let (credentials, unusable) = match self.credentials(toolbox)? {
            Some(given) => (Some(given), None),
            None => match docker::credentials(reference.registry(), toolbox.variable) {
                Ok(found) => (found, None),
                Err(reason) => (None, Some(reason)),
            },
        };
        let ca_pem =
            self.ca_file.as_deref().map(|path| files::read(path, MAX_AUTHORITIES_BYTES)).transpose()?;
        let proxies =
            (toolbox.proxies)().map_err(|reason| CommandError::Input(format!("error: {reason}")))?;
        Ok(Connection { access: RemoteAccess { ca_pem, credentials, proxies }, unusable })
    }

    fn credentials(&self, toolbox: &Toolbox) -> Result<Option<Credentials>, CommandError> {
        let password = SecretArgs {
            options: ["--password-env", "--password-file"],
            variable: self.password_env.as_deref(),
            file: self.password_file.as_deref(),
        };
        match (&self.username, password.read(toolbox)?) {
            (Some(username), Some(password)) => Ok(Some(credentials(username, &password))),
            (Some(_), None) => Err(CommandError::Input(
                "error: --username without a password\n  = hint: add --password-env or --password-file"
                    .to_owned(),
            )),
            (None, _) => Ok(None),
        }
    }
}

impl Connection {
    /// Turns an error of a registry into that of the command, with the remedy.
    pub fn error(&self, error: &SupplyError) -> CommandError {
        let text = format!("error: {error}");
        match error {
            SupplyError::NoTag { .. } => CommandError::Input(text),
            SupplyError::Unauthorized { .. } => {
                let docker = self.unusable.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                CommandError::Run(format!(
                    "{text}\n  = hint: log in with `docker login`{docker}, or give --username with --password-env"
                ))
            }
            _ => CommandError::Run(text),
        }
    }
}

fn credentials(username: &str, password: &Secret) -> Credentials {
    Credentials { username: username.to_owned(), password: password.expose().to_owned() }
}
