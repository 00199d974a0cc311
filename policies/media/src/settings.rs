//! The policy's table in the configuration.

use pointsman_tradeoff::Preference;
use serde::Deserialize;

/// Most media of one request: each is a task, and the gateway runs 32 side by side.
const MOST_PARTS: usize = 32;

/// All optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The order in which the models that can do a task are tried.
    pub prefer: Preference,
    /// True to route to one model where one can serve the whole request.
    pub whole_first: bool,
    /// The maximum number of pictures and recordings that are read; the newest are.
    pub max_parts: usize,
    /// True to answer even if one of them could not be read.
    pub optional: bool,
    /// The text for the answering model in place of one that could not be read.
    pub otherwise: String,
    /// True to send the text of a picture's message to the model that describes the picture.
    pub with_question: bool,
    /// The instruction for models that describe a picture.
    pub picture_instruction: String,
    /// The instruction for chat models that describe a recording, where none transcribes.
    pub recording_instruction: String,
    /// The instruction for the answering model, before the findings.
    pub answer_instruction: String,
    /// The role in which the answering model gets the findings.
    pub findings_as: FindingsAs,
    /// Most tokens that a chat model says of one picture or recording.
    pub max_output_tokens: u32,
    /// Longest time for one picture or recording, in milliseconds.
    pub timeout_ms: Option<u32>,
}

/// The role of the message with the findings.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum FindingsAs {
    /// A system message before the conversation.
    #[default]
    System,
    /// A user message after it.
    User,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefer: Preference::Quality,
            whole_first: false,
            max_parts: 8,
            optional: true,
            otherwise: "(could not be read)".to_owned(),
            with_question: true,
            picture_instruction: "Describe this picture for someone who cannot see it: what it shows, what \
                                  matters for the message that it came with, and any text in it word for word."
                .to_owned(),
            recording_instruction: "Write down what is said in this recording, word for word. Where nothing \
                                    is said, describe what can be heard."
                .to_owned(),
            answer_instruction: "Other models have looked at the pictures and listened to the recordings of \
                                 this conversation. What they report follows, in the order in which it was \
                                 sent. Answer the newest message as if you had seen and heard it yourself; a \
                                 recording may be that message. Where something could not be read, say so \
                                 instead of guessing."
                .to_owned(),
            findings_as: FindingsAs::System,
            max_output_tokens: 1024,
            timeout_ms: None,
        }
    }
}

impl Settings {
    /// Says which setting is wrong, and what would be right.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(1..=MOST_PARTS).contains(&self.max_parts) {
            return Err(format!("setting `max_parts`: {} is not in 1..{MOST_PARTS}", self.max_parts));
        }
        let instructions = [
            ("picture_instruction", &self.picture_instruction),
            ("recording_instruction", &self.recording_instruction),
            ("answer_instruction", &self.answer_instruction),
        ];
        for (name, instruction) in instructions {
            if instruction.trim().is_empty() {
                return Err(format!("setting `{name}`: it says nothing; leave it out for the default"));
            }
        }
        if self.max_output_tokens == 0 {
            return Err("setting `max_output_tokens`: 0 is less than 1".to_owned());
        }
        if self.timeout_ms == Some(0) {
            return Err("setting `timeout_ms`: 0 is less than 1; leave it out for no limit".to_owned());
        }
        Ok(())
    }
}
