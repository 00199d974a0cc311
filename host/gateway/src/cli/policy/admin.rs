//! Calls of a running gateway's admin API.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use clap::Args as ClapArgs;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

use super::Failure;

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

    fn call(&self, method: &str, path: &str, operator: &str, body: Body) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.admin.trim_end_matches('/'));
        let mut request = Request::builder().method(method).uri(&url);
        if let Some(token) = self.token()? {
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
        let request = request.body(body).map_err(|error| Failure::Input(format!("error: {url}: {error}")))?;
        // A status that tells of an error has a body that tells of it better.
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        let mut response = agent.run(request).map_err(|error| {
            Failure::Run(format!(
                "error: cannot reach the gateway at {}: {error}\n  = hint: `pointsman serve` prints where its \
                 admin listener is; name it with --admin",
                self.admin
            ))
        })?;
        let status = response.status();
        let answer: Value = response.body_mut().read_json().unwrap_or_default();
        // A reload that rejected something is an answer too: its report says what.
        if status.is_success() || answer["policies"].is_array() {
            return Ok(answer);
        }
        let message = answer["error"]["message"].as_str().unwrap_or("no reason was given");
        Err(Failure::Run(format!("error: {message} (status {})", status.as_u16())))
    }

    fn token(&self) -> Result<Option<String>, Failure> {
        let Some(path) = &self.token_file else { return Ok(None) };
        let token = read(path)?;
        Ok(Some(String::from_utf8_lossy(&token).trim().to_owned()))
    }
}

/// A file's bytes.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::Input(format!("error: cannot read {}: {error}", path.display())))
}
