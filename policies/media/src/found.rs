//! Pictures and recordings in the request.

use pointsman_sdk::Modalities;
use pointsman_sdk::outline::ContentPart;

/// Bytes of a text above which it is no question about a picture, but something to
/// read by itself. It can't be cut: the policy doesn't know where its characters begin.
const LONGEST_QUESTION: u32 = 4096;

/// A picture or a recording.
#[derive(Debug)]
pub(crate) struct Medium<'a> {
    /// The part of the request.
    pub(crate) part: &'a ContentPart,
    /// The number among the pictures, or the recordings, of the conversation, from 1.
    pub(crate) number: usize,
    /// The short texts of its message.
    pub(crate) question: Vec<&'a ContentPart>,
}

/// The pictures and recordings of a conversation.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    /// The newest, in the order in which they were sent.
    pub(crate) media: Vec<Medium<'a>>,
    /// The number of older ones.
    pub(crate) left_out: usize,
    /// True if the newest user message has text.
    pub(crate) asks_in_words: bool,
}

impl Medium<'_> {
    pub(crate) fn is_picture(&self) -> bool {
        self.part.kind == Modalities::IMAGE
    }

    /// For the answering model: `Picture 1`.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", if self.is_picture() { "Picture" } else { "Recording" }, self.number)
    }

    /// For traces: `picture:1`.
    pub(crate) fn task_name(&self) -> String {
        format!("{}:{}", if self.is_picture() { "picture" } else { "recording" }, self.number)
    }
}

/// Collects the newest media of the user messages, up to a maximum.
pub(crate) fn find(parts: &[ContentPart], most: usize) -> Found<'_> {
    let sent: Vec<&ContentPart> = parts.iter().filter(|part| part.role == "user").collect();
    let (mut pictures, mut recordings) = (0, 0);
    let mut media = Vec::new();
    for &part in &sent {
        let count = match part.kind {
            Modalities::IMAGE => &mut pictures,
            Modalities::AUDIO => &mut recordings,
            _ => continue,
        };
        *count += 1;
        media.push(Medium { part, number: *count, question: Vec::new() });
    }
    let left_out = media.len().saturating_sub(most);
    media.drain(..left_out);
    for medium in &mut media {
        let is_question = |part: &&&ContentPart| {
            part.message == medium.part.message && is_words(part) && part.bytes <= LONGEST_QUESTION
        };
        medium.question = sent.iter().filter(is_question).copied().collect();
    }
    let newest = sent.last().map(|part| part.message);
    let asks_in_words = sent.iter().any(|part| Some(part.message) == newest && is_words(part));
    Found { media, left_out, asks_in_words }
}

fn is_words(part: &ContentPart) -> bool {
    part.kind == Modalities::TEXT && part.bytes > 0
}

#[cfg(test)]
mod tests;
