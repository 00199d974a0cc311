use crate::money::Picodollars;

/// What a plan may use up, whatever its policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanLimits {
    /// Most tasks of one request, over all steps.
    pub tasks: usize,
    /// Most times that the policy is asked for one request.
    pub steps: usize,
    /// Most tasks that run at the same time; further ones wait.
    pub parallel: usize,
    /// Most tasks that wait for one another in a row.
    pub depth: usize,
    /// Most output tokens of all calls together.
    pub output_tokens: u32,
    /// Most input tokens of all calls together, as far as they are estimated.
    pub input_tokens: u64,
    /// Most bytes of all inputs of tasks and of the answer, where a plan puts them
    /// together: see [`ContentSize::assembled_bytes`](crate::prompt::ContentSize::assembled_bytes).
    pub assembled_bytes: u64,
    /// Most money for all calls together.
    pub cost: Option<Picodollars>,
}

impl Default for PlanLimits {
    fn default() -> Self {
        Self {
            tasks: 64,
            steps: 8,
            parallel: 32,
            depth: 16,
            output_tokens: 65_536,
            input_tokens: 4_000_000,
            assembled_bytes: 64 << 20,
            cost: None,
        }
    }
}
