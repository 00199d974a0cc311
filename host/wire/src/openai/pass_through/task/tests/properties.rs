//! Random conversations and tasks: what is composed of bytes means what a naive
//! composition of trees means.

use bytes::Bytes;
use pointsman_domain::model::Modalities;
use pointsman_domain::plan::{
    ComposedMessage, ComposedPart, ContentRef, FinishProposal, MessageRole, OutputRef, PlanStep, TaskInput,
    TaskProposal,
};
use pointsman_domain::prompt::Prompt;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Map, Value, json};

use crate::openai::client::{ChatRequest, RequestScan};
use crate::openai::sample_task::{ENDED, chat, checked, finish_of, outputs_of};
use crate::task_outputs::TaskOutputs;

/// Part of a task before there is a conversation that it can refer to.
#[derive(Clone, Debug)]
enum Pick {
    Text(String),
    Output(usize, Option<String>),
    Original(Index, Option<(Index, Index)>),
}

#[derive(Clone, Debug)]
enum PickedInput {
    Conversation(Modalities),
    Message(MessageRole, Vec<Pick>),
}

fn part() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => ".{0,20}".prop_map(|text| json!({ "type": "text", "text": text })),
        1 => ".{0,9}".prop_map(|text| json!({ "refusal": text, "type": "refusal" })),
        1 => ".{0,9}".prop_map(Value::from),
        2 => select(&[3_usize, 3000][..]).prop_map(|len| {
            json!({ "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{}", "A".repeat(len)) } })
        }),
        1 => Just(json!({ "type": "input_audio", "input_audio": { "data": "AAAA", "format": "wav" } })),
        1 => Just(json!({ "type": "video_url", "video_url": { "url": "https://h/v" } })),
        1 => Just(json!({ "type": "file", "file": { "file_id": "x" } })),
        1 => Just(json!({ "type": "hologram", "size": 3 })),
        1 => Just(json!([1, { "type": "text", "text": "no" }])),
        1 => Just(json!({ "type": "text", "text": "both", "image_url": "https://h/a" })),
    ]
}

fn message() -> impl Strategy<Value = Value> {
    let content = prop_oneof![
        ".{0,40}".prop_map(|text| Some(Value::from(text))),
        vec(part(), 0..4).prop_map(|parts| Some(Value::from(parts))),
        Just(Some(Value::Null)),
        Just(None),
    ];
    (content, select(&["user", "assistant", "tool"][..]), any::<bool>(), option::of(".{0,5}")).prop_map(
        |(content, role, calls, name)| {
            let mut message = Map::new();
            message.insert("role".to_owned(), role.into());
            message.extend(content.map(|content| ("content".to_owned(), content)));
            message.extend(name.map(|name| ("name".to_owned(), name.into())));
            if calls {
                message.insert("tool_calls".to_owned(), json!([{ "id": "1" }]));
            }
            message.into()
        },
    )
}

fn members() -> impl Strategy<Value = Vec<(String, Value)>> {
    let optional = vec![
        ("temperature", json!(1)),
        ("top_p", json!(0.5)),
        ("seed", json!(7)),
        ("reasoning_effort", json!("low")),
        ("response_format", json!({ "type": "text" })),
        ("max_tokens", json!(40)),
        ("max_completion_tokens", json!(30)),
        ("stream", json!(true)),
        ("stream_options", json!({ "x": [1] })),
        ("tools", json!([{ "type": "function", "function": { "name": "f" } }])),
        ("messagesx", json!([{ "role": "x" }])),
    ];
    let count = optional.len();
    (vec(message(), 1..5), subsequence(optional, 0..=count)).prop_flat_map(|(messages, others)| {
        let mut members: Vec<(String, Value)> =
            others.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        members.push(("model".to_owned(), json!("auto")));
        members.push(("messages".to_owned(), messages.into()));
        Just(members).prop_shuffle()
    })
}

fn picked() -> impl Strategy<Value = PickedInput> {
    let pick = prop_oneof![
        ".{0,9}".prop_map(Pick::Text),
        (0..ENDED, option::of(".{0,5}")).prop_map(|(task, otherwise)| Pick::Output(task, otherwise)),
        (any::<Index>(), option::of(any::<(Index, Index)>())).prop_map(|(at, cut)| Pick::Original(at, cut)),
    ];
    let role = select(&[MessageRole::System, MessageRole::User, MessageRole::Assistant][..]);
    prop_oneof![
        any::<u8>().prop_map(|bits| PickedInput::Conversation(Modalities::from_bits_truncate(bits))),
        Just(PickedInput::Conversation(Modalities::all())),
        (role, vec(pick, 1..6)).prop_map(|(role, picks)| PickedInput::Message(role, picks)),
    ]
}

fn options() -> impl Strategy<Value = Vec<(String, String)>> {
    let all = vec![
        ("temperature", "0.25"),
        ("top_p", "1"),
        ("seed", "-3"),
        ("reasoning_effort", "\"high\""),
        ("response_format", "\"json_object\""),
    ];
    subsequence(all, 0..=5)
        .prop_map(|some| some.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// JSON as some clients write it: everything beyond ASCII escaped, or spread out.
fn written(members: &[(String, Value)], escaped: bool, pretty: bool) -> String {
    let member = |(key, value): &(String, Value)| {
        if pretty { format!("\n {} : {value:#} ", json!(key)) } else { format!("{}:{value}", json!(key)) }
    };
    let body = format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","));
    if !escaped {
        return body;
    }
    let escape = |c: char| match c {
        ' '..='~' | '\n' => c.to_string(),
        _ => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect(),
    };
    body.chars().map(escape).collect()
}

fn scanned(body: &str, cuts: &[Index]) -> ChatRequest {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    ends.extend([0, body.len()]);
    ends.sort_unstable();
    let mut scan = RequestScan::default();
    for piece in ends.windows(2) {
        scan.push(Bytes::copy_from_slice(&body.as_bytes()[piece[0]..piece[1]])).unwrap();
    }
    scan.finish().unwrap()
}

/// The parts of a message as trees.
fn parts_of(message: &Value) -> Vec<&Value> {
    match &message["content"] {
        Value::Array(parts) => parts.iter().collect(),
        Value::Null => Vec::new(),
        text => vec![text],
    }
}

fn kind_of(part: &Value) -> Modalities {
    if part.is_string() {
        return Modalities::TEXT;
    }
    match part["type"].as_str() {
        Some("text") if part.get("image_url").is_some() => Modalities::empty(),
        Some("text" | "refusal") => Modalities::TEXT,
        Some("image_url") => Modalities::IMAGE,
        Some("input_audio") => Modalities::AUDIO,
        Some("video_url") => Modalities::VIDEO,
        Some("file") => Modalities::DOCUMENT,
        _ => Modalities::empty(),
    }
}

fn text_of(part: &Value) -> &str {
    part.as_str().or(part["text"].as_str()).or(part["refusal"].as_str()).unwrap()
}

fn boundary(text: &str, at: Index) -> usize {
    let places: Vec<usize> = (0..=text.len()).filter(|place| text.is_char_boundary(*place)).collect();
    places[at.index(places.len())]
}

/// Returns a picked input in terms of this conversation.
fn input(picked: &PickedInput, messages: &[Value]) -> TaskInput {
    let places: Vec<(usize, usize, &Value)> = messages
        .iter()
        .enumerate()
        .flat_map(|(at, message)| {
            parts_of(message).into_iter().enumerate().map(move |(i, part)| (at, i, part))
        })
        .collect();
    let part = |pick: &Pick| match pick {
        Pick::Text(text) => ComposedPart::Text(text.clone()),
        Pick::Output(task, otherwise) => {
            ComposedPart::Output(OutputRef { task: *task, otherwise: otherwise.clone() })
        }
        Pick::Original(..) if places.is_empty() => ComposedPart::Text("empty".to_owned()),
        Pick::Original(at, cut) => {
            let (message, part, value) = places[at.index(places.len())];
            let cut = cut.filter(|_| kind_of(value) == Modalities::TEXT);
            let excerpt = cut.map(|(one, other)| {
                let (one, other) = (boundary(text_of(value), one), boundary(text_of(value), other));
                (one.min(other), one.max(other))
            });
            ComposedPart::Original(ContentRef { message, part, excerpt })
        }
    };
    match picked {
        PickedInput::Conversation(kinds) => TaskInput::Conversation(*kinds),
        PickedInput::Message(role, picks) => {
            TaskInput::Message(ComposedMessage { role: *role, content: picks.iter().map(part).collect() })
        }
    }
}

/// The model: the messages that an input comes to.
fn expected(input: &TaskInput, messages: &[Value], outputs: &[Option<String>]) -> Vec<Value> {
    match input {
        TaskInput::Conversation(kinds) => {
            messages.iter().filter_map(|message| expected_of_client(message, *kinds)).collect()
        }
        TaskInput::Message(message) => vec![expected_of_policy(message, messages, outputs)],
    }
}

fn expected_of_client(message: &Value, kinds: Modalities) -> Option<Value> {
    let is_kept = |part: &Value| {
        let kind = kind_of(part);
        kinds.is_all() || (!kind.is_empty() && kinds.contains(kind))
    };
    let parts = parts_of(message);
    let kept: Vec<Value> = parts.iter().filter(|part| is_kept(part)).map(|part| (*part).clone()).collect();
    if kept.len() == parts.len() {
        return Some(message.clone());
    }
    let mut message = message.clone();
    if !kept.is_empty() {
        message["content"] = kept.into();
    } else if message.get("tool_calls").is_some() {
        message["content"] = Value::Null;
    } else {
        return None;
    }
    Some(message)
}

fn expected_of_policy(message: &ComposedMessage, messages: &[Value], outputs: &[Option<String>]) -> Value {
    let mut pieces: Vec<Value> = Vec::new();
    for part in &message.content {
        let text = match part {
            ComposedPart::Text(text) => text.clone(),
            ComposedPart::Output(output) => {
                outputs[output.task].clone().or(output.otherwise.clone()).unwrap_or_default()
            }
            ComposedPart::Original(place) => {
                let part = parts_of(&messages[place.message])[place.part];
                if kind_of(part) != Modalities::TEXT {
                    pieces.push(part.clone());
                    continue;
                }
                place.excerpt.map_or(text_of(part), |(from, to)| &text_of(part)[from..to]).to_owned()
            }
        };
        if let Some(Value::String(last)) = pieces.last_mut() {
            last.push_str(&text);
        } else if !text.is_empty() {
            pieces.push(text.into());
        }
    }
    let content = match pieces.as_slice() {
        [] => json!(""),
        [Value::String(text)] => json!(text),
        _ => pieces
            .into_iter()
            .map(|piece| if piece.is_string() { json!({ "type": "text", "text": piece }) } else { piece })
            .collect(),
    };
    let role = match message.role {
        MessageRole::System => "system",
        MessageRole::User => "user",
        MessageRole::Assistant => "assistant",
    };
    json!({ "role": role, "content": content })
}

fn expected_body(client: &Value, task: &TaskProposal, messages: Vec<Value>, answers: bool) -> Value {
    let mut body = if answers { client.clone() } else { json!({}) };
    body["model"] = json!("up");
    body["messages"] = messages.into();
    for (name, value) in &task.options {
        let value: Value = serde_json::from_str(value).unwrap();
        body[name] = if name == "response_format" { json!({ "type": value }) } else { value };
    }
    if let Some(limit) = task.max_output_tokens {
        let own = client.get("max_completion_tokens").or(client.get("max_tokens"));
        let limit = own.and_then(Value::as_u64).unwrap_or(u64::MAX).min(limit.into());
        let used =
            ["max_completion_tokens", "max_tokens"].into_iter().filter(|name| client.get(name).is_some());
        let mut used: Vec<&str> = used.collect();
        if used.is_empty() {
            used.push("max_tokens");
        }
        used.iter().for_each(|name| body[name] = json!(limit));
    }
    if answers && client.get("stream").is_some() {
        body["stream_options"]["include_usage"] = json!(true);
    }
    body
}

proptest! {
    #[test]
    fn a_composed_body_equals_a_composition_of_trees(
        members in members(),
        (escaped, pretty, answers) in any::<(bool, bool, bool)>(),
        cuts in vec(any::<Index>(), 0..8),
        picked in vec(picked(), 1..4),
        options in options(),
        max_output_tokens in option::of(1..100_u32),
        outputs in vec(option::of(".{0,20}"), ENDED),
    ) {
        let request = scanned(&written(&members, escaped, pretty), &cuts);
        let client: Value = members.iter().cloned().collect::<Map<_, _>>().into();
        let messages = client["messages"].as_array().unwrap();
        let inputs: Vec<TaskInput> = picked.iter().map(|picked| input(picked, messages)).collect();
        let expected_messages = inputs.iter().flat_map(|input| expected(input, messages, &outputs)).collect();
        let proposal = TaskProposal { options, max_output_tokens, ..chat(inputs) };
        let expected = expected_body(&client, &proposal, expected_messages, answers);
        let task = checked(&request, proposal);
        let outputs = outputs_of(outputs.iter().map(Option::as_deref));
        let sent = request.render_chat_task(&task, &outputs, answers).body_for(&super::call(task.max_output_tokens)).concat();
        let mut size = task.size(|at| outputs.size(at));
        if answers {
            size += request.size_beside_messages();
        }
        prop_assert!(sent.len() as u64 <= size.assembled_bytes(), "{} bytes, {:?}", sent.len(), size);
        let sent: Value = serde_json::from_slice(&sent).unwrap();
        prop_assert_eq!(sent, expected);
    }

    #[test]
    fn an_answer_is_not_longer_than_its_size(
        members in members(),
        (escaped, pretty) in any::<(bool, bool)>(),
        picked in vec(picked(), 1..4),
        outputs in vec(option::of("[a\"\n\u{1}\u{e9}]{0,20}"), ENDED),
    ) {
        let request = scanned(&written(&members, escaped, pretty), &[]);
        let client: Value = members.iter().cloned().collect::<Map<_, _>>().into();
        let messages = client["messages"].as_array().unwrap();
        let outputs = outputs_of(outputs.iter().map(Option::as_deref));
        for picked in &picked {
            let TaskInput::Message(message) = input(picked, messages) else { continue };
            let finish = FinishProposal { content: message.content, label: "test".to_owned(), reason: None };
            // One with a picture in it is refused.
            let Ok(PlanStep::Finish(finish)) = finish_of(&request, finish) else { continue };
            let text = request.compose_text(finish.content(), &outputs);
            let written = Value::from(text).to_string();
            let size = finish.size(|at| outputs.size(at));
            prop_assert!(written.len() as u64 <= size.assembled_bytes() + 2, "{} bytes, {:?}", written.len(), size);
        }
    }

    #[test]
    fn an_excerpt_equals_a_slice_of_the_text(
        text in "[a\"\n\u{1}\u{e9}\u{1f980}]{0,12}",
        repeated in 1..200_usize,
        escaped in any::<bool>(),
        cuts in vec(any::<Index>(), 0..8),
        ends in vec((0..4000_usize, 0..40_usize), 1..20),
    ) {
        let text = text.repeat(repeated);
        let members = [
            ("model".to_owned(), json!("auto")),
            ("messages".to_owned(), json!([{ "role": "user", "content": text }])),
        ];
        let request = scanned(&written(&members, escaped, false), &cuts);
        let prompt = request.prompt();
        for (from, len) in ends {
            let to = from + len;
            let naive = text.get(from..to);
            let size = prompt.part_size(0, 0, Some((from, to)));
            prop_assert_eq!(size.map(|size| size.text_bytes), naive.map(|naive| naive.len() as u64));
            let excerpt = ComposedPart::Original(ContentRef { message: 0, part: 0, excerpt: Some((from, to)) });
            prop_assert_eq!(request.compose_text(&[excerpt], &TaskOutputs::default()), naive.unwrap_or_default());
        }
    }

    #[test]
    fn parts_of_a_conversation_match_its_tree(
        members in members(),
        (escaped, pretty) in any::<(bool, bool)>(),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        let prompt = scanned(&written(&members, escaped, pretty), &cuts).prompt();
        let client: Map<_, _> = members.into_iter().collect();
        let messages = client["messages"].as_array().unwrap();
        let mut parts = prompt.parts().iter();
        for (message, value) in messages.iter().enumerate() {
            for (part, value) in parts_of(value).into_iter().enumerate() {
                let found = parts.next().unwrap();
                prop_assert_eq!((found.message, found.part, found.kind), (message, part, kind_of(value)));
                let text = (found.kind == Modalities::TEXT).then(|| text_of(value));
                prop_assert_eq!(prompt.part_text(message, part), text);
                if let Some(text) = text {
                    prop_assert_eq!(found.bytes, text.len());
                }
            }
        }
        prop_assert_eq!(parts.next(), None);
    }
}
