//! The client of the admin API.

mod trust;

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use clap::Args as ClapArgs;
use pointsman_admin_api::{ErrorResponse, OPERATOR_HEADER, SIGNATURE_HEADER};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::TlsConfig;

pub(crate) use trust::TrustArgs;

use crate::{CommandError, printable};

/// Time for one call of a command: compiling an upload may take a minute.
pub(crate) const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);

/// Options that name the gateway.
#[derive(Debug, ClapArgs)]
pub(crate) struct GatewayArgs {
    /// URL of the gateway's admin listener
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8081", global = true)]
    admin: String,
    /// File with the admin token, if the gateway requires one
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// The body of a request.
pub(crate) enum RequestBody {
    /// No body.
    Empty,
    /// JSON text.
    Json(Vec<u8>),
    /// A policy and its signature.
    Policy {
        /// The WebAssembly file.
        bytes: Vec<u8>,
        /// The `.minisig` file.
        signature: Option<Vec<u8>>,
    },
}

/// A client that keeps its connection open between calls.
#[derive(Debug)]
pub struct AdminClient {
    agent: Agent,
    admin: String,
    token: Option<String>,
}

/// Failure of a call.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL or the token cannot be sent.
    #[error("{url}: {error}")]
    Request {
        /// The URL.
        url: String,
        /// The cause.
        error: ureq::http::Error,
    },
    /// There is no response.
    #[error("cannot reach the gateway at {admin}: {error}")]
    Unreachable {
        /// URL of the admin listener.
        admin: String,
        /// The cause.
        error: Box<ureq::Error>,
    },
    /// The response is an error.
    #[error("{message} (status {status})")]
    Refused {
        /// The status.
        status: u16,
        /// The gateway's message.
        message: String,
    },
    /// The response has another shape.
    #[error("the response is not that of a gateway of this version: {0}")]
    Response(#[from] serde_json::Error),
}

impl GatewayArgs {
    /// Creates a client whose calls take at most `timeout`.
    pub(crate) fn client(&self, timeout: Duration) -> Result<AdminClient, CommandError> {
        let agent = agent(timeout, self.trust.tls_config()?);
        Ok(AdminClient { agent, admin: self.admin.trim_end_matches('/').to_owned(), token: self.token()? })
    }

    fn token(&self) -> Result<Option<String>, CommandError> {
        let Some(path) = &self.token_file else { return Ok(None) };
        let token = read_file(path)?;
        Ok(Some(String::from_utf8_lossy(&token).trim().to_owned()))
    }
}

impl AdminClient {
    /// Creates a client without a token, whose calls take at most `timeout`.
    pub fn at(admin: &str, timeout: Duration) -> Self {
        let agent = agent(timeout, trust::platform());
        Self { agent, admin: admin.trim_end_matches('/').to_owned(), token: None }
    }

    /// Returns the URL of the admin listener.
    pub(crate) fn admin(&self) -> &str {
        &self.admin
    }

    /// Gets a resource, whose text is made safe for a terminal.
    ///
    /// # Errors
    /// Fails if there is no response, or it is an error or has another shape.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        parse(self.get_json(path)?)
    }

    /// Gets a resource as the gateway sent it. Its text is not safe for a terminal.
    pub(crate) fn get_json(&self, path: &str) -> Result<Value, ClientError> {
        self.call("GET", path, "", RequestBody::Empty)
    }

    /// Makes a change in the name of an operator.
    pub(crate) fn change<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        operator: &str,
        body: RequestBody,
    ) -> Result<T, ClientError> {
        parse(self.call(method, path, operator, body)?)
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        operator: &str,
        body: RequestBody,
    ) -> Result<Value, ClientError> {
        let url = format!("{}{path}", self.admin);
        let mut request = Request::builder().method(method).uri(&url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !operator.is_empty() {
            request = request.header(OPERATOR_HEADER, operator);
        }
        let body = match body {
            RequestBody::Empty => Vec::new(),
            RequestBody::Json(text) => text,
            RequestBody::Policy { bytes, signature } => {
                if let Some(signature) = signature {
                    request = request.header(SIGNATURE_HEADER, BASE64.encode(signature));
                }
                bytes
            }
        };
        let request = request.body(body).map_err(|error| ClientError::Request { url, error })?;
        let mut response = self.agent.run(request).map_err(|error| ClientError::Unreachable {
            admin: self.admin.clone(),
            error: Box::new(error),
        })?;
        let status = response.status();
        let body: Value = response.body_mut().read_json().unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        let message = match serde_json::from_value::<ErrorResponse>(body) {
            Ok(response) => printable::text(&response.error.message),
            Err(_) => "no reason was given".to_owned(),
        };
        Err(ClientError::Refused { status: status.as_u16(), message })
    }
}

/// Returns an agent whose calls take at most `timeout`.
fn agent(timeout: Duration, tls: TlsConfig) -> Agent {
    // The body of an error says more than its status.
    Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(timeout))
        .tls_config(tls)
        .build()
        .into()
}

impl RequestBody {
    /// Renders a request of the API.
    pub(crate) fn json(request: &impl Serialize) -> Result<Self, CommandError> {
        serde_json::to_vec(request).map(Self::Json).map_err(CommandError::run)
    }
}

impl From<ClientError> for CommandError {
    fn from(error: ClientError) -> Self {
        let message = format!("error: {error}");
        match error {
            ClientError::Unreachable { .. } => Self::Run(format!(
                "{message}\n  = hint: `pointsman serve` prints the URL of its admin listener; pass it with --admin; --ca-file names \
                 the authority of its certificate, if it has one of its own"
            )),
            ClientError::Refused { status: 401, .. } => Self::Run(format!(
                "{message}\n  = hint: pass the file that contains the token with --token-file"
            )),
            ClientError::Refused { status: 403, .. } => Self::Run(format!(
                "{message}\n  = hint: pass the file that contains the operators' token with --token-file"
            )),
            ClientError::Refused { .. } | ClientError::Response(_) => Self::Run(message),
            ClientError::Request { .. } => Self::Input(message),
        }
    }
}

/// Parses a response, and makes its text safe for a terminal.
pub(crate) fn parse<T: DeserializeOwned>(response: Value) -> Result<T, ClientError> {
    Ok(serde_json::from_value(printable::json(response))?)
}

/// Reads a file that the command line names.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, CommandError> {
    std::fs::read(path)
        .map_err(|error| CommandError::Input(format!("error: cannot read {}: {error}", path.display())))
}
