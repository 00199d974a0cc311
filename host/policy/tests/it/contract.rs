//! Compatibility of the contract: released items do not change, and additions do not affect policies
//! that were built before.

use std::fs;
use std::path::Path;

use wit_component::semver_check;
use wit_parser::{PackageId, Resolve, SourceMap, Stability};

use crate::support::repository;

mod shape;

/// A version for the current contract, whose own may equal the released one.
const CURRENT: &str = "0.1.9999";

/// Reads the files of the contract: those under `wit/`, or the released ones.
fn files(directory: &str) -> Vec<String> {
    let files = fs::read_dir(Path::new(repository()).join(directory)).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn released() -> Vec<String> {
    files("tests/fixtures/wit/0.1.0")
}

fn push(resolve: &mut Resolve, files: &[String]) -> PackageId {
    let mut sources = SourceMap::default();
    for (number, text) in files.iter().enumerate() {
        sources.push_str(&format!("{number}.wit"), text.as_str());
    }
    resolve.push_group(sources.parse().unwrap_or_else(|(_, error)| panic!("{error:?}"))).unwrap()
}

/// Lists the incompatibilities of a package; none if old policies still work.
fn broken(current: &[String]) -> Vec<String> {
    let renumbered = |text: &String| {
        let lines = text.lines().map(|line| match line.strip_prefix("package pointsman:policy@") {
            Some(_) => format!("package pointsman:policy@{CURRENT};"),
            None => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let current: Vec<String> = current.iter().map(renumbered).collect();
    let mut resolve = Resolve::default();
    let (old, new) = (push(&mut resolve, &released()), push(&mut resolve, &current));
    let mut broken = lost(&resolve, old, new);
    broken.extend(undated(&resolve, old, new));
    for (name, &old_world) in &resolve.packages[old].worlds {
        let Some(&new_world) = resolve.packages[new].worlds.get(name) else { continue };
        if let Err(error) = semver_check(resolve.clone(), old_world, new_world) {
            broken.push(format!("world {name}: {error:#}"));
        }
    }
    broken
}

/// Lists released items that were removed or changed.
fn lost(resolve: &Resolve, old: PackageId, new: PackageId) -> Vec<String> {
    let now = shape::items(resolve, new);
    let lost = shape::items(resolve, old).into_iter().filter_map(|(item, shape)| match now.get(&item) {
        None => Some(format!("{item} is gone")),
        Some(changed) if *changed != shape => Some(format!("{item} was {shape}, and is {changed}")),
        Some(_) => None,
    });
    lost.collect()
}

/// Lists items without `@since`. Types and functions inherit it from their interface, unless they were
/// added later.
fn undated(resolve: &Resolve, old: PackageId, new: PackageId) -> Vec<String> {
    let before = shape::items(resolve, old);
    let package = &resolve.packages[new];
    let mut undated = Vec::new();
    let mut check = |item: String, stability: &Stability, came_later: bool| {
        let dated = match stability {
            Stability::Stable { since, .. } => !came_later || since.to_string() != "0.1.0",
            _ => false,
        };
        if !dated {
            undated.push(format!("{item} does not say since when: @since(version = …)"));
        }
    };
    for (name, world) in &package.worlds {
        let item = format!("world {name}");
        check(item.clone(), &resolve.worlds[*world].stability, !before.contains_key(&item));
    }
    for (name, &interface) in &package.interfaces {
        let interface = &resolve.interfaces[interface];
        let item = format!("interface {name}");
        let is_new = !before.contains_key(&item);
        check(item, &interface.stability, is_new);
        let types = interface.types.iter().map(|(name, id)| (name, &resolve.types[*id].stability));
        let functions = interface.functions.iter().map(|(name, function)| (name, &function.stability));
        for (inner, stability) in types.chain(functions) {
            let item = format!("{name}.{inner}");
            if !is_new && !before.contains_key(&item) {
                check(item, stability, true);
            }
        }
    }
    undated
}

/// Replaces one piece of text of the current contract.
fn changed(from: &str, to: &str) -> Vec<String> {
    let files = files("wit");
    assert_eq!(files.iter().filter(|text| text.contains(from)).count(), 1, "{from} is in one file");
    files.into_iter().map(|text| text.replacen(from, to, 1)).collect()
}

#[test]
fn the_contract_keeps_all_released_items() {
    assert_eq!(broken(&files("wit")), Vec::<String>::new());
}

#[test]
fn changes_that_break_old_policies_are_found() {
    let cases = [
        ("a field more", "record target {", "record target { weight: u32,", "types.target was record"),
        ("a case more", "variant refusal {", "variant refusal { later(u32),", "types.refusal was variant"),
        ("a flag more", "flags abilities {", "flags abilities { citations,", "types.abilities was flags"),
        (
            "another type",
            "tool-names: func() -> list<string>",
            "tool-names: func() -> string",
            "prompt.tool-names",
        ),
        ("a parameter more", "json: func()", "json: func(key: string)", "settings.json"),
        ("a removed function", "observe: func(outcome: outcome);", "", "observer.observe is gone"),
        (
            "a removed import",
            "    import log;\n    import details;\n    import prompt;\n    export router;",
            "    export router;",
            "imports log is gone",
        ),
        (
            "a renamed world",
            "world observing-orchestration-policy {",
            "world watching-policy {",
            "world observing-orchestration-policy is gone",
        ),
        (
            "an export that old policies lack",
            "    validate: func() -> result<_, string>;",
            "    validate: func() -> result<_, string>;\n    @since(version = 0.1.1)\n    describe: func() -> string;",
            "world routing-policy: new world is not semver-compatible",
        ),
    ];
    for (what, from, to, expected) in cases {
        let broken = broken(&changed(from, to));
        assert!(broken.iter().any(|problem| problem.contains(expected)), "{what}: {broken:#?}");
    }
}

#[test]
fn items_without_since_are_found() {
    let cases = [
        ("@since(version = 0.1.0)\ninterface log {", "interface log {", "interface log does not say"),
        (
            "    json: func() -> string;",
            "    json: func() -> string;\n    toml: func() -> string;",
            "settings.toml does not say",
        ),
        (
            "    json: func() -> string;",
            "    json: func() -> string;\n    @since(version = 0.1.0)\n    toml: func() -> string;",
            "settings.toml does not say",
        ),
    ];
    for (from, to, expected) in cases {
        let broken = broken(&changed(from, to));
        assert!(broken.iter().any(|problem| problem.contains(expected)), "{to}: {broken:#?}");
    }
}

#[test]
fn additions_that_do_not_affect_old_policies_are_allowed() {
    let function = changed(
        "    json: func() -> string;",
        "    json: func() -> string;\n    @since(version = 0.1.1)\n    toml: func() -> string;",
    );
    let interface = changed(
        "/// The imports and exports of a routing policy.\n@since(version = 0.1.0)\nworld routing-policy {",
        "@since(version = 0.1.1)\ninterface tenants { @since(version = 0.1.1) name: func() -> string; }\n\
         @since(version = 0.1.0)\nworld routing-policy {\n    @since(version = 0.1.1)\n    import tenants;",
    );
    let optional_export = changed(
        "/// A routing policy that also wants",
        "@since(version = 0.1.1)\ninterface review { judge: func(text: string) -> bool; }\n\
         @since(version = 0.1.1)\nworld reviewing-policy { include routing-policy; export review; }\n\
         /// A routing policy that also wants",
    );
    for current in [function, interface, optional_export] {
        assert_eq!(broken(&current), Vec::<String>::new());
    }
}
