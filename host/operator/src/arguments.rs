//! Arguments that commands for a running gateway share.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args as ClapArgs;
use pointsman_admin_api::Reason;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::{COMMAND_TIMEOUT, GatewayArgs, RequestBody, parse};
use crate::{CommandError, print};

/// Options of all operations.
#[derive(Debug, ClapArgs)]
pub(crate) struct OperateArgs {
    #[command(flatten)]
    attribution: AttributionArgs,
    #[command(flatten)]
    gateway: GatewayArgs,
}

/// The attribution of a change.
#[derive(Debug, ClapArgs)]
struct AttributionArgs {
    /// Reason for the change, for the audit log
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,
    /// Your name, for the audit log
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true, default_value = "")]
    operator: String,
}

/// Options of all subcommands that show the status.
#[derive(Debug, ClapArgs)]
pub(crate) struct ShowArgs {
    /// Print the gateway's response as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl OperateArgs {
    /// Returns the reason for the change.
    pub(crate) fn reason(&self) -> Reason {
        Reason { why: self.attribution.why.clone() }
    }

    /// Makes a change with a JSON body.
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        request: &impl Serialize,
    ) -> Result<T, CommandError> {
        self.send(method, path, RequestBody::json(request)?)
    }

    /// Makes a change.
    pub(crate) fn send<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: RequestBody,
    ) -> Result<T, CommandError> {
        let client = self.gateway.client(COMMAND_TIMEOUT)?;
        Ok(client.change(method, path, &self.attribution.operator, body)?)
    }
}

impl ShowArgs {
    /// Gets a resource, and prints it as JSON or as rendered text.
    pub(crate) fn show<T: DeserializeOwned>(
        &self,
        path: &str,
        render: impl FnOnce(T) -> String,
    ) -> Result<(), CommandError> {
        let response = self.gateway.client(COMMAND_TIMEOUT)?.get_json(path)?;
        if self.json {
            return print(format_args!("{response:#}"));
        }
        print(render(parse(response)?))
    }
}

/// Renders a time that has passed, or is to pass.
pub(crate) fn ago(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Returns the seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
