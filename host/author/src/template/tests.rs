use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::build::{self, Manifest};
use crate::case;

const LANGUAGES: [Language; 5] =
    [Language::Rust, Language::Javascript, Language::Typescript, Language::Python, Language::C];

fn files(language: Language) -> BTreeMap<String, String> {
    Template::of(language).files(&Values { name: "by-length", sdk: "{ path = \"/checkout/sdk\" }" })
}

fn written(files: &BTreeMap<String, String>) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Returns the first marker that is left in a text.
fn marker(text: &str) -> Option<&str> {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || b":-.".contains(&byte))
    };
    let places: Vec<usize> = text.match_indices('@').map(|(at, _)| at).collect();
    places
        .windows(2)
        .find_map(|pair| Some(&text[pair[0]..=pair[1]]).filter(|it| is_name(&it[1..it.len() - 1])))
}

#[test]
fn every_marker_is_replaced_and_every_file_ends_with_one_line_end() {
    assert_eq!(marker("a@b.c and @part:x.md@"), Some("@part:x.md@"));
    for language in LANGUAGES {
        for (name, text) in files(language) {
            assert_eq!(marker(&text), None, "{language:?}: {name}");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{language:?}: {name}");
            assert!(text.lines().all(|line| line.trim_end() == line), "{language:?}: {name}");
            // Python has two empty lines between definitions.
            assert!(name.ends_with(".py") || !text.contains("\n\n\n"), "{language:?}: {name}");
            assert!(!name.contains("dot-") && !name.contains("parts"), "{language:?}: {name}");
        }
    }
}

#[test]
fn every_template_has_what_authors_and_their_tools_read() {
    let shared = [
        ".editorconfig",
        ".github/workflows/policy.yml",
        ".gitignore",
        ".vscode/extensions.json",
        ".vscode/settings.json",
        "AGENTS.md",
        "README.md",
        "cases/defaults.toml",
        "pointsman.toml",
    ];
    let own = |language| match language {
        Language::Rust => &["Cargo.toml", "src/lib.rs"][..],
        Language::Javascript => &["jsconfig.json", "package.json", "policy.js"],
        Language::Typescript => &["package.json", "policy.ts", "tsconfig.json"],
        Language::Python => &["policy.py", "pyrightconfig.json", "requirements.txt"],
        Language::C => &["compile_flags.txt", "policy.c", "requirements.txt"],
    };
    for language in LANGUAGES {
        let files = files(language);
        for name in shared.iter().chain(own(language)) {
            assert!(files.contains_key(*name), "{language:?} lacks {name}");
        }
    }
}

#[test]
fn every_template_is_a_policy_in_its_language_with_three_cases() {
    for language in LANGUAGES {
        let folder = written(&files(language));
        assert_eq!(Manifest::of(folder.path()).unwrap().language, language);
        let cases = case::folder::load(&folder.path().join("cases")).unwrap();
        let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["long", "short", "wrong-setting"], "{language:?}");
    }
}

#[test]
fn every_world_is_valid_and_what_editors_need_is_generated_without_tools() {
    let generated = |language| match language {
        Language::Javascript | Language::Typescript => Some("build/world.d.ts"),
        Language::C => Some("build/policy.h"),
        Language::Rust | Language::Python => None,
    };
    for language in LANGUAGES {
        let folder = written(&files(language));
        build::prepare(folder.path()).unwrap();
        if let Some(name) = generated(language) {
            assert!(folder.path().join(name).is_file(), "{language:?}: {name}");
        }
        assert_eq!(
            folder.path().join("wit/deps/pointsman-policy/policy.wit").is_file(),
            language != Language::Rust
        );
    }
}

#[test]
fn configuration_files_have_valid_syntax() {
    for language in LANGUAGES {
        for (name, text) in files(language) {
            match Path::new(&name).extension().and_then(|end| end.to_str()) {
                Some("json") => drop(serde_json::from_str::<serde_json::Value>(&text).expect(&name)),
                Some("toml") => drop(text.parse::<toml::Table>().expect(&name)),
                _ => {}
            }
        }
    }
}

#[test]
fn values_are_written_where_they_belong() {
    let rust = files(Language::Rust);
    let manifest: toml::Table = rust["Cargo.toml"].parse().unwrap();
    assert_eq!(manifest["package"]["name"].as_str(), Some("by-length"));
    assert_eq!(manifest["dependencies"]["pointsman-sdk"]["path"].as_str(), Some("/checkout/sdk"));
    assert!(
        rust["pointsman.toml"].contains("source = \"target/wasm32-unknown-unknown/policy/by_length.wasm\"")
    );
    assert!(!rust["pointsman.toml"].contains("isolation"));
    assert!(files(Language::Python)["pointsman.toml"].contains("isolation = \"warm\""));
    let workflow = &files(Language::C)[".github/workflows/policy.yml"];
    assert!(workflow.contains("--max-fuel 100000\n") && workflow.contains("key: pointsman-0."), "{workflow}");
}
