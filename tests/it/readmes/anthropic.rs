//! READMEs of Anthropic's libraries.

use super::{BlockPlan, answers, run};

pub const PYTHON_PLANS: &[BlockPlan] =
    &[run("## Getting started", 1, answers(1, &["[TextBlock(", "Claude", "type='text'"]))];

pub const NODE_PLANS: &[BlockPlan] =
    &[run("## Getting started", 1, answers(1, &["type: 'text'", "text: '", "Claude"]))];
