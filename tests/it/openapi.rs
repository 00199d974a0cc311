//! Requests that are made up from OpenAI's API description, which is among the recorded data.

use std::path::Path;
use std::process::{Command, Stdio};

use pointsman_tests::{Gateway, installed, recorded_data};

/// Simulated models of every operation, and a route of every name.
const CONFIG: &str = r#"
[backends.fleet]
kind = "simulated"
[models."fleet/chat"]
expected = { first_token_ms = 0, tokens_per_second = 100_000 }
inputs = ["text", "image", "audio", "document"]
[models."fleet/embed"]
operations = ["embedding"]
[models."fleet/whisper"]
operations = ["transcription", "translation"]
inputs = ["audio"]
[models."fleet/tts"]
operations = ["speech"]
expected = { first_token_ms = 0, tokens_per_second = 100_000 }
[models."fleet/image"]
operations = ["image"]
inputs = ["text", "image"]
[models."fleet/moderation"]
operations = ["moderation"]
inputs = ["text", "image"]
[policies.cost]
source = "builtin:cost"
limits.deadline = "60s"
[routes.any]
policy = "cost"
aliases = ["*"]
on_untranslatable = "drop"
"#;

#[tokio::test]
async fn every_response_fits_the_description_of_the_api() {
    let Some(data) = recorded_data() else { return };
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let gateway = Gateway::start(CONFIG).await;
    let mut script = Command::new(python);
    script
        .arg(format!("{root}/tests/clients/fuzz_openapi.py"))
        .env("OPENAI_BASE_URL", gateway.url("/v1"))
        .env("POINTSMAN_DATA", Path::new(root).join(data))
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || script.output()).await;
    let output = output.expect("waiting does not panic").expect("the script can be run");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.trim_end().ends_with("all is well"), "{out}\n{err}");
}
