//! Where log lines go: standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::EnvFilter;

use crate::config::{Log, LogFormat, LogLevel};

/// The crates whose lines the configured level is for.
const OURS: [&str; 5] = [
    "pointsman_backends",
    "pointsman_gateway",
    "pointsman_policy",
    "pointsman_supply",
    "pointsman_telemetry",
];

/// Starts to log as the configuration says. Called once, before anything is logged.
pub(super) fn start(log: Log) {
    let level = match log.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    // Libraries speak up only when something is wrong.
    let ours = OURS.map(|part| format!(",{part}={level}")).concat();
    let filter = EnvFilter::new(format!("warn{ours}"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let is_terminal = std::io::stderr().is_terminal();
    match (log.format, is_terminal) {
        (LogFormat::Json, _) | (LogFormat::Auto, false) => lines.json().flatten_event(true).init(),
        (LogFormat::Text, _) | (LogFormat::Auto, true) => {
            lines.with_ansi(is_terminal).with_target(false).init()
        }
    }
}
