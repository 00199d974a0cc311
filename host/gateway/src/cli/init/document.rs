//! The text of a new configuration.

use std::fmt::Write;

use pointsman_config::catalogue::{self, CatalogueFacts};
use pointsman_config::providers::Provider;
use pointsman_domain::model::{Modalities, Operation};
use serde_json::Value;

/// Models of well-known providers, from the cheapest to the most capable one.
const CHOSEN: [(&str, &[&str]); 7] = [
    ("anthropic", &["claude-haiku-4-5", "claude-sonnet-4-6", "claude-opus-4-7"]),
    ("deepseek", &["deepseek-v4-flash", "deepseek-v4-pro"]),
    ("google", &["gemini-3.1-flash-lite", "gemini-3.5-flash", "gemini-3.1-pro-preview"]),
    ("groq", &["llama-3.1-8b-instant", "openai/gpt-oss-120b"]),
    ("mistral", &["mistral-small-latest", "mistral-medium-latest"]),
    ("openai", &["gpt-5.4-nano", "gpt-5.4-mini", "gpt-5.5"]),
    ("xai", &["grok-4.20-0309-non-reasoning", "grok-4.3"]),
];

const HEAD: &str = "\
# A configuration of Pointsman. A running gateway applies changes of this file without a restart.
# All keys: docs/configuration.md; completion in editors: `pointsman schema`.

[server]
listen = \"127.0.0.1:8080\"       # clients; beyond this machine, it needs [keys]

[admin]
listen = \"127.0.0.1:8081\"       # the live page, metrics and the admin API
";

const ROUTES: &str = "
# Routes: the names that clients request as models. `backend/model` requests one model.

[routes.auto]                     # cheap where that is good enough, by the kind of task
policy = \"builtin:dynamic\"
# aliases = [\"gpt-*\"]             # also serve clients that request these names

[routes.cheapest]
policy = \"builtin:cost\"

[routes.fastest]
policy = \"builtin:performance\"

# Your own policy: `pointsman policy new ours`, and then
# [policies.ours]
# source = \"ours/build/policy.wasm\"
# [routes.ours]
# policy = \"ours\"

# Keys of clients: `pointsman key` prints a key and this entry.
# [keys.app]
# hash = \"sha256:…\"
";

/// A server with OpenAI's API that needs no key.
pub(super) struct LocalServer<'a> {
    pub(super) base_url: &'a str,
    pub(super) models: &'a [String],
}

/// Writes the configuration.
pub(super) fn document(
    providers: &[&Provider],
    local: Option<&LocalServer<'_>>,
    azure_url: Option<&str>,
) -> String {
    let mut text = HEAD.to_owned();
    for provider in providers {
        text += &of_provider(provider, azure_url);
    }
    if let Some(local) = local {
        text += &of_local(local);
    }
    text += "\n# Quality from 0 to 1 lets policies weigh a model against its price: see docs/models.md.\n";
    text + ROUTES
}

fn of_provider(provider: &Provider, azure_url: Option<&str>) -> String {
    let name = provider.section;
    let mut text = format!("\n[backends.{name}]\n");
    if provider.kind != "openai" {
        entry(&mut text, "kind", provider.kind);
    }
    let base_url = provider.base_url.or((name == "azure").then_some(azure_url).flatten());
    match base_url {
        Some(url) => entry(&mut text, "base_url", url),
        None if name == "azure" => {
            entry(&mut text, "base_url", "https://YOUR-RESOURCE.openai.azure.com");
        }
        None => {}
    }
    if let Some(variable) = provider.key_variable {
        entry(&mut text, "api_key_env", variable);
    }
    text.push('\n');
    for (id, facts) in models(name) {
        let price = facts.price.as_ref().map_or_else(String::new, |price| {
            format!(
                "  # ${} in, ${} out a million tokens",
                price.input_per_million(),
                price.output_per_million()
            )
        });
        let _ = writeln!(text, "[models.{}]{price}", Value::from(id));
    }
    let _ = writeln!(text, "# More: pointsman models list --provider {name}");
    text
}

fn of_local(local: &LocalServer<'_>) -> String {
    let mut text = "\n[backends.local]\n".to_owned();
    entry(&mut text, "base_url", local.base_url);
    for model in local.models {
        let _ = writeln!(text, "\n[models.{}]", Value::from(format!("local/{model}")));
        text += "input_price = 0.0                 # US dollars a million tokens: what your machine costs\noutput_price = 0.0\n";
    }
    text
}

fn entry(text: &mut String, key: &str, value: &str) {
    let _ = writeln!(text, "{key} = {}", Value::from(value));
}

/// Returns models of a provider: those that were chosen, or else the cheapest and the most expensive one of the
/// newest models for chats.
fn models(provider: &str) -> Vec<(String, CatalogueFacts)> {
    let chosen = CHOSEN.iter().find(|(name, _)| *name == provider).map(|(_, models)| *models);
    if let Some(chosen) = chosen {
        let id = |model: &&str| format!("{provider}/{model}");
        return chosen
            .iter()
            .map(id)
            .filter_map(|id| catalogue::lookup(&id).map(|facts| (id, facts)))
            .collect();
    }
    let mut found: Vec<(String, CatalogueFacts)> = catalogue::ids(provider)
        .filter_map(|id| Some((id.to_owned(), catalogue::lookup(id)?)))
        .filter(|(_, facts)| serves_chats(facts))
        .collect();
    found.sort_by(|(_, a), (_, b)| b.date.cmp(&a.date));
    found.truncate(NEWEST);
    let price = |facts: &CatalogueFacts| facts.price.as_ref().map_or(0.0, |price| price.output_per_million());
    found.sort_by(|(_, a), (_, b)| price(a).total_cmp(&price(b)));
    let last = found.len().saturating_sub(1);
    found
        .into_iter()
        .enumerate()
        .filter(|(place, _)| *place == 0 || *place == last)
        .map(|(_, it)| it)
        .collect()
}

/// Models of a provider among which two are chosen.
const NEWEST: usize = 8;

fn serves_chats(facts: &CatalogueFacts) -> bool {
    let is_priced = facts.price.as_ref().is_some_and(|price| price.output_per_million() > 0.0);
    is_priced && facts.operations.contains(&Operation::Chat) && facts.inputs.contains(Modalities::TEXT)
}

#[cfg(test)]
mod tests {
    use pointsman_config::providers::PROVIDERS;

    use super::*;

    #[test]
    fn every_provider_has_models_from_cheap_to_expensive() {
        for provider in PROVIDERS {
            let models = models(provider.section);
            assert!(models.len() >= 2, "{}: {models:?}", provider.section);
            let price = |facts: &CatalogueFacts| facts.price.as_ref().unwrap().output_per_million();
            assert!(models.is_sorted_by(|(_, a), (_, b)| price(a) <= price(b)), "{}", provider.section);
        }
        for (provider, chosen) in CHOSEN {
            assert_eq!(models(provider).len(), chosen.len(), "{provider}: each model is in the catalogue");
        }
    }
}
