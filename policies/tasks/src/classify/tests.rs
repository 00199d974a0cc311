use pointsman_sdk::testkit::{Gateway, request};
use pointsman_text_features::Task;

use super::*;

#[test]
fn media_and_needs_of_a_request_decide() {
    let of = |inputs, needs| classify(&Request { inputs, needs, ..request() }, "Write python code", &[]);
    let none = Abilities::empty();
    assert_eq!(of(Modalities::TEXT, none).task, Task::Code);
    assert_eq!(of(Modalities::TEXT | Modalities::VIDEO, none).task, Task::Vision);
    assert_eq!(of(Modalities::AUDIO | Modalities::IMAGE, none).task, Task::Audio);
    assert_eq!(of(Modalities::TEXT, Abilities::TOOLS).task, Task::ToolUse);
    assert!(of(Modalities::TEXT, Abilities::REASONING).hard && !of(Modalities::TEXT, none).hard);
    assert!(classify(&Request { turns: 9, ..request() }, "and now?", &[]).hard);
}

#[test]
fn tool_names_are_read_only_where_the_request_has_tools() {
    let gateway = Gateway::new().user("What is the weather?").tool("get_weather");
    let with_tools = Request { needs: Abilities::TOOLS, ..request() };
    assert_eq!(gateway.run(|| read(&with_tools, 2048)), Kind { task: Task::ToolUse, hard: false });
    assert_eq!(gateway.run(|| read(&request(), 2048)).task, Task::Reasoning);
}
