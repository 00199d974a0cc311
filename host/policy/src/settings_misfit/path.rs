//! Places of values in JSON.

use std::fmt;

use pointsman_domain::text::printable;
use serde::{Serialize, Serializer};

/// Bytes of a key that are shown.
const MAX_SHOWN_KEY: usize = 100;

/// Path from the root of a JSON value to a value in it. Displays as `stages[2].name`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValuePath(Vec<PathStep>);

/// Step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// Member of an object.
    Key(String),
    /// Element of an array, counted from 0.
    Index(usize),
}

impl ValuePath {
    /// Returns the steps from the root.
    pub fn steps(&self) -> &[PathStep] {
        &self.0
    }

    /// Returns whether it is the path of the root.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the path of a member of the object at this path.
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.step(PathStep::Key(key.into()))
    }

    /// Returns the path of an element of the array at this path.
    pub fn index(&self, index: usize) -> Self {
        self.step(PathStep::Index(index))
    }

    fn step(&self, step: PathStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Key(key) => {
                    if place > 0 {
                        f.write_str(".")?;
                    }
                    let shown = printable(key, MAX_SHOWN_KEY);
                    if is_bare(key) { f.write_str(&shown)? } else { write!(f, "\"{shown}\"")? }
                }
            }
        }
        Ok(())
    }
}

/// Returns whether TOML needs no quotes around a key. `*` stands for any key in lists of settings.
fn is_bare(key: &str) -> bool {
    !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'*' | b'$'))
}

impl Serialize for ValuePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
