//! Evaluation of the reference policies on recorded outcomes of real models, beside the baselines
//! that any router has to beat.
//!
//! The facts that a policy sees (prices, speeds, quality by kind of task) come from training rows
//! alone; the reported figures from test rows alone.

mod baseline;
mod data;
mod fleet;
mod kinds;
mod policy;
mod report;
mod stats;
mod strategy_result;
mod sweep;

pub use baseline::{Strategy, baselines};
pub use data::{DataSplit, Outcome, OutcomeRow, load};
pub use fleet::Fleet;
pub use kinds::report_kinds;
pub use policy::PolicyRunner;
pub use report::{Report, report};
pub use stats::{ConfidenceInterval, Random};
pub use sweep::{choose, sweep};
