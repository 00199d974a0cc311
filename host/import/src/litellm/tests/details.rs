//! Single keys and rules of the import.

use super::*;
use crate::FindingKind;

/// Returns the findings about a path, as text.
fn findings(import: &Import, path: &str) -> Vec<String> {
    let findings = import.findings.iter().filter(|finding| finding.path == path);
    findings.map(ToString::to_string).collect()
}

fn model(params: &str) -> String {
    format!("model_list:\n  - model_name: chat\n    litellm_params:\n      model: openai/gpt-4o\n{params}")
}

#[test]
fn no_secret_of_the_file_is_shown() {
    let secrets = "not-to-be-shown";
    for case in [include_str!("cases/settings.yaml"), include_str!("cases/providers.yaml")] {
        assert!(case.contains(secrets));
        let import = imported(case);
        assert!(!import.toml.contains(secrets), "{}", import.toml);
        let report = format!("{:?}", import.findings);
        assert!(!report.contains(secrets), "{report}");
    }
    let address = "https://user:not-to-be-shown@h.example/v1?key=not-to-be-shown";
    let import = imported(&model(&format!("      api_base: \"{address}\"\n")));
    assert!(import.toml.contains("base_url = \"https://h.example/v1\""), "{}", import.toml);
    assert_eq!(findings(&import, "model_list[0].litellm_params.api_base").len(), 2);
    assert!(!format!("{}{:?}", import.toml, import.findings).contains(secrets));
}

#[test]
fn every_unknown_key_is_reported_with_its_line() {
    let text = model("      made_up: 1\n    other: {a: 1}\nsection: {b: 2}\nrouter_settings:\n  c: 3\n");
    let import = imported(&text);
    let found: Vec<(&str, usize)> =
        import.findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect();
    assert_eq!(
        found,
        [
            ("model_list[0].litellm_params.made_up", 5),
            ("model_list[0].other", 6),
            ("section", 7),
            ("router_settings.c", 9)
        ]
    );
    assert!(import.findings.iter().all(|finding| finding.kind == FindingKind::NoCounterpart));
}

#[test]
fn keys_of_the_file_become_variables_of_their_own() {
    let entry = |key: &str| {
        format!("  - model_name: a\n    litellm_params: {{model: openai/gpt-4o, api_key: {key}}}\n")
    };
    let text = format!(
        "model_list:\n{}{}{}{}",
        entry("sk-1"),
        entry("sk-2"),
        entry("sk-1"),
        entry("os.environ/OPENAI_API_KEY_2")
    );
    let import = imported(&text);
    for name in ["\"OPENAI_API_KEY\"", "\"OPENAI_API_KEY_2\"", "\"OPENAI_API_KEY_3\""] {
        assert_eq!(import.toml.matches(name).count(), 1, "{}", import.toml);
    }
    assert_eq!(import.models, 3, "equal keys are one backend");
}

#[test]
fn a_variable_whose_name_is_not_accepted_gets_another_one() {
    let import = imported(&model("      api_key: os.environ/1-MY KEY\n"));
    assert!(import.toml.contains("api_key_env = \"_1_MY_KEY\""), "{}", import.toml);
    assert_eq!(findings(&import, "model_list[0].litellm_params.api_key").len(), 1);
}

#[test]
fn a_group_with_the_name_of_its_only_model_needs_no_route() {
    let text = "model_list:\n  - model_name: groq/compound\n    litellm_params: {model: groq/compound}\n";
    let import = imported(text);
    assert_eq!((import.models, import.routes), (1, 0), "{}", import.toml);
    let import = imported(&format!("{text}router_settings: {{model_group_alias: {{x: groq/compound}}}}\n"));
    assert!(import.toml.contains("[routes.\"groq/compound\"]"), "{}", import.toml);
    assert!(import.toml.contains("[models.\"groq-api/compound\"]"), "{}", import.toml);
}

#[test]
fn times_of_calls_become_limits_of_the_route() {
    let import = imported(&model(
        "      timeout: 120\n      stream_timeout: 1.5\nrouter_settings: {num_retries: 4}\n",
    ));
    for line in [
        "attempt_timeout = \"120s\"",
        "answer_timeout = \"120s\"",
        "silence_timeout = \"1500ms\"",
        "timeout = \"600s\"",
        "max_attempts = 5",
    ] {
        assert!(import.toml.lines().any(|other| other == line), "{line} is not in\n{}", import.toml);
    }
}

#[test]
fn strategies_become_policies() {
    let pair = "model_list:\n  - model_name: a\n    litellm_params: {model: openai/gpt-4o}\n\
                \x20 - model_name: a\n    litellm_params: {model: openai/gpt-4o-mini}\n";
    for (strategy, source) in [
        ("simple-shuffle", "builtin:weighted"),
        ("least-busy", "builtin:round-robin"),
        ("usage-based-routing-v2", "builtin:round-robin"),
        ("latency-based-routing", "builtin:performance"),
        ("cost-based-routing", "builtin:cost"),
        ("made-up", "builtin:weighted"),
    ] {
        let import = imported(&format!("{pair}router_settings: {{routing_strategy: {strategy}}}\n"));
        assert!(import.toml.contains(source), "{strategy}\n{}", import.toml);
        let is_reported = !findings(&import, "router_settings.routing_strategy").is_empty();
        assert_eq!(is_reported, ["usage-based-routing-v2", "made-up"].contains(&strategy));
    }
}

#[test]
fn a_file_without_models_has_a_report() {
    for text in ["", "[]", "model_list: 3", "model_list:\n  - a\n", "general_settings: {master_key: x}"] {
        let import = imported(text);
        assert_eq!(import.models, 0);
        assert_eq!(import.findings.is_empty(), text.is_empty(), "{text}");
    }
}
