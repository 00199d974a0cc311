//! Persistent state, and the compilation of policies.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::Node;
use super::problem::Problems;
use super::raw;

/// Settings of the persistent state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// State directory, which may not exist yet; `None` if nothing is persisted.
    pub dir: Option<PathBuf>,
}

/// Limits on the compilation of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compile {
    /// Longest time for one policy, not counting the wait for its turn.
    pub timeout: Duration,
    /// Most memory for one policy, in bytes.
    pub memory_bytes: usize,
    /// Most policies that are compiled at the same time; at least 1.
    pub processes: u32,
}

impl Default for Compile {
    /// Returns the limits of a configuration that states none.
    fn default() -> Self {
        Self::from(&raw::Compile::default())
    }
}

impl From<&raw::Compile> for Compile {
    fn from(raw: &raw::Compile) -> Self {
        Self { timeout: raw.timeout.get(), memory_bytes: raw.memory.get(), processes: raw.processes }
    }
}

pub(super) fn state(raw: &raw::State, node: Node<'_>, base_dir: &Path, problems: &mut Problems<'_>) -> State {
    if raw.dir.as_deref() == Some("") {
        problems
            .add(node.get("dir").place(), "`dir` is empty")
            .hint("name a directory, or leave [state] out to keep nothing");
    }
    State { dir: raw.dir.as_ref().map(|dir| base_dir.join(dir)) }
}

pub(super) fn compile(raw: &raw::Compile, node: Node<'_>, problems: &mut Problems<'_>) -> Compile {
    let compile = Compile::from(raw);
    for (key, is_zero) in [
        ("timeout", compile.timeout.is_zero()),
        ("memory", compile.memory_bytes == 0),
        ("processes", compile.processes == 0),
    ] {
        if is_zero {
            problems.add(node.get(key).place(), format!("`{key}` is zero, so no policy could be compiled"));
        }
    }
    compile
}
