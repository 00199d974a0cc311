//! The position in the request of the text that may be split.

use pointsman_sdk::Modalities;
use pointsman_sdk::outline::ContentPart;
use pointsman_sdk::plan::{Part, Role, Task};

use crate::span::Span;

/// The one text of the newest message, which a user sent, and what was said before.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    message: u32,
    part: u32,
    /// Bytes of the text.
    pub(crate) bytes: u32,
    /// Parts of the messages before.
    earlier: Vec<Earlier>,
}

#[derive(Clone, Debug, PartialEq)]
struct Earlier {
    message: u32,
    part: u32,
    role: Role,
    bytes: u32,
}

impl Place {
    /// `None` where the newest message is not one text of a user's, where there is
    /// something else than text, or where the outline leaves old messages out.
    pub(crate) fn find(parts: &[ContentPart]) -> Option<Self> {
        let (newest, earlier) = parts.split_last()?;
        let is_text = parts.iter().all(|part| part.kind == Modalities::TEXT);
        let is_alone = earlier.last().is_none_or(|part| part.message != newest.message);
        let is_all = parts.first().is_some_and(|part| part.message == 0);
        if newest.role != "user" || !is_text || !is_alone || !is_all {
            return None;
        }
        let read = |part: &ContentPart| {
            let role = role(&part.role)?;
            Some(Earlier { message: part.message, part: part.part, role, bytes: part.bytes })
        };
        let earlier = earlier.iter().map(read).collect::<Option<Vec<_>>>()?;
        Some(Self { message: newest.message, part: newest.part, bytes: newest.bytes, earlier })
    }

    /// Its message.
    pub(crate) fn message(&self) -> usize {
        self.message as usize
    }

    /// Bytes of what was said before.
    pub(crate) fn earlier_bytes(&self) -> usize {
        self.earlier.iter().map(|part| part.bytes as usize).sum()
    }

    /// The whole text.
    pub(crate) fn whole(&self) -> Part {
        Part::original(self.message, self.part)
    }

    /// A stretch of it.
    pub(crate) fn excerpt(&self, span: Span) -> Part {
        Part::excerpt(self.message, self.part, span.from as u32, span.to as u32)
    }

    /// Gives a task what was said before.
    pub(crate) fn after_earlier(&self, task: Task) -> Task {
        self.earlier.chunk_by(|a, b| a.message == b.message).fold(task, |task, message| {
            let mut content = Vec::new();
            for (at, part) in message.iter().enumerate() {
                if at > 0 {
                    content.push(Part::text("\n"));
                }
                content.push(Part::original(part.message, part.part));
            }
            match message.first().map(|part| part.role) {
                Some(Role::System) => task.system(content),
                Some(Role::Assistant) => task.assistant(content),
                Some(Role::User) | None => task.user(content),
            }
        })
    }
}

/// A role that a policy's own messages can have.
fn role(name: &str) -> Option<Role> {
    match name {
        "system" | "developer" => Some(Role::System),
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use pointsman_sdk::plan::Input;

    use super::*;

    fn part(message: u32, part: u32, role: &str) -> ContentPart {
        ContentPart { message, part, role: role.to_owned(), kind: Modalities::TEXT, bytes: 10 }
    }

    #[test]
    fn the_newest_message_has_to_be_one_text_of_a_user() {
        let found = Place::find(&[part(0, 0, "system"), part(1, 0, "user")]).unwrap();
        assert_eq!((found.message(), found.part, found.bytes, found.earlier_bytes()), (1, 0, 10, 10));
        assert_eq!(Place::find(&[]), None);
        assert_eq!(Place::find(&[part(0, 0, "user"), part(0, 1, "user")]), None, "two texts");
        assert_eq!(Place::find(&[part(0, 0, "user"), part(1, 0, "assistant")]), None);
        assert_eq!(Place::find(&[part(0, 0, "tool"), part(1, 0, "user")]), None);
        assert_eq!(Place::find(&[part(7, 0, "user")]), None, "older messages are not in the outline");
        let picture = ContentPart { kind: Modalities::IMAGE, ..part(0, 0, "user") };
        assert_eq!(Place::find(&[picture, part(1, 0, "user")]), None);
    }

    #[test]
    fn what_was_said_before_keeps_its_roles_and_messages() {
        let parts = [
            part(0, 0, "developer"),
            part(1, 0, "user"),
            part(1, 1, "user"),
            part(2, 0, "assistant"),
            part(3, 0, "user"),
        ];
        let task = Place::find(&parts).unwrap().after_earlier(Task::chat("x", [0]));
        let shown = task.input.iter().map(|input| match input {
            Input::Message(message) => (message.role, message.content.len()),
            Input::Conversation(_) => unreachable!(),
        });
        assert_eq!(shown.collect::<Vec<_>>(), [(Role::System, 1), (Role::User, 3), (Role::Assistant, 1)]);
    }
}
