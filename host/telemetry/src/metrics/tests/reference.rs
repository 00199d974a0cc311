//! Comparison of the table in `docs/metrics.md` with the definitions.

use std::fmt::Write;
use std::path::Path;

use super::super::{ALL, MetricDefinition};

const BEGIN: &str =
    "<!-- Written from the code: UPDATE_EXPECT=1 cargo test --workspace --lib -- metrics -->\n";
const END: &str = "<!-- The end of what is written from the code -->\n";

#[test]
fn the_reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (table, tail) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, [head, BEGIN, &reference(), END, tail].concat()).unwrap();
        return;
    }
    assert!(
        table == reference(),
        "docs/metrics.md is out of date; write it again with \
         UPDATE_EXPECT=1 cargo test --workspace --lib -- metrics"
    );
}

#[test]
fn every_metric_follows_the_naming_rules() {
    let mut names: Vec<String> = ALL.iter().map(MetricDefinition::name).collect();
    for (definition, name) in ALL.iter().zip(&names) {
        assert!(name.starts_with("pointsman_"), "{name}");
        assert!(definition.meaning.ends_with('.'), "{name}");
    }
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

fn reference() -> String {
    let mut text = "\n| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for definition in ALL {
        let labels: Vec<String> = definition.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind) = (definition.name(), definition.kind.as_str());
        let meaning = definition.meaning.trim_end_matches('.').replace('|', "\\|");
        writeln!(text, "| `{name}` | {kind} | {} | {meaning} |", labels.join(", ")).unwrap();
    }
    text.push('\n');
    text
}
