//! `pointsman check --probe`: the backends of a configuration, as they are.

use std::time::Duration;

use pointsman_config::{Config, EntryProblem};
use pointsman_serving::backend_check::{
    self, BackendCheck, CheckResult, ConnectCause, ModelListError, ModelResult, WrongAddress,
};
use serde::Serialize;

use super::super::{CommandError, TextTable, print};

/// Keys of a backend that give its key.
const KEY_KEYS: &[&str] = &["api_key_env", "api_key_file", "api_key_command"];
/// Keys of a backend that give its address.
const ADDRESS_KEYS: &[&str] = &["base_url"];

/// Report for programs.
#[derive(Serialize)]
struct Report<'a> {
    config: String,
    ok: bool,
    backends: Vec<BackendReport<'a>>,
}

#[derive(Serialize)]
struct BackendReport<'a> {
    name: &'a str,
    kind: &'static str,
    status: &'static str,
    /// Cause of a failure to connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    models: Vec<ModelReport<'a>>,
}

#[derive(Serialize)]
struct ModelReport<'a> {
    id: &'a str,
    name: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    nearest: &'a [String],
}

/// Probes the backends and prints what was found.
///
/// # Errors
/// Fails with exit status 1 if a backend cannot be used, or does not have a model.
pub(super) async fn run(
    config: &Config,
    file: String,
    timeout: Duration,
    is_json: bool,
) -> Result<(), CommandError> {
    let checks = backend_check::check(config, timeout).await;
    if is_json {
        let ok = checks.iter().all(BackendCheck::is_ok);
        let report = Report { config: file, ok, backends: checks.iter().map(report).collect() };
        print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?)?;
    } else {
        print(table(&checks))?;
    }
    let problems: Vec<EntryProblem> = checks.iter().flat_map(problems).collect();
    match config.text.locate(&problems) {
        None => Ok(()),
        Some(located) => Err(CommandError::Run(located.to_string())),
    }
}

fn table(checks: &[BackendCheck]) -> String {
    let mut table = TextTable::new(&["BACKEND", "KIND", "RESULT", "LATENCY", "MODELS"]);
    for check in checks {
        let result = match (status(check), cause(check)) {
            (status, Some(cause)) => format!("{} ({cause})", status.replace('-', " ")),
            (status, None) => status.replace('-', " "),
        };
        let latency = check.latency.map_or_else(|| "-".to_owned(), |time| format!("{} ms", time.as_millis()));
        table.add(vec![check.name.to_string(), kind(check).to_owned(), result, latency, models(check)]);
    }
    table.render(notes(checks))
}

/// Returns the summary of a backend's models.
fn models(check: &BackendCheck) -> String {
    let listed = check.models.iter().filter(|model| model.result == ModelResult::Listed).count();
    let unknown = check.models.iter().filter(|model| model.result == ModelResult::Unknown).count();
    let all = check.models.len();
    match all {
        0 => "none configured".to_owned(),
        _ if unknown == all => format!("{all} not compared"),
        _ => format!("{listed} of {all} listed"),
    }
}

/// Returns explanations of results that are no failures.
fn notes(checks: &[BackendCheck]) -> Vec<String> {
    let note = |check: &BackendCheck| {
        let reason = match &check.result {
            CheckResult::OneDeployment => {
                "its address is that of one deployment, which has no list of models; nothing was sent"
            }
            CheckResult::Failed(ModelListError::NoList) => {
                "its API has no list of models; it rejected an empty request, as it should"
            }
            CheckResult::Listed if check.models.iter().any(|model| model.result == ModelResult::Unknown) => {
                "its list does not show whether a model can be called: it has other names, or further pages"
            }
            _ => return None,
        };
        Some(format!("{}: {reason}", check.name))
    };
    checks.iter().filter_map(note).collect()
}

fn report(check: &BackendCheck) -> BackendReport<'_> {
    let (message, hint) = match failure(check) {
        Some((message, hint, _)) => (Some(message), hint),
        None => (None, None),
    };
    BackendReport {
        name: check.name.as_str(),
        kind: kind(check),
        status: status(check),
        cause: cause(check),
        message,
        hint,
        latency_ms: check.latency.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        models: check.models.iter().map(model_report).collect(),
    }
}

fn model_report(model: &backend_check::ModelCheck) -> ModelReport<'_> {
    let (status, nearest): (_, &[String]) = match &model.result {
        ModelResult::Listed => ("listed", &[]),
        ModelResult::Absent(nearest) => ("absent", nearest),
        ModelResult::Unknown => ("unknown", &[]),
    };
    ModelReport { id: model.id.as_str(), name: &model.upstream_name, status, nearest }
}

fn kind(check: &BackendCheck) -> &'static str {
    check.dialect.map_or("simulated", |dialect| dialect.name())
}

fn status(check: &BackendCheck) -> &'static str {
    match &check.result {
        CheckResult::Simulated => "simulated",
        CheckResult::OneDeployment => "not-probed",
        CheckResult::Listed if check.is_ok() => "ok",
        CheckResult::Listed => "models-absent",
        CheckResult::Invalid(_) => "invalid",
        CheckResult::Failed(error) => match error {
            ModelListError::Unreachable { .. } | ModelListError::Timeout(_) | ModelListError::Broken(_) => {
                "unreachable"
            }
            ModelListError::NoKey(_) => "no-key",
            ModelListError::WrongKey { .. } => "wrong-key",
            ModelListError::WrongAddress(_) => "wrong-base-url",
            ModelListError::NoList => "no-list",
            ModelListError::Status(_) => "failed",
        },
    }
}

fn cause(check: &BackendCheck) -> Option<&'static str> {
    match &check.result {
        CheckResult::Failed(ModelListError::Unreachable { cause, .. }) => Some(cause.name()),
        CheckResult::Failed(ModelListError::Timeout(_)) => Some(ConnectCause::Timeout.name()),
        CheckResult::Failed(ModelListError::Broken(_)) => Some("broken"),
        _ => None,
    }
}

/// Returns what is wrong with a backend, advice, and the keys of its table that are at fault.
fn failure(check: &BackendCheck) -> Option<(String, Option<String>, &'static [&'static str])> {
    let name = &check.name;
    let (message, hint, keys) = match &check.result {
        CheckResult::Simulated | CheckResult::OneDeployment | CheckResult::Listed => return None,
        CheckResult::Failed(ModelListError::NoList) => return None,
        CheckResult::Invalid(reason) => (reason.to_string(), None, ADDRESS_KEYS),
        CheckResult::Failed(error) => {
            let (hint, keys) = advice(error);
            (error.to_string(), hint, keys)
        }
    };
    let verb = match status(check) {
        "unreachable" => "cannot be reached",
        "wrong-key" | "no-key" => "does not accept the key",
        "wrong-base-url" => "is not at its `base_url`",
        _ => "cannot be used",
    };
    Some((format!("backend `{name}` {verb}: {message}"), hint, keys))
}

fn advice(error: &ModelListError) -> (Option<String>, &'static [&'static str]) {
    let (hint, keys) = match error {
        ModelListError::Unreachable { cause, .. } => (unreachable_advice(*cause), ADDRESS_KEYS),
        ModelListError::Timeout(_) => {
            ("is the server up? `--probe-timeout` sets another limit", ADDRESS_KEYS)
        }
        ModelListError::Broken(_) => ("does the server speak TLS? then the scheme is `https`", ADDRESS_KEYS),
        ModelListError::NoKey(_) => return (None, KEY_KEYS),
        ModelListError::WrongKey { has_key: true, .. } => {
            ("is it the key of this provider and account, and may it list models?", KEY_KEYS)
        }
        ModelListError::WrongKey { has_key: false, .. } => {
            ("name the variable or the file of the key with `api_key_env` or `api_key_file`", KEY_KEYS)
        }
        ModelListError::WrongAddress(WrongAddress::OtherApi(dialect)) => {
            let hint =
                format!("another `kind` or another address: the list has the form of `{}`", dialect.name());
            return (Some(hint), &["kind", "base_url"]);
        }
        ModelListError::WrongAddress(WrongAddress::Redirect(_)) => {
            ("set `base_url` to the address that it redirects to", ADDRESS_KEYS)
        }
        ModelListError::WrongAddress(_) => {
            ("it is the base address of the API, usually with `/v1` at the end", ADDRESS_KEYS)
        }
        ModelListError::Status(429) => ("the address is right; the provider limits requests", ADDRESS_KEYS),
        ModelListError::Status(_) | ModelListError::NoList => return (None, ADDRESS_KEYS),
    };
    (Some(hint.to_owned()), keys)
}

fn unreachable_advice(cause: ConnectCause) -> &'static str {
    match cause {
        ConnectCause::Dns => "is the name of the host right, and does it resolve on this machine?",
        ConnectCause::Refused => "is the server up, and is the port right?",
        ConnectCause::NoRoute => "is the address right? no network leads there",
        ConnectCause::Tls => {
            "`ca_file` names the authority of a private certificate; a server without TLS has the scheme `http`"
        }
        ConnectCause::Timeout | ConnectCause::Other => {
            "is the address right, and does a firewall or a proxy stand between?"
        }
    }
}

/// Returns the problems of a backend and its models.
fn problems(check: &BackendCheck) -> Vec<EntryProblem> {
    let of_backend = failure(check).map(|(message, hint, keys)| EntryProblem {
        entry: vec!["backends".to_owned(), check.name.to_string()],
        keys,
        instead: None,
        message,
        hint,
    });
    let of_models = check.models.iter().filter_map(|model| {
        let ModelResult::Absent(nearest) = &model.result else { return None };
        let names: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
        Some(EntryProblem {
            entry: vec!["models".to_owned(), model.id.to_string()],
            keys: &["upstream_name"],
            instead: None,
            message: format!("backend `{}` does not list the model `{}`", check.name, model.upstream_name),
            hint: (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or "))),
        })
    });
    of_backend.into_iter().chain(of_models).collect()
}
