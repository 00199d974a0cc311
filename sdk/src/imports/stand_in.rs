//! The gateway's functions outside WebAssembly, answered from data of the thread.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::bindings::orchestrating::pointsman::policy::outline::ContentPart;
use crate::bindings::routing::pointsman::policy::log::Level;
use crate::bindings::routing::pointsman::policy::types::Modalities;

thread_local! {
    static CURRENT: RefCell<StandIn> = RefCell::new(StandIn::default());
}

/// The data that the functions return, and a record of the calls that matter to tests.
#[derive(Clone, Debug, Default)]
pub(crate) struct StandIn {
    /// The settings as JSON.
    pub settings: Option<String>,
    pub messages: Vec<Message>,
    pub tools: Vec<String>,
    pub request_attributes: BTreeMap<String, String>,
    pub candidate_attributes: BTreeMap<(u32, String), String>,
    pub task_qualities: BTreeMap<(u32, String), f64>,
    pub operations: BTreeMap<u32, Vec<String>>,
    pub whole: Option<usize>,
    /// Shared by clones, so that a test sees the calls that the policy made.
    pub calls: Rc<CallRecord>,
}

/// The calls that a policy made.
#[derive(Debug, Default)]
pub(crate) struct CallRecord {
    pub prompt_read: Cell<bool>,
    pub outputs_read: Cell<bool>,
    /// The outputs of tasks, by number.
    pub outputs: RefCell<BTreeMap<u32, String>>,
    pub log: RefCell<Vec<(Level, String)>>,
}

/// A message of the conversation.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub role: String,
    pub parts: Vec<Part>,
}

/// A part of a message. Only texts have a text.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub kind: Modalities,
    pub text: String,
}

impl StandIn {
    /// Runs code whose calls this answers.
    pub fn run<T>(&self, code: impl FnOnce() -> T) -> T {
        let before = CURRENT.replace(self.clone());
        let result = code();
        CURRENT.set(before);
        result
    }

    fn content_parts(&self) -> Vec<ContentPart> {
        let parts_of = |(message, content): (usize, &Message)| {
            let describe = |(part, it): (usize, &Part)| ContentPart {
                message: message as u32,
                part: part as u32,
                role: content.role.clone(),
                kind: it.kind,
                bytes: it.text.len() as u32,
            };
            content.parts.iter().enumerate().map(describe).collect::<Vec<_>>()
        };
        self.messages.iter().enumerate().flat_map(parts_of).collect()
    }
}

impl Message {
    /// The text parts, joined by line ends.
    fn text(&self) -> String {
        let texts = self.parts.iter().filter(|part| part.kind == Modalities::TEXT);
        texts.map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

fn with<T>(read: impl FnOnce(&StandIn) -> T) -> T {
    CURRENT.with_borrow(read)
}

/// The start of a text, cut at a character.
fn cut(text: &str, max_bytes: u32) -> String {
    text[..text.floor_char_boundary(max_bytes as usize)].to_owned()
}

pub(crate) mod settings {
    use super::with;

    pub fn json() -> String {
        with(|stand_in| stand_in.settings.clone().unwrap_or_else(|| "{}".to_owned()))
    }
}

pub(crate) mod log {
    use super::{Level, with};

    pub fn write(level: Level, message: &str) {
        with(|stand_in| stand_in.calls.log.borrow_mut().push((level, message.to_owned())));
    }
}

pub(crate) mod details {
    use super::with;

    pub fn request_attribute(key: &str) -> Option<String> {
        with(|stand_in| stand_in.request_attributes.get(key).cloned())
    }

    pub fn candidate_attribute(candidate: u32, key: &str) -> Option<String> {
        with(|stand_in| stand_in.candidate_attributes.get(&(candidate, key.to_owned())).cloned())
    }

    pub fn task_quality(candidate: u32, task: &str) -> Option<f64> {
        with(|stand_in| stand_in.task_qualities.get(&(candidate, task.to_owned())).copied())
    }

    pub fn candidate_operations(candidate: u32) -> Vec<String> {
        let chat = || vec!["chat".to_owned()];
        with(|stand_in| stand_in.operations.get(&candidate).cloned().unwrap_or_else(chat))
    }
}

pub(crate) mod prompt {
    use super::{StandIn, cut, with};

    fn read<T>(read: impl FnOnce(&StandIn) -> T) -> T {
        with(|stand_in| {
            stand_in.calls.prompt_read.set(true);
            read(stand_in)
        })
    }

    pub fn message_count() -> u32 {
        read(|stand_in| stand_in.messages.len() as u32)
    }

    pub fn role(message: u32) -> Option<String> {
        read(|stand_in| stand_in.messages.get(message as usize).map(|message| message.role.clone()))
    }

    pub fn text(message: u32, max_bytes: u32) -> Option<String> {
        read(|stand_in| {
            stand_in.messages.get(message as usize).map(|message| cut(&message.text(), max_bytes))
        })
    }

    pub fn last_user_text(max_bytes: u32) -> String {
        read(|stand_in| {
            let newest = stand_in.messages.iter().rev().find(|message| message.role == "user");
            newest.map(|message| cut(&message.text(), max_bytes)).unwrap_or_default()
        })
    }

    pub fn tool_names() -> Vec<String> {
        read(|stand_in| stand_in.tools.clone())
    }
}

pub(crate) mod outline {
    use super::{ContentPart, with};

    pub fn parts() -> Vec<ContentPart> {
        with(|stand_in| stand_in.content_parts())
    }

    pub fn whole() -> u32 {
        with(|stand_in| stand_in.whole.unwrap_or(0) as u32)
    }
}

pub(crate) mod outputs {
    use super::{cut, with};

    pub fn text(task: u32, max_bytes: u32) -> Option<String> {
        with(|stand_in| {
            stand_in.calls.outputs_read.set(true);
            stand_in.calls.outputs.borrow().get(&task).map(|text| cut(text, max_bytes))
        })
    }
}
