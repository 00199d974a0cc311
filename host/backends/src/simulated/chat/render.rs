//! Simulated chats in the form of OpenAI's API.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pointsman_wire::openai::client::DONE_EVENT;
use serde::Serialize;

use super::choice::{Piece, SimulatedChoice};
use super::logprobs::Logprobs;
use super::request::ChatRequest;
use super::tools::{ToolCall, ToolKind};

/// Members that all parts of one answer share.
#[derive(Debug)]
pub(super) struct AnswerFormat {
    id: String,
    created: u64,
    model: String,
    usage: Usage,
    wants_usage: bool,
    alternatives: Option<usize>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_tokens_details: Option<OutputDetails>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

#[derive(Serialize)]
struct Completion<'a, C> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: C,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct WholeChoice<'a> {
    index: usize,
    message: Message<'a>,
    logprobs: Option<Logprobs<'a>>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<String>,
    refusal: Option<()>,
    #[serde(flatten)]
    further: Members<'a>,
}

#[derive(Serialize)]
struct StreamedChoice<'a> {
    index: usize,
    delta: Delta<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Logprobs<'a>>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(flatten)]
    further: Members<'a>,
}

/// Members that only some messages have.
#[derive(Default, Serialize)]
struct Members<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallMember<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<FunctionMember<'a>>,
}

#[derive(Serialize)]
struct CallMember<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<FunctionMember<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<CustomMember<'a>>,
}

#[derive(Serialize)]
struct FunctionMember<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: String,
}

#[derive(Serialize)]
struct CustomMember<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    input: String,
}

impl AnswerFormat {
    pub(super) fn new(id: u64, request: &ChatRequest, choices: &[SimulatedChoice]) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let output: usize = choices.iter().map(|choice| choice.pieces.len()).sum();
        let reasoning: usize = choices.iter().map(SimulatedChoice::reasoning_tokens).sum();
        let details = OutputDetails { reasoning_tokens: reasoning as u64 };
        let usage = Usage {
            prompt_tokens: request.input_tokens,
            completion_tokens: output as u64,
            total_tokens: request.input_tokens + output as u64,
            completion_tokens_details: (reasoning > 0).then_some(details),
        };
        Self {
            id: format!("chatcmpl-simulated-{id:016x}"),
            created: now.map_or(0, |since| since.as_secs()),
            model: request.model.clone(),
            usage,
            wants_usage: request.wants_usage,
            alternatives: request.alternatives,
        }
    }

    /// Renders the answer in one piece.
    pub(super) fn whole(&self, choices: &[SimulatedChoice]) -> Bytes {
        let choices: Vec<WholeChoice<'_>> =
            choices.iter().enumerate().map(|(index, choice)| self.whole_choice(index, choice)).collect();
        self.serialize("chat.completion", choices, Some(self.usage)).into()
    }

    /// Renders the first event of a choice.
    pub(super) fn first_event(&self, index: usize, out: &mut Vec<u8>) {
        let delta = Delta { role: Some("assistant"), content: Some(String::new()), ..Delta::default() };
        self.event(StreamedChoice { index, delta, logprobs: None, finish_reason: None }, out);
    }

    /// Renders events with pieces of a choice, as few as possible.
    pub(super) fn events(&self, index: usize, pieces: &[Piece], call: Option<&ToolCall>, out: &mut Vec<u8>) {
        let mut call = call;
        for group in pieces.chunk_by(Piece::continues) {
            let (delta, logprobs) = match group {
                [Piece::Text(_), ..] => {
                    let delta = Delta { content: Some(text(group)), ..Delta::default() };
                    (delta, self.logprobs(group))
                }
                [Piece::Reasoning(_), ..] => {
                    let further = Members { reasoning_content: Some(text(group)), ..Members::default() };
                    (Delta { further, ..Delta::default() }, None)
                }
                [Piece::Call(position, head), ..] => {
                    call = Some(head);
                    (call_delta(*position, head, Some(head), String::new()), None)
                }
                [Piece::Arguments(position, _), ..] => {
                    let Some(head) = call else { continue };
                    (call_delta(*position, head, None, text(group)), None)
                }
                [] => continue,
            };
            self.event(StreamedChoice { index, delta, logprobs, finish_reason: None }, out);
        }
    }

    /// Renders the last events of a stream.
    pub(super) fn last_events(&self, choices: &[SimulatedChoice], out: &mut Vec<u8>) {
        for (index, choice) in choices.iter().enumerate() {
            let finish_reason = Some(choice.finish_reason);
            self.event(StreamedChoice { index, delta: Delta::default(), logprobs: None, finish_reason }, out);
        }
        if self.wants_usage {
            let none: [StreamedChoice<'_>; 0] = [];
            self.line(self.serialize("chat.completion.chunk", none, Some(self.usage)), out);
        }
        out.extend_from_slice(&DONE_EVENT);
    }

    fn whole_choice<'a>(&self, index: usize, choice: &'a SimulatedChoice) -> WholeChoice<'a> {
        let of = |kind: fn(&Piece) -> bool| {
            let pieces: Vec<Piece> = choice.pieces.iter().filter(|piece| kind(piece)).cloned().collect();
            (!pieces.is_empty()).then(|| text(&pieces))
        };
        let mut further = Members {
            reasoning_content: of(|piece| matches!(piece, Piece::Reasoning(_))),
            ..Members::default()
        };
        for piece in &choice.pieces {
            let Piece::Call(position, head) = piece else { continue };
            let arguments = choice
                .pieces
                .iter()
                .filter(|piece| matches!(piece, Piece::Arguments(of, _) if of == position));
            let arguments = text(&arguments.cloned().collect::<Vec<_>>());
            let members = call_delta(*position, head, Some(head), arguments).further;
            further.function_call = further.function_call.or(members.function_call);
            further
                .tool_calls
                .extend(members.tool_calls.into_iter().map(|call| CallMember { index: None, ..call }));
        }
        let calls = !further.tool_calls.is_empty() || further.function_call.is_some();
        let content = of(|piece| matches!(piece, Piece::Text(_))).or_else(|| (!calls).then(String::new));
        WholeChoice {
            index,
            logprobs: self.logprobs(&choice.pieces),
            message: Message { role: "assistant", content, refusal: None, further },
            finish_reason: choice.finish_reason,
        }
    }

    fn logprobs<'a>(&self, pieces: &'a [Piece]) -> Option<Logprobs<'a>> {
        let tokens = pieces.iter().filter_map(|piece| match piece {
            Piece::Text(token) => Some(token.as_str()),
            _ => None,
        });
        Some(Logprobs::of(tokens, self.alternatives?))
    }

    fn event(&self, choice: StreamedChoice<'_>, out: &mut Vec<u8>) {
        self.line(self.serialize("chat.completion.chunk", [choice], None), out);
    }

    fn line(&self, data: Vec<u8>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&data);
        out.extend_from_slice(b"\n\n");
    }

    fn serialize(&self, object: &'static str, choices: impl Serialize, usage: Option<Usage>) -> Vec<u8> {
        let Self { id, created, model, .. } = self;
        let completion = Completion { id, object, created: *created, model, choices, usage };
        // Strings and numbers into a vector: this cannot fail.
        serde_json::to_vec(&completion).unwrap_or_default()
    }
}

impl Piece {
    /// Returns whether another piece can be part of the same event.
    fn continues(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Reasoning(_), Self::Reasoning(_)) | (Self::Text(_), Self::Text(_)) => true,
            (Self::Arguments(one, _), Self::Arguments(other, _)) => one == other,
            _ => false,
        }
    }
}

fn text(pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Reasoning(text) | Piece::Text(text) | Piece::Arguments(_, text) => text.clone(),
        Piece::Call(..) => String::new(),
    };
    pieces.iter().map(text).collect()
}

/// Returns the members of a call, or of its next part if there is no `start`.
fn call_delta<'a>(
    position: usize,
    head: &ToolCall,
    start: Option<&'a ToolCall>,
    arguments: String,
) -> Delta<'a> {
    let name = start.map(|start| start.name.as_str());
    let mut further = Members::default();
    let mut call = CallMember {
        index: Some(position),
        id: start.map(|start| start.id.as_str()),
        r#type: None,
        function: None,
        custom: None,
    };
    match head.kind {
        ToolKind::LegacyFunction => {
            further.function_call = Some(FunctionMember { name, arguments });
            return Delta { further, ..Delta::default() };
        }
        ToolKind::Function => {
            call.r#type = start.map(|_| "function");
            call.function = Some(FunctionMember { name, arguments });
        }
        ToolKind::Custom => {
            call.r#type = start.map(|_| "custom");
            call.custom = Some(CustomMember { name, input: arguments });
        }
    }
    further.tool_calls.push(call);
    Delta { further, ..Delta::default() }
}
