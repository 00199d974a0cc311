//! Text of simulated answers. It depends on the kind of task in the prompt, repeats words of
//! the prompt, and is correct where that is easy: sums, lists, lengths. Equal prompts get equal
//! answers.

use fastrand::Rng;
use pointsman_domain::model::Modalities;

use super::super::tokens::tokens;
use super::request::{CONFIDENCE, ChatRequest, Media};

/// Words that do not describe the subject of a prompt.
const STOP_WORDS: &str = " a about am an and are as at be by can code could create describe do does explain \
    extract for from function give have hello hi how i in is it its list make me my of on or please poem say \
    short story sum summarise summarize tell text that the their them this to translate was we what when where \
    which who why will with would write you your ";
const REMARKS: [&str; 8] = [
    "The main point is what it is meant to do.",
    "It helps to begin with a small example.",
    "Two things matter most, and they pull in different directions.",
    "In practice the simple way is usually good enough.",
    "There are exceptions, but they are rare.",
    "Experts disagree on the details, not on the outline.",
    "Measure first, then decide.",
    "Seen from the other side, the cost is in keeping it up to date.",
];
const SCENES: [&str; 6] = [
    "a red bicycle leaning on a brick wall",
    "a harbour at dusk with three small boats",
    "a bar chart with four rising columns",
    "a cat asleep on a stack of books",
    "a handwritten shopping list on yellow paper",
    "a mountain road seen from above",
];
const SENTENCES: [&str; 6] = [
    "Good morning, and thank you all for coming.",
    "The next train leaves from platform two.",
    "We should look at the numbers again on Monday.",
    "It was raining when we left the station.",
    "Please leave a message after the tone.",
    "That is all I wanted to say about it.",
];
/// Encoded bytes of audio for each spoken sentence.
const BYTES_PER_SENTENCE: usize = 64 * 1024;

/// Returns the text of an answer.
pub(super) fn text(request: &ChatRequest, choices: &mut Rng) -> String {
    let mut text = format!("{}: {}", request.model, body(request, choices));
    if request.wants_confidence {
        text += &format!("\n{CONFIDENCE}{}", confidence(&request.text));
    }
    text
}

/// Returns whether a word, in lower case, does not describe the subject of a prompt.
pub(super) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(&format!(" {word} "))
}

fn body(request: &ChatRequest, choices: &mut Rng) -> String {
    if !request.tool_results.is_empty() {
        return format!("{}: {}", subject(&request.text), results(&request.tool_results));
    }
    if let [first, ..] = request.media.as_slice() {
        let heard_or_seen = request.media.iter().map(|media| about_media(media, choices));
        let mut text = heard_or_seen.collect::<Vec<_>>().join(" ");
        if first.kind == Modalities::IMAGE && !request.text.trim().is_empty() {
            text += &format!(" As to {}: {}", subject(&request.text), pick(&REMARKS, choices));
        }
        return text;
    }
    let lower = request.text.to_lowercase();
    let words = || lower.split(|c: char| !c.is_alphanumeric());
    let any = |stems: &[&str]| words().any(|word| stems.iter().any(|stem| word.starts_with(stem)));
    if let Some(sum) = arithmetic(&request.text) {
        sum
    } else if any(&["summar", "shorten"]) {
        summary(&request.text)
    } else if any(&["translat"]) {
        format!("“{}”, as a simulated translation.", subject(&request.text))
    } else if any(&["extract"]) {
        extraction(&request.text)
    } else if any(&["function", "code", "python", "rust", "javascript", "sql"]) {
        code(&lower, &subject(&request.text))
    } else if any(&["poem", "story", "song"]) {
        verses(&subject(&request.text), choices)
    } else {
        talk(&subject(&request.text), choices)
    }
}

/// Returns the beginnings of the results of tools.
fn results(results: &[String]) -> String {
    const WORDS: usize = 40;
    let beginning = |result: &String| tokens(result.trim()).take(WORDS).collect::<String>();
    results.iter().map(beginning).collect::<Vec<_>>().join("; ")
}

/// Returns the confidence in percent, which decreases with the number of words.
fn confidence(prompt: &str) -> usize {
    100 - tokens(prompt).count().min(60)
}

fn about_media(media: &Media, choices: &mut Rng) -> String {
    if media.kind == Modalities::AUDIO {
        return format!("I hear ({}): {}", media.description(), heard(media.data.len(), choices));
    }
    format!("I see {} ({}).", pick(&SCENES, choices), media.description())
}

/// Returns the words of a recording, whose number depends on its encoded bytes.
pub(in super::super) fn heard(encoded: usize, choices: &mut Rng) -> String {
    let count = encoded.div_ceil(BYTES_PER_SENTENCE).clamp(1, 20);
    let said: Vec<&str> = (0..count).map(|_| pick(&SENTENCES, choices)).collect();
    said.join(" ")
}

fn pick<'a>(from: &[&'a str], choices: &mut Rng) -> &'a str {
    choices.choice(from.iter().copied()).unwrap_or_default()
}

/// Returns the subject of a prompt: its quoted text, or else its first descriptive words.
pub(in super::super) fn subject(prompt: &str) -> String {
    if let Some(quoted) = prompt.split('"').nth(1).filter(|quoted| !quoted.trim().is_empty()) {
        return quoted.to_owned();
    }
    let telling = prompt
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty() && !is_stop_word(&word.to_lowercase()));
    let words: Vec<&str> = telling.take(6).collect();
    if words.is_empty() { "that".to_owned() } else { words.join(" ") }
}

/// Returns the first `a + b` in a prompt with its result.
fn arithmetic(prompt: &str) -> Option<String> {
    let parts: Vec<&str> = prompt
        .split(|c: char| c.is_whitespace() || matches!(c, '?' | '=' | ',' | '!'))
        .filter(|part| !part.is_empty())
        .collect();
    parts.windows(3).find_map(|window| {
        let (left, sign, right) = (number(window[0])?, window[1], number(window[2])?);
        let result = match sign {
            "+" | "plus" => left + right,
            "-" | "minus" => left - right,
            "*" | "x" | "×" | "times" => left * right,
            "/" | "÷" if right != 0.0 => left / right,
            _ => return None,
        };
        Some(format!("{left} {sign} {right} = {result}"))
    })
}

fn number(text: &str) -> Option<f64> {
    text.trim_end_matches('.').parse().ok().filter(|number: &f64| number.is_finite())
}

/// Returns the first and the last sentence of the text to summarise.
fn summary(prompt: &str) -> String {
    let material = prompt.split_once(':').map_or(prompt, |(_, material)| material);
    let sentences: Vec<&str> =
        material.split(['.', '\n']).map(str::trim).filter(|sentence| !sentence.is_empty()).collect();
    let words = tokens(material).count();
    match sentences.as_slice() {
        [] => "there is nothing to summarise.".to_owned(),
        [only] => format!("in short, {only}. ({words} words)"),
        [first, .., last] => format!("in short, {first}. In the end, {last}. ({words} words)"),
    }
}

/// Returns the names, numbers and addresses in a prompt, one on each line.
fn extraction(prompt: &str) -> String {
    let material = prompt.split_once(':').map_or(prompt, |(_, material)| material);
    let found = material.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let telling = found.filter(|word| {
        word.contains('@') || word.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit())
    });
    let lines: Vec<String> = telling.map(|word| format!("\n- {word}")).collect();
    if lines.is_empty() {
        "I found nothing of the kind.".to_owned()
    } else {
        format!("I found{}", lines.concat())
    }
}

fn code(lower: &str, subject: &str) -> String {
    let name: String = subject.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    if lower.contains("rust") {
        format!(
            "```rust\n/// {subject}\nfn {name}(input: &str) -> String {{\n    input.trim().to_owned()\n}}\n```"
        )
    } else if lower.contains("sql") {
        format!("```sql\n-- {subject}\nSELECT * FROM {name} ORDER BY id;\n```")
    } else {
        format!("```python\ndef {name}(value):\n    \"\"\"{subject}\"\"\"\n    return value\n```")
    }
}

fn verses(subject: &str, choices: &mut Rng) -> String {
    let lines = (0..4).map(|_| format!("\n{}", pick(&REMARKS, choices)));
    format!("{subject}\n{}", lines.collect::<String>())
}

fn talk(subject: &str, choices: &mut Rng) -> String {
    let remarks = (0..choices.usize(2..8)).map(|_| format!(" {}", pick(&REMARKS, choices)));
    format!("about {subject}, briefly.{}", remarks.collect::<String>())
}

#[cfg(test)]
mod tests;
