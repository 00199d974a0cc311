//! `pointsman models`: models with their prices, of the catalogue and of a configuration.

use std::path::Path;

use serde_json::Value;

use crate::command_line::{run, texts};

/// Runs `pointsman models` with success, and returns its standard output.
fn models(arguments: &[&str]) -> String {
    let output = run(&[&["models"], arguments].concat());
    let (text, errors) = texts(&output);
    assert_eq!((output.status.code(), errors.as_str()), (Some(0), ""), "{arguments:?}");
    text
}

/// Runs `pointsman models` with an error of its input, and returns the message.
fn refused(arguments: &[&str]) -> String {
    let output = run(&[&["models"], arguments].concat());
    let (text, errors) = texts(&output);
    assert_eq!((output.status.code(), text.as_str()), (Some(2), ""), "{arguments:?}");
    errors
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&models(&[arguments, &["--json"]].concat())).expect("the output is JSON")
}

#[test]
fn models_are_listed_by_provider_and_operation() {
    let text = models(&["list", "--provider", "openai", "--operation", "embedding"]);
    let mut lines = text.lines();
    assert!(lines.next().is_some_and(|titles| titles.starts_with("MODEL ")), "{text}");
    let ids: Vec<&str> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(ids.contains(&"openai/text-embedding-3-small"), "{text}");
    assert!(ids.iter().all(|id| id.starts_with("openai/") && id.contains("embed")), "{text}");
    let listed = json(&["list", "--provider", "openai", "--operation", "embedding"]);
    let listed: Vec<&str> =
        listed.as_array().expect("a list").iter().filter_map(|model| model["id"].as_str()).collect();
    assert_eq!(listed, ids);
}

#[test]
fn a_search_finds_words_in_any_order_best_first() {
    let text = models(&["search", "sonnet", "claude", "--provider", "anthropic"]);
    assert!(text.lines().skip(1).all(|line| line.starts_with("anthropic/claude-")), "{text}");
    let found = json(&["search", "GPT-4o", "--limit", "3"]);
    assert_eq!((found[0]["id"].as_str(), found.as_array().map(Vec::len)), (Some("openai/gpt-4o"), Some(3)));
    let errors = refused(&["search", "gpt-4oo"]);
    assert!(errors.contains("no model has a name with `gpt-4oo`\n  = hint: did you mean `"), "{errors}");
}

#[test]
fn a_model_is_shown_with_all_of_its_prices_and_their_source() {
    let text = models(&["show", "anthropic/claude-sonnet-4-5"]);
    for expected in
        ["cache write, 1 h", "200000 tokens", "models.dev, last changed 2025-", "kind = \"anthropic\""]
    {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    let shown = json(&["show", "anthropic/claude-sonnet-4-5"]);
    let prices = &shown["usd_per_million_tokens"];
    assert_eq!((&prices["input"], &prices["cache_write_1h"]), (&3.0.into(), &6.0.into()), "{shown}");
    assert_eq!(shown["source"]["entry"], "anthropic/claude-sonnet-4-5");
}

#[test]
fn unknown_names_get_the_one_that_was_likely_meant() {
    let errors = refused(&["show", "openai/gpt4o"]);
    assert!(errors.contains("there is no model `openai/gpt4o`\n  = hint: did you mean `openai/gpt-4o`?"));
    let errors = refused(&["list", "--provider", "opnai"]);
    assert!(errors.contains("did you mean `openai`?"), "{errors}");
    let errors = refused(&["list", "--operation", "chatting"]);
    assert!(errors.contains("it is one of chat, embedding"), "{errors}");
}

#[test]
fn models_of_a_configuration_have_the_prices_in_force_and_their_origin() {
    let config = "[backends.local]\nbase_url = \"http://127.0.0.1:9/v1\"\nprovider = \"openai\"\n\
                  [models.\"local/gpt-4o\"]\noutput_price = 12\n\
                  [models.\"local/own\"]\ninput_price = 0.5\noutput_price = 1\n\
                  [policies.cost]\nsource = \"builtin:cost\"\n[routes.main]\npolicy = \"cost\"\n";
    let name = format!("models-{}.toml", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, config).expect("the configuration can be written");
    let file = path.to_str().expect("the path is text");
    let text = models(&["list", "--config", file]);
    assert!(text.contains("PRICE FROM") && text.contains("input_price in the file"), "{text}");
    let text = models(&["show", "local/gpt-4o", "--config", file]);
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    assert!(line("  input ").ends_with("catalogue: openai/gpt-4o"), "{text}");
    assert!(line("  output ").ends_with("output_price in the file"), "{text}");
    let shown = json(&["show", "local/gpt-4o", "--config", file]);
    assert_eq!(shown["usd_per_million_tokens"]["output"], 12.0);
    assert_eq!(shown["configuration"]["stated_prices"], serde_json::json!(["output_price"]));
    let errors = refused(&["show", "local/gpt4o", "--config", file]);
    assert!(errors.contains("did you mean `local/gpt-4o`?"), "{errors}");
    std::fs::remove_file(&path).expect("the configuration can be removed");
}

#[test]
fn past_current_and_coming_prices_of_a_configuration_are_shown() {
    let config = "[backends.local]\nbase_url = \"http://127.0.0.1:9/v1\"\n\
                  [models.\"local/own\"]\ninput_price = 1\noutput_price = 2\n\
                  prices = [{ from = \"2020-01-01\", input_price = 3 }, { from = \"9999-01-01\", input_price = 4 }]\n\
                  [policies.cost]\nsource = \"builtin:cost\"\n[routes.main]\npolicy = \"cost\"\n";
    let name = format!("dated-models-{}.toml", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, config).expect("the configuration can be written");
    let file = path.to_str().expect("the path is text");
    let text = models(&["show", "local/own", "--config", file]);
    for expected in [
        ", until 2020-01-01 (past)",
        ", in force since 2020-01-01",
        ", from 9999-01-01 on (coming)",
        "prices in the file",
    ] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    let shown = json(&["show", "local/own", "--config", file]);
    assert_eq!(shown["usd_per_million_tokens"]["input"], 3.0);
    let periods = shown["price_periods"].as_array().expect("a list");
    let statuses: Vec<&str> = periods.iter().filter_map(|period| period["status"].as_str()).collect();
    assert_eq!(statuses, ["past", "current", "coming"]);
    assert_eq!(periods[2]["usd_per_million_tokens"]["output"], 2.0);
    std::fs::remove_file(&path).expect("the configuration can be removed");
}
