//! Content of the request, as tests describe it.

use super::Gateway;
use crate::Modalities;
use crate::imports::stand_in::{Message, Part};

impl Gateway {
    /// Adds a message to the conversation.
    pub fn message(mut self, role: &str, text: &str) -> Self {
        let part = Part { kind: Modalities::TEXT, text: text.to_owned() };
        self.stand_in.messages.push(Message { role: role.to_owned(), parts: vec![part] });
        self
    }

    /// Adds a user's message.
    pub fn user(self, text: &str) -> Self {
        self.message("user", text)
    }

    /// Adds a picture to the newest message, or to a new user message if there is none.
    pub fn picture(self) -> Self {
        self.media(Modalities::IMAGE)
    }

    /// Adds a recording, as [`picture`](Self::picture).
    pub fn recording(self) -> Self {
        self.media(Modalities::AUDIO)
    }

    fn media(mut self, kind: Modalities) -> Self {
        if self.stand_in.messages.is_empty() {
            self.stand_in.messages.push(Message { role: "user".to_owned(), parts: Vec::new() });
        }
        if let Some(newest) = self.stand_in.messages.last_mut() {
            newest.parts.push(Part { kind, text: String::new() });
        }
        self
    }

    pub(super) fn part_at(&self, message: u32, part: u32) -> Option<&Part> {
        self.stand_in.messages.get(message as usize)?.parts.get(part as usize)
    }

    /// Returns role and text of the messages, with only these kinds of parts.
    pub(super) fn conversation(&self, kinds: Modalities) -> Vec<(String, String)> {
        let of = |(message, content): (usize, &Message)| {
            let kept = content.parts.iter().enumerate().filter(|(_, part)| kinds.contains(part.kind));
            let shown: Vec<String> = kept.map(|(part, it)| shown(it, message as u32, part as u32)).collect();
            (!shown.is_empty()).then(|| (content.role.clone(), shown.join(" ")))
        };
        self.stand_in.messages.iter().enumerate().filter_map(of).collect()
    }
}

/// The text of a part, or a placeholder for other content: `[image 0.1]`.
pub(super) fn shown(content: &Part, message: u32, part: u32) -> String {
    if content.kind == Modalities::TEXT {
        return content.text.clone();
    }
    let kind = content.kind.iter_names().map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>().join("+");
    format!("[{kind} {message}.{part}]")
}
