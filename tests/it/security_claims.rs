//! SECURITY.md names a test for each promise, and this test exists.

use std::fs;
use std::path::{Path, PathBuf};

/// Directories of the tests by the prefix of their path in SECURITY.md.
const DIRECTORIES: [(&str, &str); 3] =
    [("policy", "host/policy/tests/it"), ("supply", "host/supply/tests/it"), ("gateway", "tests/it")];

#[test]
fn every_test_that_security_md_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are in a directory");
    let text = fs::read_to_string(root.join("SECURITY.md")).expect("SECURITY.md");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    let mut checked = 0;
    for row in rows {
        let Some(held_by) = row.trim_end_matches('|').rsplit('|').next() else { continue };
        let mut last = None;
        for name in held_by.split('`').skip(1).step_by(2) {
            if let Some((file, test)) = name.split_once(".rs").filter(|_| name.starts_with("host/")) {
                let file = fs::read_to_string(root.join(format!("{file}.rs")));
                assert!(file.is_ok_and(|code| code.contains(test.trim_start_matches(':'))), "{name}");
            } else if let Some(test) = name.strip_prefix("…::") {
                let file: &PathBuf = last.as_ref().expect("a test in the same file was named before");
                assert!(contains_name(file, test), "{name}");
            } else {
                last = Some(find_test_file(root, name));
            }
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked} tests are named");
}

/// Returns the file of a test, or of a module of tests, after a check that it exists.
fn find_test_file(root: &Path, name: &str) -> PathBuf {
    let mut parts = name.split("::");
    let crate_name = parts.next().unwrap_or_default();
    let (_, place) = DIRECTORIES.iter().find(|(prefix, _)| *prefix == crate_name).expect(name);
    let module = parts.next().expect(name);
    let file = root.join(place).join(module).with_extension("rs");
    assert!(file.exists(), "{name}: there is no {}", file.display());
    for part in parts {
        assert!(contains_name(&file, part), "{name}: `{part}` is not in {}", file.display());
    }
    file
}

/// Returns whether a file, or one below its module, contains this name.
fn contains_name(file: &Path, name: &str) -> bool {
    let has = |path: &Path| {
        fs::read_to_string(path).is_ok_and(|code| {
            code.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == name)
        })
    };
    let below = fs::read_dir(file.with_extension("")).into_iter().flatten().flatten();
    has(file) || below.into_iter().any(|entry| has(&entry.path()))
}
