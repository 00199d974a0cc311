//! Content of requests that cases describe.

use pointsman_domain::model::Modalities;
use pointsman_domain::prompt::{ContentPart, ContentSize, Prompt};

use super::format::{Message, MessagePart, Messages};
use super::words::ContentKind;

/// Role of messages that state none.
const USER: &str = "user";
/// Roles of messages that are no turns.
const INSTRUCTIONS: [&str; 2] = ["system", "developer"];
/// Tokens of a picture, a recording or a document whose size follows from nothing in a case.
const MEDIA_TOKENS: u64 = 1_000;

/// Messages of a request, as policies see them.
#[derive(Clone, Debug, Default)]
pub struct CaseContent {
    messages: Vec<ContentMessage>,
    parts: Vec<ContentPart>,
    tools: Vec<String>,
}

#[derive(Clone, Debug)]
struct ContentMessage {
    role: String,
    /// Text parts joined by line ends.
    text: String,
    /// Text of each part; `None` for media.
    parts: Vec<Option<String>>,
}

impl CaseContent {
    /// Creates the content of messages and tools.
    pub fn new(messages: Option<&Messages>, tools: &[String]) -> Self {
        let mut content = Self { tools: tools.to_vec(), ..Self::default() };
        match messages {
            None => {}
            Some(Messages::Text(text)) => {
                content.push(&Message { text: Some(text.clone()), ..Message::default() });
            }
            Some(Messages::List(list)) => list.iter().for_each(|message| content.push(message)),
        }
        content
    }

    fn push(&mut self, message: &Message) {
        let number = self.messages.len();
        let text =
            message.text.clone().map(|text| MessagePart { text: Some(text), ..MessagePart::default() });
        let mut parts = Vec::new();
        for (index, part) in text.iter().chain(&message.parts).enumerate() {
            let kind = part.kind.unwrap_or(ContentKind::Text).value();
            let text = (kind == Modalities::TEXT).then(|| part.text.clone().unwrap_or_default());
            let bytes = text.as_ref().map_or(part.bytes.unwrap_or(0), String::len);
            self.parts.push(ContentPart { message: number, part: index, kind, bytes });
            parts.push(text);
        }
        let joined = parts.iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n");
        let role = message.role.clone().unwrap_or_else(|| USER.to_owned());
        self.messages.push(ContentMessage { role, text: joined, parts });
    }

    /// Returns the kinds of content; text if there are no messages.
    pub fn kinds(&self) -> Modalities {
        self.parts.iter().fold(Modalities::TEXT, |kinds, part| kinds | part.kind)
    }

    /// Returns the number of messages that are no instructions, at least 1.
    pub fn turns(&self) -> u32 {
        let turns = self.messages.iter().filter(|message| !INSTRUCTIONS.contains(&message.role.as_str()));
        u32::try_from(turns.count()).unwrap_or(u32::MAX).max(1)
    }

    /// Returns the estimated tokens of the input, by the rules of the gateway for text.
    pub fn input_tokens(&self) -> u32 {
        let media = self.parts.iter().filter(|part| part.kind != Modalities::TEXT).count() as u64;
        let size =
            ContentSize { media_tokens: media * MEDIA_TOKENS, ..self.conversation_size(Modalities::all()) };
        u32::try_from(size.input_tokens()).unwrap_or(u32::MAX)
    }
}

impl Prompt for CaseContent {
    fn message_count(&self) -> usize {
        self.messages.len()
    }

    fn role(&self, message: usize) -> Option<&str> {
        self.messages.get(message).map(|message| message.role.as_str())
    }

    fn text(&self, message: usize) -> Option<&str> {
        self.messages.get(message).map(|message| message.text.as_str())
    }

    fn tool_names(&self) -> &[String] {
        &self.tools
    }

    fn parts(&self) -> &[ContentPart] {
        &self.parts
    }

    fn part_text(&self, message: usize, part: usize) -> Option<&str> {
        self.messages.get(message)?.parts.get(part)?.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_has_the_shape_that_policies_see() {
        let picture = MessagePart { kind: Some(ContentKind::Image), bytes: Some(1_200), text: None };
        let text = |text: &str| MessagePart { text: Some(text.to_owned()), ..MessagePart::default() };
        let messages = Messages::List(vec![
            Message { role: Some("system".to_owned()), text: Some("be brief".to_owned()), parts: Vec::new() },
            Message { role: None, text: Some("what".to_owned()), parts: vec![picture, text("is this?")] },
        ]);
        let content = CaseContent::new(Some(&messages), &["search".to_owned()]);
        assert_eq!((content.message_count(), content.turns()), (2, 1));
        assert_eq!((content.role(1), content.text(1)), (Some("user"), Some("what\nis this?")));
        let shape: Vec<_> =
            content.parts().iter().map(|it| (it.message, it.part, it.kind, it.bytes)).collect();
        assert_eq!(
            shape,
            [
                (0, 0, Modalities::TEXT, 8),
                (1, 0, Modalities::TEXT, 4),
                (1, 1, Modalities::IMAGE, 1_200),
                (1, 2, Modalities::TEXT, 8),
            ]
        );
        assert_eq!((content.part_text(1, 2), content.part_text(1, 1)), (Some("is this?"), None));
        assert_eq!(content.kinds(), Modalities::TEXT | Modalities::IMAGE);
        assert_eq!(content.input_tokens(), 5 + 2 * 4 + 3 + 1_000);
        assert_eq!(CaseContent::default().turns(), 1);
    }
}
