//! The policy's table in the configuration.

use pointsman_sdk::Pattern;
use serde::Deserialize;

/// Most agents.
const MOST_AGENTS: usize = 8;

/// Most rounds: each takes a step, and the gateway allows eight for a request.
const MOST_ROUNDS: u32 = 5;

/// Most bytes of a role: it is sent with every call of its agent.
const MOST_ROLE: usize = 2_000;

/// All optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The models that answer, or their number.
    pub agents: Agents,
    /// The number of rounds; with 1, no agent sees the answers of others.
    pub rounds: u32,
    /// The model that writes the answer: a pattern in which `*` matches any characters. The best
    /// one if not set.
    pub aggregator: Option<Pattern>,
    /// The similarity above which answers agree, 0..1; with 0 they are not compared.
    pub agreement: f64,
    /// The role descriptions of the agents, in their order.
    pub roles: Vec<String>,
}

/// The models that answer, or their number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected a number of models from 2 to 8, or a list of patterns of models")]
pub enum Agents {
    /// So many, as different and as good as there are.
    Number(usize),
    /// For each pattern the best model that fits it and is not taken yet.
    Patterns(Vec<Pattern>),
}

impl Agents {
    fn number(&self) -> usize {
        match self {
            Self::Number(number) => *number,
            Self::Patterns(patterns) => patterns.len(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { agents: Agents::Number(3), rounds: 2, aggregator: None, agreement: 0.9, roles: Vec::new() }
    }
}

impl Settings {
    /// Says which setting is wrong, and what would be right.
    pub(crate) fn check(&self) -> Result<(), String> {
        let agents = self.agents.number();
        if !(2..=MOST_AGENTS).contains(&agents) {
            return Err(format!("setting `agents`: {agents} are not 2 to {MOST_AGENTS}"));
        }
        if let Agents::Patterns(patterns) = &self.agents
            && patterns.iter().any(|pattern| pattern.as_str().is_empty())
        {
            return Err("setting `agents`: a pattern is empty; name a model, or write `*` for any".to_owned());
        }
        if !(1..=MOST_ROUNDS).contains(&self.rounds) {
            return Err(format!("setting `rounds`: {} is not in 1..{MOST_ROUNDS}", self.rounds));
        }
        if self.aggregator.as_ref().is_some_and(|pattern| pattern.as_str().is_empty()) {
            return Err("setting `aggregator`: it is empty; leave it out, or name a model".to_owned());
        }
        if !(0.0..=1.0).contains(&self.agreement) {
            return Err(format!("setting `agreement`: {} is not in 0..1", self.agreement));
        }
        if self.roles.len() > agents {
            return Err(format!("setting `roles`: there are {} for {agents} agents", self.roles.len()));
        }
        if let Some(role) = self.roles.iter().find(|role| role.trim().is_empty() || role.len() > MOST_ROLE) {
            let bytes = role.len();
            return Err(format!(
                "setting `roles`: one has {bytes} bytes; each has 1 to {MOST_ROLE} and says something"
            ));
        }
        Ok(())
    }
}
