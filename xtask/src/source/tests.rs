use super::*;

/// Scans files of a crate `demo`, whose root is `src/lib.rs`.
pub fn scan_files(files: &[(&str, &str)]) -> Source {
    let read = |path: &Path| {
        files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned())
    };
    scan(Path::new("src/lib.rs"), "demo", &[PathBuf::from("src/generated")], &read).unwrap()
}

/// `from -> to file:line` of each import.
fn imports(files: &[(&str, &str)]) -> Vec<String> {
    let shown = |import: &Import| {
        format!("{} -> {} {}:{}", import.from, import.to, import.file.display(), import.line)
    };
    scan_files(files).imports.iter().map(shown).collect()
}

#[test]
fn a_path_from_the_root_leads_to_its_first_module() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c;"),
        ("src/a.rs", "use crate::b::Thing;\nfn f() -> crate::c::Other { crate::c::other::<u8>() }"),
        ("src/b.rs", ""),
        ("src/c.rs", ""),
    ];
    assert_eq!(imports(&files), ["a -> b src/a.rs:1", "a -> c src/a.rs:2", "a -> c src/a.rs:2"]);
}

#[test]
fn nested_groups_and_globs_are_resolved() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
        ("src/a.rs", "use {\n  crate::{b::{self, x::Y},\n  c::*, d},\n};"),
        ("src/b.rs", ""),
        ("src/c.rs", ""),
        ("src/d.rs", ""),
    ];
    assert_eq!(
        imports(&files),
        ["a -> b src/a.rs:2", "a -> b src/a.rs:2", "a -> c src/a.rs:3", "a -> d src/a.rs:3"]
    );
}

#[test]
fn super_counts_where_it_reaches_the_root() {
    let files = [
        ("src/lib.rs", "mod a; mod b { fn f() { super::a::g() } }"),
        ("src/a.rs", "mod inner;\nuse super::b;\nuse self::inner::X;"),
        (
            "src/a/inner.rs",
            "use super::Y;\nuse super::super::b::Z;\nmod deep { use super::super::super::{b, a}; }",
        ),
    ];
    assert_eq!(
        imports(&files),
        ["a -> b src/a/inner.rs:2", "a -> b src/a/inner.rs:3", "a -> b src/a.rs:2", "b -> a src/lib.rs:1"]
    );
}

#[test]
fn items_that_the_root_imports_lead_to_the_modules_that_have_them() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c; pub use a::{Thing, Other as Renamed}; use std::fmt;"),
        ("src/a.rs", ""),
        ("src/b.rs", "use crate::{Thing, fmt};"),
        ("src/c.rs", "use crate::Renamed;\nfn f() { demo::a::x() }"),
    ];
    assert_eq!(imports(&files), ["b -> a src/b.rs:1", "c -> a src/c.rs:1", "c -> a src/c.rs:2"]);
}

#[test]
fn modules_are_found_in_their_directories_and_where_a_path_attribute_points() {
    let files = [
        ("src/lib.rs", "mod a; mod b; #[path = \"../other/c.rs\"] mod c;"),
        ("src/a/mod.rs", "mod inner;"),
        ("src/a/inner.rs", "use crate::b;"),
        ("src/b.rs", ""),
        ("src/../other/c.rs", "mod deep;"),
        ("src/../other/deep.rs", "use crate::a;"),
    ];
    assert_eq!(imports(&files), ["a -> b src/a/inner.rs:1", "c -> a src/../other/deep.rs:1"]);
}

#[test]
fn comments_strings_tests_and_visibilities_do_not_count() {
    let text = "//! See crate::b::X.
        /// As crate::b::Y.
        pub(in crate::b) fn f() -> &'static str { \"crate::b::Z\" } // crate::b
        #[cfg(test)] use crate::b::A;
        #[cfg(all(test, unix))] fn g(x: u8, y: u8) -> crate::b::B { crate::b::C }
        struct S { #[cfg(test)] field: crate::b::D, other: u8 }
        #[cfg(not(test))] use crate::c;
        #[cfg(test)]
        #[path = \"x.rs\"]
        mod tests;
        #[cfg(test)] mod more { use crate::b; }";
    let files =
        [("src/lib.rs", "mod a; mod b; mod c;"), ("src/a.rs", text), ("src/b.rs", ""), ("src/c.rs", "")];
    assert_eq!(imports(&files), ["a -> c src/a.rs:7"]);
}

#[test]
fn lines_are_those_with_code_outside_tests_and_generated_files() {
    let text = "//! Doc.\n\n/// Doc.\n#[derive(Clone)]\nstruct S {\n    // comment\n    x: u8,\n}\n#[cfg(test)]\nmod tests {\n    fn f() {}\n}\n";
    let files = [("src/lib.rs", "mod a;\nmod generated;\n"), ("src/a.rs", text), ("src/generated.rs", "")];
    assert_eq!(scan_files(&files).lines, 2 + 4);
    let files =
        [("src/lib.rs", "mod generated { mod deep; }"), ("src/generated/deep.rs", "fn f() {}\nfn g() {}")];
    assert_eq!(scan_files(&files).lines, 1);
}
