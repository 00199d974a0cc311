//! The policy's table in the configuration.

use std::collections::BTreeMap;

use pointsman_kinds::{Models, check_names};
use pointsman_sdk::Pattern;
use pointsman_tradeoff::Preference;
use serde::Deserialize;

/// Names in labels that are no kind.
const RESERVED: [&str; 4] = ["learning", "skipped", "unanswered", "unclear"];
/// Most examples of all kinds: each is compared with every request.
const MOST_EXAMPLES: usize = 200;
/// Longest example, in bytes.
const LONGEST_EXAMPLE: usize = 2000;
/// Numbers of an embedding that may be compared.
pub(crate) const NUMBERS: std::ops::RangeInclusive<usize> = 16..=384;

/// The policy's table in the configuration. All optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The model that embeds: a pattern in which `*` matches any characters. The cheapest if not set.
    pub model: Option<Pattern>,
    /// Longest wait for an embedding, in milliseconds.
    pub timeout_ms: u32,
    /// Longest newest user message that is embedded, in bytes.
    pub max_bytes: u32,
    /// True if requests with tools are embedded too. Each turn of a loop is.
    pub with_tools: bool,
    /// Numbers of each embedding that are compared: the first.
    pub numbers: usize,
    /// Least similarity to the nearest example, -1..1.
    pub min_similarity: f64,
    /// Least distance, in similarity, to the nearest example of any other kind, 0..1.
    pub min_margin: f64,
    /// The kind of requests that are like no example. By quality if not set.
    pub otherwise: Option<String>,
    /// The kinds, by name.
    pub kinds: BTreeMap<String, Kind>,
}

/// A kind of request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Texts of such requests.
    pub examples: Vec<String>,
    /// Patterns of models, in the order in which they are tried.
    #[serde(default)]
    pub models: Vec<Pattern>,
    /// The order of the other models, and of those that fit the same pattern.
    #[serde(default)]
    pub prefer: Preference,
}

impl Kind {
    fn new(examples: [&str; 4], prefer: Preference) -> Self {
        Self { examples: examples.map(str::to_owned).into(), models: Vec::new(), prefer }
    }

    /// Returns the models of the kind.
    pub(crate) fn models(&self) -> Models {
        Models { models: self.models.clone(), prefer: self.prefer }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let easy = Kind::new(
            [
                "What is the capital of Peru?",
                "Thank you, that helped a lot!",
                "Translate this sentence into French.",
                "Write this e-mail in a more friendly tone.",
            ],
            Preference::Cost,
        );
        let hard = Kind::new(
            [
                "Why does this function deadlock, and how can it be made thread-safe?",
                "Prove that there are infinitely many prime numbers.",
                "Plan the migration of our database to another region without downtime.",
                "Compare these three contracts and list every contradiction.",
            ],
            Preference::Quality,
        );
        Self {
            model: None,
            timeout_ms: 300,
            max_bytes: 8192,
            with_tools: false,
            numbers: 256,
            min_similarity: 0.25,
            min_margin: 0.0,
            otherwise: None,
            kinds: [("easy".to_owned(), easy), ("hard".to_owned(), hard)].into(),
        }
    }
}

impl Settings {
    /// Says which setting is wrong, and what would be right.
    pub(crate) fn check(&self) -> Result<(), String> {
        check_names(self.kinds.keys(), self.otherwise.as_ref(), &RESERVED)?;
        for (name, Kind { examples, .. }) in &self.kinds {
            let is_usable = |text: &String| !text.trim().is_empty() && text.len() <= LONGEST_EXAMPLE;
            if examples.is_empty() || !examples.iter().all(is_usable) {
                return Err(format!(
                    "setting `kinds.{name}.examples`: at least one, each of 1 to {LONGEST_EXAMPLE} bytes"
                ));
            }
        }
        let count = self.examples().count();
        if count > MOST_EXAMPLES {
            return Err(format!(
                "setting `kinds`: {count} examples, and at most {MOST_EXAMPLES} are possible"
            ));
        }
        if self.timeout_ms == 0 || self.max_bytes == 0 {
            let name = if self.timeout_ms == 0 { "timeout_ms" } else { "max_bytes" };
            return Err(format!("setting `{name}`: 0 is less than 1"));
        }
        if !NUMBERS.contains(&self.numbers) {
            let (least, most) = (NUMBERS.start(), NUMBERS.end());
            return Err(format!("setting `numbers`: {} is not in {least}..{most}", self.numbers));
        }
        if !(-1.0..=1.0).contains(&self.min_similarity) {
            return Err(format!("setting `min_similarity`: {} is not in -1..1", self.min_similarity));
        }
        if !(0.0..=1.0).contains(&self.min_margin) {
            return Err(format!("setting `min_margin`: {} is not in 0..1", self.min_margin));
        }
        Ok(())
    }

    /// Returns the examples of all kinds, with the names of their kinds.
    pub(crate) fn examples(&self) -> impl Iterator<Item = (&str, &str)> {
        self.kinds.iter().flat_map(|(name, kind)| kind.examples.iter().map(move |text| (&**name, &**text)))
    }
}
