//! Validation of settings against their schema, within a number of steps.

use pointsman_domain::names::nearest_name;
use pointsman_domain::text::printable;
use serde_json::{Map, Value};

use super::expectation;
use super::schema::{Count, Limit, Node, SettingsSchema, ValueType};
use crate::settings_misfit::{SettingsMisfit, SettingsProblem, ValuePath};

/// Most steps: a comparison of a value with a schema, or 64 bytes of text. A schema of 64 KiB can name
/// itself several times at each level, so its size does not bound the time.
const MAX_STEPS: usize = 200_000;
/// Bytes of text that count as a step.
const STEP_BYTES: usize = 64;
/// Deepest nesting of schemas and references that are followed.
const MAX_DEPTH: usize = 64;
/// Most faults that are reported.
const MAX_PROBLEMS: usize = 20;
/// Bytes of a key that are shown.
const MAX_KEY: usize = 100;
/// Most names of settings that a hint lists.
const MAX_LISTED: usize = 20;

/// Result of a validation.
#[derive(Debug)]
pub(crate) enum SettingsFit {
    /// They fit.
    Fits,
    /// They do not.
    Misfit(SettingsMisfit),
    /// The bound on steps was reached.
    Undecided,
}

/// Validates settings.
pub(super) fn check(schema: &SettingsSchema, settings: &Value) -> SettingsFit {
    let mut checker = Checker { schema, steps_left: MAX_STEPS };
    let mut problems = Vec::new();
    match checker.check(&schema.root, settings, &ValuePath::default(), 0, &mut problems) {
        Err(OutOfSteps) => SettingsFit::Undecided,
        Ok(()) if problems.is_empty() => SettingsFit::Fits,
        Ok(()) => {
            problems.truncate(MAX_PROBLEMS);
            SettingsFit::Misfit(SettingsMisfit { problems })
        }
    }
}

/// The bound on steps is reached.
struct OutOfSteps;

struct Checker<'s> {
    schema: &'s SettingsSchema,
    steps_left: usize,
}

impl Checker<'_> {
    fn check(
        &mut self,
        node: &Node,
        value: &Value,
        path: &ValuePath,
        depth: usize,
        problems: &mut Vec<SettingsProblem>,
    ) -> Result<(), OutOfSteps> {
        self.charge(1 + text_steps(value))?;
        if depth > MAX_DEPTH {
            return Err(OutOfSteps);
        }
        if node.allows_nothing || !self.fits_type(node, value) || !self.fits_choice(node, value)? {
            problems.push(self.misfit(node, value, path));
            return Ok(());
        }
        if let Some(target) = node.reference.as_ref().and_then(|reference| self.schema.resolve(reference)) {
            self.check(target, value, path, depth + 1, problems)?;
        }
        for member in &node.all_of {
            self.check(member, value, path, depth + 1, problems)?;
        }
        for alternatives in &node.alternatives {
            self.check_alternatives(alternatives, node, value, path, depth, problems)?;
        }
        if !fits_bounds(node, value) {
            problems.push(self.misfit(node, value, path));
        }
        match value {
            Value::Object(members) => self.check_members(node, members, path, depth, problems),
            Value::Array(elements) => {
                let Some(items) = &node.items else { return Ok(()) };
                for (index, element) in elements.iter().enumerate() {
                    self.check(items, element, &path.index(index), depth + 1, problems)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_members(
        &mut self,
        node: &Node,
        members: &Map<String, Value>,
        path: &ValuePath,
        depth: usize,
        problems: &mut Vec<SettingsProblem>,
    ) -> Result<(), OutOfSteps> {
        self.charge(node.required.len())?;
        for name in node.required.iter().filter(|name| !members.contains_key(*name)) {
            let shown = printable(name, MAX_KEY);
            problems.push(SettingsProblem {
                path: path.clone(),
                message: format!("the setting `{shown}` is missing"),
                hint: node
                    .properties
                    .get(name)
                    .map(|member| format!("set `{shown}` to {}", self.expected(member))),
                is_key: true,
            });
        }
        for (name, member) in members {
            let path = path.key(name);
            match (node.properties.get(name), &node.additional) {
                (Some(schema), _) => self.check(schema, member, &path, depth + 1, problems)?,
                (None, Some(schema)) if schema.allows_nothing => {
                    self.charge(node.properties.len() + 1)?;
                    problems.push(unknown(node, name, path));
                }
                (None, Some(schema)) => self.check(schema, member, &path, depth + 1, problems)?,
                (None, None) => self.charge(1)?,
            }
        }
        Ok(())
    }

    /// Checks that at least one alternative fits. Reports the faults of the only one whose type fits, since
    /// it is the one that was meant.
    fn check_alternatives(
        &mut self,
        alternatives: &[Node],
        node: &Node,
        value: &Value,
        path: &ValuePath,
        depth: usize,
        problems: &mut Vec<SettingsProblem>,
    ) -> Result<(), OutOfSteps> {
        let mut of_type = Vec::new();
        for alternative in alternatives {
            let mut faults = Vec::new();
            self.check(alternative, value, path, depth + 1, &mut faults)?;
            if faults.is_empty() {
                return Ok(());
            }
            if self.fits_type(self.target(alternative), value) {
                of_type.push(faults);
            }
        }
        match of_type.pop() {
            Some(faults) if of_type.is_empty() => problems.extend(faults),
            _ => problems.push(self.misfit(node, value, path)),
        }
        Ok(())
    }

    fn target<'n>(&'n self, node: &'n Node) -> &'n Node {
        node.reference.as_ref().and_then(|reference| self.schema.resolve(reference)).unwrap_or(node)
    }

    fn fits_type(&self, node: &Node, value: &Value) -> bool {
        node.types.as_ref().is_none_or(|types| types.iter().any(|kind| kind.fits(value)))
    }

    fn fits_choice(&mut self, node: &Node, value: &Value) -> Result<bool, OutOfSteps> {
        let Some(choices) = &node.choices else { return Ok(true) };
        for choice in choices {
            self.charge(1 + text_steps(choice))?;
            if equal(choice, value) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn misfit(&self, node: &Node, value: &Value, path: &ValuePath) -> SettingsProblem {
        let message = format!("expected {}, found {}", self.expected(node), expectation::found(value));
        SettingsProblem { path: path.clone(), message, hint: None, is_key: false }
    }

    fn expected(&self, node: &Node) -> String {
        expectation::of(self.schema, node)
    }

    fn charge(&mut self, steps: usize) -> Result<(), OutOfSteps> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(OutOfSteps)?;
        Ok(())
    }
}

fn unknown(node: &Node, name: &str, path: ValuePath) -> SettingsProblem {
    let known = || node.properties.keys().map(String::as_str);
    let hint = match nearest_name(name, known()) {
        Some(near) => Some(format!("did you mean `{}`?", printable(near, MAX_KEY))),
        None if node.properties.is_empty() => Some("there are no settings here".to_owned()),
        None if node.properties.len() <= MAX_LISTED => {
            let names: Vec<String> = known().map(|name| format!("`{}`", printable(name, MAX_KEY))).collect();
            Some(format!("the settings here: {}", names.join(", ")))
        }
        None => None,
    };
    let message = format!("there is no setting `{}`", printable(name, MAX_KEY));
    SettingsProblem { path, message, hint, is_key: true }
}

/// Returns the steps that the text of a value takes.
fn text_steps(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() / STEP_BYTES,
        Value::Array(elements) => elements.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    }
}

fn fits_bounds(node: &Node, value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            let is_above =
                |limit: Limit| number > limit.value || (!limit.is_exclusive && number == limit.value);
            let is_below =
                |limit: Limit| number < limit.value || (!limit.is_exclusive && number == limit.value);
            node.minimum.is_none_or(is_above) && node.maximum.is_none_or(is_below)
        }
        Value::String(text) => node.characters.fits(|| text.chars().count()),
        Value::Array(elements) => node.elements.fits(|| elements.len()),
        Value::Object(members) => node.members.fits(|| members.len()),
        Value::Null | Value::Bool(_) => true,
    }
}

/// Compares values; numbers by their value, not by how they are written.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

impl ValueType {
    /// Whole numbers are those that are written as such: policies in most languages reject `1.0` for one.
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::String => value.is_string(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }
}

impl Count {
    fn fits(self, count: impl FnOnce() -> usize) -> bool {
        if self == Self::default() {
            return true;
        }
        let count = count() as u64;
        self.least.is_none_or(|least| count >= least) && self.most.is_none_or(|most| count <= most)
    }
}
