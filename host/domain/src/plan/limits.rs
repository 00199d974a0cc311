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
    /// Most output tokens of all tasks together.
    pub output_tokens: u32,
    /// Most money for all tasks together.
    pub cost: Option<Picodollars>,
}

impl Default for PlanLimits {
    fn default() -> Self {
        Self { tasks: 64, steps: 8, parallel: 32, depth: 16, output_tokens: 65_536, cost: None }
    }
}
