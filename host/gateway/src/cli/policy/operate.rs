//! The subcommands that change something.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::admin::{Because, Body, Gateway, read};
use super::{Failure, print};

/// What one is asked with.
#[derive(Debug, ClapArgs)]
pub(super) struct Asked {
    #[command(flatten)]
    because: Because,
    #[command(flatten)]
    gateway: Gateway,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Trial {
    /// The route
    route: String,
    /// The policy to try
    #[arg(required_unless_present = "end", requires = "mode")]
    policy: Option<String>,
    /// Ask it about every request, and only compare its answers
    #[arg(long, group = "mode")]
    shadow: bool,
    /// Let it decide this share of the requests, sticky by session or key
    #[arg(long, value_name = "PERCENT", group = "mode")]
    canary: Option<f64>,
    /// End the trial
    #[arg(long, conflicts_with_all = ["policy", "mode"])]
    end: bool,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Promote {
    /// The route
    route: String,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Rollback {
    /// The policy
    #[arg(required_unless_present = "route")]
    policy: Option<String>,
    /// Undo the promotion at this route instead
    #[arg(long, value_name = "ROUTE", conflicts_with = "policy")]
    route: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Pin {
    /// The policy
    policy: String,
    /// The version: its SHA-256, or at least the first 6 digits
    digest: String,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Unpin {
    /// The policy
    policy: String,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Release {
    /// The policy
    policy: String,
    /// The version: its SHA-256, or at least the first 6 digits
    digest: String,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Upload {
    /// The policy
    policy: String,
    /// The WebAssembly file
    file: PathBuf,
    /// Its signature, where the policy has a public key; without this, FILE.minisig if it is there
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    #[command(flatten)]
    asked: Asked,
}

impl Asked {
    fn change(&self, method: &str, path: &str, mut body: Value) -> Result<Value, Failure> {
        body["why"] = self.because.why.as_str().into();
        self.gateway.change(method, path, &self.because, Body::Json(body))
    }
}

/// The path of an operation. A route may have any name, with slashes and the like.
fn of_route(route: &str, operation: &str) -> String {
    format!("/admin/routes/{}/{operation}", utf8_percent_encode(route, NON_ALPHANUMERIC))
}

pub(super) fn trial(args: &Trial) -> Result<(), Failure> {
    let path = of_route(&args.route, "trial");
    let Some(policy) = &args.policy else {
        args.asked.change("DELETE", &path, json!({}))?;
        return print(format_args!("the trial at `{}` is over", args.route));
    };
    let (body, what) = match args.canary {
        Some(percent) => (
            json!({ "policy": policy, "mode": "canary", "percent": percent }),
            format!("decides {percent} % of the requests"),
        ),
        None => (json!({ "policy": policy, "mode": "shadow" }), "is asked about every request".to_owned()),
    };
    args.asked.change("PUT", &path, body)?;
    print(format_args!("`{policy}` {what} at `{}`; `pointsman policy routes` shows how it does", args.route))
}

pub(super) fn promote(args: &Promote) -> Result<(), Failure> {
    args.asked.change("POST", &of_route(&args.route, "promote"), json!({}))?;
    print(format_args!(
        "the policy that was on trial decides at `{route}` now; `pointsman policy rollback --route {route}` undoes that",
        route = args.route
    ))
}

pub(super) fn rollback(args: &Rollback) -> Result<(), Failure> {
    if let Some(route) = &args.route {
        args.asked.change("POST", &of_route(route, "rollback"), json!({}))?;
        return print(format_args!("the configured policy decides at `{route}` again"));
    }
    let policy = args.policy.as_deref().unwrap_or_default();
    let answer = args.asked.change("POST", &format!("/admin/policies/{policy}/rollback"), json!({}))?;
    print(format_args!(
        "`{policy}` is back at version {}; the one after it is in quarantine",
        short(&answer["digest"])
    ))
}

pub(super) fn pin(args: &Pin) -> Result<(), Failure> {
    let path = format!("/admin/policies/{}/pin", args.policy);
    let answer = args.asked.change("PUT", &path, json!({ "digest": args.digest }))?;
    print(format_args!("`{}` stays at version {}", args.policy, short(&answer["digest"])))
}

pub(super) fn unpin(args: &Unpin) -> Result<(), Failure> {
    let path = format!("/admin/policies/{}/pin", args.policy);
    let report = args.asked.change("DELETE", &path, json!({}))?;
    reloaded(&args.policy, &report, "follows its source again")
}

pub(super) fn release(args: &Release) -> Result<(), Failure> {
    let path = format!("/admin/policies/{}/release", args.policy);
    let report = args.asked.change("POST", &path, json!({ "digest": args.digest }))?;
    reloaded(&args.policy, &report, &format!("may serve version {} again", args.digest))
}

pub(super) fn upload(args: &Upload) -> Result<(), Failure> {
    let bytes = read(&args.file)?;
    let Asked { because, gateway } = &args.asked;
    let path = format!("/admin/policies/{}/code?why={}", args.policy, encoded(&because.why));
    let beside = pointsman_supply::signature_path(&args.file);
    let signature = match &args.signature {
        Some(file) => Some(read(file)?),
        None if beside.exists() => Some(read(&beside)?),
        None => None,
    };
    let answer = gateway.change("PUT", &path, because, Body::Policy { bytes, signature })?;
    print(format_args!(
        "`{policy}` is at version {}; `pointsman policy rollback {policy}` undoes that",
        short(&answer["digest"]),
        policy = args.policy
    ))
}

/// What the reload that followed did to the policy.
fn reloaded(policy: &str, report: &Value, what: &str) -> Result<(), Failure> {
    let policies = report["policies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let own = policies.iter().find(|other| other["name"] == policy);
    match own.and_then(|own| own["error"].as_str()) {
        Some(error) => Err(Failure::Run(format!("error: `{policy}` {what}, but: {error}"))),
        None => print(format_args!("`{policy}` {what}")),
    }
}

fn short(digest: &Value) -> &str {
    let digest = digest.as_str().unwrap_or_default();
    digest.get(..12).unwrap_or(digest)
}

/// Text as it may stand in a query.
fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
