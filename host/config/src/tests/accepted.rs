//! Compilation of valid configurations.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_backends::{ProviderAuth, TransportConfig};
use pointsman_domain::failure::CallTimeouts;
use pointsman_domain::ids::{ModelId, PolicyName, RouteName};
use pointsman_domain::model::{Abilities, Modalities, Operation};
use pointsman_domain::money::{Picodollars, Price};
use pointsman_domain::rollout::{HoldBackoff, Thresholds};
use pointsman_domain::secret::Secret;
use pointsman_policy::{Grants, HostCalls, Isolation, Limits};

use super::super::{Compile, Config, Mode, OnFailure, Overrides, PolicySource, Rollback, Route, Trial};
use super::{accepted, compile, rejected};
use crate::keys;

const OPENAI: &str = r#"
[backends.openai]
base_url = "https://api.openai.com/v1"
api_key_env = "API_KEY"
headers = { OpenAI-Organization = "org" }
http2 = true
"#;

fn route<'c>(config: &'c Config, name: &str) -> &'c Route {
    config.route(&RouteName::new(name)).unwrap()
}

fn ids(route: &Route) -> Vec<&str> {
    route.models.iter().map(ModelId::as_str).collect()
}

#[test]
fn the_embedded_default_serves_the_fleet_on_routes_that_route_and_that_orchestrate() {
    let config = Config::embedded(Overrides::default()).unwrap();
    let models: Vec<&str> = config.models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(
        models,
        [
            "fleet/llama-7b",
            "fleet/llama-13b",
            "fleet/llama-70b",
            "fleet/mistral-7b",
            "fleet/clip",
            "fleet/whisper",
            "studio/voice",
            "studio/painter",
            "studio/censor"
        ]
    );
    let served: BTreeSet<Operation> =
        config.models.iter().flat_map(|model| model.operations.iter().copied()).collect();
    assert!(Operation::ALL.iter().all(|operation| served.contains(operation)), "{served:?}");
    let routes: Vec<&str> = config.routes.iter().map(|route| route.name.as_str()).collect();
    let orchestrated = ["multimodal", "sequential", "parallel", "collaborate", "cascade"];
    assert_eq!(routes[..4], ["cost", "performance", "task", "auto"]);
    assert_eq!(routes[4..], orchestrated);
    let largest = &config.models[2];
    assert_eq!(largest.price.of(1000, 0).usd(), 0.05);
    assert_eq!(largest.attributes["memory_gb"], "70");
    let TransportConfig::Simulated(fleet) = &config.backends[0].transport else { panic!() };
    assert_eq!(fleet.models["llama-70b"].first_token, Duration::from_millis(50));
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.admin.listen.to_string(), "127.0.0.1:8081");
}

#[test]
fn facts_that_are_not_stated_come_from_the_catalogue() {
    let config = accepted(&format!("{OPENAI}\n[models.\"openai/gpt-4o\"]\n"));
    let model = &config.models[0];
    let cached_input = Some(Picodollars::per_million(1.25));
    assert_eq!(model.price, Price { cached_input, ..Price::per_million(2.5, 10.0) });
    assert_eq!(model.context_window, Some(128_000));
    assert!(model.inputs.contains(Modalities::IMAGE));
    assert!(model.abilities.contains(Abilities::TOOLS));
}

#[test]
fn what_the_file_states_wins_over_the_catalogue() {
    let config = accepted(&format!(
        "{OPENAI}
        [models.\"openai/mine\"]
        upstream_name = \"ft:gpt-4o:acme\"
        catalogue = \"openai/gpt-4o\"
        output_price = 15
        inputs = [\"text\"]
        context_window = 1000"
    ));
    let model = &config.models[0];
    assert_eq!(model.upstream_name, "ft:gpt-4o:acme");
    let cached_input = Some(Picodollars::per_million(1.25));
    assert_eq!(model.price, Price { cached_input, ..Price::per_million(2.5, 15.0) });
    assert_eq!(model.inputs, Modalities::TEXT);
    assert_eq!(model.context_window, Some(1000));
    assert_eq!(model.max_output_tokens, Some(16_384));
}

#[test]
fn tokens_of_special_kinds_have_the_stated_price_or_the_catalogues_for_its_own() {
    let price = |keys: &str| {
        accepted(&format!("{OPENAI}\n[models.\"openai/gpt-4o\"]\n{keys}")).models[0].price.clone()
    };
    let per_million = |usd: f64| Some(Picodollars::per_million(usd));
    assert_eq!(price("input_price = 1").cached_input, None, "that of the input");
    assert_eq!(price("input_price = 1\ncached_input_price = 0.1").cached_input, per_million(0.1));
    assert_eq!(price("cache_write_price = 3\nreasoning_price = 12").cache_write, per_million(3.0));
    assert_eq!(price("cache_write_price = 3\nreasoning_price = 12").reasoning, per_million(12.0));
    let media = price(
        "audio_input_price = 40\naudio_output_price = 80\nimage_input_price = 5\nimage_output_price = 40",
    );
    assert_eq!((media.audio_input, media.audio_output), (per_million(40.0), per_million(80.0)));
    assert_eq!((media.image_input, media.image_output), (per_million(5.0), per_million(40.0)));
    assert_eq!(media.cached_input, per_million(1.25), "the catalogue's");
}

#[test]
fn prices_of_long_inputs_are_those_of_the_file_or_the_catalogue() {
    let price = |id: &str, keys: &str| {
        let provider = id.split('/').next().unwrap_or_default();
        let backend = format!("[backends.{provider}]\nbase_url = \"https://example.com/v1\"\n");
        accepted(&format!("{backend}[models.\"{id}\"]\n{keys}")).models[0].price.clone()
    };
    let per_million = |usd: f64| Some(Picodollars::per_million(usd));
    let claude = price("anthropic/claude-sonnet-4-5", "");
    assert_eq!(claude.cache_write_1h, per_million(6.0));
    assert_eq!(price("anthropic/claude-sonnet-4-5", "cache_write_price = 4").cache_write_1h, None);
    let gemini = price("google/gemini-2.5-pro", "");
    assert!(gemini.tiers.iter().any(|tier| tier.above == 200_000 && tier.price.input > gemini.input));
    assert_eq!(price("google/gemini-2.5-pro", "input_price = 1").tiers, []);
    let own = price(
        "openai/gpt-4o",
        "cached_input_price = 0.5\nprice_tiers = [{ above = 1000, output_price = 20 }, { above = 2000, input_price = 5 }]",
    );
    let [first, second] = &own.tiers[..] else { panic!("{own:?}") };
    assert_eq!((first.above, second.above), (1_000, 2_000));
    assert_eq!((first.price.input, first.price.cached_input), (own.input, per_million(0.5)));
    assert_eq!(first.price.output, Picodollars::per_million(20.0));
    assert_eq!((second.price.output, second.price.cached_input), (own.output, None));
    let refused = rejected(
        "[backends.x]\nbase_url = \"https://example.com/v1\"\n[models.\"x/y\"]\ninput_price = 1\noutput_price = 1\n\
         price_tiers = [{ above = 2, input_price = -1 }, { above = 2 }]",
    );
    assert!(refused.contains("-1 is not a price"), "{refused}");
    assert!(refused.contains("the tiers are not in ascending order of `above`"), "{refused}");
}

#[test]
fn a_route_names_a_built_in_policy_without_declaring_it() {
    let config = accepted(
        "[policies.ours]\nsource = \"builtin:performance\"\non_failure = { fallback = \"builtin:cost\" }\n\
         [routes.main]\npolicy = \"builtin:dynamic\"\nshadow = \"ours\"\n\
         [routes.other]\npolicy = \"builtin:dynamic\"\ncanary = { policy = \"builtin:cost\", percent = 5 }\n",
    );
    let names: Vec<&str> = config.policies.iter().map(|policy| policy.spec.name.as_str()).collect();
    assert_eq!(names[names.len() - 2..], ["builtin:cost", "builtin:dynamic"]);
    let dynamic = config.policies.last().unwrap();
    assert_eq!((&dynamic.source, &*dynamic.spec.settings), (&PolicySource::Builtin("dynamic"), "{}"));
    assert!(dynamic.spec.grants.contains(Grants::PROMPT) && !dynamic.spec.grants.contains(Grants::WASI));
    assert_eq!(route(&config, "main").policy.as_str(), "builtin:dynamic");
}

#[test]
fn a_call_has_a_limit_for_each_kind_of_wait() {
    let route = |keys: &str| {
        let route =
            format!("[policies.cost]\nsource = \"builtin:cost\"\n[routes.main]\npolicy = \"cost\"\n{keys}");
        accepted(&route).routes[0].limits.timeouts
    };
    let seconds = Duration::from_secs;
    let default = CallTimeouts { first_content: Some(seconds(150)), ..CallTimeouts::default() };
    assert_eq!(route(""), default);
    assert_eq!(route("timeout = \"10s\"").first_content, Some(seconds(5)));
    let hasty = CallTimeouts { first_byte: seconds(5), silence: seconds(5), ..default };
    assert_eq!(route("attempt_timeout = \"5s\""), hasty);
    let all = "attempt_timeout = \"5s\"\nfirst_content_timeout = \"6s\"\nsilence_timeout = \"7s\"\nanswer_timeout = \"8s\"";
    let expected = CallTimeouts {
        first_byte: seconds(5),
        first_content: Some(seconds(6)),
        silence: seconds(7),
        answer: Some(seconds(8)),
    };
    assert_eq!(route(all), expected);
}

#[test]
fn a_model_that_nobody_describes_takes_text_and_may_do_anything_but_reason() {
    let config = accepted("");
    let model = &config.models[0];
    assert_eq!(model.inputs, Modalities::TEXT);
    assert_eq!((model.abilities, model.assumed_abilities), (Abilities::all(), Abilities::REASONING));
    assert_eq!(model.operations, [Operation::Chat]);
    assert_eq!(model.quality, Default::default());
}

#[test]
fn a_backend_gets_its_key_from_the_environment() {
    let config = accepted(OPENAI);
    let TransportConfig::Http(http) = &config.backends[0].transport else { panic!() };
    assert_eq!(http.auth, Some(ProviderAuth::bearer(Secret::new("sk-secret"))));
    assert_eq!(http.headers["openai-organization"], "org");
    assert!(http.http2);
    assert!(!format!("{config:?}").contains("sk-secret"));
}

#[test]
fn a_model_name_may_have_slashes_and_patterns_match_them() {
    let config = accepted(
        r#"
        [models."sim/meta/llama"]
        [models."sim/meta/llama-guard"]
        [routes.meta]
        policy = "plain"
        models = ["*guard", "sim/meta/*"]"#,
    );
    assert_eq!(config.models[0].upstream_name, "meta/llama");
    assert_eq!(ids(route(&config, "meta")), ["sim/meta/llama-guard", "sim/meta/llama"]);
    assert_eq!(ids(route(&config, "usual")), ["sim/meta/llama", "sim/meta/llama-guard", "sim/small"]);
}

#[test]
fn a_policy_is_compiled_with_all_its_parts() {
    let config = accepted(
        r#"
        [policies.mine]
        source = "builtin:dynamic"
        settings = { floor = 0.5, tasks = ["code"], since = 2026-01-01, nested = { on = true } }
        grants = ["prompt", "wasi"]
        limits = { deadline = "5ms", memory = "8 MiB", concurrency = 3, host_calls = 10, log_lines_per_second = 7, prompt_bytes = 1000, component = 1 }
        isolation = { warm = { instances = 2 } }
        on_failure = { fallback = "plain" }"#,
    );
    let policy = config.policy(&PolicyName::new("mine")).unwrap();
    assert_eq!(policy.source, PolicySource::Builtin("dynamic"));
    assert_eq!(
        policy.spec.settings,
        r#"{"floor":0.5,"nested":{"on":true},"since":"2026-01-01","tasks":["code"]}"#
    );
    assert_eq!(policy.spec.grants, Grants::PROMPT | Grants::WASI);
    let limits = Limits {
        deadline: Duration::from_millis(5),
        memory_bytes: 8 << 20,
        concurrency: 3,
        host_calls: HostCalls::Exactly(10),
        log_lines_per_second: 7,
        prompt_bytes: 1000,
        max_component_bytes: 1,
    };
    assert_eq!(policy.spec.limits, limits);
    assert_eq!(policy.spec.isolation, Isolation::Warm { recycle_after: 10_000, instances: 2 });
    assert_eq!(policy.on_failure, OnFailure::FallbackTo(PolicyName::new("plain")));
}

#[test]
fn a_policy_without_settings_gets_an_empty_object_and_the_default_limits() {
    let config = accepted("");
    let spec = &config.policies[0].spec;
    assert_eq!(*spec, pointsman_policy::PolicySpec::new(PolicyName::new("plain")));
}

#[test]
fn the_state_is_kept_beside_the_file_and_nowhere_unless_it_says_so() {
    assert_eq!(accepted("").state.dir, None);
    let relative = accepted("[state]\ndir = \"state\"\n").state.dir;
    assert_eq!(relative.as_deref(), Some(Path::new("/nowhere/state")));
    let absolute = accepted("[state]\ndir = \"/var/lib/pointsman\"\n").state.dir;
    assert_eq!(absolute.as_deref(), Some(Path::new("/var/lib/pointsman")));
}

#[test]
fn how_policies_are_compiled_has_defaults() {
    let default = Compile { timeout: Duration::from_secs(60), memory_bytes: 2 << 30, processes: 2 };
    assert_eq!(accepted("").compile, default);
    let config = accepted("[compile]\ntimeout = \"5s\"\nmemory = \"1 GiB\"\n");
    let stated = Compile { timeout: Duration::from_secs(5), memory_bytes: 1 << 30, ..default };
    assert_eq!(config.compile, stated);
}

#[test]
fn a_routes_word_on_failure_wins_over_its_policys() {
    let config = accepted(
        r#"
        [policies.strict]
        source = "builtin:cost"
        on_failure = "reject"
        isolation = "warm"
        [routes.strict]
        policy = "strict"
        [routes.lenient]
        policy = "strict"
        on_failure = "previous""#,
    );
    assert_eq!(route(&config, "strict").on_failure, OnFailure::Reject);
    assert_eq!(route(&config, "lenient").on_failure, OnFailure::Previous);
    assert_eq!(route(&config, "usual").on_failure, OnFailure::Fallback);
}

#[test]
fn a_key_may_ask_for_what_it_lists_and_a_key_without_a_list_for_all() {
    let new = keys::generate().unwrap();
    let hash = "a".repeat(64);
    let config = accepted(&format!(
        "[keys.some]\nhash = \"{}\"\nroutes = [\"us*\", \"sim/small\"]\n[keys.all]\nhash = \"sha256:{hash}\"\n\
         [server]\nlisten = \"0.0.0.0:80\"\n",
        new.hash
    ));
    let [some, all] = &config.keys[..] else { panic!() };
    assert_eq!(some.sha256, keys::hash(&new.key));
    assert!(some.may_ask_for("usual") && some.may_ask_for("sim/small") && !some.may_ask_for("other"));
    assert!(all.may_ask_for("other"));
}

#[test]
fn a_key_may_list_aliases_and_names_that_a_pattern_matches() {
    let hash = "a".repeat(64);
    let text = |allowed: &str| {
        format!(
            "[routes.auto]\npolicy = \"plain\"\naliases = [\"gpt-4o\", \"claude-*\"]\n\
             [keys.app]\nhash = \"sha256:{hash}\"\nroutes = [{allowed}]\n"
        )
    };
    let config = accepted(&text("\"gpt-4o\", \"claude-opus-4-8\", \"claude-sonnet-*\""));
    let key = &config.keys[0];
    for name in ["gpt-4o", "claude-opus-4-8", "claude-sonnet-4"] {
        assert!(key.may_ask_for(name), "{name}");
    }
    for name in ["auto", "usual", "claude-opus", "gpt-4o-mini"] {
        assert!(!key.may_ask_for(name), "{name}");
    }
    let refused = rejected(&text("\"gpt-4\", \"gemini-*\""));
    assert!(refused.contains("unknown route `gpt-4`"), "{refused}");
    assert!(refused.contains("did you mean `gpt-4o`?"), "{refused}");
    assert!(refused.contains("no route matches `gemini-*`"), "{refused}");
}

#[test]
fn names_for_a_key_are_checked_without_a_file_too() {
    let config = accepted("[routes.auto]\npolicy = \"plain\"\naliases = [\"gpt-4o\", \"claude-*\"]\n");
    let unknown = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        config.unknown_name(&names).map(|unknown| (unknown.index, unknown.message))
    };
    assert_eq!(unknown(&["auto", "gpt-4o", "claude-opus-4", "claude-*", "sim/*", "*"]), None);
    assert_eq!(unknown(&[]), None);
    let (index, message) = unknown(&["auto", "gpt-4"]).unwrap();
    assert_eq!(index, 1);
    assert_eq!(message, "there is no route, model or alias `gpt-4`: did you mean `gpt-4o`?");
    let (_, message) = unknown(&["gemini-*"]).unwrap();
    assert_eq!(message, "no route, model or alias matches `gemini-*`: `GET /v1/models` lists what there is");

    let listed = ["b*".to_owned(), "a".to_owned()];
    let allowed = keys::AllowedNames::from_iter(&listed);
    assert_eq!(allowed.listed(), listed);
    let key = keys::Key { name: "app".to_owned().into(), sha256: [0; 32], allowed: Some(allowed) };
    assert!(key.may_ask_for("a") && key.may_ask_for("bc") && !key.may_ask_for("ab"));
}

#[test]
fn a_listener_for_everybody_may_require_keys_that_are_stored() {
    let config = accepted("[server]\nlisten = \"[::]:80\"\nrequire_key = true\n[state]\ndir = \"state\"\n");
    assert!(config.keys.is_empty() && config.server.require_key);
    let later = crate::Server { require_key: false, ..config.server.clone() };
    assert!(!config.server.needs_restart_for(&later), "it takes effect at once");
}

#[test]
fn everybody_is_served_only_where_the_file_says_so() {
    let config = accepted("[server]\nlisten = \"[::]:80\"\nallow_anonymous = true\n");
    assert!(config.keys.is_empty());
}

#[test]
fn an_admin_listener_with_a_token_may_be_reached_by_all() {
    let config = accepted("[admin]\nlisten = \"0.0.0.0:81\"\ntoken_env = \"API_KEY\"\n");
    assert_eq!(config.admin.tokens.operator.as_ref().map(|token| token.expose()), Some("sk-secret"));
    assert!(config.admin.tokens.read_only.is_none() && !config.admin.tokens.is_empty());
    let config = accepted("[admin]\nlisten = \"0.0.0.0:81\"\nread_token_env = \"API_KEY\"\n");
    assert_eq!(config.admin.tokens.read_only.as_ref().map(|token| token.expose()), Some("sk-secret"));
    assert!(config.admin.tokens.operator.is_none());
}

#[test]
fn an_address_from_the_command_line_is_held_to_the_same_rules() {
    let overrides = |listen: &str| Overrides { listen: listen.parse().ok(), ..Overrides::default() };
    let config = Config::embedded(overrides("127.0.0.1:0")).unwrap();
    assert_eq!(config.server.listen.port(), 0);
    let error = Config::embedded(overrides("0.0.0.0:80")).unwrap_err().to_string();
    assert!(error.contains("other machines can reach 0.0.0.0:80"), "{error}");
    let anonymous = Overrides { allow_anonymous: true, ..overrides("0.0.0.0:80") };
    assert!(Config::embedded(anonymous).is_ok());
}

#[test]
fn live_stats_are_kept_for_models_that_stay_the_same() {
    let text = |seed: u64, name: &str| {
        format!(
            "[backends.fixed]\nkind = \"simulated\"\n[models.\"fixed/a\"]\n\
             [backends.changed]\nkind = \"simulated\"\nseed = {seed}\n[models.\"changed/a\"]\n\
             [models.\"{name}\"]\n"
        )
    };
    let previous = accepted(&text(1, "sim/old"));
    for model in &previous.models {
        model.live.record_failure(Instant::now());
    }
    let mut next = accepted(&text(2, "sim/new"));
    next.keep_live_stats(&previous);
    let kept = |id: &str| {
        let id = ModelId::new(id);
        previous.model(&id).is_some_and(|old| Arc::ptr_eq(&old.live, &next.model(&id).unwrap().live))
    };
    assert!(kept("fixed/a"));
    assert!(!kept("changed/a"));
    assert!(!kept("sim/new"));
}

#[test]
fn a_truncated_configuration_is_valid_or_reports_problems() {
    let text = super::super::DEFAULT_TOML;
    for end in (0..text.len()).step_by(11).filter(|end| text.is_char_boundary(*end)) {
        if let Err(error) = compile(&text[..end]) {
            assert!(!error.problems.is_empty());
            assert!(error.to_string().starts_with("error: "), "{error}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Config::load("/nowhere/pointsman.toml".as_ref(), Overrides::default()).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot read the configuration /nowhere/pointsman.toml: "),
        "{error}"
    );
}

#[test]
fn a_problem_has_its_place_for_other_programs() {
    let problems = compile("[log]\nlevel = \"loud\"\n").unwrap_err().problems;
    let place = problems[0].place.as_ref().unwrap();
    assert_eq!((place.line, place.column, place.width), (2, 9, 6));
    assert_eq!(place.excerpt, "level = \"loud\"");
}

#[test]
fn a_trial_is_a_shadow_or_a_canary() {
    let route = |more: &str| {
        let policies = "[policies.new]\nsource = \"builtin:cost\"\n";
        let config = accepted(&format!("{policies}[routes.main]\npolicy = \"plain\"\n{more}"));
        config.routes.into_iter().find(|route| route.name.as_str() == "main").unwrap().trial
    };
    let trial = |mode| Some(Trial { policy: PolicyName::new("new"), mode });
    assert_eq!(route(""), None);
    assert_eq!(route("shadow = \"new\""), trial(Mode::Shadow));
    let canary = route("canary = { policy = \"new\", percent = 2.5 }");
    assert_eq!(canary, trial(Mode::Canary { percent: 2.5 }));
}

#[test]
fn when_versions_are_undone_has_defaults() {
    let config = accepted("[rollback]\nfailure_rate = 0.01\nbackoff = \"5m\"\nattempts = 5\n");
    let rollback = Rollback {
        enabled: true,
        thresholds: Thresholds { failure_rate: 0.01, ..Thresholds::default() },
        watch: Duration::from_secs(3_600),
        backoff: HoldBackoff { first: Duration::from_secs(300), attempts: 5 },
    };
    assert_eq!(config.rollback, rollback);
}

#[test]
fn a_model_that_is_charged_by_the_second_costs_nothing_with_a_warning() {
    let backend =
        "[backends.openai]\nbase_url = \"https://api.openai.com/v1\"\n[models.\"openai/whisper-1\"]\n";
    let config = accepted(backend);
    let origin = |config: &Config| {
        config.origins.iter().find(|origin| origin.model.as_str() == "openai/whisper-1").cloned()
    };
    assert_eq!(origin(&config).unwrap().catalogue.as_deref(), Some("openai/whisper-1"));
    let model = config.model(&ModelId::new("openai/whisper-1")).unwrap();
    assert_eq!((model.price.input, model.price.output), (Picodollars::ZERO, Picodollars::ZERO));
    let warnings = config.warnings.join("\n");
    assert!(warnings.contains("`openai/whisper-1` charges by the second"), "{warnings}");

    let config = accepted(&format!("{backend}input_price = 1\noutput_price = 2\n"));
    assert_eq!(origin(&config).unwrap().stated, ["input_price", "output_price"]);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}
