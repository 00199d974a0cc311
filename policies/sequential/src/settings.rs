//! The policy's table in the configuration.

use pointsman_tradeoff::Preference;
use serde::Deserialize;

use pointsman_sdk::Pattern;

/// All optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The stages in their order; the last one answers.
    pub stages: Vec<Stage>,
    /// The order in which the models that can do a stage are tried.
    pub prefer: Preference,
}

/// A stage: one call to a model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The name, for other stages and traces.
    pub name: String,
    /// The instruction of the model.
    pub instruction: String,
    /// Earlier stages whose outputs it is given, and `conversation`; all of them if
    /// not set.
    #[serde(default)]
    pub sees: Option<Vec<String>>,
    /// The only models that do it; any if not set.
    #[serde(default)]
    pub model: Option<Pattern>,
    /// Most tokens that it gives.
    #[serde(default)]
    pub max_output_tokens: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        let stage = |name: &str, instruction: &str, max_output_tokens| Stage {
            name: name.to_owned(),
            instruction: instruction.to_owned(),
            sees: None,
            model: None,
            max_output_tokens,
        };
        let stages = vec![
            stage(
                "draft",
                "Write a first draft of your answer. Get the facts and their order right; it is polished later.",
                None,
            ),
            stage(
                "critique",
                "Above is a draft of an answer. List what is wrong with it or missing from it, the gravest \
                 first, and for each how to put it right. Do not write the answer again. If it is good as it \
                 is, say only that.",
                Some(512),
            ),
            stage(
                "revise",
                "Above are a draft of an answer and a critique of it. Write the answer: keep what is good, put \
                 right what the critique is right about, and mention neither the draft nor the critique.",
                None,
            ),
        ];
        Self { stages, prefer: Preference::Quality }
    }
}
