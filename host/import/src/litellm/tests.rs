use std::path::Path;

use insta::assert_snapshot;
use pointsman_config::{Config, ConfigSource, Overrides};
use proptest::prelude::*;

use crate::Import;

mod details;

/// Imports a text. The result is valid if it has a model.
fn imported(text: &str) -> Import {
    let import = super::import("config.yaml", text).unwrap();
    if import.models > 0 {
        let config = Config::parse(ConfigSource {
            file: "pointsman.toml",
            text: &import.toml,
            base_dir: Path::new(""),
            env: &|_| Some("secret".to_owned()),
            overrides: Overrides::default(),
            now: 0,
        });
        let config = config.unwrap_or_else(|error| panic!("{error}\n{}", import.toml));
        assert_eq!(
            (config.models.len(), config.routes.len()),
            (import.models, import.routes),
            "{}",
            import.toml
        );
    }
    import
}

/// Returns the configuration and the report.
fn golden(text: &str) -> String {
    let import = imported(text);
    let findings: Vec<String> = import.findings.iter().map(ToString::to_string).collect();
    format!("{}\n=== report ===\n{}", import.toml, findings.join("\n"))
}

#[test]
fn servers_of_one_name_become_one_route_by_weight() {
    assert_snapshot!(golden(include_str!("tests/cases/load_balancing.yaml")));
}

#[test]
fn each_provider_becomes_a_backend() {
    assert_snapshot!(golden(include_str!("tests/cases/providers.yaml")));
}

#[test]
fn settings_of_the_proxy_are_imported_or_reported() {
    assert_snapshot!(golden(include_str!("tests/cases/settings.yaml")));
}

#[test]
fn wildcards_become_the_models_of_the_catalogue_or_patterns() {
    let import = imported(include_str!("tests/cases/wildcards.yaml"));
    let findings: Vec<String> = import.findings.iter().map(ToString::to_string).collect();
    assert_snapshot!(findings.join("\n"));
    assert!(import.models > 20 && import.routes < 20, "{}", import.toml);
    for expected in ["[models.\"groq/llama-3.3-70b-versatile\"]", "aliases = [\"claude-*\"]"] {
        assert!(import.toml.contains(expected), "{}", import.toml);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_list_of_models_becomes_a_valid_configuration(
        entries in prop::collection::vec(entry(), 1..6),
        settings in prop::sample::select(vec![
            "", "router_settings: {routing_strategy: least-busy, num_retries: 2, timeout: 700}\n",
            "litellm_settings: {fallbacks: [{a: [b, c]}, {'*': [a]}], drop_params: true}\n",
            "router_settings: {routing_strategy: cost-based-routing, model_group_alias: {x: a, b: a}}\n",
            "router_settings: {model_group_alias: {openai/gpt-4o: a, gpt-4o: 'b/c'}, fallbacks: [{'b/c': [a]}]}\n",
        ]),
    ) {
        imported(&format!("model_list:\n{}{settings}", entries.concat()));
    }
}

fn entry() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "a",
        "b/c",
        "openai/gpt-4o",
        "gpt-4o",
        "\"*\"",
        "x-*",
        "é",
        "ollama/llama3",
        "'q\"'",
    ]);
    let model = prop::sample::select(vec![
        "openai/gpt-4o",
        "gpt-4o",
        "ollama/llama3",
        "azure/mine",
        "anthropic/claude-sonnet-4-5",
        "gemini/x y",
        "hosted_vllm/meta-llama/Llama-3.1-8B",
        "bedrock/some",
        "openai/",
        "openai/tts-1",
        "groq/whisper-large-v3",
    ]);
    let more = prop::sample::select(vec![
        "",
        "      api_key: sk-secret\n",
        "      api_key: os.environ/KEY-1\n",
        "      api_base: http://127.0.0.1:1/v1\n",
        "      api_base: 'https://user:word@h.example/openai/deployments/x?key=1'\n",
        "      api_base: nonsense\n",
        "      order: 2\n      rpm: 10\n",
        "      weight: 3\n      timeout: 1e9\n",
        "      weight: -1\n      tpm: x\n",
        "      extra_headers: {A: 1, X-Key: s, 'b c': d}\n",
        "      input_cost_per_token: 0.00001\n",
        "      input_cost_per_token: 1000\n",
        "      api_key: os.environ/A\n      api_base: os.environ/B\n",
    ]);
    (name, model, more).prop_map(|(name, model, more)| {
        format!("  - model_name: {name}\n    litellm_params:\n      model: '{model}'\n{more}")
    })
}
