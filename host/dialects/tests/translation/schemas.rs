//! Every member of an API has a row.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::requests::{ClientApi, Row};

#[test]
fn every_member_of_openai_s_requests_has_a_row() {
    let Some(data) = data() else { return };
    let text = std::fs::read_to_string(data.join("conformance/openai-openapi.yaml")).expect("the document");
    let schemas = [
        (ClientApi::Chat, "CreateChatCompletionRequest", 35),
        (ClientApi::Completions, "CreateCompletionRequest", 18),
        (ClientApi::Responses, "CreateResponse", 28),
    ];
    for (api, schema, least) in schemas {
        let members = members_of_schema(&text, schema);
        assert!(members.len() >= least, "{schema} has {members:?}");
        check(api.rows(), &members);
    }
}

#[test]
fn every_member_of_recorded_requests_for_messages_has_a_row() {
    let Some(data) = data() else { return };
    let corpus = data.join("conformance/corpus");
    let index = std::fs::read_to_string(corpus.join("index.jsonl")).expect("the index of the corpus");
    let mut members = BTreeSet::new();
    for row in index.lines() {
        let row: Value = serde_json::from_str(row).expect("a row of the index");
        if row["api"] == "anthropic.messages" {
            let case =
                std::fs::read_to_string(corpus.join(row["file"].as_str().expect("a file"))).expect("a case");
            let case: Value = serde_json::from_str(&case).expect("a case");
            members.extend(
                case["request"]["body"].as_object().into_iter().flatten().map(|(name, _)| name.clone()),
            );
        }
    }
    assert!(members.len() > 10, "{members:?}");
    check(ClientApi::Messages.rows(), &members);
}

fn check(rows: &[Row], members: &BTreeSet<String>) {
    let named: BTreeSet<&str> = rows.iter().filter_map(|row| row.member.split(':').next()).collect();
    let missing: Vec<_> = members.iter().filter(|member| !named.contains(&***member)).collect();
    assert!(missing.is_empty(), "members without a row: {missing:?}");
}

/// Returns the members of a schema of the OpenAPI document, those of the schemas that it is made of
/// included. The document has one style: two spaces for each level.
fn members_of_schema(document: &str, schema: &str) -> BTreeSet<String> {
    let head = format!("    {schema}:");
    let lines = document.lines().skip_while(|line| *line != head).skip(1);
    let body: Vec<&str> = lines.take_while(|line| line.is_empty() || line.starts_with("      ")).collect();
    let mut members = BTreeSet::new();
    let mut at = 0;
    while let Some(line) = body.get(at) {
        at += 1;
        let depth = line.len() - line.trim_start().len();
        let text = line.trim_start().trim_start_matches("- ");
        // Members of the schema itself, or of an element of its `allOf`.
        let own_depth = if line.trim_start().starts_with("- ") { depth + 2 } else { depth };
        if let Some(reference) = text.strip_prefix("$ref: ").filter(|_| own_depth <= 10) {
            let name = reference.trim_matches(['\'', '"']).rsplit('/').next().unwrap_or_default();
            members.extend(members_of_schema(document, name));
        } else if text == "properties:" && own_depth <= 10 {
            let mut first = None;
            while let Some(line) = body.get(at) {
                let depth = line.len() - line.trim_start().len();
                let is_key = line.trim_end().ends_with(':') || line.contains(": ");
                if !line.is_empty() && depth <= own_depth {
                    break;
                }
                at += 1;
                let key_depth = *first.get_or_insert(depth);
                if !line.is_empty() && depth == key_depth && is_key {
                    let name = line.trim().split(':').next().unwrap_or_default();
                    members.insert(name.to_owned());
                }
            }
        }
    }
    members
}

fn data() -> Option<PathBuf> {
    let Some(data) = std::env::var_os("POINTSMAN_DATA") else {
        assert!(std::env::var_os("CI").is_none(), "CI needs POINTSMAN_DATA");
        eprintln!("left out: POINTSMAN_DATA names no folder of recorded data");
        return None;
    };
    // Tests run in the folder of their crate.
    let data = Path::new(&data);
    Some(if data.is_absolute() { data.to_owned() } else { Path::new("../..").join(data) })
}
