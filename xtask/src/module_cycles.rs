//! Checks that the top-level modules of each crate form no import cycle.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use crate::source::Import;
use crate::workspace::{self, Package};

/// Fails with every import that is part of a cycle.
pub fn check(packages: &[Package]) -> Result<()> {
    let mut wrong = Vec::new();
    for package in packages {
        for target in &package.targets {
            let imports = package.scan(target)?.imports;
            let cycles = report(&imports);
            if !cycles.is_empty() {
                wrong.push(format!("{} ({}):\n  {}", package.name, target.name, cycles.join("\n  ")));
            }
        }
    }
    ensure!(
        wrong.is_empty(),
        "top-level modules import each other in a cycle; move what they share into a module below:\n{}",
        wrong.join("\n")
    );
    println!("the top-level modules of each crate form no cycle");
    Ok(())
}

/// A line for each import between modules of the same cycle.
fn report(imports: &[Import]) -> Vec<String> {
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in imports {
        uses.entry(&import.from).or_default().insert(&import.to);
    }
    let in_cycle = |import: &&Import| reaches(&uses, &import.to, &import.from);
    let line = |import: &Import| {
        let Import { from, to, file, line, path } = import;
        let file = file.strip_prefix(workspace::root()).unwrap_or(file);
        format!("{from} -> {to}  {}:{line}: {path}", file.display())
    };
    let mut lines: Vec<String> = imports.iter().filter(in_cycle).map(line).collect();
    lines.sort();
    lines.dedup();
    lines
}

/// True if imports lead from one module to another. An import `a -> b` is part of a
/// cycle if and only if they lead back from `b` to `a`.
fn reaches(uses: &BTreeMap<&str, BTreeSet<&str>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        open.extend(uses.get(module).into_iter().flatten().filter(|next| seen.insert(**next)));
    }
    false
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::source::scan;

    fn cycles(files: &[(&str, &str)]) -> Vec<String> {
        let read = |path: &Path| {
            files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned())
        };
        report(&scan(Path::new("lib.rs"), "demo", &[], &read).expect("Rust code").imports)
    }

    #[test]
    fn modules_in_order_form_no_cycle() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::{b, c};"),
            ("b.rs", "use super::c;"),
            ("c.rs", ""),
        ];
        assert_eq!(cycles(&files), [""; 0]);
    }

    #[test]
    fn a_planted_cycle_is_reported_with_its_imports_alone() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use crate::b::B;\nuse crate::d::D;"),
            ("b.rs", "\n\nfn f() { crate::c::run() }"),
            ("c.rs", "use crate::a::A;"),
            ("d.rs", ""),
        ];
        assert_eq!(
            cycles(&files),
            ["a -> b  a.rs:1: crate::b::B", "b -> c  b.rs:3: crate::c::run", "c -> a  c.rs:1: crate::a::A"]
        );
    }

    #[test]
    fn a_cycle_through_super_and_a_nested_group_is_found() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "mod inner;"),
            ("a/inner.rs", "use super::super::b::B;"),
            ("b.rs", "use {std::fmt, crate::{other, a::{inner::{X, Y}}}};"),
        ];
        assert_eq!(
            cycles(&files),
            [
                "a -> b  a/inner.rs:1: crate::b::B",
                "b -> a  b.rs:1: crate::a::inner::X",
                "b -> a  b.rs:1: crate::a::inner::Y"
            ]
        );
    }

    #[test]
    fn a_cycle_through_an_item_that_the_root_re_exports_is_found() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::A;"),
        ];
        assert_eq!(cycles(&files), ["a -> b  a.rs:1: crate::b::B", "b -> a  b.rs:1: crate::A"]);
    }

    #[test]
    fn the_same_imports_in_tests_are_no_cycle() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "#[cfg(test)] mod tests { use crate::a::A; }"),
        ];
        assert_eq!(cycles(&files), [""; 0]);
    }
}
