//! Secrets on the command line: from the environment, a file or the terminal, never as an argument,
//! which other users of the machine can see.

use std::path::Path;

use pointsman_domain::secret::Secret;
use pointsman_terminal::CommandError;

use crate::Toolbox;
use crate::files;

/// Longest file with a secret, in bytes.
const MAX_SECRET_BYTES: u64 = 16 << 10;

/// The two options that name one secret.
pub struct SecretArgs<'a> {
    /// Names of the options, for messages.
    pub options: [&'static str; 2],
    /// Name of an environment variable.
    pub variable: Option<&'a str>,
    /// Path of a file.
    pub file: Option<&'a Path>,
}

impl SecretArgs<'_> {
    /// Reads the secret, if an option names one. Line breaks at its end are left out.
    ///
    /// # Errors
    /// Fails with exit status 2 if it is not there, or empty.
    pub fn read(&self, toolbox: &Toolbox) -> Result<Option<Secret>, CommandError> {
        let [variable_option, file_option] = self.options;
        let (text, origin) = match (self.variable, self.file) {
            (Some(name), _) => {
                let value = (toolbox.variable)(name).ok_or_else(|| {
                    // The text may be the secret itself.
                    CommandError::Input(format!(
                        "error: {variable_option}: there is no environment variable of this name\n  = hint: the \
                         option takes the name of a variable, which holds the secret"
                    ))
                })?;
                (value, variable_option)
            }
            (None, Some(path)) => (files::read_text(path, MAX_SECRET_BYTES)?, file_option),
            (None, None) => return Ok(None),
        };
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(CommandError::Input(format!("error: {origin}: the secret is empty"))),
            secret => Ok(Some(Secret::new(secret))),
        }
    }
}

/// Asks the terminal for a secret, which is not shown. `None` if there is no terminal.
pub fn ask(prompt: &str) -> Option<Secret> {
    rpassword::prompt_password(prompt).ok().map(Secret::new)
}
