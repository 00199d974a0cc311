//! `pointsman import`: configurations of other gateways.

use std::path::{Path, PathBuf};

use pointsman_tests::{FakeModel, Gateway};
use serde_json::Value;

use crate::command_line::{run, texts};
use crate::fleet::{ask, chat, with_ample_deadlines};

/// A configuration of LiteLLM with two names, a fallback and an alias.
fn litellm(address: &str) -> String {
    format!(
        "model_list:\n\
         \x20 - model_name: house\n\
         \x20   litellm_params: {{model: openai/first, api_base: \"{address}\", api_key: none, rpm: 10}}\n\
         \x20 - model_name: house\n\
         \x20   litellm_params: {{model: openai/second, api_base: \"{address}\", api_key: none, rpm: 30}}\n\
         \x20 - model_name: reserve\n\
         \x20   litellm_params: {{model: hosted_vllm/third, api_base: \"{address}\", temperature: 0.2}}\n\
         router_settings:\n\
         \x20 num_retries: 1\n\
         \x20 fallbacks: [{{house: [reserve]}}]\n\
         \x20 model_group_alias: {{gpt-4o: house}}\n"
    )
}

/// Writes a file of a test.
fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    std::fs::write(&path, text).expect("the file can be written");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

#[tokio::test]
async fn a_gateway_serves_an_imported_configuration() {
    let model = FakeModel::saying("Good morning!").await;
    let source = file("served.yaml", &litellm(&model.base_url()));
    let result = source.with_extension("toml");
    let imported = run(&["import", "litellm", text(&source), "-o", text(&result)]);
    let (output, report) = texts(&imported);
    assert_eq!((imported.status.code(), output.as_str()), (Some(0), ""), "{report}");
    assert!(report.contains("line 7: model_list[2].litellm_params.temperature: no counterpart"), "{report}");
    let checked = run(&["check", text(&result)]);
    assert_eq!(checked.status.code(), Some(0), "{}", texts(&checked).1);

    let config = std::fs::read_to_string(&result).expect("the result can be read");
    let gateway = Gateway::start(&with_ample_deadlines(&config)).await;
    for name in ["house", "reserve", "gpt-4o"] {
        let answer = ask(&gateway, &chat(name, "Hello")).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "Good morning!"), "{name}");
    }

    // A file that exists is never replaced.
    let again = run(&["import", "litellm", text(&source), "-o", text(&result)]);
    assert_eq!(again.status.code(), Some(2));
    assert!(texts(&again).1.contains("exists\n  = hint: remove it"), "{}", texts(&again).1);
    for path in [source, result] {
        std::fs::remove_file(path).expect("the file can be removed");
    }
}

#[test]
fn the_report_is_json_for_programs_and_the_result_text() {
    let source = file("json.yaml", &litellm("http://127.0.0.1:9/v1"));
    let imported = run(&["import", "litellm", text(&source), "--json"]);
    let (output, report) = texts(&imported);
    assert_eq!(imported.status.code(), Some(0));
    assert!(output.contains("[routes.house]\naliases = [\"gpt-4o\"]\n"), "{output}");
    let report: Value = serde_json::from_str(&report).expect("the report is JSON");
    assert_eq!((&report["models"], &report["routes"]), (&3.into(), &2.into()), "{report}");
    let finding = &report["findings"][0];
    assert_eq!((&finding["line"], &finding["kind"]), (&3.into(), &"different".into()), "{report}");
    std::fs::remove_file(source).expect("the file can be removed");
}

#[test]
fn a_file_that_cannot_be_imported_gets_an_error_with_its_reason() {
    let refused = |name: &str, yaml: &str| {
        let source = file(name, yaml);
        let imported = run(&["import", "litellm", text(&source)]);
        std::fs::remove_file(source).expect("the file can be removed");
        let (output, errors) = texts(&imported);
        assert_eq!((imported.status.code(), output.as_str()), (Some(2), ""), "{errors}");
        errors
    };
    assert!(refused("syntax.yaml", "model_list: [\n").contains("syntax.yaml: line "));
    let bomb = "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\n".to_owned() + &"[".repeat(1_000);
    assert!(refused("nested.yaml", &bomb).contains("error: "));
    let empty =
        refused("none.yaml", "model_list:\n  - model_name: a\n    litellm_params: {model: sagemaker/x}\n");
    assert!(empty.contains("line 3: model_list[0].litellm_params.model: no counterpart"), "{empty}");
    assert!(empty.contains("has no model that can be imported"), "{empty}");
    let missing = run(&["import", "litellm", "no-such-file.yaml"]);
    assert!(texts(&missing).1.starts_with("error: cannot read no-such-file.yaml: "));
}
