//! Routes: names that clients request, each with its policy and its models.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pointsman_domain::attempts::AttemptLimits;
use pointsman_domain::failure::CallTimeouts;
use pointsman_domain::ids::{ModelId, PolicyName, RouteName};
use pointsman_domain::live::RetryBudget;
use pointsman_domain::money::Picodollars;
use pointsman_domain::names::NamePattern;
use pointsman_domain::plan::PlanLimits;

use super::document::Node;
use super::policies::{self, OnFailure, Policy};
use super::problem::Problems;
use super::rollout::{self, Trial};
use super::undeclared::unknown_policy;
use super::{names, raw};

mod aliases;

/// A model name that clients can request.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Its name; never that of a model.
    pub name: RouteName,
    /// Further names, exact or patterns. None of them is a name or an alias of anything else.
    pub aliases: Vec<NamePattern>,
    /// Description in the list of models.
    pub description: Option<String>,
    /// The policy that decides.
    pub policy: PolicyName,
    /// The policy on trial.
    pub trial: Option<Trial>,
    /// Models that the policy may choose from; at least one. They are in the order of the
    /// route's list, those of one pattern in the order of the file, which is the order in which
    /// they are tried without a decision.
    pub models: Vec<ModelId>,
    /// The model that costs are compared with, if one is stated.
    pub baseline: Option<ModelId>,
    /// Limits on attempts and plans.
    pub limits: RouteLimits,
    /// Action when the policy fails: the route's own or else that of the policy.
    pub on_failure: OnFailure,
}

/// Limits on attempts and plans of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RouteLimits {
    /// Longest time for a whole request.
    pub timeout: Duration,
    /// Time limits of each call.
    pub timeouts: CallTimeouts,
    /// Most calls for one request, or for one task of it; at least 1.
    pub max_attempts: u32,
    /// True if unhealthy models are called when the policy's targets have failed.
    pub last_resort: bool,
    /// Wait before the first repeated call.
    pub backoff: Duration,
    /// Limit on the retries of one model in flight.
    pub retry_budget: RetryBudget,
    /// Limits on plans.
    pub plan: PlanLimits,
    /// True if members that a model's API cannot express are left out, instead of calling another
    /// model or rejecting the request.
    pub drop_untranslatable: bool,
}

impl RouteLimits {
    /// Returns the default limits.
    pub fn unstated(retry_budget: RetryBudget) -> Self {
        Self::of(&raw::Route::default(), retry_budget)
    }

    /// Returns the limits on attempts of a request or a task with this deadline.
    pub fn attempts(&self, deadline: Instant) -> AttemptLimits {
        AttemptLimits {
            max_attempts: self.max_attempts,
            timeouts: self.timeouts,
            deadline: Some(deadline),
            backoff: self.backoff,
            retry_budget: self.retry_budget,
        }
    }

    fn of(raw: &raw::Route, retry_budget: RetryBudget) -> Self {
        let first_content = raw.first_content_timeout.map_or(raw.timeout.get() / 2, raw::Duration::get);
        let raw::Plan { max_tasks, max_steps, max_parallel, max_depth, .. } = raw.plan;
        Self {
            timeout: raw.timeout.get(),
            timeouts: CallTimeouts {
                first_byte: raw.attempt_timeout.get(),
                first_content: Some(first_content),
                silence: raw.silence_timeout.unwrap_or(raw.attempt_timeout).get(),
                answer: raw.answer_timeout.map(raw::Duration::get),
            },
            max_attempts: raw.max_attempts,
            last_resort: raw.last_resort,
            backoff: raw.backoff.get(),
            retry_budget,
            plan: PlanLimits {
                tasks: max_tasks as usize,
                steps: max_steps as usize,
                parallel: max_parallel as usize,
                depth: max_depth as usize,
                output_tokens: raw.plan.max_output_tokens,
                input_tokens: raw.plan.max_input_tokens,
                assembled_bytes: raw.plan.max_assembled_bytes.get() as u64,
                cost: raw.plan.max_cost.map(Picodollars::from_usd),
            },
            drop_untranslatable: raw.on_untranslatable == raw::OnUntranslatable::Drop,
        }
    }
}

pub(super) fn compile(
    routes: &BTreeMap<String, raw::Route>,
    root: Node<'_>,
    policies: &[Policy],
    retry_budget: RetryBudget,
    problems: &mut Problems<'_>,
) -> Vec<Route> {
    let mut known: Vec<&str> = root.get("policies").entries().map(|(name, _)| name).collect();
    for policy in policies.iter().map(|policy| policy.spec.name.as_str()) {
        // Policies of `policy_dir` and undeclared built-in ones are not in the file.
        if !known.contains(&policy) {
            known.push(policy);
        }
    }
    let ids: Vec<&str> = root.get("models").entries().map(|(id, _)| id).collect();
    let mut aliases = aliases::AliasChecker::new(root.get("routes"), &ids);
    let mut compiled = Vec::new();
    for (name, node) in root.get("routes").entries() {
        names::check_route(name, node, problems);
        if ids.contains(&name) {
            problems
                .add(node.key(), format!("route `{name}` has the name of a model"))
                .hint("clients request both by name: rename the route");
        }
        let Some(raw) = routes.get(name) else { continue };
        check_numbers(raw, node, problems);
        let policy = policy_of(raw, node, &known, problems).unwrap_or_default();
        let own = raw.on_failure.as_ref().map(|raw| policies::on_failure(raw, node, &known, problems));
        if let Some(cycle) = own.as_ref().and_then(|own| policies::cycle(policy, own, policies)) {
            policies::report_cycle(node, &cycle, problems);
        }
        let of_policy = || policies.iter().find(|other| other.spec.name.as_str() == policy);
        compiled.push(Route {
            name: RouteName::new(name),
            aliases: aliases.check(name, &raw.aliases, node.get("aliases"), problems),
            description: raw.description.clone(),
            policy: PolicyName::new(policy),
            trial: rollout::trial(raw, node, &known, problems),
            models: models_of(raw, node, &ids, problems),
            baseline: baseline_of(raw, node, &ids, problems),
            limits: RouteLimits::of(raw, retry_budget),
            on_failure: own.or_else(|| Some(of_policy()?.on_failure.clone())).unwrap_or_default(),
        });
    }
    compiled
}

fn policy_of<'r>(
    raw: &'r raw::Route,
    node: Node<'_>,
    known: &[&str],
    problems: &mut Problems<'_>,
) -> Option<&'r str> {
    let Some(policy) = raw.policy.as_deref() else {
        problems.lacks(
            node,
            "the route has no `policy`",
            "name one of [policies.NAME], or a built-in one such as \"builtin:cost\"",
        );
        return None;
    };
    if !known.contains(&policy) {
        unknown_policy(policy, known, node.get("policy").place(), problems);
        return None;
    }
    Some(policy)
}

fn models_of(raw: &raw::Route, node: Node<'_>, ids: &[&str], problems: &mut Problems<'_>) -> Vec<ModelId> {
    let node = node.get("models");
    let chosen = match &raw.models {
        None => ids.to_vec(),
        Some(patterns) => names::expand("model", patterns, node, ids, problems),
    };
    if raw.models.as_ref().is_some_and(Vec::is_empty) {
        problems.add(node.place(), "the route has no models").hint("leave out `models` to allow all");
    }
    chosen.into_iter().map(ModelId::new).collect()
}

/// Reads `baseline`. It may be any model, since the one that would answer without routing may
/// be one that the route excludes.
fn baseline_of(
    raw: &raw::Route,
    node: Node<'_>,
    ids: &[&str],
    problems: &mut Problems<'_>,
) -> Option<ModelId> {
    let stated = raw.baseline.as_deref()?;
    if !ids.contains(&stated) {
        problems.add(node.get("baseline").place(), format!("unknown model `{stated}`")).did_you_mean(
            stated,
            ids,
            "there are",
        );
        return None;
    }
    Some(ModelId::new(stated))
}

fn check_numbers(raw: &raw::Route, node: Node<'_>, problems: &mut Problems<'_>) {
    let is_zero = |limit: Option<raw::Duration>| limit.is_some_and(|limit| limit.get().is_zero());
    for (key, is_zero) in [
        ("timeout", raw.timeout.get().is_zero()),
        ("attempt_timeout", raw.attempt_timeout.get().is_zero()),
        ("first_content_timeout", is_zero(raw.first_content_timeout)),
        ("silence_timeout", is_zero(raw.silence_timeout)),
        ("answer_timeout", is_zero(raw.answer_timeout)),
        ("max_attempts", raw.max_attempts == 0),
    ] {
        if is_zero {
            problems.add(node.get(key).place(), format!("`{key}` is zero, so no model would be called"));
        }
    }
    check_plan(&raw.plan, node.get("plan"), problems);
}

fn check_plan(raw: &raw::Plan, node: Node<'_>, problems: &mut Problems<'_>) {
    for (key, is_zero) in [
        ("max_tasks", raw.max_tasks == 0),
        ("max_steps", raw.max_steps == 0),
        ("max_parallel", raw.max_parallel == 0),
        ("max_depth", raw.max_depth == 0),
        ("max_output_tokens", raw.max_output_tokens == 0),
        ("max_input_tokens", raw.max_input_tokens == 0),
        ("max_assembled_bytes", raw.max_assembled_bytes.get() == 0),
    ] {
        if is_zero {
            let message = format!("`{key}` is zero, so no plan could be run");
            problems
                .add(node.get(key).place(), message)
                .hint("a policy that only routes needs no limit here");
        }
    }
    if raw.max_cost.is_some_and(|cost| !cost.is_finite() || cost <= 0.0) {
        let message = "`max_cost` is not an amount of US dollars above 0";
        problems.add(node.get("max_cost").place(), message).hint("leave it out for no limit");
    }
}
