//! Fate of each member of a request and of each part of an answer between every client API
//! and every provider dialect. The tests run the real translations, and `docs/translation.md` is
//! generated from their results: `UPDATE_EXPECT=1 cargo test -p pointsman-dialects --test translation`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail by panicking, and report what they leave out"
)]

mod answers;
mod cell;
mod document;
mod requests;
mod rows;
mod schemas;
mod streams;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Command that writes the files anew.
const COMMAND: &str = "UPDATE_EXPECT=1 cargo test -p pointsman-dialects --test translation";

#[test]
fn the_document_describes_what_the_translations_do() {
    compare(&Path::new("../../docs").join("translation.md"), &document::render());
}

#[test]
fn the_golden_files_have_what_the_translations_render() {
    for api in requests::ClientApi::ALL {
        compare(&golden(api.file()), &requests::golden(api));
    }
    compare(&golden("answers.json"), &answers::golden());
    compare(&golden("streams.json"), &streams::golden());
}

fn golden(file: &str) -> PathBuf {
    Path::new("tests/translation/golden").join(file)
}

/// Returns a golden file: cases by name, and in each a line for each of its values.
fn golden_text(cases: &BTreeMap<String, BTreeMap<String, Value>>) -> String {
    let quoted = |name: &str| Value::from(name).to_string();
    let cases = cases.iter().map(|(name, values)| {
        let values = values.iter().map(|(name, value)| format!("    {}: {value}", quoted(name)));
        format!("  {}: {{\n{}\n  }}", quoted(name), values.collect::<Vec<_>>().join(",\n"))
    });
    format!("{{\n{}\n}}\n", cases.collect::<Vec<_>>().join(",\n"))
}

/// Compares a file with its expected text, or writes it anew.
fn compare(path: &Path, text: &str) {
    // The switch of the tests that generate files.
    #[expect(clippy::disallowed_methods, reason = "a test reads its own switch")]
    let updates = std::env::var("UPDATE_EXPECT").is_ok();
    if updates {
        std::fs::write(path, text).expect("a file that can be written");
        return;
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let line = written.lines().zip(text.lines()).position(|(written, text)| written != text);
    let line = line.unwrap_or_else(|| written.lines().count().min(text.lines().count())) + 1;
    assert!(written == text, "{} differs from line {line} on: {COMMAND}", path.display());
}
