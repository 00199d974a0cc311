//! Routes: names that clients ask for, each with its policy and its models.

use std::time::Duration;

use pointsman_domain::ids::{ModelId, PolicyName, RouteName};

use super::document::Node;
use super::models::CompiledModel;
use super::policies::{self, OnFailure, Policy};
use super::problem::Problems;
use super::{names, raw};

/// A model name that clients can ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Its name; never that of a model, since those have a `/`.
    pub name: RouteName,
    /// Shown in the list of models.
    pub description: Option<String>,
    /// The policy that decides.
    pub policy: PolicyName,
    /// The models it may choose from; at least one. In the order of the route's
    /// list, those of one pattern in the order of the file: the order in which
    /// they are tried without a decision.
    pub models: Vec<ModelId>,
    /// Longest time for a whole request.
    pub timeout: Duration,
    /// Longest wait for the first byte of one answer.
    pub attempt_timeout: Duration,
    /// Most calls for one request; at least 1.
    pub max_attempts: u32,
    /// Wait before the first repeated call.
    pub backoff: Duration,
    /// What happens when the policy fails, the policy's own word included.
    pub on_failure: OnFailure,
}

pub(super) fn compile(
    file: &raw::File,
    root: Node<'_>,
    models: &[CompiledModel],
    policies: &[Policy],
    problems: &mut Problems<'_>,
) -> Vec<Route> {
    let known: Vec<&str> = root.get("policies").entries().map(|(name, _)| name).collect();
    let ids: Vec<&str> = root.get("models").entries().map(|(id, _)| id).collect();
    let mut routes = Vec::new();
    for (name, node) in root.get("routes").entries() {
        names::check("route", name, node, problems);
        let Some(raw) = file.routes.get(name) else { continue };
        check_numbers(raw, node, problems);
        let chosen = models_of(raw, node, &ids, problems);
        let own = policies::on_failure(raw.on_failure.as_ref(), node, &known, problems);
        let policy = policy_of(raw, node, &known, problems);
        let compiled = policies.iter().find(|compiled| policy == Some(compiled.spec.name.as_str()));
        if let (Some(compiled), Some(own)) = (compiled, &own)
            && let Some(cycle) = policies::cycle(compiled.spec.name.as_str(), own, policies)
        {
            policies::report_cycle(node, &cycle, problems);
        }
        routes.push(Route {
            name: RouteName::new(name),
            description: raw.description.clone(),
            policy: PolicyName::new(policy.unwrap_or_default()),
            models: models
                .iter()
                .map(|model| &model.model.id)
                .filter(|id| chosen.contains(&id.as_str()))
                .cloned()
                .collect(),
            timeout: raw.timeout.get(),
            attempt_timeout: raw.attempt_timeout.get(),
            max_attempts: raw.max_attempts,
            backoff: raw.backoff.get(),
            on_failure: own.or_else(|| compiled.map(|policy| policy.on_failure.clone())).unwrap_or_default(),
        });
        if let Some(route) = routes.last_mut() {
            route.models.sort_by_key(|id| chosen.iter().position(|chosen| *chosen == id.as_str()));
        }
    }
    routes
}

fn policy_of<'r>(
    raw: &'r raw::Route,
    node: Node<'_>,
    known: &[&str],
    problems: &mut Problems<'_>,
) -> Option<&'r str> {
    let Some(policy) = raw.policy.as_deref() else {
        problems.lacks(node, "the route has no `policy`", "name one of [policies.NAME]");
        return None;
    };
    if !known.contains(&policy) {
        problems
            .add(node.get("policy").place(), format!("unknown policy `{policy}`"))
            .did_you_mean(policy, known, "policies");
        return None;
    }
    Some(policy)
}

/// The ids that a route's patterns match, in the order of the patterns.
fn models_of<'i>(
    raw: &raw::Route,
    node: Node<'_>,
    ids: &[&'i str],
    problems: &mut Problems<'_>,
) -> Vec<&'i str> {
    let node = node.get("models");
    let Some(patterns) = &raw.models else { return ids.to_vec() };
    if patterns.is_empty() {
        problems.add(node.place(), "the route has no models").hint("leave `models` out to have all");
    }
    let mut chosen = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        let before = chosen.len();
        let mut matched = ids.iter().filter(|id| names::matches(pattern, id)).peekable();
        if matched.peek().is_none() {
            let place = node.at(index).place();
            if pattern.contains('*') {
                problems
                    .add(place, format!("no model matches `{pattern}`"))
                    .did_you_mean(pattern, ids, "models");
            } else {
                problems
                    .add(place, format!("unknown model `{pattern}`"))
                    .did_you_mean(pattern, ids, "models");
            }
        }
        for id in matched {
            if !chosen[..before].contains(id) {
                chosen.push(*id);
            }
        }
    }
    chosen
}

fn check_numbers(raw: &raw::Route, node: Node<'_>, problems: &mut Problems<'_>) {
    for (key, is_zero) in [
        ("timeout", raw.timeout.get().is_zero()),
        ("attempt_timeout", raw.attempt_timeout.get().is_zero()),
        ("max_attempts", raw.max_attempts == 0),
    ] {
        if is_zero {
            problems.add(node.get(key).place(), format!("`{key}` is zero, so no model would be called"));
        }
    }
}
