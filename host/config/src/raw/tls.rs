//! `[server.tls]` and `[admin.tls]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// TLS of a listener. The files are watched: new ones are used for new connections, and files that do not fit
/// change nothing.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["cert", "key"]))]
pub(crate) struct Tls {
    /// PEM file with the certificate and its intermediates.
    pub cert: Option<String>,
    /// PEM file with the private key of the certificate.
    pub key: Option<String>,
    /// PEM file with the authorities of client certificates. Without it, no client is asked for one.
    pub client_ca: Option<String>,
    /// `required`: clients without a certificate of `client_ca` are refused. `optional`: only those with
    /// another certificate are.
    pub client_auth: ClientAuth,
}

/// Treatment of clients without a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClientAuth {
    /// They are refused.
    #[default]
    Required,
    /// They are served.
    Optional,
}
