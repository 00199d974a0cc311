//! Classification of requests by kind of task, and the quality of models at each kind. Shared by
//! the policies `task-type` and `dynamic`.
//!
//! The classifier is lexical: one pass over the newest user message that looks
//! words up in a table and counts signs such as digits and brackets. It takes a
//! few microseconds and needs no model. Its output is a *kind*: a task and
//! whether the request looks hard for that task, such as `code` or `code/hard`.
//! What matters is less that a kind is always right than that it is the same for
//! like requests, so that quality can be measured and stated by kind.

mod best;
mod classify;
mod quality;

pub use best::best_first;
pub use classify::{classify, facts, read};
pub use pointsman_text_features::{Kind, Task};
pub use quality::{Qualities, QualityError};
