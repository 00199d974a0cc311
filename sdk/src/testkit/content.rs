//! The request's content, as a test describes it.

use super::Gateway;
use crate::Modalities;
use crate::outline::ContentPart;

/// A message of the conversation.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) role: String,
    pub(super) parts: Vec<Part>,
}

/// A part of a message.
#[derive(Clone, Debug)]
pub(super) struct Part {
    kind: Modalities,
    text: String,
}

impl Message {
    /// Its text parts, joined by line ends.
    pub(super) fn text(&self) -> String {
        let texts = self.parts.iter().filter(|part| part.kind == Modalities::TEXT);
        texts.map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

impl Part {
    /// A text, or what stands for something else: `[image 0.1]`.
    pub(super) fn shown(&self, message: u32, part: u32) -> String {
        if self.kind == Modalities::TEXT {
            return self.text.clone();
        }
        let kind = self.kind.iter_names().map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>().join("+");
        format!("[{kind} {message}.{part}]")
    }
}

impl Gateway {
    /// Adds a message to the conversation.
    pub fn message(mut self, role: &str, text: &str) -> Self {
        let part = Part { kind: Modalities::TEXT, text: text.to_owned() };
        self.messages.push(Message { role: role.to_owned(), parts: vec![part] });
        self
    }

    /// Adds a user's message.
    pub fn user(self, text: &str) -> Self {
        self.message("user", text)
    }

    /// Adds a picture to the newest message, which a user sends if there is none.
    pub fn picture(self) -> Self {
        self.media(Modalities::IMAGE)
    }

    /// Adds a recording likewise.
    pub fn recording(self) -> Self {
        self.media(Modalities::AUDIO)
    }

    fn media(mut self, kind: Modalities) -> Self {
        if self.messages.is_empty() {
            self.messages.push(Message { role: "user".to_owned(), parts: Vec::new() });
        }
        if let Some(newest) = self.messages.last_mut() {
            newest.parts.push(Part { kind, text: String::new() });
        }
        self
    }

    pub(super) fn part_at(&self, message: u32, part: u32) -> Option<&Part> {
        self.messages.get(message as usize)?.parts.get(part as usize)
    }

    pub(super) fn content_parts(&self) -> Vec<ContentPart> {
        let of = |(message, content): (usize, &Message)| {
            let part = |(part, it): (usize, &Part)| ContentPart {
                message: message as u32,
                part: part as u32,
                role: content.role.clone(),
                kind: it.kind,
                bytes: it.text.len() as u32,
            };
            content.parts.iter().enumerate().map(part).collect::<Vec<_>>()
        };
        self.messages.iter().enumerate().flat_map(of).collect()
    }

    /// Role and text of the messages, with only these kinds of parts.
    pub(super) fn conversation(&self, kinds: Modalities) -> Vec<(String, String)> {
        let of = |(message, content): (usize, &Message)| {
            let kept = content.parts.iter().enumerate().filter(|(_, part)| kinds.contains(part.kind));
            let shown: Vec<String> = kept.map(|(part, it)| it.shown(message as u32, part as u32)).collect();
            (!shown.is_empty()).then(|| (content.role.clone(), shown.join(" ")))
        };
        self.messages.iter().enumerate().filter_map(of).collect()
    }
}
