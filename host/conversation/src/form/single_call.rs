//! Answers with one call of a tool at most.
//!
//! A client that forbids parallel calls handles one, and would lose the others. Where a provider has
//! no switch for this, only the first call of an answer is passed on. The model makes the next one
//! once it sees the result.

use super::answer::ConversationAnswer;
use super::request::PartContent;
use super::stream::{AnswerEvent, PartStart, StreamReader};

/// Reader of a stream whose further calls of tools are left out.
#[derive(Debug)]
pub struct SingleCallReader {
    reader: Box<dyn StreamReader>,
    has_call: bool,
    /// True within a call that is left out.
    is_skipping: bool,
}

impl SingleCallReader {
    /// Wraps the reader of a provider's stream.
    pub fn new(reader: Box<dyn StreamReader>) -> Self {
        Self { reader, has_call: false, is_skipping: false }
    }

    /// Returns whether an event is passed on.
    fn keeps(&mut self, event: &AnswerEvent) -> bool {
        match event {
            AnswerEvent::PartStart(start) => {
                let is_call = matches!(start, PartStart::ToolCall { .. });
                self.is_skipping = is_call && self.has_call;
                self.has_call |= is_call;
                !self.is_skipping
            }
            AnswerEvent::Delta(_) => !self.is_skipping,
            AnswerEvent::PartEnd => !std::mem::take(&mut self.is_skipping),
            _ => true,
        }
    }

    fn append(&mut self, new: Vec<AnswerEvent>, events: &mut Vec<AnswerEvent>) {
        events.extend(new.into_iter().filter(|event| self.keeps(event)));
    }
}

impl StreamReader for SingleCallReader {
    fn read(&mut self, data: &[u8], events: &mut Vec<AnswerEvent>) {
        let mut new = Vec::new();
        self.reader.read(data, &mut new);
        self.append(new, events);
    }

    fn finish(&mut self, events: &mut Vec<AnswerEvent>) {
        let mut new = Vec::new();
        self.reader.finish(&mut new);
        self.append(new, events);
    }
}

impl ConversationAnswer {
    /// Removes all calls of tools but the first.
    pub fn keep_first_call(&mut self) {
        let mut has_call = false;
        self.parts.retain(|part| match part.content {
            PartContent::ToolCall(_) => !std::mem::replace(&mut has_call, true),
            _ => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::{Part, ToolCall, ToolInput};
    use super::super::stream::PartDelta;
    use super::*;

    /// Provider whose stream consists of prepared events.
    #[derive(Debug)]
    struct Prepared(Vec<AnswerEvent>);

    impl StreamReader for Prepared {
        fn read(&mut self, _: &[u8], events: &mut Vec<AnswerEvent>) {
            if !self.0.is_empty() {
                events.push(self.0.remove(0));
            }
        }

        fn finish(&mut self, events: &mut Vec<AnswerEvent>) {
            events.append(&mut self.0);
        }
    }

    fn call(name: &str) -> [AnswerEvent; 3] {
        let start = PartStart::ToolCall { id: name.into(), name: name.into(), takes_text: false };
        let input = PartDelta::ToolInput(format!("{{\"{name}\":1}}"));
        [AnswerEvent::PartStart(start), AnswerEvent::Delta(input), AnswerEvent::PartEnd]
    }

    fn text(text: &str) -> [AnswerEvent; 3] {
        let delta = AnswerEvent::Delta(PartDelta::Text(text.into()));
        [AnswerEvent::PartStart(PartStart::Text), delta, AnswerEvent::PartEnd]
    }

    #[test]
    fn a_stream_keeps_its_first_call_and_everything_else() {
        let all = [text("a"), call("f"), call("g"), text("b"), call("h")].concat();
        let kept = [text("a"), call("f"), text("b")].concat();
        for reads in 0..all.len() {
            let mut reader = SingleCallReader::new(Box::new(Prepared(all.clone())));
            let mut events = Vec::new();
            (0..reads).for_each(|_| reader.read(b"", &mut events));
            reader.finish(&mut events);
            assert_eq!(events, kept, "after {reads} events");
        }
    }

    #[test]
    fn an_answer_keeps_its_first_call_and_everything_else() {
        let text = |text: &str| PartContent::Text { text: text.into(), citations: Vec::new() };
        let call = |name: &str| {
            let input = ToolInput::Text(String::new());
            PartContent::ToolCall(ToolCall { id: name.into(), name: name.into(), input })
        };
        let parts = [text("a"), call("f"), call("g"), text("b"), call("h")];
        let mut answer =
            ConversationAnswer { parts: parts.map(Part::new).to_vec(), ..ConversationAnswer::default() };
        answer.keep_first_call();
        let kept: Vec<PartContent> = answer.parts.into_iter().map(|part| part.content).collect();
        assert_eq!(kept, [text("a"), call("f"), text("b")]);
    }
}
