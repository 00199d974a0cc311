use pointsman_sdk::testkit::{Gateway, request};

use super::*;

fn task(text: &str) -> Task {
    classify(&request(), text, &[]).task
}

#[test]
fn each_task_is_recognised_by_its_words() {
    let samples = [
        (Task::Code, "Write a Python function that reverses a linked list."),
        (Task::Code, "Why does this panic?\n```rust\nlet x: Vec<u8> = vec![]; x[0];\n```"),
        (Task::Code, "fix this: SELECT name, COUNT(*) FROM users GROUP BY id; -- sql error"),
        (Task::Maths, "What is the derivative of x^3 + 2x?"),
        (
            Task::Maths,
            "Tom buys 3 pens for 2 dollars each and 4 books for 5 dollars each. How much does he spend in total?",
        ),
        (
            Task::Reasoning,
            "A puzzle: five people sit in a row. Use the clues to deduce who sits in the middle.",
        ),
        (Task::Knowledge, "Who was the first president of Finland?"),
        (Task::Knowledge, "when was the eiffel tower built?"),
        (Task::Translation, "Translate into German: The weather is nice today."),
        (Task::Summarising, "Summarise the following article in two sentences: Markets fell on Monday."),
        (Task::Extraction, "Extract all email addresses and names from this text as JSON."),
        (Task::Creative, "Write a short poem about autumn."),
        (Task::Chat, "hi there, how are you?"),
        (Task::Chat, "ok"),
        (Task::Chat, ""),
    ];
    for (expected, text) in samples {
        assert_eq!(task(text), expected, "{text}");
    }
}

#[test]
fn media_and_tools_decide_before_words() {
    let of = |inputs, needs| classify(&Request { inputs, needs, ..request() }, "Write python code", &[]).task;
    let none = Abilities::empty();
    assert_eq!(of(Modalities::TEXT | Modalities::IMAGE, none), Task::Vision);
    assert_eq!(of(Modalities::TEXT | Modalities::VIDEO, Abilities::TOOLS), Task::Vision);
    assert_eq!(of(Modalities::AUDIO | Modalities::IMAGE, none), Task::Audio);
    assert_eq!(of(Modalities::TEXT, Abilities::TOOLS), Task::ToolUse);
}

#[test]
fn a_request_that_no_tool_seems_to_serve_is_hard() {
    let with_tools = Request { needs: Abilities::TOOLS, ..request() };
    let hard = |text, tools: &[&str]| {
        classify(&with_tools, text, &tools.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).hard
    };
    assert!(!hard("What is the weather in Rome?", &["get_weather"]));
    assert!(hard("What is the largest planet?", &["get_weather"]));
    let two = ["get_weather", "book_flight"];
    assert!(hard(
        "Tell me the weather in Rome, Oslo, and Lima, and then book a flight to the warmest.",
        &two
    ));
}

#[test]
fn length_numbers_and_thinking_make_a_request_hard() {
    let hard = |request: &Request, text: &str| classify(request, text, &[]).hard;
    assert!(!hard(&request(), "What is 2 + 2?"));
    assert!(hard(&request(), &"A long text about nothing. ".repeat(100)));
    assert!(hard(&Request { needs: Abilities::REASONING, ..request() }, "What is 2 + 2?"));
    assert!(hard(&Request { turns: 9, ..request() }, "and now?"));
    assert!(hard(&request(), "Add 1, 2, 3, 4, 5 and 6."));
}

#[test]
fn tool_names_are_read_only_where_the_request_has_tools() {
    let gateway = Gateway::new().user("What is the weather?").tool("get_weather");
    let with_tools = Request { needs: Abilities::TOOLS, ..request() };
    assert_eq!(gateway.run(|| read(&with_tools, 2048)), Kind { task: Task::ToolUse, hard: false });
    assert_eq!(gateway.run(|| read(&request(), 2048)).task, Task::Reasoning);
}
