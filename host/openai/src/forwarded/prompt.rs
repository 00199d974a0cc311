use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;
use pointsman_domain::model::Modalities;
use pointsman_domain::prompt::{ContentPart, Prompt};
use serde_json::value::RawValue;

use crate::input::InputSummary;

/// Content of a request for policies: one message with all texts, which are decoded on first use,
/// and with a part for each file.
pub struct ForwardedPrompt {
    source: TextSource,
    text: OnceLock<String>,
    parts: Vec<ContentPart>,
}

/// Place of the text of a request.
#[derive(Clone)]
pub(super) enum TextSource {
    /// Value of a JSON body.
    Json { body: Bytes, span: Range<usize> },
    /// Field of a form.
    Field(String),
}

impl TextSource {
    fn size(&self) -> usize {
        match self {
            Self::Json { span, .. } => span.len(),
            Self::Field(text) => text.len(),
        }
    }

    fn decode(&self) -> String {
        match self {
            Self::Json { body, span } => {
                let json = body.get(span.clone()).unwrap_or_default();
                serde_json::from_slice::<&RawValue>(json)
                    .map_or_else(|_| String::new(), InputSummary::collect_text)
            }
            Self::Field(text) => text.clone(),
        }
    }
}

impl ForwardedPrompt {
    pub(super) fn new(source: TextSource, files: impl Iterator<Item = (Modalities, u64)>) -> Self {
        let text = ContentPart { message: 0, part: 0, kind: Modalities::TEXT, bytes: source.size() };
        let files = files.enumerate().map(|(at, (kind, size))| {
            let bytes = usize::try_from(size).unwrap_or(usize::MAX);
            ContentPart { message: 0, part: at + 1, kind, bytes }
        });
        let parts = std::iter::once(text).chain(files).collect();
        Self { source, text: OnceLock::new(), parts }
    }

    fn text(&self) -> &str {
        self.text.get_or_init(|| self.source.decode())
    }
}

impl Prompt for ForwardedPrompt {
    fn message_count(&self) -> usize {
        1
    }

    fn role(&self, message: usize) -> Option<&str> {
        (message == 0).then_some("user")
    }

    fn text(&self, message: usize) -> Option<&str> {
        (message == 0).then(|| self.text())
    }

    fn tool_names(&self) -> &[String] {
        &[]
    }

    fn parts(&self) -> &[ContentPart] {
        &self.parts
    }

    fn part_text(&self, message: usize, part: usize) -> Option<&str> {
        ((message, part) == (0, 0)).then(|| self.text())
    }
}

impl fmt::Debug for ForwardedPrompt {
    /// Omits the content, which is a client's and must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForwardedPrompt({} parts)", self.parts.len())
    }
}
