//! The built-in policies and what they say about themselves.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pointsman_config::BUILTIN_POLICIES;
use pointsman_domain::ids::PolicyName;
use pointsman_policy::description::{SelfDescription, attach};
use pointsman_policy::{
    Code, Grants, Limits, LoadError, Policy, PolicyDescription, PolicySpec, Runtime, RuntimeConfig,
};

use super::*;

mod examples;

use examples::{EXAMPLES, Verdict};

/// Folder of the policies' sources.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies");
/// Libraries whose labels a policy shares.
const LIBRARIES: [(&str, &str); 4] =
    [("auto", "media"), ("auto", "tradeoff"), ("multimodal", "media"), ("dynamic", "tradeoff")];

fn described(name: &str) -> PolicyDescription {
    let read = SelfDescription::read(bytes(name).expect("a built-in policy"));
    assert_eq!(read.problems, [], "{name}");
    read.content.expect("a description")
}

#[test]
fn every_policy_that_the_configuration_knows_is_embedded() {
    let embedded: BTreeSet<&str> = names().collect();
    assert_eq!(embedded, BUILTIN_POLICIES.iter().copied().collect());
    let is_whole = |policy: &BuiltinPolicy| {
        policy.lines > 0 && !policy.bytes.is_empty() && bytes(policy.name) == Some(policy.bytes)
    };
    assert!(POLICIES.iter().all(is_whole));
}

#[test]
fn every_policy_describes_itself_and_all_of_its_schema_is_checked() {
    for name in BUILTIN_POLICIES {
        let description = described(name);
        assert!(!description.labels.is_empty() && !description.refusals.is_empty(), "{name}");
        let settings = description.settings.expect("a schema");
        assert_eq!(settings.unchecked_keywords(), [], "{name}");
        for row in settings.rows() {
            let is_explained = row.description.is_some() || row.name.contains(['*', '[']);
            assert!(is_explained, "{name}: `{}` has no description", row.name);
        }
    }
}

/// Loads a policy with all grants.
fn spec(name: &str, settings: &str) -> PolicySpec {
    let limits = Limits { deadline: std::time::Duration::from_secs(60), ..Limits::default() };
    let settings = settings.to_owned();
    PolicySpec { settings, grants: Grants::all(), limits, ..PolicySpec::new(PolicyName::new(name)) }
}

/// Describes how a load ended: `good`, `schema` or `policy`.
fn verdict(loaded: Result<Policy, LoadError>) -> Result<&'static str, LoadError> {
    match loaded {
        Ok(_) => Ok("good"),
        Err(LoadError::SettingsSchema(_)) => Ok("schema"),
        Err(LoadError::Settings(_)) => Ok("policy"),
        Err(other) => Err(other),
    }
}

#[test]
fn the_schema_of_a_policy_agrees_with_its_own_validation() {
    let runtime = Runtime::new(RuntimeConfig::default()).expect("a runtime");
    for name in BUILTIN_POLICIES {
        let module = bytes(name).expect("a built-in policy");
        let bare = Code::new(attach(module, "{}").expect("a module"));
        let bare = runtime.load(spec(name, "{}"), &bare).expect("it loads without settings");
        let described = runtime.load(spec(name, "{}"), &Code::embedded(module)).expect("it loads");
        for (_, settings, expected) in EXAMPLES.iter().filter(|(policy, ..)| policy == name) {
            let by_policy = verdict(runtime.respecify(&bare, spec(name, settings)));
            let by_both = verdict(runtime.respecify(&described, spec(name, settings)));
            let (policy, both) = match expected {
                Verdict::Good => ("good", "good"),
                Verdict::Bad => ("policy", "schema"),
                Verdict::BadForPolicy => ("policy", "policy"),
            };
            assert_eq!(by_policy.expect("settings decide"), policy, "{name} alone: {settings}");
            assert_eq!(by_both.expect("settings decide"), both, "{name} with its schema: {settings}");
        }
    }
}

#[test]
fn each_setting_has_an_example_that_is_accepted_and_one_that_is_rejected() {
    for name in BUILTIN_POLICIES {
        let settings = described(name).settings.expect("a schema");
        for row in settings.rows() {
            let key =
                row.name.rsplit('.').next().unwrap_or_default().trim_end_matches("[]").trim_matches('"');
            // Those of `auto` are the settings of two others.
            if key == "*" || row.name.contains('.') && (*name == "auto" || row.name.starts_with("quality")) {
                continue;
            }
            for verdict in [Verdict::Good, Verdict::Bad] {
                let has_key = |example: &&(&str, &str, Verdict)| {
                    example.0 == *name && example.2 == verdict && example.1.contains(&format!("\"{key}\""))
                };
                assert!(
                    EXAMPLES.iter().any(|example| has_key(&example)),
                    "{name}: `{key}` has no {verdict:?} example"
                );
            }
        }
    }
}

#[test]
fn auto_has_the_settings_of_the_policies_that_it_consists_of() {
    let settings = |name: &str| described(name).settings.expect("a schema").json().clone();
    let auto = settings("auto");
    for name in ["dynamic", "multimodal"] {
        assert_eq!(auto["properties"][name]["properties"], settings(name)["properties"], "{name}");
    }
}

/// Returns the string literals of a folder's sources that could be labels of a policy.
fn literals(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            literals(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            found.extend(text.split('"').filter(|text| text.len() < 65).map(str::to_owned));
        }
    }
}

#[test]
fn labels_in_the_sources_and_tests_of_a_policy_are_declared() {
    for name in BUILTIN_POLICIES {
        let description = described(name);
        let families: BTreeSet<&str> =
            description.labels.iter().filter_map(|label| label.name.split(':').next()).collect();
        let mut found = BTreeSet::new();
        literals(&Path::new(SOURCES).join(name).join("src"), &mut found);
        for (_, library) in LIBRARIES.iter().filter(|(policy, _)| policy == name) {
            literals(&Path::new(SOURCES).join(library).join("src"), &mut found);
        }
        let is_label = |text: &&String| {
            let family = text.split_once(':').map(|(family, rest)| (family, rest.is_empty()));
            family.is_some_and(|(family, is_start)| families.contains(family) && !is_start)
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte))
        };
        let used: Vec<&String> = found.iter().filter(is_label).collect();
        let undeclared: Vec<&&String> =
            used.iter().filter(|label| !description.declares_label(label)).collect();
        let only_here = ["multimodal:single", "multimodal:whole"];
        let undeclared: Vec<_> = undeclared
            .into_iter()
            .filter(|label| *name != "auto" || !only_here.contains(&label.as_str()))
            .collect();
        assert!(undeclared.is_empty(), "{name}: {undeclared:?} are not declared");
    }
}
