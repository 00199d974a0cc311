//! Templates of policies: the folders in `templates`, embedded in the program.
//!
//! The files of a new policy are those of several folders, from `shared` to that of the language; a later
//! folder replaces files of an earlier one. `dot-` at the beginning of a name stands for a dot, and the end
//! `.template` is left out. Markers such as `@name@` are replaced, and `@part:FILE@` by a file of the
//! folders named `parts`, which is no file of the policy itself.

use std::collections::BTreeMap;

use crate::build::Language;

/// Embedded files: their paths in this package, in order, and their texts.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));
/// Folder of the templates.
const TEMPLATES: &str = "templates/";
/// Folder of the contract in this package, and in the folder of a policy.
const CONTRACT: (&str, &str) = ("wit/", "wit/deps/pointsman-policy/");
/// Folder of texts for markers, in the folder of a template.
const PARTS: &str = "parts/";

/// The template of a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Folders of its files.
    folders: &'static [&'static str],
    /// Spaces that a level is indented by.
    indent: u8,
    /// Fuel that a decision of the policy stays below, with room for another version of the compiler.
    max_fuel: u64,
    /// True for languages whose interpreter takes long to start.
    is_interpreted: bool,
    /// Commands that install what the language needs, with what they do.
    pub setup: &'static [(&'static str, &'static str)],
}

/// Values of a new policy.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    /// Name of the policy.
    pub name: &'a str,
    /// Source of the SDK, as a value in `Cargo.toml`.
    pub sdk: &'a str,
}

const VENV: (&str, &str) = ("python3 -m venv .venv", "an environment for the compiler");
const PIP: (&str, &str) = (".venv/bin/pip install -r requirements.txt", "the compiler");
const NPM: (&str, &str) = ("npm install", "the compiler");

impl Template {
    /// Returns the template of a language.
    pub const fn of(language: Language) -> Self {
        match language {
            Language::Rust => Self {
                folders: &["shared", "rust"],
                indent: 4,
                max_fuel: 200_000,
                is_interpreted: false,
                setup: &[],
            },
            Language::Javascript => Self {
                folders: &["shared", "component", "node", "javascript"],
                indent: 2,
                max_fuel: 3_000_000,
                is_interpreted: true,
                setup: &[NPM],
            },
            Language::Typescript => Self {
                folders: &["shared", "component", "node", "typescript"],
                indent: 2,
                max_fuel: 3_000_000,
                is_interpreted: true,
                setup: &[NPM],
            },
            Language::Python => Self {
                folders: &["shared", "component", "python"],
                indent: 4,
                max_fuel: 3_000_000,
                is_interpreted: true,
                setup: &[VENV, PIP],
            },
            Language::C => Self {
                folders: &["shared", "component", "c"],
                indent: 4,
                max_fuel: 100_000,
                is_interpreted: false,
                setup: &[VENV, PIP],
            },
        }
    }

    /// Returns the files of a new policy: paths with slashes, and texts.
    pub fn files(&self, values: &Values<'_>) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut parts = BTreeMap::new();
        for folder in self.folders {
            let prefix = format!("{TEMPLATES}{folder}/");
            for (path, text) in EMBEDDED {
                let Some(name) = path.strip_prefix(&prefix) else { continue };
                match name.strip_prefix(PARTS) {
                    Some(part) => parts.insert(format!("@part:{part}@"), *text),
                    None => files.insert(written_name(name), *text),
                };
            }
        }
        let uses_contract = files.contains_key("wit/world.wit");
        let values = self.markers(values);
        let mut written: BTreeMap<String, String> =
            files.into_iter().map(|(name, text)| (name, filled(text, &parts, &values))).collect();
        if uses_contract {
            let (from, to) = CONTRACT;
            let contract = EMBEDDED.iter().filter_map(|(path, text)| Some((path.strip_prefix(from)?, text)));
            written.extend(contract.map(|(name, text)| (format!("{to}{name}"), (*text).to_owned())));
        }
        written
    }

    /// Returns markers with their values. A line that consists of a marker without a value is left out.
    fn markers(&self, values: &Values<'_>) -> Vec<(&'static str, Option<String>)> {
        let module = values.name.replace('-', "_");
        let output = match self.folders.contains(&"component") {
            true => "build/policy.wasm".to_owned(),
            false => format!("target/wasm32-unknown-unknown/policy/{module}.wasm"),
        };
        let isolation = "isolation = \"warm\"              # reuses instances: an interpreter starts slowly";
        vec![
            ("@indent@", Some(self.indent.to_string())),
            ("@isolation@", self.is_interpreted.then(|| isolation.to_owned())),
            ("@max-fuel@", Some(self.max_fuel.to_string())),
            ("@name@", Some(values.name.to_owned())),
            ("@output@", Some(output)),
            ("@version@", Some(env!("CARGO_PKG_VERSION").to_owned())),
            // The last one, since a path may contain what looks like a marker.
            ("@sdk@", Some(values.sdk.to_owned())),
        ]
    }
}

/// Returns the path of a template's file in the folder of a policy.
fn written_name(name: &str) -> String {
    let name = name.strip_suffix(".template").unwrap_or(name);
    let shown = |part: &str| match part.strip_prefix("dot-") {
        Some(rest) => format!(".{rest}"),
        None => part.to_owned(),
    };
    name.split('/').map(shown).collect::<Vec<_>>().join("/")
}

/// Replaces the markers of a text.
fn filled(text: &str, parts: &BTreeMap<String, &str>, values: &[(&'static str, Option<String>)]) -> String {
    let mut filled = text.to_owned();
    for (marker, part) in parts {
        filled = filled.replace(marker, part.trim_end());
    }
    for (marker, value) in values {
        filled = match value {
            Some(value) => filled.replace(marker, value),
            None => filled.replace(&format!("{marker}\n"), ""),
        };
    }
    filled
}

#[cfg(test)]
mod tests;
