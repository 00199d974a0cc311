//! Routes and policies.

use super::deployment::{Deployment, Share};
use super::fleet::Fleet;
use super::settings::{Settings, Strategy};
use crate::report::Report;

/// Time that a route has by default, in seconds.
const DEFAULT_TIMEOUT: f64 = 300.0;
/// Longest part of a policy's name that comes from a route.
const LONGEST_PART: usize = 40;

/// Routes, and the policies that decide for them.
#[derive(Default)]
pub(super) struct Routing {
    pub(super) routes: Vec<RouteEntry>,
    pub(super) policies: Vec<PolicyEntry>,
}

/// A route.
pub(super) struct RouteEntry {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) aliases: Vec<String>,
    pub(super) models: Vec<String>,
    pub(super) policy: String,
    pub(super) max_attempts: Option<u32>,
    /// Seconds for one call.
    pub(super) call_timeout: Option<f64>,
    /// Seconds between two parts of a stream.
    pub(super) silence_timeout: Option<f64>,
    /// Seconds for a request.
    pub(super) timeout: Option<f64>,
}

/// A policy.
#[derive(Clone, PartialEq)]
pub(super) struct PolicyEntry {
    pub(super) name: String,
    pub(super) builtin: &'static str,
    pub(super) settings: PolicySettings,
}

/// Settings of a policy.
#[derive(Clone, PartialEq)]
pub(super) enum PolicySettings {
    None,
    /// Weights of models.
    Weights(Vec<(String, f64)>),
    /// Models in order.
    Order(Vec<String>),
    /// Calls in flight are balanced.
    Load,
}

/// A group of deployments that clients request by one name.
struct Group<'d> {
    name: &'d str,
    /// Members, with the index of their model.
    members: Vec<(&'d Deployment, usize)>,
    /// Models that are tried when the members fail.
    fallbacks: Vec<usize>,
}

/// Plans the routes of all groups.
pub(super) fn plan(
    deployments: &[Deployment],
    settings: &Settings,
    fleet: &Fleet,
    report: &mut Report,
) -> Routing {
    let mut routing = Routing::default();
    let mut names: Vec<&str> = Vec::new();
    for deployment in deployments {
        if !names.contains(&deployment.name.as_str()) {
            names.push(&deployment.name);
        }
    }
    for name in &names {
        if !fleet.is_direct(name, deployments, settings) {
            let group = Group::new(name, deployments, settings, fleet, report);
            routing.add(&group, settings, fleet, report);
        } else if let Some(place) = &settings.drops_untranslatable {
            report.different(
                place,
                "it holds for routes, not for models that clients request by their own ids",
                "add a route for such a model",
            );
        }
    }
    routing.add_aliases(settings, &names, report);
    report_unknown_groups(settings, &names, report);
    routing
}

impl<'d> Group<'d> {
    fn new(
        name: &'d str,
        deployments: &'d [Deployment],
        settings: &Settings,
        fleet: &Fleet,
        report: &mut Report,
    ) -> Self {
        let of = |group: &str| -> Vec<(&'d Deployment, usize)> {
            let all = deployments.iter().enumerate();
            let members = all.filter(|(_, deployment)| deployment.name == group);
            members.map(|(index, deployment)| (deployment, fleet.model(index))).collect()
        };
        let mut members: Vec<(&Deployment, usize)> = Vec::new();
        for (deployment, model) in of(name) {
            if members.iter().any(|(_, other)| *other == model) {
                report.different(
                    &deployment.place,
                    "the group has the same model of the same server twice, which is one model here",
                    "add the weights of both",
                );
                continue;
            }
            members.push((deployment, model));
        }
        let mut fallbacks = Vec::new();
        for (group, place) in settings.fallbacks_of(name) {
            let target = settings.aliases.iter().find(|(alias, ..)| alias == group);
            let found = of(target.map_or(group, |(_, target, _)| target));
            if found.is_empty() {
                let message = format!("there is no model `{group}` to fall back to");
                report.no_counterpart(place, message, "name a `model_name` of the list");
            }
            for (_, model) in found {
                if members.iter().all(|(_, member)| *member != model) && !fallbacks.contains(&model) {
                    fallbacks.push(model);
                }
            }
        }
        Self { name, members, fallbacks }
    }

    /// Returns the weights of the members if they are not all the same, or if there are fallbacks, which
    /// have none.
    fn weights(&self) -> Option<Vec<f64>> {
        let kinds: [fn(&Share) -> Option<f64>; 3] =
            [|share| share.weight, |share| share.rpm, |share| share.tpm];
        let stated = kinds.into_iter().find_map(|kind| {
            let weights: Vec<Option<f64>> =
                self.members.iter().map(|(member, _)| kind(&member.share)).collect();
            let is_stated = weights.iter().flatten().any(|weight| *weight > 0.0);
            is_stated.then(|| weights.into_iter().map(Option::unwrap_or_default).collect::<Vec<f64>>())
        });
        let is_even =
            stated.as_ref().is_none_or(|weights| weights.windows(2).all(|pair| pair.first() == pair.last()));
        match stated {
            Some(weights) if !is_even => Some(weights),
            _ if self.fallbacks.is_empty() => None,
            _ => Some(vec![1.0; self.members.len()]),
        }
    }

    /// Returns the members in their order, if the file states one.
    fn order(&self) -> Option<Vec<usize>> {
        let mut ordered: Vec<(f64, usize)> = self
            .members
            .iter()
            .map(|(member, model)| (member.order.unwrap_or(f64::INFINITY), *model))
            .collect();
        let is_stated = ordered.iter().any(|(order, _)| order.is_finite());
        ordered.sort_by(|one, other| one.0.total_cmp(&other.0));
        is_stated.then(|| ordered.into_iter().map(|(_, model)| model).collect())
    }
}

impl Routing {
    fn add(&mut self, group: &Group<'_>, settings: &Settings, fleet: &Fleet, report: &mut Report) {
        let policy = policy_of(group, settings, fleet, report);
        let policy = self.named(policy);
        let models = group.members.iter().map(|(_, model)| *model).chain(group.fallbacks.iter().copied());
        let models: Vec<String> = models.map(|model| fleet.id(model)).collect();
        let longest = |of: fn(&Deployment) -> Option<f64>| {
            group.members.iter().filter_map(|(member, _)| of(member)).reduce(f64::max)
        };
        let call_timeout = longest(|member| member.timeout).or(settings.timeout);
        let silence_timeout = longest(|member| member.stream_timeout).or(settings.stream_timeout);
        let fallbacks = u32::try_from(group.fallbacks.len()).unwrap_or(u32::MAX);
        let retries = settings.retries;
        let max_attempts = retries.map(|retries| retries.saturating_add(1).saturating_add(fallbacks));
        let attempts = f64::from(max_attempts.unwrap_or(3));
        let is_pattern = group.name.contains('*');
        self.routes.push(RouteEntry {
            name: if is_pattern { self.free_name(group.name) } else { group.name.to_owned() },
            line: group.members.first().map_or(0, |(member, _)| member.place.line),
            aliases: if is_pattern { vec![group.name.to_owned()] } else { Vec::new() },
            models,
            policy,
            max_attempts: max_attempts.or((fallbacks > 2).then(|| fallbacks.saturating_add(1))),
            call_timeout,
            silence_timeout,
            timeout: call_timeout
                .map(|seconds| seconds * attempts)
                .filter(|seconds| *seconds > DEFAULT_TIMEOUT),
        });
    }

    /// Returns the name of a policy, which is added unless there is an equal one.
    fn named(&mut self, policy: PolicyEntry) -> String {
        let is_same =
            |other: &&PolicyEntry| other.builtin == policy.builtin && other.settings == policy.settings;
        if let Some(known) = self.policies.iter().find(is_same) {
            return known.name.clone();
        }
        let numbered = (2..).map(|number| format!("{}-{number}", policy.name));
        let mut names = std::iter::once(policy.name.clone()).chain(numbered);
        let is_free = |name: &String| self.policies.iter().all(|other| other.name != *name);
        let name = names.find(is_free).unwrap_or_default();
        self.policies.push(PolicyEntry { name: name.clone(), ..policy });
        name
    }

    /// Returns the name of a route for a pattern.
    fn free_name(&self, pattern: &str) -> String {
        let plain = plain_part(pattern);
        let start = if plain.is_empty() { "any".to_owned() } else { format!("any-{plain}") };
        let numbered = (2..).map(|number| format!("{start}-{number}"));
        let mut names = std::iter::once(start.clone()).chain(numbered);
        names.find(|name| self.routes.iter().all(|route| route.name != *name)).unwrap_or_default()
    }

    fn add_aliases(&mut self, settings: &Settings, names: &[&str], report: &mut Report) {
        for (alias, target, place) in &settings.aliases {
            let is_allowed = |character: char| character.is_ascii_graphic() && !"\"\\'`*".contains(character);
            let is_free =
                !names.contains(&alias.as_str()) && !alias.is_empty() && alias.chars().all(is_allowed);
            let is_new = self.routes.iter().all(|route| !route.aliases.contains(alias));
            match self.routes.iter_mut().find(|route| route.name == *target) {
                Some(route) if is_free && is_new => route.aliases.push(alias.clone()),
                Some(_) => report.no_counterpart(
                    place,
                    "the name is that of a group or of another alias, or clients cannot request it",
                    "a name stands for one route: docs/model-names.md",
                ),
                None => report.no_counterpart(
                    place,
                    format!("there is no group `{target}`"),
                    "name a `model_name` of the list",
                ),
            }
        }
    }
}

fn policy_of(group: &Group<'_>, settings: &Settings, fleet: &Fleet, report: &mut Report) -> PolicyEntry {
    let entry = |name: &str, builtin, settings| PolicyEntry { name: name.to_owned(), builtin, settings };
    let own = |kind: &str| match plain_part(group.name).as_str() {
        "" => kind.to_owned(),
        part => format!("{kind}-{part}"),
    };
    if let Some(order) = group.order() {
        let numbers: Vec<Option<f64>> = group.members.iter().map(|(member, _)| member.order).collect();
        for (index, (member, _)) in group.members.iter().enumerate() {
            if numbers.iter().take(index).any(|other| *other == member.order) {
                report.different(
                    &member.place,
                    "models with the same `order` are tried in the order of the file",
                    "use the policy `weighted`, which spreads requests over models",
                );
            }
        }
        let order = order.into_iter().map(|model| fleet.id(model)).collect();
        return entry(&own("order"), "priority", PolicySettings::Order(order));
    }
    let is_single = group.members.len() == 1;
    match settings.strategy {
        _ if is_single => entry("in-order", "priority", PolicySettings::None),
        Strategy::Shuffle => match group.weights() {
            None => entry("shuffle", "weighted", PolicySettings::None),
            Some(weights) => {
                let ids = group.members.iter().map(|(_, model)| fleet.id(*model));
                entry(&own("weights"), "weighted", PolicySettings::Weights(ids.zip(weights).collect()))
            }
        },
        strategy => {
            if let (false, Some((member, _))) = (group.fallbacks.is_empty(), group.members.first()) {
                report.different(
                    &member.place,
                    "the policy chooses among the models of the group and its fallbacks",
                    "use the policy `weighted`, which keeps models without a weight for failures",
                );
            }
            match strategy {
                Strategy::LeastBusy => entry("least-busy", "round-robin", PolicySettings::Load),
                Strategy::Latency => entry("fastest", "performance", PolicySettings::None),
                Strategy::Shuffle | Strategy::Cost => entry("cheapest", "cost", PolicySettings::None),
            }
        }
    }
}

/// Reports entries of `fallbacks` for groups that do not exist.
fn report_unknown_groups(settings: &Settings, names: &[&str], report: &mut Report) {
    for fallback in &settings.fallbacks {
        if fallback.of != "*" && !names.contains(&fallback.of.as_str()) {
            let message = format!("there is no group `{}`", fallback.of);
            report.no_counterpart(&fallback.place, message, "name a `model_name` of the list");
        }
    }
}

/// Returns the part of a name that names of policies may have.
fn plain_part(name: &str) -> String {
    let plain = name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' });
    let plain: String = plain.take(LONGEST_PART).collect();
    plain.trim_matches('-').to_owned()
}
