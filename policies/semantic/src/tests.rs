use pointsman_sdk::testkit::{Call, Ending, Gateway, Orchestrated, candidate, request};

use super::*;

/// Two examples a kind; the toy model below embeds a text by the words that it has.
const SETTINGS: &str = r#"{"numbers":16,"kinds":{
    "sums":{"examples":["add numbers","multiply numbers"],"models":["medium"]},
    "talk":{"examples":["hello","thank you"],"prefer":"cost"}}}"#;

/// One model for chats of each price, and one for embeddings.
fn models() -> Vec<Candidate> {
    let models =
        [("a/small", 0.1, 0.5), ("b/medium", 1.0, 0.6), ("c/large", 5.0, 0.9), ("d/vectors", 0.01, 0.5)];
    models
        .map(|(id, price, quality)| Candidate { quality: Some(quality), ..candidate(id, price, price) })
        .into()
}

fn gateway(text: &str) -> Gateway {
    Gateway::new().settings(SETTINGS).operations(3, &["embedding"]).user(text)
}

/// The embedding of a text: a number for each known word in it.
fn embedding(text: &str) -> String {
    let words = ["add", "multiply", "numbers", "hello", "thank", "you", "and", "weather"];
    let number = |word: &str| if text.split(' ').any(|it| it == word) { "1.0" } else { "0" };
    format!("[{}]", words.map(number).join(","))
}

fn model(call: &Call) -> Result<String, String> {
    assert_eq!((call.task.operation.as_str(), call.model.as_str()), ("embedding", "d/vectors"));
    Ok(embedding(&call.messages[0].1))
}

fn run(gateway: &Gateway) -> Orchestrated {
    gateway.orchestrate::<Semantic>(&request(), &models(), model).unwrap()
}

/// Returns the label, and the order of the models.
fn routed(done: &Orchestrated) -> (&str, Vec<u32>) {
    let Ending::Routed(decision) = &done.ending else { unreachable!("{done:?}") };
    (&decision.label, decision.targets.iter().map(|target| target.candidate).collect())
}

#[test]
fn the_nearest_example_determines_the_model() {
    let done = run(&gateway("multiply and add"));
    assert_eq!(routed(&done), ("semantic:sums", vec![1, 2, 0]));
    assert_eq!(done.reason.as_deref(), Some("similarity 0.41 to `add numbers`"));
    let done = run(&gateway("hello you"));
    assert_eq!(routed(&done), ("semantic:talk", vec![0, 1, 2]));
}

#[test]
fn examples_are_embedded_once_and_kept() {
    let gateway = gateway("hello");
    let first = run(&gateway);
    assert_eq!(first.names(), ["embed", "example:0", "example:1", "example:2", "example:3"]);
    let second = run(&gateway);
    assert_eq!(second.names(), ["embed"]);
    assert_eq!(routed(&second), routed(&first));
    assert!(!gateway.prompt_was_read());
}

#[test]
fn few_examples_are_embedded_at_once_and_each_kind_first() {
    let examples = |word: &str| (0..6).map(|n| format!("\"{word} {n}\"")).collect::<Vec<_>>().join(",");
    let settings = format!(
        r#"{{"numbers":16,"kinds":{{"a":{{"examples":[{}]}},"b":{{"examples":[{}]}}}}}}"#,
        examples("add"),
        examples("hello")
    );
    let gateway = gateway("hello").settings(settings);
    let names = |done: &Orchestrated| done.names().join(" ");
    let first = run(&gateway);
    assert_eq!(names(&first), "embed example:0 example:1 example:6 example:7");
    assert_eq!(routed(&first).0, "semantic:b", "each kind has an example");
    assert_eq!(names(&run(&gateway)), "embed example:2 example:3 example:8 example:9");
    assert_eq!(names(&run(&gateway)), "embed example:4 example:5 example:10 example:11");
    assert_eq!(names(&run(&gateway)), "embed");
}

#[test]
fn until_each_kind_has_an_embedded_example_the_best_model_serves() {
    let fails = |call: &Call| match call.task.name.as_str() {
        "example:2" | "example:3" => Err("down".to_owned()),
        _ => model(call),
    };
    let gateway = gateway("hello");
    let done = gateway.orchestrate::<Semantic>(&request(), &models(), fails).unwrap();
    assert_eq!(routed(&done), ("semantic:learning", vec![2, 1, 0]));
    let done = run(&gateway);
    assert_eq!(done.names(), ["embed", "example:2", "example:3"]);
    assert_eq!(routed(&done).0, "semantic:talk");
}

#[test]
fn a_request_that_is_not_embedded_or_like_nothing_goes_to_the_best_model() {
    let failing = |reply: Result<&'static str, &'static str>| {
        let model = move |call: &Call| match call.task.name.as_str() {
            "embed" => reply.map(str::to_owned).map_err(str::to_owned),
            _ => model(call),
        };
        gateway("hello").orchestrate::<Semantic>(&request(), &models(), model).unwrap()
    };
    for (reply, label) in [
        (Err("down"), "semantic:unanswered"),
        (Ok("no vector"), "semantic:unanswered"),
        (Ok("[0,0]"), "semantic:unanswered"),
        (Ok("[0.1,0.2]"), "semantic:unclear"),
        (Ok("[-1,-1,-1,-1,-1,-1,-1,-1]"), "semantic:unclear"),
    ] {
        assert_eq!(routed(&failing(reply)), (label, vec![2, 1, 0]), "{reply:?}");
    }
    assert_eq!(routed(&run(&gateway("weather"))).0, "semantic:unclear");
    let settings = SETTINGS.replacen('{', r#"{"otherwise":"talk","#, 1);
    let done = run(&gateway("weather").settings(settings));
    assert_eq!(routed(&done), ("semantic:unclear", vec![0, 1, 2]));
}

#[test]
fn a_margin_between_kinds_is_demanded() {
    let settings = SETTINGS.replacen('{', r#"{"min_margin":0.3,"#, 1);
    assert_eq!(routed(&run(&gateway("hello numbers").settings(settings.clone()))).0, "semantic:unclear");
    assert_eq!(routed(&run(&gateway("hello").settings(settings))).0, "semantic:talk");
}

#[test]
fn without_a_model_that_embeds_or_text_nobody_is_asked() {
    let skipped = |gateway: Gateway| {
        let done = gateway.orchestrate::<Semantic>(&request(), &models(), |_| unreachable!()).unwrap();
        assert_eq!((routed(&done).0, done.calls.len()), ("semantic:skipped", 0));
    };
    let chats = (0..4).fold(gateway("hello"), |gateway, index| gateway.operations(index, &["chat"]));
    skipped(chats);
    skipped(gateway("hello").settings(SETTINGS.replacen('{', r#"{"max_bytes":4,"#, 1)));
    skipped(gateway("hello").settings(SETTINGS.replacen('{', r#"{"model":"x*","#, 1)));
}

#[test]
fn embeddings_of_another_model_or_length_are_not_mixed() {
    let gateway = gateway("hello");
    run(&gateway);
    let mut renamed = models();
    renamed[3].id = "d/other".to_owned();
    let done =
        gateway.orchestrate::<Semantic>(&request(), &renamed, |call| Ok(embedding(&call.messages[0].1)));
    assert_eq!(done.unwrap().names().len(), 5);
    let done = run(&gateway.clone().settings(SETTINGS.replace("16", "17")));
    assert_eq!(done.names().len(), 5);
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |json: &str| Gateway::new().settings(json).validate_orchestrator::<Semantic>().unwrap_err();
    for (json, message) in [
        (r#"{"timeout_ms":0}"#, "setting `timeout_ms`: 0 is less than 1"),
        (r#"{"max_bytes":0}"#, "setting `max_bytes`: 0 is less than 1"),
        (r#"{"numbers":15}"#, "setting `numbers`: 15 is not in 16..384"),
        (r#"{"min_similarity":1.5}"#, "setting `min_similarity`: 1.5 is not in -1..1"),
        (r#"{"min_margin":-0.1}"#, "setting `min_margin`: -0.1 is not in 0..1"),
        (r#"{"otherwise":"odd"}"#, "setting `otherwise`: there is no kind `odd`"),
    ] {
        assert_eq!(error(json), message);
    }
    let kinds = |a: &str| format!(r#"{{"kinds":{{"a":{{"examples":[{a}]}},"b":{{"examples":["x"]}}}}}}"#);
    let example = "setting `kinds.a.examples`: at least one, each of 1 to 2000 bytes";
    assert_eq!(error(&kinds("")), example);
    assert_eq!(error(&kinds("\" \"")), example);
    assert_eq!(error(&kinds(&format!("\"{}\"", "x".repeat(2001)))), example);
    let many = vec!["\"x\""; 200].join(",");
    assert_eq!(error(&kinds(&many)), "setting `kinds`: 201 examples, and at most 200 are possible");
}
