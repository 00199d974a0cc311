//! Estimates of how another policy would have done, from the log of the one that served.
//!
//! A log has the outcome of the choice that was made, and no other. Where another policy makes the same
//! choice, its outcome is known; elsewhere it is estimated:
//!
//! - **direct**: means of the logged outcomes of each action, by strata of requests ([`Stratum`]). It needs no
//!   propensities, and holds if requests of a stratum are alike whatever was chosen for them.
//! - **IPS**: outcomes of requests for which both chose the same, weighted by one over the probability of the
//!   logged choice (Horvitz and Thompson, JASA 1952). It holds if these probabilities are true and the log could
//!   have made every choice of the policy.
//! - **SNIPS**: the same, divided by the sum of the weights (Hájek, 1971; Swaminathan and Joachims, NeurIPS 2015).
//! - **doubly robust**: the direct estimate, corrected by the weighted errors of its predictions where both chose
//!   the same (Dudík, Langford and Li, ICML 2011). It holds if either the model or the probabilities do.
//!
//! All of them are functions of sums. The [`Accumulator`] keeps the sums apart for [`GROUPS`] groups of clusters
//! (sessions or keys), and leaves out one group at a time to measure how far the estimates vary: the delete-a-group
//! jackknife (Kott, Journal of Official Statistics 2001). So memory does not grow with the log, one pass suffices,
//! requests of one session count as the dependent observations that they are, and the variance of the direct
//! model is included.

mod accumulator;
mod direct_model;
mod estimate;
mod jackknife;
mod propensity_check;
mod quantile;
mod verdict;

pub use accumulator::{Accumulator, Choice, Observation, Stratum};
pub use estimate::{Declined, Difference, Estimates, Method};
pub use jackknife::{GROUPS, Interval};
pub use propensity_check::{Calibration, PropensityCheck, PropensityFault};
pub use verdict::{Better, Verdict, verdict};

#[cfg(test)]
mod worlds;
