//! The result as TOML.

use super::fleet::{BackendEntry, Fleet, ModelEntry};
use super::routing::{PolicyEntry, PolicySettings, RouteEntry, Routing};
use super::settings::{MasterKey, Settings};
use crate::document::{TomlDocument, quoted};

/// Renders the configuration.
pub(super) fn toml(file: &str, settings: &Settings, fleet: &Fleet, routing: &Routing) -> String {
    let mut toml = TomlDocument::default();
    toml.comment(&format!("Imported from {file}, a configuration of LiteLLM's proxy."));
    toml.comment("Check it with `pointsman check`; docs/configuration.md describes all keys.");
    if !settings.variables.is_empty() {
        let names = settings.variables.join(", ");
        toml.comment(&format!("Set these environment variables, as the original file did: {names}"));
    }
    toml.table(&["server"], "");
    toml.comment("LiteLLM listens on 0.0.0.0:4000 by default. Other machines need a key: [keys].");
    toml.comment("listen = \"0.0.0.0:4000\"");
    if settings.logs_json || settings.logs_debug {
        toml.table(&["log"], "");
        if settings.logs_json {
            toml.text("format", "json");
        }
        if settings.logs_debug {
            toml.text("level", "debug");
        }
    }
    for backend in &fleet.backends {
        add_backend(&mut toml, backend);
    }
    for (index, model) in fleet.models.iter().enumerate() {
        add_model(&mut toml, &fleet.id(index), model);
    }
    for policy in &routing.policies {
        add_policy(&mut toml, policy);
    }
    for route in &routing.routes {
        add_route(&mut toml, route, settings);
    }
    add_keys(&mut toml, settings);
    toml.into_text()
}

fn add_backend(toml: &mut TomlDocument, backend: &BackendEntry) {
    toml.table(&["backends", &backend.name], "");
    let (provider, endpoint) = (&backend.provider, &backend.endpoint);
    if provider.kind != "openai" {
        toml.text("kind", provider.kind);
    }
    if endpoint.is_unknown {
        toml.comment("TO DO: write the address of the server.");
    }
    if let Some(url) = &endpoint.base_url {
        toml.text("base_url", url);
    }
    if let Some(version) = &endpoint.api_version {
        toml.inline("query", [("api-version", quoted(version))]);
    }
    if let Some(variable) = &backend.key_variable {
        toml.text("api_key_env", variable);
    }
    if provider.prefix == "azure_ai" && backend.key_variable.is_some() {
        toml.text("api_key_header", "api-key");
    }
    if !endpoint.headers.is_empty() {
        toml.inline("headers", endpoint.headers.iter().map(|(name, value)| (name.as_str(), quoted(value))));
    }
    if !provider.section.is_empty() && provider.section != backend.name {
        toml.text("provider", provider.section);
    }
}

fn add_model(toml: &mut TomlDocument, id: &str, model: &ModelEntry) {
    toml.table(&["models", id], &format!("line {}", model.line));
    if let Some(entry) = &model.catalogue {
        toml.text("catalogue", entry);
    }
    if let Some(operation) = model.operation {
        toml.texts("operations", [operation]);
    }
    if let Some(tokens) = model.stated.context_window {
        toml.plain("context_window", tokens);
    }
    if let Some(tokens) = model.stated.max_output_tokens {
        toml.plain("max_output_tokens", tokens);
    }
    for (key, price) in &model.stated.prices {
        toml.plain(key, price);
    }
    for key in &model.missing_prices {
        toml.plain(key, 0);
    }
    if !model.stated.attributes.is_empty() {
        let attributes = model.stated.attributes.iter();
        toml.inline("attributes", attributes.map(|(name, value)| (name.as_str(), quoted(value))));
    }
}

fn add_policy(toml: &mut TomlDocument, policy: &PolicyEntry) {
    toml.table(&["policies", &policy.name], "");
    toml.text("source", &format!("builtin:{}", policy.builtin));
    match &policy.settings {
        PolicySettings::None => {}
        PolicySettings::Load => toml.inline("settings", [("balance", quoted("load"))]),
        PolicySettings::Order(models) => {
            toml.table(&["policies", &policy.name, "settings"], "");
            toml.texts("order", models.iter().map(String::as_str));
        }
        PolicySettings::Weights(weights) => {
            toml.table(&["policies", &policy.name, "settings", "weights"], "");
            for (model, weight) in weights {
                toml.plain(model, weight);
            }
        }
    }
}

fn add_route(toml: &mut TomlDocument, route: &RouteEntry, settings: &Settings) {
    toml.table(&["routes", &route.name], &format!("line {}", route.line));
    if !route.aliases.is_empty() {
        toml.texts("aliases", route.aliases.iter().map(String::as_str));
    }
    toml.text("policy", &route.policy);
    toml.texts("models", route.models.iter().map(String::as_str));
    if let Some(attempts) = route.max_attempts {
        toml.plain("max_attempts", attempts);
    }
    if let Some(seconds) = route.timeout {
        toml.text("timeout", &duration(seconds));
    }
    if let Some(seconds) = route.call_timeout {
        toml.text("attempt_timeout", &duration(seconds));
        toml.text("answer_timeout", &duration(seconds));
    }
    if let Some(seconds) = route.silence_timeout {
        toml.text("silence_timeout", &duration(seconds));
    }
    if settings.drops_untranslatable.is_some() {
        toml.text("on_untranslatable", "drop");
    }
}

fn add_keys(toml: &mut TomlDocument, settings: &Settings) {
    match &settings.master_key {
        None => {}
        Some(MasterKey::Hash(hash)) => {
            toml.table(
                &["keys", "master"],
                "LiteLLM's master key. Give each client a key of its own instead.",
            );
            toml.text("hash", hash);
        }
        Some(MasterKey::Variable(name)) => {
            toml.comment("");
            toml.comment(&format!(
                "TO DO: LiteLLM's clients send the key in {name}. Make one with `pointsman key`:"
            ));
            toml.comment("[keys.master]");
            toml.comment("hash = \"sha256:...\"");
        }
    }
}

/// Returns a duration as the configuration has it. Times are rounded to milliseconds, and limited to
/// a day.
fn duration(seconds: f64) -> String {
    let milliseconds = (seconds * 1e3).clamp(1.0, 86_400_000.0).round();
    if milliseconds % 1e3 == 0.0 { format!("{}s", milliseconds / 1e3) } else { format!("{milliseconds}ms") }
}
