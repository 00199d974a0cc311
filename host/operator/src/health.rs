//! `pointsman health`: the probe of a health check, for images without a shell and other programs.

use std::time::Duration;

use clap::Args as ClapArgs;
use ureq::Agent;
use ureq::http::Uri;

use crate::client::TrustArgs;
use crate::{CommandError, print, printable};

/// Most bytes of a response that are read.
const MAX_BODY: u64 = 1_024;

const MORE: &str = "\
Requests GET /health, or GET /ready with --ready, which need no key. The request goes to the gateway directly,
through no proxy.

Examples:
  pointsman health
  pointsman health --ready --url https://gateway.example.com:8443 --ca-file authority.pem

Exit status: 0 status 200, 1 no response or another status, 2 invalid arguments.";

/// The arguments of `pointsman health`.
#[derive(Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct HealthArgs {
    /// URL of the gateway's client listener
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", env = "POINTSMAN_HEALTH_URL",
          value_parser = parse_url)]
    url: String,
    /// Check that the gateway takes new requests: it does until it begins to stop
    #[arg(long)]
    ready: bool,
    /// Longest wait for the response, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
    #[command(flatten)]
    trust: TrustArgs,
}

impl HealthArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<(), CommandError> {
        let path = if self.ready { "ready" } else { "health" };
        let url = format!("{}/{path}", self.url);
        // The proxy of the environment is for calls of providers.
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(self.timeout)))
            .tls_config(self.trust.tls_config()?)
            .build()
            .into();
        let mut response = agent.get(&url).call().map_err(|error| {
            CommandError::Run(format!(
                "error: cannot reach {url}: {error}\n  = hint: `pointsman serve` prints the URL of its client listener; pass it \
                 with --url"
            ))
        })?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(MAX_BODY).read_to_string().unwrap_or_default();
        let body = printable::text(body.trim());
        if status.as_u16() == 200 {
            return print(body);
        }
        let reason = if body.is_empty() { "no reason was given" } else { &body };
        Err(CommandError::Run(format!("error: {url} returned status {}: {reason}", status.as_u16())))
    }
}

/// Parses the URL of a listener, and removes slashes at its end.
fn parse_url(text: &str) -> Result<String, String> {
    let is_url = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    match text.parse::<Uri>().ok().filter(is_url) {
        Some(_) => Ok(text.trim_end_matches('/').to_owned()),
        None => Err("it has to be a URL such as http://127.0.0.1:8080".to_owned()),
    }
}
