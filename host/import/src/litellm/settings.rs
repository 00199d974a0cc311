//! The settings of the router, the library and the server.

use pointsman_config::keys;

use super::hints;
use super::section::{Section, Setting};
use crate::report::{Place, Report};
use crate::yaml::Node;

/// Settings beside the list of models.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) strategy: Strategy,
    /// Groups of models, and those that are tried when they fail, with the place of the entry.
    pub(super) fallbacks: Vec<Fallback>,
    /// Groups that are tried when any other one fails.
    pub(super) default_fallbacks: Vec<(String, Place)>,
    /// Further names of groups.
    pub(super) aliases: Vec<(String, String, Place)>,
    pub(super) retries: Option<u32>,
    /// Seconds for one call.
    pub(super) timeout: Option<f64>,
    pub(super) stream_timeout: Option<f64>,
    /// Place of the setting by which members of requests are dropped, if it is on.
    pub(super) drops_untranslatable: Option<Place>,
    pub(super) logs_json: bool,
    pub(super) logs_debug: bool,
    pub(super) master_key: Option<MasterKey>,
    /// Names of environment variables that the file sets.
    pub(super) variables: Vec<String>,
}

/// A group of models that is tried when another one fails.
pub(super) struct Fallback {
    pub(super) of: String,
    pub(super) to: Vec<String>,
    pub(super) place: Place,
}

/// Strategies of LiteLLM's router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Strategy {
    #[default]
    Shuffle,
    LeastBusy,
    Latency,
    Cost,
}

/// The key that all clients may use.
pub(super) enum MasterKey {
    /// Its hash.
    Hash(String),
    /// The environment variable that holds it.
    Variable(String),
}

impl Settings {
    pub(super) fn read(root: &mut Section<'_>, report: &mut Report) -> Self {
        let mut settings = Self::default();
        let mut library = root.section("litellm_settings", report);
        settings.read_shared(&mut library, report);
        settings.read_library(&mut library, report);
        library.finish(&hints::SETTINGS, report);
        // Settings of the router take precedence.
        let mut router = root.section("router_settings", report);
        settings.read_shared(&mut router, report);
        settings.read_router(&mut router, report);
        router.finish(&hints::ROUTER, report);
        let mut general = root.section("general_settings", report);
        settings.read_general(&mut general, report);
        general.finish(&hints::GENERAL, report);
        let mut variables = root.section("environment_variables", report);
        for (name, _, place) in variables.rest() {
            report.task(
                &place,
                format!("the gateway does not set the environment variable `{name}`"),
                "set it in the environment in which the gateway starts, if it is used there",
            );
            settings.variables.push(name.to_owned());
        }
        settings
    }

    /// Reads the keys that may be in two sections.
    fn read_shared(&mut self, section: &mut Section<'_>, report: &mut Report) {
        for key in ["fallbacks", "context_window_fallbacks"] {
            if let Some((node, place)) = section.take(key) {
                self.read_fallbacks(node, &place, report);
                if key == "context_window_fallbacks" {
                    report.different(
                        &place,
                        "these models are tried after any failure, as those of `fallbacks` are",
                        "models whose context window is too short for a request are left out in any case",
                    );
                }
            }
        }
        if let Some((node, place)) = section.take("default_fallbacks") {
            let groups = node.elements().unwrap_or_default().iter();
            let groups = groups.filter_map(|node| Some((node.text()?.to_owned(), place.clone())));
            self.default_fallbacks.extend(groups);
        }
        if let Some((retries, _)) = section.number("num_retries", report) {
            self.retries = Some(retries.min(100.0) as u32);
        }
        for key in ["timeout", "request_timeout"] {
            let seconds = section.number(key, report).map(|(seconds, _)| seconds);
            self.timeout = seconds.filter(|seconds| *seconds > 0.0).or(self.timeout);
        }
        if let Some((seconds, _)) = section.number("stream_timeout", report) {
            self.stream_timeout = Some(seconds).filter(|seconds| *seconds > 0.0);
        }
        for key in ["allowed_fails", "cooldown_time", "disable_cooldowns", "retry_after"] {
            if let Some((_, place)) = section.take(key) {
                report.different(
                    &place,
                    "the gateway avoids models that fail by rules of its own",
                    "docs/reliability.md describes them",
                );
            }
        }
    }

    fn read_library(&mut self, section: &mut Section<'_>, report: &mut Report) {
        let drops = section.truth("drop_params", report);
        self.drops_untranslatable = drops.filter(|(drops, _)| *drops).map(|(_, place)| place);
        self.logs_json = section.truth("json_logs", report).is_some_and(|(json, _)| json);
        self.logs_debug = section.truth("set_verbose", report).is_some_and(|(debug, _)| debug);
        if let Some((is_off, place)) = section.truth("turn_off_message_logging", report)
            && !is_off
        {
            report.different(
                &place,
                "content is not logged by default",
                "set `content = true` in `[decision_log]` or `[traces]`",
            );
        }
    }

    fn read_router(&mut self, section: &mut Section<'_>, report: &mut Report) {
        if let Some((name, place)) = section.text("routing_strategy", report) {
            self.strategy = Strategy::of(&name, &place, report);
        }
        if let Some((_, place)) = section.take("enable_pre_call_checks") {
            report.different(
                &place,
                "requests are always checked before a call",
                "docs/candidates.md describes which models are left out",
            );
        }
        if let Some((node, place)) = section.take("model_group_alias") {
            let mut aliases = Section::new(node, place, report);
            for (alias, node, place) in aliases.rest() {
                let target = match node.entries() {
                    Some(entries) => {
                        if entries.iter().any(|entry| entry.key == "hidden") {
                            report.different(
                                &place,
                                "the alias is in the list of models",
                                "limit what a key may list with `routes` of `[keys.NAME]`",
                            );
                        }
                        entries.iter().find(|entry| entry.key == "model").and_then(|entry| entry.node.text())
                    }
                    None => node.text(),
                };
                match target {
                    Some(target) => self.aliases.push((alias.to_owned(), target.to_owned(), place)),
                    None => report.no_counterpart(&place, "the alias names no group", "write `alias: group`"),
                }
            }
        }
    }

    fn read_general(&mut self, section: &mut Section<'_>, report: &mut Report) {
        let Some((key, place)) = section.setting("master_key", report) else { return };
        let advice = "the admin listener has a token of its own: `token_env` in `[admin]`";
        self.master_key = Some(match key {
            Setting::Literal(key) => {
                report.different(
                    &place,
                    "the result has the hash of the key as `[keys.master]`; clients use it as before",
                    format!(
                        "short keys can be guessed from their hash: make one with `pointsman key`; {advice}"
                    ),
                );
                MasterKey::Hash(keys::hash_for_config(&key))
            }
            Setting::Variable(name) => {
                report.task(
                    &place,
                    format!("keys of clients are not read from the environment variable `{name}`"),
                    format!("make a key with `pointsman key`, and add its hash as `[keys.NAME]`; {advice}"),
                );
                MasterKey::Variable(name)
            }
        });
    }

    /// Reads a list of mappings of groups to lists of groups.
    fn read_fallbacks(&mut self, node: &Node, place: &Place, report: &mut Report) {
        for (index, element) in node.elements().unwrap_or_default().iter().enumerate() {
            let place = place.element(index, element.line);
            let mut mapping = Section::new(element, place, report);
            for (of, node, place) in mapping.rest() {
                let to = node.elements().unwrap_or_default().iter();
                let to: Vec<String> = to.filter_map(Node::text).map(str::to_owned).collect();
                if to.is_empty() {
                    report.no_counterpart(&place, "it names no group", "write a list of groups");
                    continue;
                }
                self.fallbacks.push(Fallback { of: of.to_owned(), to, place });
            }
        }
    }

    /// Returns the groups that are tried after a group, each once.
    pub(super) fn fallbacks_of(&self, group: &str) -> Vec<(&str, &Place)> {
        let own = self.fallbacks.iter().filter(|fallback| fallback.of == group || fallback.of == "*");
        let own = own.flat_map(|fallback| fallback.to.iter().map(move |to| (to.as_str(), &fallback.place)));
        let all = own.chain(self.default_fallbacks.iter().map(|(group, place)| (group.as_str(), place)));
        let mut fallbacks: Vec<(&str, &Place)> = Vec::new();
        for (to, place) in all {
            if to != group && fallbacks.iter().all(|(other, _)| *other != to) {
                fallbacks.push((to, place));
            }
        }
        fallbacks
    }
}

impl Strategy {
    fn of(name: &str, place: &Place, report: &mut Report) -> Self {
        match name {
            "simple-shuffle" => Self::Shuffle,
            "least-busy" => Self::LeastBusy,
            "latency-based-routing" => Self::Latency,
            "cost-based-routing" => Self::Cost,
            "usage-based-routing" | "usage-based-routing-v2" => {
                report.different(
                    place,
                    "the model with the fewest calls in flight is chosen, not the one with the fewest tokens",
                    "the settings of the policy are in policies/round-robin/README.md",
                );
                Self::LeastBusy
            }
            _ => {
                report.no_counterpart(
                    place,
                    "the import does not know this strategy; models are drawn at random",
                    "choose one of the policies in the README, or write one: docs/writing-policies.md",
                );
                Self::Shuffle
            }
        }
    }
}
