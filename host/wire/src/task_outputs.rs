//! Outputs of earlier tasks, measured and escaped once.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use pointsman_domain::prompt::ContentSize;

use crate::json::quoted_interior;

/// Outputs of a request's tasks, by number. Each is measured and escaped for JSON at most once,
/// and shared by all that refer to it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TaskOutputs(Vec<Option<Arc<CachedOutput>>>);

/// Output of a task.
struct CachedOutput {
    text: Arc<str>,
    size: OnceLock<ContentSize>,
    /// Escaped form, without the quotes around it.
    escaped: OnceLock<Bytes>,
}

impl TaskOutputs {
    /// Sets or removes the output of a task.
    pub fn set(&mut self, task: usize, text: Option<Arc<str>>) {
        if self.0.len() <= task {
            self.0.resize(task + 1, None);
        }
        let output = |text| Arc::new(CachedOutput { text, size: OnceLock::new(), escaped: OnceLock::new() });
        self.0[task] = text.map(output);
    }

    /// Returns the size of an output as text; `None` if there is none.
    pub fn size(&self, task: usize) -> Option<ContentSize> {
        let output = self.get(task)?;
        Some(*output.size.get_or_init(|| ContentSize::unwritten(&output.text)))
    }

    pub(crate) fn text(&self, task: usize) -> Option<&str> {
        Some(&self.get(task)?.text)
    }

    /// Returns the escaped form of an output, without the quotes around it.
    pub(crate) fn escaped(&self, task: usize) -> Option<&Bytes> {
        let output = self.get(task)?;
        Some(output.escaped.get_or_init(|| quoted_interior(&output.text)))
    }

    fn get(&self, task: usize) -> Option<&CachedOutput> {
        self.0.get(task)?.as_deref()
    }
}

impl fmt::Debug for CachedOutput {
    /// Omits the content, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Output({} bytes)", self.text.len())
    }
}
