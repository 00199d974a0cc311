//! Growth of executed instructions with the size of an input.
//!
//! One dimension of a case is doubled several times. If instructions grow in proportion, each doubling adds
//! twice as many as the one before; if with the square, four times.

use super::finding::{Problem, any_answer, kind};
use crate::case::Case;
use crate::case::format::{CandidateEntry, CandidateFormat, Message, Messages};

/// Ratio of the last two increases from which growth is more than proportional. Sorting has 2.2.
const RATIO: f64 = 2.8;
/// The same for the increases before, in which a proportional part weighs more.
const EARLIER_RATIO: f64 = 2.4;
/// Instructions below which growth does not matter: about a millisecond.
const NOTICEABLE: u64 = 1_000_000;
/// Sizes of each dimension, the first of which is doubled.
const DOUBLINGS: usize = 4;

/// A part of an input that can be made larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Number of candidates.
    Candidates,
    /// Length of a text of a message.
    Text,
    /// Number of messages.
    Messages,
    /// Number of tools.
    Tools,
    /// Length of the request's attributes.
    Attributes,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 5] = [Self::Candidates, Self::Text, Self::Messages, Self::Tools, Self::Attributes];

    /// Returns the name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Candidates => "candidates",
            Self::Text => "bytes of text",
            Self::Messages => "messages",
            Self::Tools => "tools",
            Self::Attributes => "bytes of attributes",
        }
    }

    const fn first_size(self) -> usize {
        match self {
            Self::Candidates => 48,
            Self::Text | Self::Attributes => 1_024,
            Self::Messages => 64,
            Self::Tools => 32,
        }
    }

    /// Returns the case with this size of the dimension. `None` if it has nothing to enlarge.
    fn grow(self, case: &Case, size: usize) -> Option<Case> {
        let mut grown = case.clone();
        match self {
            Self::Candidates => grown.candidates = Some(candidates(case, size)?),
            Self::Text => {
                let text = longest(case)?.to_owned();
                replace_longest(&mut grown, repeat(&text, size));
            }
            Self::Messages => grown.request.messages = Some(messages(case, size)?),
            Self::Tools => {
                let tools = case.request.tools.as_ref().filter(|tools| !tools.is_empty())?;
                grown.request.tools =
                    Some((0..size).zip(tools.iter().cycle()).map(|(n, name)| format!("{name}{n}")).collect());
            }
            Self::Attributes => {
                let (key, value) = case.request.attributes.iter().next()?;
                grown.request.attributes.insert(key.clone(), repeat(value, size));
            }
        }
        Some(grown)
    }
}

/// Returns a case and a problem for each dimension in which instructions grow too fast. `fuel` runs a case.
pub fn probe(case: &Case, fuel: &mut dyn FnMut(&Case) -> Option<u64>) -> Vec<(Case, Problem)> {
    // Results of tasks and earlier calls would be repeated for each size.
    let case = Case { earlier: Vec::new(), isolation: None, ..case.clone() };
    let simple = Case {
        request: crate::case::format::RequestFormat {
            messages: case.request.messages.clone(),
            ..Default::default()
        },
        settings: case.settings.clone(),
        candidates: case.candidates.clone(),
        ..Case::default()
    };
    let mut found = Vec::new();
    for dimension in Dimension::ALL {
        let Some(problem) = probe_dimension(&case, dimension, fuel) else { continue };
        // A case without other facts is easier to read.
        found.push(probe_dimension(&simple, dimension, fuel).unwrap_or(problem));
    }
    found
}

fn probe_dimension(
    case: &Case,
    dimension: Dimension,
    fuel: &mut dyn FnMut(&Case) -> Option<u64>,
) -> Option<(Case, Problem)> {
    let mut last = None;
    let mut used = Vec::new();
    for doubling in 0..DOUBLINGS {
        let grown = dimension.grow(case, dimension.first_size() << doubling)?;
        used.push(fuel(&grown)?);
        last = Some(grown);
    }
    let [a, b, c, d] = used.as_slice() else { return None };
    if !is_too_fast(*a, *b, *c, *d) {
        return None;
    }
    // A step, such as another way for long texts, is no growth: it does not go on.
    let further = dimension.grow(case, dimension.first_size() << DOUBLINGS)?;
    let further = fuel(&further)?;
    if !is_too_fast(*b, *c, *d, further) {
        return None;
    }
    let size = dimension.first_size();
    let message = format!(
        "instructions grow faster than the {}: {a} for {size}, {b} for {}, {c} for {}, {d} for {}",
        dimension.name(),
        size * 2,
        size * 4,
        size * 8,
    );
    // In proportion, the last doubling would add twice as much as the one before.
    let most = c + 2 * (c - b) + (c - b) / 4;
    let problem = Problem::new(kind::GROWTH, "decision", &message, any_answer(most));
    Some((last?, problem.at(dimension.name())))
}

/// Returns whether the instructions for doubled sizes grow faster than in proportion.
fn is_too_fast(a: u64, b: u64, c: u64, d: u64) -> bool {
    let increase = |from: u64, to: u64| to.saturating_sub(from) as f64;
    let (first, second, third) = (increase(a, b), increase(b, c), increase(c, d));
    d >= NOTICEABLE && first > 0.0 && second >= EARLIER_RATIO * first && third >= RATIO * second
}

fn repeat(text: &str, size: usize) -> String {
    let unit = if text.is_empty() { "a" } else { text };
    let mut long = unit.repeat(size.div_ceil(unit.len()));
    long.truncate(long.floor_char_boundary(size));
    long
}

fn candidates(case: &Case, size: usize) -> Option<Vec<CandidateEntry>> {
    let own = case.candidates.as_ref().filter(|own| !own.is_empty())?;
    let copy = |(number, entry): (usize, &CandidateEntry)| match entry {
        CandidateEntry::Facts(facts) => CandidateEntry::Facts(Box::new(CandidateFormat {
            id: format!("copy/m{number}"),
            ..(**facts).clone()
        })),
        CandidateEntry::Id(id) => CandidateEntry::Id(id.clone()),
    };
    Some((0..size).zip(own.iter().cycle()).map(copy).collect())
}

/// Returns the longest text of the messages.
fn longest(case: &Case) -> Option<&str> {
    match case.request.messages.as_ref()? {
        Messages::Text(text) => Some(text),
        Messages::List(list) => {
            let texts = list.iter().filter_map(|message| message.text.as_deref());
            texts.max_by_key(|text| text.len())
        }
    }
}

fn replace_longest(case: &mut Case, new: String) {
    match &mut case.request.messages {
        None => {}
        Some(Messages::Text(text)) => *text = new,
        Some(Messages::List(list)) => {
            let texts = list.iter_mut().filter_map(|message| message.text.as_mut());
            if let Some(longest) = texts.max_by_key(|text| text.len()) {
                *longest = new;
            }
        }
    }
}

fn messages(case: &Case, size: usize) -> Option<Messages> {
    let own = match case.request.messages.as_ref()? {
        Messages::Text(text) => vec![Message { text: Some(text.clone()), ..Message::default() }],
        Messages::List(list) if list.is_empty() => return None,
        Messages::List(list) => list.clone(),
    };
    Some(Messages::List(own.into_iter().cycle().take(size).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::folder::stand_ins;
    use crate::case::format::RequestFormat;

    fn case() -> Case {
        let messages = Some(Messages::Text("why?".to_owned()));
        let request =
            RequestFormat { messages, tools: Some(vec!["t".to_owned()]), ..RequestFormat::default() };
        Case { request, candidates: Some(stand_ins()), ..Case::default() }
    }

    fn count(case: &Case) -> (u64, u64) {
        let candidates = case.candidates.as_ref().unwrap().len() as u64;
        (candidates, longest(case).unwrap().len() as u64)
    }

    /// Names of the dimensions in which a policy with these costs grows too fast.
    fn probed(cost: impl Fn(u64, u64) -> u64) -> Vec<String> {
        let mut fuel = |case: &Case| {
            let (candidates, text) = count(case);
            Some(cost(candidates, text))
        };
        probe(&case(), &mut fuel).into_iter().map(|(_, problem)| problem.site).collect()
    }

    #[test]
    fn only_growth_beyond_proportion_is_reported() {
        assert_eq!(probed(|candidates, text| 9_000 + 5_000 * candidates + 2_000 * text), [""; 0]);
        assert_eq!(probed(|n, text| 9_000 + 400 * n * u64::from(n.max(2).ilog2()) + text), [""; 0]);
        assert_eq!(probed(|candidates, text| 9_000 + 20 * candidates * candidates + text), ["candidates"]);
        assert_eq!(probed(|candidates, text| 9_000 * candidates + text * text), ["bytes of text"]);
        assert_eq!(probed(|candidates, _| candidates * candidates / 10), [""; 0], "too little to notice");
    }

    #[test]
    fn a_step_is_no_growth() {
        let step = |_: u64, text: u64| if text > 4_096 { 90_000_000 } else { 1_000 + text * text / 2_000 };
        assert_eq!(probed(step), [""; 0]);
    }

    #[test]
    fn the_case_of_a_growth_fails_as_long_as_it_is_there() {
        let cost = |case: &Case| 9_000 + 20 * count(case).0.pow(2);
        let found = probe(&case(), &mut |case| Some(cost(case)));
        let [(case, problem)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(count(case).0, 48 * 8);
        let most = problem.expect.max_fuel.unwrap();
        assert!(cost(case) > most && most > 20 * (48 * 4_u64).pow(2), "{most}");
        assert_eq!(case.request.tools, None, "what does not matter is left out");
    }
}
