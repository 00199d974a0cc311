//! Accounting of the money and tokens of a plan's calls against its limits.
//!
//! Before a call is made, its highest possible usage is reserved; once its usage is known, that
//! counts instead. So the sum never exceeds a limit, whichever target answers, provided that models
//! keep to the limit on output tokens in the call and that input tokens are estimated correctly.

use std::collections::{BTreeMap, HashMap};

use super::{PlanLimits, Task};
use crate::model::{Model, Operation};
use crate::money::Picodollars;
use crate::prompt::ContentSize;
use crate::usage::Usage;

/// Usage of calls, measured or reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spend {
    /// Input tokens.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Cost of both.
    pub cost: Picodollars,
}

/// Limit of a plan that would be exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanLimitExceeded {
    /// All output tokens are used or reserved.
    #[error("the plan has used its {0} output tokens")]
    OutputTokens(u32),
    /// The input is too long.
    #[error("the plan would use more than {0} input tokens")]
    InputTokens(u64),
    /// The money left is not enough.
    #[error("the plan would cost more than ${0}")]
    Cost(Picodollars),
    /// Inputs or the answer are too large.
    #[error("the plan would assemble more than {0} bytes")]
    AssembledBytes(u64),
}

/// Limit on the output tokens of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputLimit {
    /// A fixed number of tokens, all of which are reserved.
    AtMost(u64),
    /// A share of the tokens left, with an upper bound, if there is one.
    Share(Option<u64>),
}

/// Limits of a call before it is made.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits<'a> {
    /// Model to call.
    pub model: &'a Model,
    /// Task that it is made for.
    pub task: Option<usize>,
    /// Estimated input tokens.
    pub input_tokens: u64,
    /// Limit on the output tokens of one answer.
    pub output: OutputLimit,
    /// Number of answers: `n` of the client's request.
    pub answers: u32,
    /// True if another model can be called if this call fails.
    pub more_may_follow: bool,
}

/// Usage and reservations of the calls of a request. The caller numbers the calls.
#[derive(Clone, Debug, Default)]
pub struct PlanSpending {
    calls: HashMap<usize, Spend>,
    /// Tasks without a reservation yet, with their own limits on output tokens.
    waiting: BTreeMap<usize, Option<u32>>,
    /// True if another step follows, which needs a share too.
    step_follows: bool,
    assembled_bytes: u64,
}

impl PlanSpending {
    /// Starts a step whose tasks share the tokens that are left.
    pub fn start_step<'t>(&mut self, tasks: impl IntoIterator<Item = (usize, &'t Task)>, step_follows: bool) {
        let needs_output = |task: &Task| task.operation == Operation::Chat;
        let tasks = tasks.into_iter().filter(|(_, task)| needs_output(task));
        self.waiting = tasks.map(|(number, task)| (number, task.max_output_tokens)).collect();
        self.step_follows = step_follows;
    }

    /// Records that a task has ended, with or without a call.
    pub fn end_task(&mut self, task: usize) {
        self.waiting.remove(&task);
    }

    /// Reserves bytes for content before it is assembled.
    ///
    /// # Errors
    /// Fails if the limit would be exceeded. Nothing is reserved then.
    pub fn assemble(&mut self, size: &ContentSize, limits: &PlanLimits) -> Result<(), PlanLimitExceeded> {
        let sum = self.assembled_bytes.saturating_add(size.assembled_bytes());
        if sum > limits.assembled_bytes {
            return Err(PlanLimitExceeded::AssembledBytes(limits.assembled_bytes));
        }
        self.assembled_bytes = sum;
        Ok(())
    }

    /// Reserves the highest possible usage of a call, and returns the limit on output tokens for
    /// each of its answers.
    ///
    /// # Errors
    /// Fails if a limit would be exceeded. Nothing is reserved then.
    pub fn reserve(
        &mut self,
        call: usize,
        call_limits: &CallLimits<'_>,
        limits: &PlanLimits,
    ) -> Result<u32, PlanLimitExceeded> {
        let (sum, input_tokens) = (self.sum(), call_limits.input_tokens);
        if sum.input_tokens.saturating_add(input_tokens) > limits.input_tokens {
            return Err(PlanLimitExceeded::InputTokens(limits.input_tokens));
        }
        let per_answer = self.output_tokens(call_limits, limits, sum)?;
        let output_tokens = per_answer.saturating_mul(answers(call_limits));
        let cost = call_limits.model.price.of(input_tokens, output_tokens);
        if let Some(limit) = limits.cost
            && sum.cost + cost > limit
        {
            return Err(PlanLimitExceeded::Cost(limit));
        }
        self.calls.insert(call, Spend { input_tokens, output_tokens, cost });
        if let Some(task) = call_limits.task {
            self.waiting.remove(&task);
        }
        Ok(u32::try_from(per_answer).unwrap_or(u32::MAX))
    }

    /// Replaces the reservation of a call by its usage. A call without a reservation does not
    /// count.
    pub fn settle(&mut self, call: usize, usage: Usage, model: &Model) {
        if self.calls.contains_key(&call) {
            let Usage { input_tokens, output_tokens, .. } = usage;
            let cost = model.price.charge(&usage);
            self.calls.insert(call, Spend { input_tokens, output_tokens, cost });
        }
    }

    /// Returns the limits minus all usage and reservations.
    pub fn left(&self, limits: &PlanLimits) -> PlanLimits {
        let sum = self.sum();
        let output_tokens = u64::from(limits.output_tokens).saturating_sub(sum.output_tokens);
        PlanLimits {
            output_tokens: u32::try_from(output_tokens).unwrap_or(u32::MAX),
            input_tokens: limits.input_tokens.saturating_sub(sum.input_tokens),
            assembled_bytes: limits.assembled_bytes.saturating_sub(self.assembled_bytes),
            cost: limits.cost.map(|limit| limit.saturating_sub(sum.cost)),
            ..*limits
        }
    }

    /// Returns the sum of all usage and reservations.
    pub fn sum(&self) -> Spend {
        self.calls.values().fold(Spend::default(), |sum, spend| Spend {
            input_tokens: sum.input_tokens.saturating_add(spend.input_tokens),
            output_tokens: sum.output_tokens.saturating_add(spend.output_tokens),
            cost: sum.cost + spend.cost,
        })
    }

    /// Returns the output tokens for each answer of a call: at least 1, unless it needs none.
    fn output_tokens(
        &self,
        call: &CallLimits<'_>,
        limits: &PlanLimits,
        sum: Spend,
    ) -> Result<u64, PlanLimitExceeded> {
        let used_up = Err(PlanLimitExceeded::OutputTokens(limits.output_tokens));
        let Some(left) = u64::from(limits.output_tokens).checked_sub(sum.output_tokens) else {
            return used_up;
        };
        let most = match call.output {
            OutputLimit::AtMost(0) => return Ok(0),
            OutputLimit::AtMost(tokens) => left.min(tokens.saturating_mul(answers(call))),
            OutputLimit::Share(most) => {
                let most = most.unwrap_or(u64::MAX).saturating_mul(answers(call));
                let shares = self.shares(call);
                let share = left.saturating_sub(self.set_aside(call)) / shares;
                let affordable = match limits.cost {
                    Some(limit) => affordable(call, limit.saturating_sub(sum.cost), shares)
                        .ok_or(PlanLimitExceeded::Cost(limit))?,
                    None => u64::MAX,
                };
                most.min(share.max(left.min(1))).min(affordable)
            }
        };
        match most / answers(call) {
            0 => used_up,
            per_answer => Ok(per_answer),
        }
    }

    /// Returns the number of calls that share the rest: this one, the first of each waiting task
    /// without a limit of its own, the next step's, and a fallback.
    fn shares(&self, call: &CallLimits<'_>) -> u64 {
        let waiting =
            |(number, limit): &(&usize, &Option<u32>)| limit.is_none() && call.task != Some(**number);
        let waiting = self.waiting.iter().filter(waiting).count() as u64;
        let step = u64::from(self.step_follows && call.task.is_some());
        (1 + waiting + step) * (1 + u64::from(call.more_may_follow))
    }

    /// Returns the sum of the limits of waiting tasks that have one.
    fn set_aside(&self, call: &CallLimits<'_>) -> u64 {
        let others = self.waiting.iter().filter(|(number, _)| call.task != Some(**number));
        others.filter_map(|(_, limit)| *limit).map(u64::from).sum()
    }
}

/// Returns the output tokens that a share of the money pays for; `None` if it is not enough for one
/// token of each answer.
fn affordable(call: &CallLimits<'_>, left: Picodollars, shares: u64) -> Option<u64> {
    let price = call.model.price.at(call.input_tokens);
    let left = left.get().checked_sub(price.of(call.input_tokens, 0).get())?;
    let tokens = (left / shares).checked_div(price.output.get()).unwrap_or(u64::MAX);
    Some(tokens).filter(|tokens| *tokens >= answers(call))
}

fn answers(call: &CallLimits<'_>) -> u64 {
    u64::from(call.answers.max(1))
}
