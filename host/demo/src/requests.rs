//! Requests of the demonstration.

use serde_json::{Value, json};

/// Model that the routes are compared with: the largest.
pub const BASELINE: &str = "fleet/llama-70b";

/// A 1 x 1 pixel PNG.
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// A WAV header without sound.
const SOUND: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

/// One request of the demonstration.
#[derive(Debug)]
pub struct Request {
    /// The route, which clients name as the model.
    pub route: &'static str,
    /// The kind of request, for the table.
    pub kind: &'static str,
    /// The text of the message.
    pub text: &'static str,
    /// Headers besides those of every request.
    pub headers: &'static [(&'static str, &'static str)],
    /// True with a picture or a recording, which the largest model does not accept.
    pub media: bool,
    attachment: Attachment,
}

#[derive(Clone, Copy, Debug)]
enum Attachment {
    None,
    Picture,
    Sound,
    PictureAndSound,
}

const fn text(route: &'static str, kind: &'static str, text: &'static str) -> Request {
    Request { route, kind, text, headers: &[], media: false, attachment: Attachment::None }
}

/// Requests of different kinds, which the policies route differently.
pub const DOZEN: &[Request] = &[
    text("cost", "chat", "Good morning! How are you today?"),
    text(
        "cost",
        "summary",
        "Summarise in one sentence: the points at a junction decide which track a train takes.",
    ),
    text("performance", "chat", "Name three colours of the rainbow, quickly."),
    text("performance", "translation", "Translate into French: the train leaves at nine."),
    text("task", "code", "Write a Rust function that reverses a string without copying it twice."),
    text("task", "maths", "Solve 3x + 7 = 31 for x and show each step of the calculation."),
    text("task", "knowledge", "Who was the first person to describe the circulation of blood, and when?"),
    text("auto", "chat", "Thanks, that was helpful. Anything else I should know?"),
    text(
        "auto",
        "reasoning",
        "Three people cross a bridge at night with one lamp. Prove step by step which order is fastest.",
    ),
    Request {
        headers: &[("x-pointsman-prefer", "speed")],
        ..text("auto", "in a hurry", "Give me a short name for a railway tool.")
    },
    Request {
        media: true,
        attachment: Attachment::Picture,
        ..text("auto", "picture", "What is in this picture?")
    },
    Request { media: true, attachment: Attachment::Sound, ..text("auto", "recording", "What is said here?") },
];

/// A request for each kind of plan.
pub const ORCHESTRATED: &[Request] = &[
    Request {
        media: true,
        attachment: Attachment::PictureAndSound,
        ..text(
            "auto",
            "a picture, a recording and a question",
            "What is wrong with the machine in the picture?",
        )
    },
    text(
        "parallel",
        "three questions",
        "Answer each in one sentence:\n1. What is a railway point?\n2. Who sets it?\n3. Why must it not move under a train?",
    ),
    text(
        "sequential",
        "draft, critique, revision",
        "Write a short notice that the station lift is closed for repairs.",
    ),
    text("collaborate", "three models and an aggregator", "Should a small town keep its tram line?"),
    text("cascade", "cheap model first, confident", "Which is heavier, a tram or a bus?"),
    text(
        "cascade",
        "cheap model first, not confident",
        "Our town of forty thousand has one tram line that needs new rails, and buses that are always late. \
         Compare what it would cost to keep the line with what it would cost to close it, over thirty years.",
    ),
];

/// The request that a swapped policy answers differently.
pub const SWAPPED: Request = text("live", "code", "Write a Python function that merges two sorted lists.");

impl Request {
    /// Returns the body, for a route or a model.
    pub fn body(&self, model: &str) -> Value {
        let text = json!({ "type": "text", "text": self.text });
        let content = match self.attachment {
            Attachment::None => json!(self.text),
            Attachment::Picture => json!([text, picture()]),
            Attachment::Sound => json!([text, sound()]),
            Attachment::PictureAndSound => json!([text, picture(), sound()]),
        };
        json!({ "model": model, "max_tokens": 120, "messages": [{ "role": "user", "content": content }] })
    }
}

fn picture() -> Value {
    json!({ "type": "image_url", "image_url": { "url": PICTURE } })
}

fn sound() -> Value {
    json!({ "type": "input_audio", "input_audio": { "data": SOUND, "format": "wav" } })
}

/// Returns a command for trying the gateway by hand.
pub(crate) fn curl(address: &str) -> String {
    format!(
        "  curl -si {address}/v1/chat/completions -H 'content-type: application/json' \\\n    \
         -d '{{\"model\": \"auto\", \"messages\": [{{\"role\": \"user\", \"content\": \"Write a haiku about railways\"}}]}}'"
    )
}
