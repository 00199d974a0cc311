//! The decision record: one request as the decision log, the admin API and the dry run show it.
//!
//! Its types are defined here and nowhere else. They borrow from the
//! [`History`](pointsman_domain::history::History) that a record is made from; a record that was
//! read owns its data and is a `DecisionRecord<'static>`.
//!
//! - [`LineEncoder`] serialises histories for the decision log, faster than serde alone.
//! - [`RecordWriter`] writes records to any file.
//! - [`RecordReader`] reads a log, plain or compressed.
//!
//! The format is stable: members are added, none is removed, renamed or given another meaning
//! without a new [`SCHEMA`]. Readers skip members that they do not know.

mod attempt;
mod candidate;
mod content;
mod entry;
mod feedback;
mod line_encoder;
mod outcome;
mod plan;
mod reader;
mod record;
mod request;
#[cfg(test)]
#[expect(dead_code, reason = "the telemetry crate uses more of it")]
mod sample;
mod schema;
mod units;
mod writer;

pub use attempt::AttemptRecord;
pub use candidate::CandidateRecord;
pub use content::{ContentRecord, MessageRecord, TaskOutputRecord};
pub use entry::{AnswerRecord, DecisionEntryRecord, StateCountsRecord, TargetRecord};
pub use feedback::{FeedbackByDecision, FeedbackKind, FeedbackRecord};
pub use line_encoder::LineEncoder;
pub use outcome::OutcomeRecord;
pub use plan::{PlanLimitsRecord, PlanRecord, TaskRecord};
pub use reader::{LineReader, LogLine, ReadError, ReadErrorKind, RecordReader};
pub use record::{DecisionRecord, DryRun, SCHEMA};
pub use request::RequestRecord;
pub use schema::schema_json;
pub use units::{ms, unix_ms};
pub use writer::RecordWriter;
