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
    /// The values that the policy keeps, with their time of expiry.
    pub state: RefCell<BTreeMap<String, KeptValue>>,
    /// Writes that are left to the call.
    pub writes_left: Cell<u32>,
    /// Milliseconds since the start of the test.
    pub now_ms: Cell<u64>,
}

/// A value that the policy keeps.
#[derive(Clone, Debug)]
pub(crate) struct KeptValue {
    pub value: Vec<u8>,
    pub expires_ms: Option<u64>,
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
        self.calls.writes_left.set(state::MAX_WRITES);
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

pub(crate) mod state {
    use super::{CallRecord, KeptValue, with};
    use crate::bindings::routing::pointsman::policy::state::{Entry, WriteError};

    /// Bounds of the gateway.
    pub const MAX_WRITES: u32 = 64;
    const MAX_KEYS: usize = 10_000;
    const MAX_BYTES: usize = 16 << 20;
    const MAX_KEY_BYTES: usize = 256;
    const MAX_VALUE_BYTES: usize = 64 << 10;
    const MAX_LISTED: usize = 1_000;

    pub fn get(key: &str) -> Option<Vec<u8>> {
        with(|stand_in| stand_in.calls.kept(key))
    }

    pub fn set(key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<(), WriteError> {
        with(|stand_in| {
            let calls = &stand_in.calls;
            calls.take_write()?;
            calls.keep(key, value.to_vec(), calls.expiry(ttl_ms))
        })
    }

    pub fn delete(key: &str) -> Result<(), WriteError> {
        with(|stand_in| {
            stand_in.calls.take_write()?;
            stand_in.calls.state.borrow_mut().remove(key);
            Ok(())
        })
    }

    pub fn add(key: &str, amount: i64, ttl_ms: Option<u64>) -> Result<i64, WriteError> {
        with(|stand_in| {
            let calls = &stand_in.calls;
            calls.take_write()?;
            let (before, expires_ms) = match calls.kept(key) {
                Some(value) => {
                    let text = String::from_utf8(value).map_err(|_| WriteError::NotANumber)?;
                    let number: i64 = text.parse().map_err(|_| WriteError::NotANumber)?;
                    (number, calls.state.borrow().get(key).and_then(|kept| kept.expires_ms))
                }
                None => (0, calls.expiry(ttl_ms)),
            };
            let sum = before.saturating_add(amount);
            calls.keep(key, sum.to_string().into_bytes(), expires_ms)?;
            Ok(sum)
        })
    }

    pub fn list(prefix: &str, after: Option<&str>, limit: u32) -> Vec<Entry> {
        with(|stand_in| {
            let calls = &stand_in.calls;
            let state = calls.state.borrow();
            let listed = state.iter().filter(|(key, kept)| {
                let is_after = after.is_none_or(|after| key.as_str() > after);
                key.starts_with(prefix) && is_after && !calls.has_expired(kept)
            });
            let entry =
                |(key, kept): (&String, &KeptValue)| Entry { key: key.clone(), value: kept.value.clone() };
            listed.take(MAX_LISTED.min(limit as usize)).map(entry).collect()
        })
    }

    impl CallRecord {
        pub fn kept(&self, key: &str) -> Option<Vec<u8>> {
            let state = self.state.borrow();
            state.get(key).filter(|kept| !self.has_expired(kept)).map(|kept| kept.value.clone())
        }

        /// Keeps a value within the gateway's bounds.
        pub fn keep(&self, key: &str, value: Vec<u8>, expires_ms: Option<u64>) -> Result<(), WriteError> {
            if key.is_empty() || key.len() > MAX_KEY_BYTES {
                return Err(WriteError::InvalidKey);
            }
            if value.len() > MAX_VALUE_BYTES {
                return Err(WriteError::TooLarge);
            }
            let mut state = self.state.borrow_mut();
            let others = state.iter().filter(|(other, _)| *other != key);
            let (keys, bytes) = others.fold((1, key.len() + value.len()), |(keys, bytes), (key, kept)| {
                (keys + 1, bytes + key.len() + kept.value.len())
            });
            if keys > MAX_KEYS || bytes > MAX_BYTES {
                return Err(WriteError::Full);
            }
            state.insert(key.to_owned(), KeptValue { value, expires_ms });
            Ok(())
        }

        fn take_write(&self) -> Result<(), WriteError> {
            let left = self.writes_left.get().checked_sub(1).ok_or(WriteError::TooManyWrites)?;
            self.writes_left.set(left);
            Ok(())
        }

        fn expiry(&self, ttl_ms: Option<u64>) -> Option<u64> {
            ttl_ms.map(|ttl| self.now_ms.get().saturating_add(ttl))
        }

        fn has_expired(&self, kept: &KeptValue) -> bool {
            kept.expires_ms.is_some_and(|expiry| expiry <= self.now_ms.get())
        }
    }
}
