use std::path::Path;

use super::*;
use pointsman_config::{ConfigSource, Mode, Overrides};

/// A configuration of two policies and a route `main`; `more` goes below the route.
fn config(policy: &str, more: &str) -> Config {
    let text = format!(
        "[backends.sim]\nkind = \"simulated\"\n[models.\"sim/a\"]\ninput_price = 1\noutput_price = 1\n\
         [policies.own]\nsource = \"builtin:cost\"\n[policies.other]\nsource = \"builtin:cost\"\n\
         [routes.main]\npolicy = \"{policy}\"\n{more}\n"
    );
    let overrides = Overrides::default();
    let input = ConfigSource {
        file: "test",
        text: &text,
        base_dir: Path::new(""),
        env: &|_| None,
        overrides,
        now: 0,
    };
    Config::parse(input).unwrap()
}

fn promoted(policy: &str, instead_of: &str) -> RolloutState {
    let mut state = RolloutState::default();
    state.route_mut(&RouteName::new("main")).promoted = Some(PromotedPolicy {
        policy: PolicyName::new(policy),
        instead_of: PolicyName::new(instead_of),
        at: 1,
    });
    state
}

fn policy_of(state: &RolloutState, config: &Config) -> String {
    state.policy_of(&config.routes[0], config).to_string()
}

#[test]
fn a_promotion_stands_until_the_configuration_names_another_policy() {
    let mut state = promoted("other", "own");
    assert_eq!(policy_of(&state, &config("own", "")), "other");
    assert_eq!(policy_of(&state, &config("other", "")), "other");
    assert!(state.forget_overruled(&config("own", "")).is_empty());
    let over = state.forget_overruled(&config("other", ""));
    assert_eq!(over.len(), 1);
    assert_eq!(policy_of(&state, &config("own", "")), "own", "it is forgotten");
}

#[test]
fn a_trial_override_stands_until_the_configuration_changes_the_trial() {
    let shadow = Trial { policy: PolicyName::new("other"), mode: Mode::Shadow };
    let configured = config("own", "shadow = \"other\"");
    let mut state = RolloutState::default();
    let trial = |state: &RolloutState, config: &Config| state.trial_of(&config.routes[0], config).cloned();
    assert_eq!(trial(&state, &configured), Some(shadow.clone()));
    state.route_mut(&RouteName::new("main")).trial =
        Some(TrialOverride { trial: None, instead_of: Some(shadow.clone()) });
    assert_eq!(trial(&state, &configured), None, "an operator ended it");
    let changed = config("own", "canary = { policy = \"other\", percent = 5 }");
    let canary = Trial { policy: PolicyName::new("other"), mode: Mode::Canary { percent: 5.0 } };
    assert_eq!(trial(&state, &changed), Some(canary));
    state.forget_overruled(&changed);
    assert_eq!(trial(&state, &configured), Some(shadow), "it is forgotten");
}

#[test]
fn the_active_policy_is_not_on_trial() {
    let configured = config("own", "shadow = \"other\"");
    let state = promoted("other", "own");
    assert_eq!(state.trial_of(&configured.routes[0], &configured), None);
}

#[test]
fn a_state_is_read_as_it_was_written_and_an_older_one_too() {
    let mut state = promoted("other", "own");
    let policy = state.policy_mut(&PolicyName::new("own"));
    let digest = Digest::new([7; 32]);
    policy.active = Some(digest);
    policy.chosen = Some(VersionOverride { digest, how: OverrideKind::Uploaded, before: None });
    policy.holds.insert(digest, Hold { strikes: 2, since: 5, until: None, why: "bad".to_owned() });
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<RolloutState>(&text).unwrap(), state);
    assert_eq!(serde_json::from_str::<RolloutState>("{}").unwrap(), RolloutState::default());
}

#[test]
fn the_next_end_is_of_any_hold_that_ends() {
    let mut state = RolloutState::default();
    let hold = |until| Hold { strikes: 1, since: 0, until, why: String::new() };
    let policy = state.policy_mut(&PolicyName::new("own"));
    policy.holds.insert(Digest::new([1; 32]), hold(None));
    policy.holds.insert(Digest::new([2; 32]), hold(Some(30)));
    state.route_mut(&RouteName::new("main")).holds.insert(Digest::new([3; 32]), hold(Some(20)));
    assert_eq!((state.next_end(0), state.next_end(20), state.next_end(30)), (Some(20), Some(30), None));
}

#[test]
fn a_hold_outlives_the_policy_in_the_configuration() {
    let digest = Digest::new([7; 32]);
    let mut state = RolloutState::default();
    let gone = PolicyName::new("gone");
    let policy = state.policy_mut(&gone);
    policy.active = Some(digest);
    policy.holds.insert(digest, Hold { strikes: 1, since: 0, until: None, why: String::new() });
    state.policy_mut(&PolicyName::new("also-gone")).active = Some(digest);
    state.forget_overruled(&config("own", ""));
    assert!(state.held(&gone, digest, 1).is_some());
    assert_eq!((state.policies.len(), state.versions().len()), (1, 0));
}
