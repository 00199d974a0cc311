//! How long a decision takes, and where the time goes.
//!
//! `cargo bench -p pointsman-policy`. Run it on a quiet machine; the parts are
//! measured by `breakdown`, which prints after the benches.
fn main() {}
