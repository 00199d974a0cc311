//! The subcommands that make changes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pointsman_admin_api::{
    OperationResult, POLICIES, ROUTES, ReloadReport, TrialMode, TrialRequest, VersionRequest,
};

use super::short;
use crate::arguments::OperateArgs;
use crate::client::{RequestBody, read_file};
use crate::{CommandError, print};

/// Characters that are escaped in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Debug, ClapArgs)]
pub struct TrialArgs {
    /// The route
    route: String,
    /// The policy to try
    #[arg(required_unless_present = "end", requires = "mode")]
    policy: Option<String>,
    /// Ask the policy about each request, and only compare its answers
    #[arg(long, group = "mode")]
    shadow: bool,
    /// Let the policy decide this share of the requests, sticky by session or key
    #[arg(long, value_name = "PERCENT", group = "mode")]
    canary: Option<f64>,
    /// End the trial
    #[arg(long, conflicts_with_all = ["policy", "mode"])]
    end: bool,
    #[command(flatten)]
    operate: OperateArgs,
}

#[derive(Debug, ClapArgs)]
pub struct PromoteArgs {
    /// The route
    route: String,
    #[command(flatten)]
    operate: OperateArgs,
}

#[derive(Debug, ClapArgs)]
pub struct RollbackArgs {
    /// The policy
    #[arg(required_unless_present = "route")]
    policy: Option<String>,
    /// Undo the promotion at this route instead
    #[arg(long, value_name = "ROUTE", conflicts_with = "policy")]
    route: Option<String>,
    #[command(flatten)]
    operate: OperateArgs,
}

#[derive(Debug, ClapArgs)]
pub struct PinArgs {
    /// The policy
    policy: String,
    /// The version: its SHA-256, or at least the first 6 digits
    digest: String,
    #[command(flatten)]
    operate: OperateArgs,
}

#[derive(Debug, ClapArgs)]
pub struct UnpinArgs {
    /// The policy
    policy: String,
    #[command(flatten)]
    operate: OperateArgs,
}

#[derive(Debug, ClapArgs)]
pub struct ReleaseArgs {
    /// The policy
    policy: String,
    /// The version: its SHA-256, or at least the first 6 digits
    digest: String,
    #[command(flatten)]
    operate: OperateArgs,
}

#[derive(Debug, ClapArgs)]
pub struct UploadArgs {
    /// The policy
    policy: String,
    /// The WebAssembly file
    file: PathBuf,
    /// Signature of the file, if the policy has a public key; default: FILE.minisig if it exists
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    #[command(flatten)]
    operate: OperateArgs,
}

/// Returns the path of an operation on a route, whose name may have any characters.
fn route_path(route: &str, operation: &str) -> String {
    format!("{ROUTES}/{}/{operation}", utf8_percent_encode(route, NON_ALPHANUMERIC))
}

fn policy_path(policy: &str, operation: &str) -> String {
    format!("{POLICIES}/{policy}/{operation}")
}

pub(super) fn trial(args: &TrialArgs) -> Result<(), CommandError> {
    let path = route_path(&args.route, "trial");
    let operate = &args.operate;
    let Some(policy) = &args.policy else {
        operate.call::<OperationResult>("DELETE", &path, &operate.reason())?;
        return print(format_args!("the trial at `{}` has ended", args.route));
    };
    let (mode, effect) = match args.canary {
        Some(percent) => (TrialMode::Canary { percent }, format!("decides {percent} % of the requests")),
        None => (TrialMode::Shadow, "is asked about every request".to_owned()),
    };
    let request = TrialRequest { policy: policy.clone(), mode, why: operate.reason().why };
    operate.call::<OperationResult>("PUT", &path, &request)?;
    print(format_args!(
        "`{policy}` {effect} at `{}`; `pointsman policy routes` shows its results",
        args.route
    ))
}

pub(super) fn promote(args: &PromoteArgs) -> Result<(), CommandError> {
    let operate = &args.operate;
    operate.call::<OperationResult>("POST", &route_path(&args.route, "promote"), &operate.reason())?;
    print(format_args!(
        "the policy that was on trial now decides at `{route}`; `pointsman policy rollback --route {route}` undoes it",
        route = args.route
    ))
}

pub(super) fn rollback(args: &RollbackArgs) -> Result<(), CommandError> {
    let operate = &args.operate;
    if let Some(route) = &args.route {
        operate.call::<OperationResult>("POST", &route_path(route, "rollback"), &operate.reason())?;
        return print(format_args!("the configured policy decides at `{route}` again"));
    }
    let policy = args.policy.as_deref().unwrap_or_default();
    let result: OperationResult =
        operate.call("POST", &policy_path(policy, "rollback"), &operate.reason())?;
    print(format_args!(
        "`{policy}` is back at version {}; the version after it is in quarantine",
        version(&result)
    ))
}

pub(super) fn pin(args: &PinArgs) -> Result<(), CommandError> {
    let operate = &args.operate;
    let request = VersionRequest { digest: args.digest.clone(), why: operate.reason().why };
    let result: OperationResult = operate.call("PUT", &policy_path(&args.policy, "pin"), &request)?;
    print(format_args!("`{}` is pinned to version {}", args.policy, version(&result)))
}

pub(super) fn unpin(args: &UnpinArgs) -> Result<(), CommandError> {
    let operate = &args.operate;
    let report = operate.call("DELETE", &policy_path(&args.policy, "pin"), &operate.reason())?;
    print_reloaded(&args.policy, &report, "follows its source again")
}

pub(super) fn release(args: &ReleaseArgs) -> Result<(), CommandError> {
    let operate = &args.operate;
    let request = VersionRequest { digest: args.digest.clone(), why: operate.reason().why };
    let report = operate.call("POST", &policy_path(&args.policy, "release"), &request)?;
    print_reloaded(&args.policy, &report, &format!("may use version {} again", args.digest))
}

pub(super) fn upload(args: &UploadArgs) -> Result<(), CommandError> {
    let operate = &args.operate;
    let bytes = read_file(&args.file)?;
    let default = default_signature(&args.file);
    let signature = match &args.signature {
        Some(file) => Some(read_file(file)?),
        None if default.exists() => Some(read_file(&default)?),
        None => None,
    };
    let why = operate.reason().why;
    let why = utf8_percent_encode(&why, QUERY);
    let path = format!("{}?why={why}", policy_path(&args.policy, "code"));
    let result: OperationResult = operate.send("PUT", &path, RequestBody::Policy { bytes, signature })?;
    print(format_args!(
        "`{policy}` is at version {}; `pointsman policy rollback {policy}` undoes it",
        version(&result),
        policy = args.policy
    ))
}

/// Prints the result of the reload that followed an operation.
fn print_reloaded(policy: &str, report: &ReloadReport, effect: &str) -> Result<(), CommandError> {
    let reload = report.policies.iter().find(|reload| reload.name == policy);
    match reload.and_then(|reload| reload.error.as_ref()) {
        Some(error) => Err(CommandError::Run(format!("error: `{policy}` {effect}, but: {error}"))),
        None => print(format_args!("`{policy}` {effect}")),
    }
}

fn version(result: &OperationResult) -> &str {
    short(result.digest.as_deref().unwrap_or_default())
}

/// Returns the file that has the signature of another file by convention.
fn default_signature(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".minisig");
    name.into()
}
