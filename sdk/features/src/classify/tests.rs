use super::*;

fn task(text: &str) -> Task {
    classify(&Facts { text, ..Facts::default() }).task
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

/// Instructions about the form of an answer that say nothing about the task, with `{}` for the request.
const FORMS: [&str; 7] = [
    "{}\nPut your final answer within \\boxed{}.",
    "Answer the question. Put the answer in \\boxed{...}.\n\n{}",
    "{}\n\nGive your answer after \"ANSWER: $LETTER\" (without quotes).",
    "Read the ``question'' and reply with `A` only if it is right.\n\n{}",
    "{}\nThe answer is ____.",
    "{} _",
    "Think step by step, then finish with \"the answer is (X)\".\n\n{}",
];

#[test]
fn instructions_about_the_form_of_an_answer_do_not_change_the_task() {
    let requests = [
        (Task::Knowledge, "Who was the first president of Finland?"),
        (Task::Knowledge, "When was the Eiffel Tower built?"),
        (Task::Code, "Write a Python function that reverses a linked list."),
        (Task::Maths, "What is the derivative of x^3 + 2x?"),
        (Task::Reasoning, "A puzzle: use the clues to deduce which of five people sits in the middle."),
    ];
    for form in FORMS {
        for (expected, request) in requests {
            let text = form.replacen("{}", request, if form.starts_with("{}") { 1 } else { 0 });
            let text =
                if form.starts_with("{}") { text } else { form.replace("\n\n{}", &format!("\n\n{request}")) };
            assert_eq!(task(&text), expected, "{text}");
        }
    }
}

#[test]
fn media_and_tools_decide_before_words() {
    let of = |sound, pictures, needs_tools| {
        classify(&Facts { text: "Write python code", sound, pictures, needs_tools, ..Facts::default() }).task
    };
    assert_eq!(of(false, true, false), Task::Vision);
    assert_eq!(of(false, true, true), Task::Vision);
    assert_eq!(of(true, true, false), Task::Audio);
    assert_eq!(of(false, false, true), Task::ToolUse);
}

#[test]
fn a_request_that_no_tool_seems_to_serve_is_hard() {
    let hard = |text, tools: &[&str]| {
        let tools: Vec<String> = tools.iter().map(|&name| name.to_owned()).collect();
        classify(&Facts { text, tools: &tools, needs_tools: true, ..Facts::default() }).hard
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
    let hard = |facts: &Facts<'_>| classify(facts).hard;
    let text = "What is 2 + 2?";
    assert!(!hard(&Facts { text, ..Facts::default() }));
    assert!(hard(&Facts { text: &"A long text about nothing. ".repeat(100), ..Facts::default() }));
    assert!(hard(&Facts { text, needs_reasoning: true, ..Facts::default() }));
    assert!(hard(&Facts { text: "and now?", turns: 9, ..Facts::default() }));
    assert!(hard(&Facts { text: "Add 1, 2, 3, 4, 5 and 6.", ..Facts::default() }));
}
