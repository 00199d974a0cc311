//! The client API, the admin API and the log.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use pointsman_domain::secret::Secret;
use pointsman_tls::ListenerTls;

use super::document::{Node, Span};
use super::problem::Problems;
use super::secrets::{SecretSource, Secrets};
use super::{raw, tls};
use crate::Overrides;
use crate::cross_origin::{Allowed, Host, WebOrigin};

/// The listener for clients.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Address to listen on. Port 0 selects a free port.
    pub listen: SocketAddr,
    /// TLS, if it is configured.
    pub tls: Option<ListenerTls>,
    /// Longest request body.
    pub max_body_bytes: usize,
    /// Longest request head.
    pub max_header_bytes: usize,
    /// Most connections at a time; at least 1.
    pub max_connections: usize,
    /// Most connections of one peer; at least 1. By default, half of all from other machines.
    pub max_connections_per_peer: Option<usize>,
    /// Most requests at a time on one HTTP/2 connection; at least 1.
    pub max_concurrent_streams: u32,
    /// Proxies that may report the address of their client.
    pub trusted_proxies: Vec<IpNet>,
    /// Longest time for a request's head to arrive.
    pub header_timeout: Duration,
    /// Longest time that a connection is kept without an open request.
    pub idle_timeout: Duration,
    /// Longest time that a connection is kept while its client reads nothing of a response.
    pub write_timeout: Duration,
    /// Time between the signal to stop and the end of listening.
    pub shutdown_delay: Duration,
    /// Longest time for requests in flight to finish after a stop.
    pub drain_timeout: Duration,
    /// Origins of web pages that may read responses, and send requests without a key.
    pub allowed_origins: Allowed<WebOrigin>,
    /// Hosts that requests without a key may name, beside local ones.
    pub allowed_hosts: Option<Allowed<String>>,
    /// True if each request needs a key, whether or not there are any.
    pub require_key: bool,
}

/// The listener for operators.
#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// TLS, if it is configured.
    pub tls: Option<ListenerTls>,
    /// Tokens of callers. There is at least one when other machines can reach the listener.
    pub tokens: AdminTokens,
}

/// Tokens that callers of the admin API send as `authorization: Bearer`. Without any, callers on this machine may
/// do everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdminTokens {
    /// Token of operators, who may do everything.
    pub operator: Option<Secret>,
    /// Token of those who may only read.
    pub read_only: Option<Secret>,
}

impl AdminTokens {
    /// Returns whether callers need no token.
    pub fn is_empty(&self) -> bool {
        self.operator.is_none() && self.read_only.is_none()
    }
}

impl Server {
    /// Returns whether another configuration of the listener takes effect only at a start. New files of TLS, and
    /// whether keys are required, take effect at once.
    pub fn needs_restart_for(&self, next: &Self) -> bool {
        let is_encrypted = |server: &Self| server.tls.is_some();
        let adapted = Self { tls: next.tls.clone(), require_key: next.require_key, ..self.clone() };
        is_encrypted(self) != is_encrypted(next) || adapted != *next
    }
}

impl Admin {
    /// Returns whether another configuration of the listener takes effect only at a start. New files of TLS and new
    /// tokens take effect at once.
    pub fn needs_restart_for(&self, next: &Self) -> bool {
        self.listen != next.listen || self.tls.is_some() != next.tls.is_some()
    }
}

/// Settings of the log on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Format of lines.
    pub format: raw::LogFormat,
    /// Lowest level that is written.
    pub level: raw::LogLevel,
}

pub(super) fn server(
    file: &raw::File,
    node: Node<'_>,
    Overrides { listen, allow_anonymous, .. }: Overrides,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Server {
    let raw = &file.server;
    let address = listen.unwrap_or(raw.listen.get());
    let is_open = file.keys.is_empty() && !raw.require_key && !raw.allow_anonymous && !allow_anonymous;
    if is_open && !address.ip().is_loopback() {
        problems
            .add(
                place_of_listen(node, listen),
                format!("other machines can reach {address}, but there are no API keys"),
            )
            .hint(
                "make a key with `pointsman key` and put its hash under [keys.NAME], or set \
                 `server.require_key = true` and create keys with `pointsman key create`, or set \
                 `server.allow_anonymous = true` or start with `--allow-anonymous` to serve all clients without one",
            );
    }
    if raw.require_key {
        check_required_key(file, node, allow_anonymous, problems);
    }
    for (key, limit) in [
        ("max_body_bytes", raw.max_body_bytes.get()),
        ("max_connections", raw.max_connections as usize),
        ("max_connections_per_peer", raw.max_connections_per_peer.unwrap_or(1) as usize),
        ("max_concurrent_streams", raw.max_concurrent_streams as usize),
        ("header_timeout", raw.header_timeout.get().as_millis() as usize),
        ("idle_timeout", raw.idle_timeout.get().as_millis() as usize),
        ("write_timeout", raw.write_timeout.map_or(1, |time| time.get().as_millis() as usize)),
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
        tls: tls::compile(raw.tls.as_ref(), node.get("tls"), secrets, problems),
        max_body_bytes: raw.max_body_bytes.get(),
        max_header_bytes: raw.max_header_bytes.get(),
        max_connections: raw.max_connections as usize,
        max_connections_per_peer: raw.max_connections_per_peer.map(|most| most as usize),
        max_concurrent_streams: raw.max_concurrent_streams,
        trusted_proxies: trusted_proxies(&raw.trusted_proxies, node.get("trusted_proxies"), problems),
        header_timeout: raw.header_timeout.get(),
        idle_timeout: raw.idle_timeout.get(),
        write_timeout: raw.write_timeout.unwrap_or(raw.idle_timeout).get(),
        shutdown_delay: raw.shutdown_delay.get(),
        drain_timeout: raw.drain_timeout.get(),
        allowed_origins: allowed(&raw.allowed_origins, WebOrigin::parse, |index, origin| {
            problems
                .add(
                    node.get("allowed_origins").at(index).place(),
                    format!("{origin:?} is not the origin of a web page"),
                )
                .hint("an origin is a scheme and a host, such as \"https://app.example.com\"");
        }),
        allowed_hosts: raw.allowed_hosts.as_ref().map(|hosts| {
            allowed(hosts, host_name, |index, host| {
                problems
                    .add(
                        node.get("allowed_hosts").at(index).place(),
                        format!("{host:?} is not the name of a host"),
                    )
                    .hint("a host is named without a port, such as \"llm.example.com\"");
            })
        }),
        require_key: raw.require_key,
    }
}

/// Checks that a server that requires a key can have one, and is not said to serve clients without one.
fn check_required_key(file: &raw::File, node: Node<'_>, allow_anonymous: bool, problems: &mut Problems<'_>) {
    let place = || node.get("require_key").place();
    if file.server.allow_anonymous || allow_anonymous {
        problems
            .add(place(), "`require_key` refuses the clients without a key that `allow_anonymous` serves")
            .hint("leave out one of the two; `--allow-anonymous` counts as `allow_anonymous`");
    }
    if file.keys.is_empty() && file.state.dir.is_none() {
        problems.add(place(), "`require_key` is true, but there can be no key").hint(
            "set `dir` below [state], where keys of `pointsman key create` are stored, or make a key with \
             `pointsman key` and put its hash under [keys.NAME]",
        );
    }
}

/// Parses the members of a list, and reports those that are invalid. Returns [`Allowed::All`]
/// if `*` is among them.
fn allowed<T>(
    texts: &[String],
    parse: impl Fn(&str) -> Option<T>,
    mut report: impl FnMut(usize, &str),
) -> Allowed<T> {
    if texts.iter().any(|text| text == "*") {
        return Allowed::All;
    }
    let mut members = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match parse(text) {
            Some(member) => members.push(member),
            None => report(index, text),
        }
    }
    Allowed::Only(members)
}

fn host_name(text: &str) -> Option<String> {
    match Host::parse_bare(text)? {
        Host::Name(name) => Some(name),
        // Addresses are always allowed.
        Host::Address(_) => None,
    }
}

fn trusted_proxies(raw: &[String], node: Node<'_>, problems: &mut Problems<'_>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for (index, text) in raw.iter().enumerate() {
        match text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            Ok(network) => networks.push(network),
            Err(_) => {
                problems
                    .add(node.at(index).place(), format!("{text:?} is neither an IP address nor a network"))
                    .hint("a network is an address and the length of its prefix, such as \"10.0.0.0/8\"");
            }
        }
    }
    networks
}

pub(super) fn admin(
    raw: &raw::Admin,
    node: Node<'_>,
    listen: Option<SocketAddr>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Admin {
    let address = listen.unwrap_or(raw.listen.get());
    let source = SecretSource {
        keys: ["token_env", "token_file"],
        env: raw.token_env.as_deref(),
        file: raw.token_file.as_deref(),
    };
    let reading = SecretSource {
        keys: ["read_token_env", "read_token_file"],
        env: raw.read_token_env.as_deref(),
        file: raw.read_token_file.as_deref(),
    };
    let has_token = [&source, &reading].iter().any(|source| source.env.is_some() || source.file.is_some());
    if !address.ip().is_loopback() && !has_token {
        problems
            .add(
                place_of_listen(node, listen),
                format!("other machines can reach the admin API at {address}, but it has no token"),
            )
            .hint("name an environment variable with `token_env` or a file with `token_file` under [admin]");
    }
    let operator = secrets.read(&source, node, problems);
    let tokens = AdminTokens { operator, read_only: secrets.read(&reading, node, problems) };
    if tokens.operator.is_some() && tokens.operator == tokens.read_only {
        let at_fault = reading.keys.map(|key| node.get(key)).into_iter().find(|node| node.is_there());
        problems
            .add(at_fault.unwrap_or(node).place(), "the token for reading is also that of operators")
            .hint("make another one: with it, its holders could change everything");
    }
    Admin { listen: address, tls: tls::compile(raw.tls.as_ref(), node.get("tls"), secrets, problems), tokens }
}

pub(super) fn log(raw: &raw::Log) -> Log {
    Log { format: raw.format, level: raw.level }
}

/// Returns the span of `listen`. An address from the command line has none.
fn place_of_listen(node: Node<'_>, listen: Option<SocketAddr>) -> Option<Span> {
    listen.is_none().then(|| node.get("listen").place())
}
