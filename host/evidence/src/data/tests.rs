use tempfile::TempDir;

use super::*;

const GOOD: &str = r#"{"id":"1","request":{"messages":[{"role":"user","content":"Who was it?"}]},"outcomes":{"a":{"score":1,"input_tokens":10,"cost_usd":0.001},"b":{"score":0,"input_tokens":10,"output_tokens":5,"cost_usd":0.002}}}"#;

fn read_text(text: &str) -> Result<DataSet, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rows.jsonl");
    std::fs::write(&path, text).unwrap();
    let shown = folder.path().display().to_string();
    read(&[path], Some(10.0)).map_err(|error| error.to_string().replace(&format!("{shown}/"), ""))
}

#[test]
fn rows_have_costs_of_answers_and_requests_as_policies_see_them() {
    let set = read_text(&format!("{GOOD}\n\n{GOOD}\n")).unwrap();
    let row = &set.graded.rows[0];
    assert_eq!((row.kind, row.length, set.graded.rows.len()), ("knowledge", 11, 2));
    // Ten answer tokens at the price of the ten of the request; a stated answer is in the cost.
    assert!((row.outcomes[0].cost - 0.002).abs() < 1e-12 && (row.outcomes[1].cost - 0.002).abs() < 1e-12);
    assert!(!set.answers_known);
    assert_eq!(set.graded.rows[0].prompt, set.graded.rows[1].prompt);
    assert_eq!(newest_user_text(&content(&set.requests[0]), 3), "Who");
}

#[test]
fn content_in_parts_and_tools_is_read() {
    let line = GOOD.replace(
        r#""Who was it?"}]"#,
        r#"[{"type":"text","text":"Who"},{"type":"image_url"}]}],"tools":[{"function":{"name":"look_up"}}]"#,
    );
    let set = read_text(&line).unwrap();
    assert_eq!(set.graded.rows[0].kind, "tool_use/hard");
    assert_eq!(newest_user_text(&content(&set.requests[0]), 99), "Who");
}

#[test]
fn the_place_of_a_fault_is_reported() {
    let error = |text: &str| read_text(text).unwrap_err();
    let shown = error(&format!("{GOOD}\n{}", GOOD.replace("\"score\":1", "\"score\":one")));
    assert!(shown.starts_with("error: rows.jsonl:2:"), "{shown}");
    assert!(
        shown.contains("\"score\":one")
            && shown.contains('^')
            && shown.contains("docs/evaluating-policies.md")
    );
    let score = error(&GOOD.replace("\"score\":1", "\"score\":7"));
    assert_eq!(score, "error: rows.jsonl:1: outcome of a: `score` is 7, which is not in 0..1");
    let other = error(&format!("{GOOD}\n{}", GOOD.replace("\"b\":{", "\"c\":{")));
    assert!(other.starts_with("error: rows.jsonl:2: no outcome of b"), "{other}");
    assert_eq!(error("\n"), "error: rows.jsonl: there is no row");
}

#[test]
fn a_decision_log_is_recognised() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        is_decision_log(&path)
    };
    assert!(!file("a", GOOD) && !file("b", "") && !file("c", "[1]"));
    assert!(file("d", "{\"schema\":1,\"decisions\":[]}") && file("e", "{\"kind\":\"feedback\"}"));
    assert!(is_decision_log(folder.path()));
}
