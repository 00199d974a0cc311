use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use pointsman_domain::prompt::ContentSize;

use crate::json::quoted_interior;

/// The outputs of a request's tasks, by number. Each is measured and escaped for
/// JSON at most once, and shared by all that refer to it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TaskOutputs(Vec<Option<Arc<CachedOutput>>>);

/// The output of a task.
struct CachedOutput {
    text: Arc<str>,
    size: OnceLock<ContentSize>,
    /// As it stands between quotes.
    quoted: OnceLock<Bytes>,
}

impl TaskOutputs {
    /// Adds the output of a task, or takes away what another had under its number.
    pub fn set(&mut self, task: usize, text: Option<Arc<str>>) {
        if self.0.len() <= task {
            self.0.resize(task + 1, None);
        }
        let output = |text| Arc::new(CachedOutput { text, size: OnceLock::new(), quoted: OnceLock::new() });
        self.0[task] = text.map(output);
    }

    /// The size of an output as text; `None` where there is none.
    pub fn size(&self, task: usize) -> Option<ContentSize> {
        let output = self.get(task)?;
        Some(*output.size.get_or_init(|| ContentSize::unwritten(&output.text)))
    }

    pub(super) fn text(&self, task: usize) -> Option<&str> {
        Some(&self.get(task)?.text)
    }

    /// An output as it stands between the quotes of a JSON string.
    pub(super) fn quoted(&self, task: usize) -> Option<&Bytes> {
        let output = self.get(task)?;
        Some(output.quoted.get_or_init(|| quoted_interior(&output.text)))
    }

    fn get(&self, task: usize) -> Option<&CachedOutput> {
        self.0.get(task)?.as_deref()
    }
}

impl fmt::Debug for CachedOutput {
    /// Without the content: it must not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Output({} bytes)", self.text.len())
    }
}
