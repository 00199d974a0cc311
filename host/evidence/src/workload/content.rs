//! Content of requests of which only the length is known.

use std::sync::LazyLock;

use pointsman_domain::model::Modalities;
use pointsman_domain::prompt::{ContentPart, Prompt};

/// Bytes of text for each token, as the gateway estimates tokens.
const BYTES_PER_TOKEN: usize = 4;
/// Longest text, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Text that contents repeat: ASCII, so that it can be cut anywhere.
const SENTENCE: &str =
    "This text is as long as the prompt of a request in the trace, and it asks for nothing. ";

static TEXT: LazyLock<String> = LazyLock::new(|| SENTENCE.repeat(MAX_BYTES / SENTENCE.len() + 1));

/// One message of a user, as long as a number of tokens.
#[derive(Clone, Copy, Debug)]
pub struct SyntheticContent([ContentPart; 1]);

impl SyntheticContent {
    /// Creates a message of a number of tokens.
    pub fn new(tokens: u32) -> Self {
        let bytes = (tokens as usize).saturating_mul(BYTES_PER_TOKEN).min(MAX_BYTES);
        Self([ContentPart { message: 0, part: 0, kind: Modalities::TEXT, bytes }])
    }
}

impl Prompt for SyntheticContent {
    fn message_count(&self) -> usize {
        1
    }

    fn role(&self, message: usize) -> Option<&str> {
        (message == 0).then_some("user")
    }

    fn text(&self, message: usize) -> Option<&str> {
        self.part_text(message, 0)
    }

    fn tool_names(&self) -> &[String] {
        &[]
    }

    fn parts(&self) -> &[ContentPart] {
        &self.0
    }

    fn part_text(&self, message: usize, part: usize) -> Option<&str> {
        let [only] = self.0;
        if (message, part) == (0, 0) { TEXT.get(..only.bytes) } else { None }
    }
}
