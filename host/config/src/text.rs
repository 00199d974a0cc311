//! The text of a configuration, kept for problems that show only after it was compiled.

use std::fmt;

use pointsman_domain::ids::PolicyName;
use pointsman_policy::description::{PathStep, SettingsMisfit};

use super::document::{Document, Node};
use super::problem::{InvalidConfig, Problems};

/// Text of a configuration and the name of its file.
#[derive(Clone, Default)]
pub struct ConfigText {
    file: String,
    text: String,
}

/// Problem of an entry of a configuration that shows only after it was compiled.
#[derive(Clone, Debug)]
pub struct EntryProblem {
    /// Keys that lead to the entry, such as `backends` and the name of one.
    pub entry: Vec<String>,
    /// Keys of the entry of which the first that is there is at fault; the entry itself if none is.
    pub keys: &'static [&'static str],
    /// Key of the file that leads to the entry if it is not in the file itself.
    pub instead: Option<&'static str>,
    /// Description of the problem.
    pub message: String,
    /// Advice on how to fix it.
    pub hint: Option<String>,
}

impl ConfigText {
    pub(super) fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned() }
    }

    /// Returns the name of the file, as in messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the number of lines that are neither empty nor comments.
    pub fn code_lines(&self) -> u64 {
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        self.text.lines().filter(is_code).count() as u64
    }

    /// Adds the places of problems that show only after the configuration was compiled. `None` if there are
    /// none.
    pub fn locate(&self, found: &[EntryProblem]) -> Option<InvalidConfig> {
        let mut problems = Problems::new(&self.text);
        let document = Document::parse(&self.text, &mut problems);
        for problem in found {
            let named = problem.entry.iter().fold(document.root(), |node, key| node.get(key));
            let instead = problem.instead.map(|key| document.root().get(key));
            let entry = instead.filter(|_| !named.is_there()).unwrap_or(named);
            let at_fault = problem.keys.iter().map(|key| entry.get(key)).find(|node| node.is_there());
            let place = entry.is_there().then(|| at_fault.unwrap_or(entry).place());
            let added = problems.add(place, problem.message.as_str());
            if let Some(hint) = &problem.hint {
                added.hint(hint.as_str());
            }
        }
        problems.check(&self.file).err()
    }

    /// Describes settings that do not fit the schema of their policy, with their places. `None` if the
    /// policy is not in the file, as one of the policy directory.
    pub fn settings_problems(&self, policy: &PolicyName, misfit: &SettingsMisfit) -> Option<InvalidConfig> {
        let mut problems = Problems::new(&self.text);
        let document = Document::parse(&self.text, &mut problems);
        let table = document.root().get("policies").get(policy.as_str());
        if !table.is_there() {
            return None;
        }
        for problem in &misfit.problems {
            let node = problem.path.steps().iter().fold(table.get("settings"), step);
            let place = if problem.is_key { node.key() } else { node.place() };
            let setting = match problem.path.is_empty() || problem.is_key {
                true => String::new(),
                false => format!("setting `{}`: ", problem.path),
            };
            let added = problems.add(place, format!("policy `{policy}`: {setting}{}", problem.message));
            if let Some(hint) = &problem.hint {
                added.hint(hint.as_str());
            }
        }
        problems.check(&self.file).err()
    }
}

fn step<'d>(node: Node<'d>, step: &PathStep) -> Node<'d> {
    match step {
        PathStep::Key(key) => node.get(key),
        PathStep::Index(index) => node.at(*index),
    }
}

impl fmt::Debug for ConfigText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigText").field("file", &self.file).finish_non_exhaustive()
    }
}
