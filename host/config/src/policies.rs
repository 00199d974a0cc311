//! Policies: capabilities, limits and failure handling.

use std::path::PathBuf;
use std::time::Duration;

use pointsman_domain::ids::PolicyName;
use pointsman_policy::{Grants, HostCalls, Isolation, Limits, PolicySpec};

use super::document::Node;
use super::problem::Problems;
use super::secrets::Secrets;
use super::sources::{self, PolicyDir, PolicySource};
use super::undeclared::{self, UndeclaredBuiltins, unknown_policy};
use super::{names, raw};

/// A policy whose code is not loaded yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Name, settings, grants, limits and isolation.
    pub spec: PolicySpec,
    /// Source of its code.
    pub source: PolicySource,
    /// Interval at which the source is checked for changes; `None` for no polling.
    pub poll: Option<Duration>,
    /// Action when it fails, unless the route overrides it.
    pub on_failure: OnFailure,
}

/// Action when the policy of a request fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The models are tried in the order of the route.
    #[default]
    Fallback,
    /// Another policy decides. Chains of fallbacks are free of cycles.
    FallbackTo(PolicyName),
    /// The request is rejected.
    Reject,
    /// The last version that worked decides.
    Previous,
}

pub(super) fn compile(
    file: &raw::File,
    node: Node<'_>,
    directory: &PolicyDir,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Vec<Policy> {
    let policies = &file.policies;
    let undeclared = UndeclaredBuiltins::find(file);
    let alone = directory.files.iter().filter(|(name, _)| !policies.contains_key(*name));
    let named = node.entries().map(|(name, _)| name);
    let in_directory = alone.clone().map(|(name, _)| name.as_str());
    let known: Vec<&str> = named.chain(in_directory).chain(undeclared.iter().map(|(name, _)| name)).collect();
    let mut compiled = Vec::new();
    for (name, node) in node.entries() {
        names::check("policy", name, node, problems);
        let Some(raw) = policies.get(name) else { continue };
        let file = directory.files.get(name).map(PathBuf::as_path);
        let source = sources::compile(raw, node, file, secrets, problems);
        let on_failure = on_failure(&raw.on_failure, node, &known, problems);
        compiled.push(policy(name, raw, source, on_failure, &known, node, problems));
    }
    for (name, path) in alone {
        let source = Some(sources::in_directory(path));
        let raw = raw::Policy::default();
        compiled.push(policy(name, &raw, source, OnFailure::default(), &known, node, problems));
    }
    for (name, builtin) in undeclared.iter() {
        let (raw, source) = (raw::Policy::default(), Some(PolicySource::Builtin(builtin)));
        let mut policy = policy(name, &raw, source, OnFailure::default(), &known, node, problems);
        policy.spec.grants = undeclared::GRANTS;
        compiled.push(policy);
    }
    for policy in &compiled {
        let name = policy.spec.name.as_str();
        if let Some(cycle) = cycle(name, &policy.on_failure, &compiled).filter(|cycle| is_first(name, cycle))
        {
            report_cycle(node.get(name), &cycle, problems);
        }
    }
    compiled
}

fn policy(
    name: &str,
    raw: &raw::Policy,
    source: Option<PolicySource>,
    on_failure: OnFailure,
    known: &[&str],
    node: Node<'_>,
    problems: &mut Problems<'_>,
) -> Policy {
    let limits = limits(&raw.limits, node.get("limits"), problems);
    // Without a source, a problem was added and this value is discarded.
    let mut source = source.unwrap_or(PolicySource::Builtin("cost"));
    if let PolicySource::Fetched(fetch_spec) = &mut source {
        fetch_spec.max_bytes = limits.max_component_bytes;
    }
    Policy {
        spec: PolicySpec {
            name: PolicyName::new(name),
            settings: settings(raw, node, problems),
            grants: raw.grants.iter().map(|grant| grant.policy()).collect(),
            limits,
            isolation: isolation(raw, node, problems),
            state_of: state_of(raw, node, known, problems),
        },
        source,
        poll: sources::poll(raw, node, problems),
        on_failure,
    }
}

/// Reads the `on_failure` of a policy or of a route.
pub(super) fn on_failure(
    raw: &raw::WordOr<raw::OnFailureWord, raw::OnFailureTable>,
    node: Node<'_>,
    policies: &[&str],
    problems: &mut Problems<'_>,
) -> OnFailure {
    let fallback = match raw {
        raw::WordOr::Word(raw::OnFailureWord::Fallback) => return OnFailure::Fallback,
        raw::WordOr::Word(raw::OnFailureWord::Reject) => return OnFailure::Reject,
        raw::WordOr::Word(raw::OnFailureWord::Previous) => return OnFailure::Previous,
        raw::WordOr::Table(raw::OnFailureTable { fallback }) => fallback.as_str(),
    };
    if !policies.contains(&fallback) {
        unknown_policy(fallback, policies, node.get("on_failure").get("fallback").place(), problems);
    }
    OnFailure::FallbackTo(PolicyName::new(fallback))
}

/// Follows the fallbacks of a policy with this `on_failure`. Returns the chain of policy names,
/// ending with the first repeated one, if there is a cycle.
pub(super) fn cycle(policy: &str, on_failure: &OnFailure, policies: &[Policy]) -> Option<Vec<String>> {
    let mut chain = vec![policy.to_owned()];
    let mut next = on_failure;
    while let OnFailure::FallbackTo(name) = next {
        let returns = chain.iter().any(|earlier| earlier == name.as_str());
        chain.push(name.to_string());
        if returns {
            return Some(chain);
        }
        next = &policies.iter().find(|policy| policy.spec.name == *name)?.on_failure;
    }
    None
}

/// Adds a problem for a cycle of fallbacks.
pub(super) fn report_cycle(node: Node<'_>, cycle: &[String], problems: &mut Problems<'_>) {
    problems
        .add(
            node.get("on_failure").get("fallback").place(),
            format!("fallback policies form a cycle: {}", cycle.join(" -> ")),
        )
        .hint("let the last one fall back to the order of the models: on_failure = \"fallback\"");
}

/// Returns whether a cycle is reported at this policy. Each cycle is reported once, at its
/// alphabetically first name.
fn is_first(policy: &str, cycle: &[String]) -> bool {
    cycle.first() == cycle.last() && cycle.iter().all(|name| policy <= name.as_str())
}

fn settings(raw: &raw::Policy, node: Node<'_>, problems: &mut Problems<'_>) -> String {
    match json(&toml::Value::Table(raw.settings.clone())) {
        Some(settings) => settings.to_string(),
        None => {
            problems
                .add(node.get("settings").place(), "the settings hold a number that JSON does not have")
                .hint("policies get their settings as JSON, which has neither nan nor inf");
            String::new()
        }
    }
}

/// Converts a TOML value to JSON, dates to strings. Returns `None` for a number that JSON
/// cannot represent.
fn json(value: &toml::Value) -> Option<serde_json::Value> {
    Some(match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(*number)?.into(),
        toml::Value::Boolean(truth) => (*truth).into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(elements) => elements.iter().map(json).collect::<Option<_>>()?,
        toml::Value::Table(entries) => serde_json::Value::Object(
            entries.iter().map(|(key, value)| Some((key.clone(), json(value)?))).collect::<Option<_>>()?,
        ),
    })
}

fn limits(raw: &raw::Limits, node: Node<'_>, problems: &mut Problems<'_>) -> Limits {
    let limits = Limits {
        deadline: raw.deadline.get(),
        memory_bytes: raw.memory.get(),
        concurrency: raw.concurrency,
        host_calls: raw.host_calls.map_or(HostCalls::Scaled, HostCalls::Exactly),
        log_lines_per_second: raw.log_lines_per_second,
        prompt_bytes: u32::try_from(raw.prompt_bytes.get()).unwrap_or(u32::MAX),
        max_component_bytes: raw.component.get(),
    };
    for (key, is_zero) in [
        ("deadline", limits.deadline.is_zero()),
        ("memory", limits.memory_bytes == 0),
        ("concurrency", limits.concurrency == 0),
        ("component", limits.max_component_bytes == 0),
    ] {
        if is_zero {
            problems.add(node.get(key).place(), format!("`{key}` is zero, so the policy could never decide"));
        }
    }
    limits
}

fn isolation(raw: &raw::Policy, node: Node<'_>, problems: &mut Problems<'_>) -> Isolation {
    let default = raw::Warm::default();
    let warm = match &raw.isolation {
        raw::WordOr::Word(raw::IsolationWord::Fresh) => return Isolation::Fresh,
        raw::WordOr::Word(raw::IsolationWord::Warm) => &default,
        raw::WordOr::Table(table) => &table.warm,
    };
    let node = node.get("isolation").get("warm");
    for (key, value) in [("recycle_after", warm.recycle_after), ("instances", warm.instances)] {
        if value == 0 {
            problems.add(node.get(key).place(), format!("`{key}` is zero")).hint("use isolation = \"fresh\"");
        }
    }
    Isolation::Warm { recycle_after: warm.recycle_after, instances: warm.instances }
}

/// Reads the policy whose state it uses.
fn state_of(
    raw: &raw::Policy,
    node: Node<'_>,
    known: &[&str],
    problems: &mut Problems<'_>,
) -> Option<PolicyName> {
    let owner = raw.state_of.as_deref()?;
    let place = node.get("state_of").place();
    if !known.contains(&owner) {
        problems.add(place, format!("unknown policy `{owner}`")).did_you_mean(owner, known, "policies");
    } else if !raw.grants.contains(&raw::Grant::State) {
        problems.add(place, "`state_of` needs a grant").hint("add `state` to `grants`");
    }
    Some(PolicyName::new(owner))
}

impl raw::Grant {
    fn policy(self) -> Grants {
        match self {
            Self::Prompt => Grants::PROMPT,
            Self::Outputs => Grants::OUTPUTS,
            Self::Wasi => Grants::WASI,
            Self::Clocks => Grants::CLOCKS,
            Self::Random => Grants::RANDOM,
            Self::State => Grants::STATE,
        }
    }
}
