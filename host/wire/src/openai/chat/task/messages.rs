use bytes::Bytes;
use pointsman_domain::model::Modalities;
use pointsman_domain::plan::{Input, Message, Role};

use super::content::{Content, Resolved};
use crate::body::{Body, Gather};
use crate::json::quote;
use crate::openai::chat::ChatRequest;
use crate::openai::chat::prompt::{MessageSpans, PartSpans};
use crate::tokens;

/// The array of a task's messages, as far as it was written.
pub(super) struct Messages<'a, 'text> {
    content: Content<'a, 'text>,
    out: Gather,
    size: Size,
}

/// What an input is estimated from.
#[derive(Default)]
struct Size {
    messages: u64,
    text_bytes: u64,
    media_tokens: u64,
}

impl<'a, 'text: 'a> Messages<'a, 'text> {
    pub fn new(content: Content<'a, 'text>) -> Self {
        let mut out = Gather::default();
        out.write(b"[");
        Self { content, out, size: Size::default() }
    }

    pub fn add(&mut self, input: &'a Input) {
        match input {
            Input::Conversation(kinds) => self.conversation(*kinds),
            Input::Message(message) => self.message(message),
        }
    }

    /// The array, and its estimated tokens.
    pub fn finish(mut self) -> (Body, u32) {
        self.out.write(b"]");
        (self.out.finish(), self.size.tokens())
    }

    /// The client's messages with only these kinds of parts. One that loses all
    /// its parts goes, unless it calls tools: the results would refer to nothing.
    fn conversation(&mut self, kinds: Modalities) {
        let texts = &self.content.request.texts;
        for (number, message) in texts.messages.iter().enumerate() {
            let parts = texts.parts.get(texts.parts_of(number)).unwrap_or_default();
            let kept = parts.iter().filter(|part| is_kept(part, kinds)).count();
            if kept == parts.len() {
                self.begin_message();
                self.share(message.whole.span());
            } else if kept > 0 || message.calls_tools {
                self.begin_message();
                self.thinned(message, parts, kinds);
            } else {
                continue;
            }
            self.size.text_bytes += message.bytes_beside_content();
            parts.iter().filter(|part| is_kept(part, kinds)).for_each(|part| self.size.part(part));
        }
    }

    fn thinned(&mut self, message: &MessageSpans, parts: &[PartSpans], kinds: Modalities) {
        let (whole, content) = (message.whole.span(), message.content.span());
        self.share(whole.start..content.start);
        let mut is_first = true;
        for part in parts.iter().filter(|part| is_kept(part, kinds)) {
            self.out.write(if is_first { b"[" } else { b"," });
            self.share(part.whole.span());
            is_first = false;
        }
        self.out.write(if is_first { b"null" } else { b"]" });
        self.share(content.end..whole.end);
    }

    fn message(&mut self, message: &'a Message) {
        self.begin_message();
        self.out.write(br#"{"role":""#);
        self.out.write(match message.role {
            Role::System => b"system",
            Role::User => b"user",
            Role::Assistant => b"assistant",
        });
        self.out.write(br#"","content":"#);
        let parts: Vec<_> = message.content.iter().filter_map(|part| self.content.resolve(part)).collect();
        if parts.iter().any(|part| matches!(part, Resolved::Media { .. })) {
            self.array(&parts);
        } else {
            // A server that knows no arrays knows this.
            self.out.write(b"\"");
            parts.iter().for_each(|part| self.text(part));
            self.out.write(b"\"");
        }
        self.out.write(b"}");
    }

    fn array(&mut self, parts: &[Resolved<'_>]) {
        let (mut is_first, mut in_text) = (true, false);
        for part in parts.iter().filter(|part| !part.is_empty()) {
            let is_media = matches!(part, Resolved::Media { .. });
            if in_text && is_media {
                self.out.write(br#""}"#);
            }
            if is_media || !in_text {
                self.out.write(if is_first { b"[" } else { b"," });
                is_first = false;
            }
            if !is_media && !in_text {
                self.out.write(br#"{"type":"text","text":""#);
            }
            in_text = !is_media;
            self.text(part);
        }
        self.out.write(if in_text { br#""}]"# } else { b"]" });
    }

    /// A piece as it stands between the quotes of a text, or a medium.
    fn text(&mut self, part: &Resolved<'_>) {
        match part {
            Resolved::Text(text) => {
                let quoted = Bytes::from(quote(text));
                self.out.push(quoted.slice(1..quoted.len() - 1));
                self.size.text_bytes += text.len() as u64;
            }
            Resolved::Written { span, decoded_len } => {
                self.share(span.clone());
                self.size.text_bytes += *decoded_len as u64;
            }
            Resolved::Media { span, tokens } => {
                self.share(span.clone());
                self.size.media_tokens += tokens;
            }
        }
    }

    fn begin_message(&mut self) {
        if self.size.messages > 0 {
            self.out.write(b",");
        }
        self.size.messages += 1;
    }

    fn share(&mut self, span: std::ops::Range<usize>) {
        self.out.share(&self.content.request.body, span);
    }
}

impl ChatRequest {
    /// Estimated tokens of tools and the like, which go with any messages.
    pub(super) fn tokens_beside_messages(&self) -> u32 {
        let mut size = Size { messages: self.texts.messages.len() as u64, ..Size::default() };
        size.text_bytes += self.texts.messages.iter().map(MessageSpans::bytes_beside_content).sum::<u64>();
        self.texts.parts.iter().for_each(|part| size.part(part));
        self.input_tokens.saturating_sub(size.tokens())
    }
}

impl Size {
    fn part(&mut self, part: &PartSpans) {
        self.media_tokens += u64::from(part.media_tokens);
        if part.kind == Modalities::TEXT {
            self.text_bytes += u64::from(part.bytes);
        }
    }

    fn tokens(&self) -> u32 {
        let template = self.messages * tokens::PER_MESSAGE + tokens::PER_ANSWER;
        let all = tokens::of_text(self.text_bytes) + template + self.media_tokens;
        u32::try_from(all).unwrap_or(u32::MAX)
    }
}

impl Resolved<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Written { span, .. } => span.is_empty(),
            Self::Media { .. } => false,
        }
    }
}

impl MessageSpans {
    /// What stands beside the content counts where it is much: calls of tools.
    fn bytes_beside_content(&self) -> u64 {
        if self.calls_tools { (self.whole.len() - self.content.len()) as u64 } else { 0 }
    }
}

/// A part whose kind nobody knows is kept with all others, or not at all.
fn is_kept(part: &PartSpans, kinds: Modalities) -> bool {
    kinds.is_all() || (!part.kind.is_empty() && kinds.contains(part.kind))
}
