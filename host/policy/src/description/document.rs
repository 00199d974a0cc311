//! Reading of a description, with all faults that it has.

use pointsman_domain::decision::is_label;
use pointsman_domain::names::nearest_name;
use pointsman_domain::text::printable;
use serde_json::{Map, Value};

use super::schema::{self, SettingsSchema};
use super::{DeclaredAnswer, DescriptionProblem, PolicyDescription, SelfDescription, ValuePath};

/// Longest texts, in bytes.
const MAX_TITLE: usize = 100;
const MAX_PROSE: usize = 4_000;
const MAX_ADDRESS: usize = 500;
const MAX_LICENSE: usize = 100;
const MAX_MEANING: usize = 1_000;
/// Most labels, and most kinds of refusals.
const MAX_ANSWERS: usize = 256;
/// Most faults that are reported.
const MAX_PROBLEMS: usize = 20;
/// Refusals of the contract.
const REFUSALS: [&str; 3] = ["no-candidate", "denied", "internal"];

/// Members of a description.
pub(super) const MEMBERS: [&str; 7] =
    ["title", "description", "homepage", "license", "labels", "refusals", "settings"];
/// Members of a label or a refusal.
pub(super) const ANSWER_MEMBERS: [&str; 2] = ["name", "meaning"];

/// Returns the members that a description does not have in this version.
pub(super) fn unknown_members(value: &Value) -> Vec<DescriptionProblem> {
    let root = ValuePath::default();
    let mut problems = Vec::new();
    add_unknown(value, &root, &MEMBERS, &mut problems);
    for list in ["labels", "refusals"] {
        for (index, answer) in value.get(list).and_then(Value::as_array).into_iter().flatten().enumerate() {
            add_unknown(answer, &root.key(list).index(index), &ANSWER_MEMBERS, &mut problems);
        }
    }
    problems
}

fn add_unknown(value: &Value, path: &ValuePath, known: &[&str], problems: &mut Vec<DescriptionProblem>) {
    for name in value.as_object().into_iter().flat_map(Map::keys) {
        if !known.contains(&name.as_str()) && problems.len() < MAX_PROBLEMS {
            let shown = printable(name, MAX_TITLE);
            let hint = match nearest_name(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", known.join(", ")),
            };
            let message = format!("unknown member `{shown}`; {hint}");
            problems.push(DescriptionProblem { path: path.key(name), message });
        }
    }
}

/// Reads a description. Members that later versions may have are ignored.
pub(super) fn read(value: &Value) -> SelfDescription {
    let mut reader = Reader::default();
    let content = reader.description(value);
    SelfDescription { content, problems: reader.problems }
}

#[derive(Default)]
struct Reader {
    problems: Vec<DescriptionProblem>,
}

impl Reader {
    fn description(&mut self, value: &Value) -> Option<PolicyDescription> {
        let root = ValuePath::default();
        let Value::Object(members) = value else {
            self.report(root, "a description is a JSON object");
            return None;
        };
        let title = self.text(members, &root, "title", MAX_TITLE);
        if !members.contains_key("title") {
            self.report(root.clone(), "it has no `title`");
        }
        let content = PolicyDescription {
            title: title.clone().unwrap_or_default(),
            description: self.text(members, &root, "description", MAX_PROSE),
            homepage: self.homepage(members, &root),
            license: self.text(members, &root, "license", MAX_LICENSE),
            labels: self.answers(members, "labels", label_fault),
            refusals: self.answers(members, "refusals", refusal_fault),
            settings: self.settings(members),
        };
        title.map(|_| content)
    }

    /// Reads a text on one line, made printable.
    fn text(
        &mut self,
        members: &Map<String, Value>,
        at: &ValuePath,
        name: &str,
        max_bytes: usize,
    ) -> Option<String> {
        let path = at.key(name);
        match members.get(name)? {
            Value::String(text) if text.trim().is_empty() => self.report(path, "it is empty"),
            Value::String(text) if text.len() > max_bytes => {
                self.report(path, format!("it is {} bytes long, more than {max_bytes}", text.len()));
            }
            Value::String(text) => return Some(schema::prose(text)),
            _ => self.report(path, "a string is expected"),
        }
        None
    }

    fn homepage(&mut self, members: &Map<String, Value>, at: &ValuePath) -> Option<String> {
        let address = self.text(members, at, "homepage", MAX_ADDRESS)?;
        let is_web = address.starts_with("https://") || address.starts_with("http://");
        if is_web && address.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
            return Some(address);
        }
        self.report(at.key("homepage"), "an address is expected that begins with `https://` or `http://`");
        None
    }

    /// Reads names with meanings. Faulty ones are left out.
    fn answers(
        &mut self,
        members: &Map<String, Value>,
        name: &str,
        fault: fn(&str) -> Option<String>,
    ) -> Vec<DeclaredAnswer> {
        let path = ValuePath::default().key(name);
        let elements = match members.get(name) {
            None => return Vec::new(),
            Some(Value::Array(elements)) => elements,
            Some(_) => {
                self.report(path, "a list is expected");
                return Vec::new();
            }
        };
        if elements.len() > MAX_ANSWERS {
            self.report(path.clone(), format!("it has {} elements, more than {MAX_ANSWERS}", elements.len()));
        }
        let mut answers: Vec<DeclaredAnswer> = Vec::new();
        for (index, element) in elements.iter().take(MAX_ANSWERS).enumerate() {
            let Some(answer) = self.answer(element, &path.index(index), fault) else { continue };
            if answers.iter().any(|other| other.name == answer.name) {
                self.report(path.index(index).key("name"), format!("`{}` is declared twice", answer.name));
                continue;
            }
            answers.push(answer);
        }
        answers
    }

    fn answer(
        &mut self,
        element: &Value,
        path: &ValuePath,
        fault: fn(&str) -> Option<String>,
    ) -> Option<DeclaredAnswer> {
        let Value::Object(members) = element else {
            self.report(path.clone(), "an object with `name` and `meaning` is expected");
            return None;
        };
        for name in ["name", "meaning"] {
            if !members.contains_key(name) {
                self.report(path.clone(), format!("it has no `{name}`"));
            }
        }
        let meaning = self.text(members, path, "meaning", MAX_MEANING);
        let name = self.text(members, path, "name", MAX_TITLE)?;
        if let Some(fault) = fault(&name) {
            self.report(path.key("name"), fault);
            return None;
        }
        Some(DeclaredAnswer { name, meaning: meaning? })
    }

    fn settings(&mut self, members: &Map<String, Value>) -> Option<SettingsSchema> {
        let at = ValuePath::default().key("settings");
        match SettingsSchema::parse(members.get("settings")?, &at) {
            Ok(schema) => Some(schema),
            Err(problems) => {
                for DescriptionProblem { path, message } in problems {
                    self.report(path, message);
                }
                None
            }
        }
    }

    fn report(&mut self, path: ValuePath, message: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(DescriptionProblem { path, message: message.into() });
        }
    }
}

fn label_fault(name: &str) -> Option<String> {
    let is_valid = is_label(&name.replace('*', "-"));
    (!is_valid).then(|| {
        format!(
            "{:?} is no label: 1 to 64 characters of a-z A-Z 0-9 . _ : / -, and * for any",
            printable(name, MAX_TITLE)
        )
    })
}

fn refusal_fault(name: &str) -> Option<String> {
    let is_known = REFUSALS.contains(&name);
    (!is_known)
        .then(|| format!("`{}` is no kind of refusal: {}", printable(name, MAX_TITLE), REFUSALS.join(", ")))
}
