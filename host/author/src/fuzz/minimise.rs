//! The smallest case that shows a problem.
//!
//! Members are removed, lists and texts shortened, and numbers made simple, as long as the problem stays.
//! It works on the JSON form of a case, so that it covers every member.

use serde_json::{Map, Value};

use crate::case::Case;

/// Parts of a text that are tried one by one.
const MAX_PARTS: usize = 64;

/// Makes a case smaller as long as `shows` holds. Calls `shows` at most this many times.
pub fn minimise(case: &Case, most: usize, shows: &mut dyn FnMut(&Case) -> bool) -> Case {
    let Ok(value) = serde_json::to_value(case) else { return case.clone() };
    let mut search = Search { best: value, best_case: case.clone(), left: most, shows };
    loop {
        let before = search.best.clone();
        search.reduce(&mut Vec::new());
        if search.left == 0 || search.best == before {
            return search.best_case;
        }
    }
}

struct Search<'s> {
    best: Value,
    best_case: Case,
    left: usize,
    shows: &'s mut dyn FnMut(&Case) -> bool,
}

/// A step from a value to one in it.
#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Item(usize),
}

impl Search<'_> {
    /// Reduces the value at a place, and everything in it.
    fn reduce(&mut self, place: &mut Vec<Step>) {
        match at(&self.best, place).cloned() {
            Some(Value::Object(members)) => self.reduce_object(place, &members),
            Some(Value::Array(_)) => self.reduce_array(place),
            // Ids are unique and not empty.
            Some(Value::String(_)) if matches!(place.last(), Some(Step::Member(name)) if name == "id") => {}
            Some(Value::String(text)) => self.reduce_text(place, &text),
            Some(Value::Number(number)) => {
                let simple = [Value::from(0), Value::from(1), Value::from(0.0), Value::from(1.0)];
                let is_simple = simple.contains(&Value::Number(number));
                if !is_simple {
                    let _ = simple.into_iter().any(|simple| self.replace(place, simple));
                }
            }
            _ => {}
        }
    }

    fn reduce_object(&mut self, place: &mut Vec<Step>, members: &Map<String, Value>) {
        // Settings are the author's, and each set of them has to be loaded.
        let is_case = place.is_empty();
        for name in members.keys().filter(|name| !is_case || *name != "settings") {
            let Some(Value::Object(mut without)) = at(&self.best, place).cloned() else { return };
            without.remove(name);
            if !self.replace(place, Value::Object(without)) {
                place.push(Step::Member(name.clone()));
                self.reduce(place);
                place.pop();
            }
        }
    }

    /// Removes parts of a list, large ones first, and then reduces the items.
    fn reduce_array(&mut self, place: &mut Vec<Step>) {
        let length = |search: &Self| at(&search.best, place).and_then(Value::as_array).map_or(0, Vec::len);
        let mut part = length(self);
        while part > 0 && self.left > 0 {
            let mut from = 0;
            while from < length(self) && self.left > 0 {
                let Some(Value::Array(mut shorter)) = at(&self.best, place).cloned() else { return };
                shorter.drain(from..(from + part).min(shorter.len()));
                if !self.replace(place, Value::Array(shorter)) {
                    from += part;
                }
            }
            part /= 2;
        }
        for item in 0..length(self) {
            place.push(Step::Item(item));
            self.reduce(place);
            place.pop();
        }
    }

    /// Replaces characters of a text by simple ones, and removes parts, large ones first. Parts of a long
    /// text are not removed one by one, so that there are runs left for the rest of the case.
    fn reduce_text(&mut self, place: &[Step], text: &str) {
        let plain = |it: char| if it.is_ascii_graphic() || it == ' ' { it } else { 'a' };
        let simple: String = text.chars().map(plain).collect();
        let is_simple = simple == text || self.replace(place, Value::String(simple.clone()));
        let mut characters: Vec<char> = if is_simple { simple } else { text.to_owned() }.chars().collect();
        let mut part = characters.len();
        while part > 0 && part * MAX_PARTS >= characters.len() && self.left > 0 {
            let mut from = 0;
            while from < characters.len() && self.left > 0 {
                let mut shorter = characters.clone();
                shorter.drain(from..(from + part).min(shorter.len()));
                if self.replace(place, Value::String(shorter.iter().collect())) {
                    characters = shorter;
                } else {
                    from += part;
                }
            }
            part /= 2;
        }
    }

    /// Replaces the value at a place if the problem stays.
    fn replace(&mut self, place: &[Step], new: Value) -> bool {
        if self.left == 0 {
            return false;
        }
        let mut changed = self.best.clone();
        let Some(slot) = at_mut(&mut changed, place) else { return false };
        if *slot == new {
            return false;
        }
        *slot = new;
        // Not everything that is smaller is a case.
        let Ok(case) = serde_json::from_value::<Case>(changed.clone()) else { return false };
        if case.candidates.as_ref().is_none_or(Vec::is_empty)
            || !case.earlier.iter().all(|call| call.is_one())
        {
            return false;
        }
        self.left -= 1;
        if !(self.shows)(&case) {
            return false;
        }
        (self.best, self.best_case) = (changed, case);
        true
    }
}

fn at<'v>(value: &'v Value, place: &[Step]) -> Option<&'v Value> {
    place.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::Item(item) => value.get(item),
    })
}

fn at_mut<'v>(value: &'v mut Value, place: &[Step]) -> Option<&'v mut Value> {
    place.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Item(item) => value.get_mut(item),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::format::{CandidateEntry, CandidateFormat, Message, Messages, RequestFormat};

    fn large() -> Case {
        let message = |text: &str| Message { text: Some(text.to_owned()), ..Message::default() };
        let candidate = |number: usize| {
            CandidateEntry::Facts(Box::new(CandidateFormat {
                id: format!("a/m{number}"),
                input_price: Some(0.37),
                quality: Some(0.5),
                ..CandidateFormat::default()
            }))
        };
        Case {
            request: RequestFormat {
                tenant: Some("team".to_owned()),
                input_tokens: Some(4_711),
                messages: Some(Messages::List(vec![
                    message("an introduction"),
                    message("some words, then a snowman ☃ and more"),
                    message("the end"),
                ])),
                ..RequestFormat::default()
            },
            candidates: Some((0..20).map(candidate).collect()),
            settings: serde_json::from_str(r#"{"fault": "snowman"}"#).ok(),
            ..Case::default()
        }
    }

    fn texts(case: &Case) -> Vec<&str> {
        match &case.request.messages {
            Some(Messages::List(list)) => list.iter().filter_map(|message| message.text.as_deref()).collect(),
            Some(Messages::Text(text)) => vec![text],
            None => Vec::new(),
        }
    }

    #[test]
    fn everything_that_does_not_matter_is_removed() {
        let mut calls = 0;
        let mut shows = |case: &Case| {
            calls += 1;
            case.candidates.as_ref().unwrap().len() >= 2 && texts(case).iter().any(|text| text.contains('☃'))
        };
        let small = minimise(&large(), 1_000, &mut shows);
        assert_eq!(texts(&small), ["☃"]);
        assert_eq!((small.request.tenant.as_ref(), small.request.input_tokens), (None, None));
        let candidates = small.candidates.as_ref().unwrap();
        assert_eq!(candidates.len(), 2);
        assert!(candidates.iter().all(|entry| {
            matches!(entry, CandidateEntry::Facts(facts) if facts.input_price.is_none() && facts.quality.is_none())
        }));
        assert_eq!(small.settings, large().settings, "settings stay as they are");
        assert!(calls < 300, "{calls}");
    }

    #[test]
    fn numbers_become_simple_and_the_effort_is_bounded() {
        let small = minimise(&large(), 1_000, &mut |case| case.request.input_tokens.is_some());
        assert_eq!(small.request.input_tokens, Some(0));
        let mut calls = 0;
        minimise(&large(), 10, &mut |_| {
            calls += 1;
            false
        });
        assert_eq!(calls, 10);
        assert_eq!(minimise(&large(), 100, &mut |_| false), large());
    }
}
