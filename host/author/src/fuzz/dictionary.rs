//! Words that a policy looks for, learnt from the calls that it makes.

use pointsman_policy::CallTrace;

use crate::case::Case;

/// Most words of one kind.
const MAX_WORDS: usize = 64;
/// Longest word, in bytes.
const MAX_WORD_BYTES: usize = 64;

/// Use of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordUse {
    /// Name of a fact of the request.
    RequestAttribute,
    /// Name of a fact of a candidate.
    CandidateAttribute,
    /// Kind of task of a quality.
    TaskQuality,
    /// Key of a value that the policy keeps.
    StateKey,
    /// Text, such as a value of a setting.
    Text,
}

/// A word and its use.
pub type Word = (WordUse, String);

/// Words by use.
#[derive(Clone, Debug)]
pub struct Dictionary {
    words: Vec<Word>,
}

impl Default for Dictionary {
    fn default() -> Self {
        let words = [
            (WordUse::RequestAttribute, "prefer"),
            (WordUse::CandidateAttribute, "parameters"),
            (WordUse::CandidateAttribute, "memory_gb"),
            (WordUse::TaskQuality, "code"),
            (WordUse::TaskQuality, "maths"),
            (WordUse::StateKey, "key"),
            (WordUse::Text, "cost"),
            (WordUse::Text, "speed"),
            (WordUse::Text, "quality"),
            (WordUse::Text, "true"),
            (WordUse::Text, "auto"),
        ];
        Self { words: words.map(|(of, word)| (of, word.to_owned())).into() }
    }
}

impl Dictionary {
    /// Adds words that are not known, as long as there is room.
    pub fn add(&mut self, words: impl IntoIterator<Item = Word>) {
        for word in words {
            let is_new = !self.words.contains(&word);
            let of_use = self.words.iter().filter(|known| known.0 == word.0).count();
            if is_new && word.1.len() <= MAX_WORD_BYTES && of_use < MAX_WORDS {
                self.words.push(word);
            }
        }
    }

    /// Returns the words of a use.
    pub fn words(&self, of: WordUse) -> Vec<&str> {
        self.words.iter().filter(|word| word.0 == of).map(|word| word.1.as_str()).collect()
    }

    /// Returns the words of a trace that are not known.
    pub fn unknown_of(&self, trace: &CallTrace) -> Vec<Word> {
        let mut unknown: Vec<Word> = Vec::new();
        for call in &trace.imports {
            let argument = call.arguments.as_str();
            let word = match (call.interface, call.function) {
                ("details", "request-attribute") => (WordUse::RequestAttribute, quoted(argument)),
                ("details", "candidate-attribute") => (WordUse::CandidateAttribute, quoted(argument)),
                ("details", "task-quality") => (WordUse::TaskQuality, quoted(argument)),
                ("state", "get" | "delete" | "list") => (WordUse::StateKey, Some(argument)),
                ("state", "set" | "add") => {
                    (WordUse::StateKey, argument.rsplit_once(", ").map(|(key, _)| key))
                }
                _ => continue,
            };
            if let (of, Some(text)) = word {
                let word = (of, text.to_owned());
                if !text.is_empty() && !self.words.contains(&word) && !unknown.contains(&word) {
                    unknown.push(word);
                }
            }
        }
        unknown
    }

    /// Adds the words of a case: names of facts, kinds of tasks, and texts of settings.
    pub fn add_case(&mut self, case: &Case) {
        let request = &case.request;
        self.add(request.attributes.keys().map(|key| (WordUse::RequestAttribute, key.clone())));
        self.add(request.attributes.values().map(|value| (WordUse::Text, value.clone())));
        self.add(case.state.iter().flatten().map(|(key, _)| (WordUse::StateKey, key.clone())));
        for value in case.settings.iter().flat_map(|settings| settings.values()) {
            self.add_settings(value);
        }
    }

    /// Adds the texts of settings.
    pub fn add_settings(&mut self, value: &serde_json::Value) {
        match value {
            serde_json::Value::String(text) => self.add([(WordUse::Text, text.clone())]),
            serde_json::Value::Array(items) => items.iter().for_each(|item| self.add_settings(item)),
            serde_json::Value::Object(members) => {
                self.add(members.keys().map(|key| (WordUse::Text, key.clone())));
                members.values().for_each(|value| self.add_settings(value));
            }
            _ => {}
        }
    }
}

/// Returns the text between the first and the last quotation mark.
fn quoted(arguments: &str) -> Option<&str> {
    let (_, rest) = arguments.split_once('"')?;
    rest.rsplit_once('"').map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use pointsman_policy::ImportCall;

    use super::*;

    #[test]
    fn names_that_a_policy_asks_for_are_learnt_once() {
        let call = |interface, function, arguments: &str| ImportCall {
            interface,
            function,
            arguments: arguments.to_owned(),
            bytes: 0,
            times: 1,
        };
        let trace = CallTrace {
            imports: vec![
                call("details", "request-attribute", "\"region\""),
                call("details", "candidate-attribute", "3, \"vram\""),
                call("details", "candidate-attribute", "4, \"vram\""),
                call("details", "request-attribute", "\"prefer\""),
                call("state", "add", "seen/a, 1"),
                call("prompt", "text", "0, 100"),
            ],
            ..CallTrace::default()
        };
        let mut dictionary = Dictionary::default();
        let unknown = dictionary.unknown_of(&trace);
        assert_eq!(
            unknown,
            [
                (WordUse::RequestAttribute, "region".to_owned()),
                (WordUse::CandidateAttribute, "vram".to_owned()),
                (WordUse::StateKey, "seen/a".to_owned()),
            ]
        );
        dictionary.add(unknown);
        assert!(dictionary.unknown_of(&trace).is_empty());
        assert_eq!(dictionary.words(WordUse::RequestAttribute), ["prefer", "region"]);
    }

    #[test]
    fn there_is_room_for_some_words_only() {
        let mut dictionary = Dictionary::default();
        dictionary.add((0..1_000).map(|number| (WordUse::Text, number.to_string())));
        dictionary.add([(WordUse::StateKey, "x".repeat(MAX_WORD_BYTES + 1))]);
        assert_eq!(dictionary.words(WordUse::Text).len(), MAX_WORDS);
        assert_eq!(dictionary.words(WordUse::StateKey), ["key"]);
    }
}
