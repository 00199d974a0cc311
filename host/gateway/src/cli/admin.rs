//! Calls of a running gateway's admin API.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use clap::Args as ClapArgs;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

use super::{Failure, printable};

/// Longest wait for an answer: compiling an upload may take a minute.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Which gateway, and who asks.
#[derive(Debug, ClapArgs)]
pub(super) struct Gateway {
    /// The gateway's admin listener
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8081", global = true)]
    admin: String,
    /// File with the admin token, if the gateway asks for one
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
}

/// Who asks and why, for the audit log.
#[derive(Debug, ClapArgs)]
pub(super) struct Because {
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) why: String,
    /// Who you are, for the audit log
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true, default_value = "")]
    operator: String,
}

/// What is sent along.
pub(super) enum Body {
    /// Nothing.
    Nothing,
    /// JSON.
    Json(Value),
    /// A policy's file, and the one with its signature.
    Policy {
        /// The WebAssembly.
        bytes: Vec<u8>,
        /// The signature.
        signature: Option<Vec<u8>>,
    },
}

/// Calls a gateway on a connection that is kept.
#[derive(Debug)]
pub(super) struct Caller {
    agent: Agent,
    admin: String,
    token: Option<String>,
}

/// Why there is no answer, or not the one that was hoped for.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The address or the token cannot be sent.
    #[error("{url}: {error}")]
    Request {
        /// What was to be called.
        url: String,
        /// What is wrong.
        error: ureq::http::Error,
    },
    /// Nobody answers there.
    #[error("cannot reach the gateway at {admin}: {error}")]
    Unreachable {
        /// Where.
        admin: String,
        /// Why.
        error: Box<ureq::Error>,
    },
    /// The gateway says no.
    #[error("{message} (status {status})")]
    Refused {
        /// The answer's status.
        status: u16,
        /// The gateway's words.
        message: String,
    },
}

impl Gateway {
    /// Asks for what there is to see.
    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call("GET", path, "", Body::Nothing)
    }

    /// Asks for a change.
    pub(super) fn change(
        &self,
        method: &str,
        path: &str,
        because: &Because,
        body: Body,
    ) -> Result<Value, Failure> {
        self.call(method, path, &because.operator, body)
    }

    /// Whoever calls often, on a connection that is kept, and waits this long at most.
    pub(super) fn caller(&self, timeout: Duration) -> Result<Caller, Failure> {
        // A status that tells of an error has a body that tells of it better.
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(timeout))
            .build()
            .into();
        let admin = self.admin.trim_end_matches('/').to_owned();
        Ok(Caller { agent, admin, token: self.token()? })
    }

    fn call(&self, method: &str, path: &str, operator: &str, body: Body) -> Result<Value, Failure> {
        Ok(self.caller(TIMEOUT)?.call(method, path, operator, body)?)
    }

    fn token(&self) -> Result<Option<String>, Failure> {
        let Some(path) = &self.token_file else { return Ok(None) };
        let token = read(path)?;
        Ok(Some(String::from_utf8_lossy(&token).trim().to_owned()))
    }
}

impl Caller {
    /// The gateway's admin listener.
    pub(super) fn admin(&self) -> &str {
        &self.admin
    }

    /// Asks for what there is to see.
    pub(super) fn get(&self, path: &str) -> Result<Value, CallError> {
        self.call("GET", path, "", Body::Nothing)
    }

    fn call(&self, method: &str, path: &str, operator: &str, body: Body) -> Result<Value, CallError> {
        let url = format!("{}{path}", self.admin);
        let mut request = Request::builder().method(method).uri(&url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !operator.is_empty() {
            request = request.header("x-pointsman-operator", operator);
        }
        let body = match body {
            Body::Nothing => Vec::new(),
            Body::Json(value) => value.to_string().into_bytes(),
            Body::Policy { bytes, signature } => {
                if let Some(signature) = signature {
                    request = request.header("x-pointsman-signature", BASE64.encode(signature));
                }
                bytes
            }
        };
        let request = request.body(body).map_err(|error| CallError::Request { url, error })?;
        let mut response = self
            .agent
            .run(request)
            .map_err(|error| CallError::Unreachable { admin: self.admin.clone(), error: Box::new(error) })?;
        let status = response.status();
        let answer: Value = response.body_mut().read_json().unwrap_or_default();
        // A reload that rejected something is an answer too: its report says what.
        if status.is_success() || answer["policies"].is_array() {
            return Ok(answer);
        }
        let message = answer["error"]["message"].as_str().unwrap_or("no reason was given");
        Err(CallError::Refused { status: status.as_u16(), message: printable::text(message) })
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let message = format!("error: {error}");
        match error {
            CallError::Unreachable { .. } => Self::Run(format!(
                "{message}\n  = hint: `pointsman serve` prints where its admin listener is; name it with --admin"
            )),
            CallError::Refused { status: 401, .. } => {
                Self::Run(format!("{message}\n  = hint: name the file that has the token with --token-file"))
            }
            CallError::Refused { .. } => Self::Run(message),
            CallError::Request { .. } => Self::Input(message),
        }
    }
}

/// A file's bytes.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::Input(format!("error: cannot read {}: {error}", path.display())))
}
