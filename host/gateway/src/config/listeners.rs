//! The client API, the admin API and the log.

use std::net::SocketAddr;
use std::time::Duration;

use pointsman_backends::Secret;

use super::document::{Node, Span};
use super::problem::Problems;
use super::raw;
use super::secrets::{Secrets, Source};

/// The listener for clients.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Where to listen. Port 0 takes a free port.
    pub listen: SocketAddr,
    /// Longest request body.
    pub max_body_bytes: usize,
    /// Longest request head.
    pub max_header_bytes: usize,
    /// Most connections at a time; at least 1.
    pub max_connections: usize,
    /// Longest time for a request's head to arrive.
    pub header_timeout: Duration,
    /// How long requests under way may take to finish after a stop.
    pub drain_timeout: Duration,
}

/// The listener for operators.
#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What callers have to send as `authorization: Bearer`. Always there when
    /// other machines can reach the listener.
    pub token: Option<Secret>,
}

/// What is written to standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// How lines look.
    pub format: raw::LogFormat,
    /// Which lines are written.
    pub level: raw::LogLevel,
}

pub(super) fn server(
    file: &raw::File,
    node: Node<'_>,
    listen: Option<SocketAddr>,
    problems: &mut Problems<'_>,
) -> Server {
    let raw = &file.server;
    let address = listen.unwrap_or(raw.listen.get());
    let is_open = file.keys.is_empty() && !raw.allow_anonymous;
    if is_open && !address.ip().is_loopback() {
        problems
            .add(
                place_of_listen(node, listen),
                format!("other machines can reach {address}, but there are no API keys"),
            )
            .hint(
                "make a key with `pointsman key` and put its hash under [keys.NAME], or set \
                 `server.allow_anonymous = true`",
            );
    }
    for (key, limit) in [
        ("max_body_bytes", raw.max_body_bytes.get()),
        ("max_connections", raw.max_connections as usize),
        ("header_timeout", raw.header_timeout.get().as_millis() as usize),
    ] {
        if limit == 0 {
            problems.add(node.get(key).place(), format!("`{key}` is zero, so no request could be served"));
        }
    }
    if raw.max_header_bytes.get() < 8192 {
        problems
            .add(node.get("max_header_bytes").place(), "`max_header_bytes` is below 8 KiB")
            .hint("ordinary clients send heads of some kilobytes");
    }
    Server {
        listen: address,
        max_body_bytes: raw.max_body_bytes.get(),
        max_header_bytes: raw.max_header_bytes.get(),
        max_connections: raw.max_connections as usize,
        header_timeout: raw.header_timeout.get(),
        drain_timeout: raw.drain_timeout.get(),
    }
}

pub(super) fn admin(
    raw: &raw::Admin,
    node: Node<'_>,
    listen: Option<SocketAddr>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Admin {
    let address = listen.unwrap_or(raw.listen.get());
    let source = Source {
        keys: ["token_env", "token_file"],
        env: raw.token_env.as_deref(),
        file: raw.token_file.as_deref(),
    };
    if !address.ip().is_loopback() && source.env.is_none() && source.file.is_none() {
        problems
            .add(
                place_of_listen(node, listen),
                format!("other machines can reach the admin API at {address}, but it has no token"),
            )
            .hint("name an environment variable with `token_env` or a file with `token_file` under [admin]");
    }
    Admin { listen: address, token: secrets.read(&source, node, problems) }
}

pub(super) fn log(raw: &raw::Log) -> Log {
    Log { format: raw.format, level: raw.level }
}

/// An address from the command line has no place in the file.
fn place_of_listen(node: Node<'_>, listen: Option<SocketAddr>) -> Option<Span> {
    listen.is_none().then(|| node.get("listen").place())
}
