use crate::money::Picodollars;

/// Limits on the resources of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanLimits {
    /// Most tasks of one request, over all steps.
    pub tasks: usize,
    /// Most calls of the policy for one request.
    pub steps: usize,
    /// Most tasks that run concurrently; others wait.
    pub parallel: usize,
    /// Longest chain of dependent tasks.
    pub depth: usize,
    /// Most output tokens of all calls.
    pub output_tokens: u32,
    /// Most estimated input tokens of all calls.
    pub input_tokens: u64,
    /// Most bytes of all inputs of tasks and of the answer, where a plan composes them: see
    /// [`ContentSize::assembled_bytes`](crate::prompt::ContentSize::assembled_bytes).
    pub assembled_bytes: u64,
    /// Most cost of all calls.
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
