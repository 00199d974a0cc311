//! Chat completions: requests, whole answers and streams.

mod answer;
mod choices;
mod completeness;
mod members;
mod prompt;
mod refusals;
mod relay;
mod request;
mod scan;
mod task;
mod usage;

pub use super::output::NotAnAnswer;
pub use answer::Answer;
pub(in crate::openai) use answer::said;
pub use completeness::StreamState;
pub use prompt::ChatPrompt;
pub use relay::{BrokenStream, StreamRelay};
pub use request::{BadRequest, CallMembers, ChatRequest};
pub use scan::{RequestScan, ScanLimits};
pub use task::{Outputs, TaskBody};
pub use usage::with_usage;
