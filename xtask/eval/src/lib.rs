//! Measures the reference policies on what real models answered to real
//! requests, beside the baselines that any router has to beat.
//!
//! What a policy is told (prices, speeds, quality by kind of task) comes from
//! training rows alone; what is reported, from test rows alone.

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
pub use data::{Outcome, Row, Split, load};
pub use fleet::Fleet;
pub use kinds::kinds;
pub use policy::Policies;
pub use report::{Report, report};
pub use stats::{Interval, Random};
pub use sweep::{choose, sweep};
