//! Generations of models, which differ in what they accept.

use crate::form::{ConversationRequest, Losses, ReasoningEffort};

use super::path::split_collection;

/// Abilities of a model as far as they follow from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ModelFamily {
    /// Way in which the model accepts a request for reasoning.
    thinking: ThinkingControl,
    /// True if function calls of earlier turns need a signature, and function responses may contain
    /// media: from Gemini 3 on.
    pub(super) is_third_generation: bool,
}

/// Way in which a model accepts a request for reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ThinkingControl {
    /// By a level. Pro models have no `minimal`, the first of them no `medium`.
    Levels { has_minimal: bool, has_medium: bool },
    /// By a number of tokens, from `least` to `most`; 0 only if it can be turned off.
    Budget { least: u32, most: u32, can_be_off: bool },
    /// Not at all.
    None,
}

/// Reasoning that is requested of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// Level, for models of the third generation.
    Level(&'static str),
    /// Tokens; -1 lets the model decide.
    Budget(i64),
}

impl ModelFamily {
    /// Returns the family of a model. A name without a version is taken for one of the generation
    /// with budgets, which later generations accept too.
    pub(super) fn of(model: &str) -> Self {
        let name = split_collection(model).1.to_ascii_lowercase();
        let is_pro = name.contains("pro");
        let budget = if is_pro {
            ThinkingControl::Budget { least: 128, most: 32_768, can_be_off: false }
        } else if name.contains("flash-lite") {
            ThinkingControl::Budget { least: 512, most: 24_576, can_be_off: true }
        } else {
            ThinkingControl::Budget { least: 1, most: 24_576, can_be_off: true }
        };
        let thinking = match version(&name) {
            Some(version) if version >= (3, 0) => {
                ThinkingControl::Levels { has_minimal: !is_pro, has_medium: !is_pro || version > (3, 0) }
            }
            Some(version) if version < (2, 5) => ThinkingControl::None,
            _ => budget,
        };
        let is_third_generation = version(&name).is_some_and(|version| version >= (3, 0));
        Self { thinking, is_third_generation }
    }

    /// Returns whether the model reasons at all.
    pub(super) const fn can_think(self) -> bool {
        !matches!(self.thinking, ThinkingControl::None)
    }

    /// Returns the reasoning to request; `None` for the model's default.
    pub(super) fn thinking(self, request: &ConversationRequest, losses: &mut Losses) -> Option<Thinking> {
        let reasoning = request.reasoning.as_ref()?;
        let effort = if reasoning.is_off() { Some(ReasoningEffort::None) } else { reasoning.effort() };
        match self.thinking {
            ThinkingControl::None => {
                if !reasoning.is_off() && (effort.is_some() || reasoning.is_adaptive) {
                    losses.advisory("reasoning_effort");
                }
                None
            }
            ThinkingControl::Levels { has_minimal, has_medium } => {
                let effort = effort?;
                if effort == ReasoningEffort::None {
                    losses.advisory("reasoning_effort");
                }
                Some(Thinking::Level(match effort {
                    ReasoningEffort::None | ReasoningEffort::Minimal if has_minimal => "minimal",
                    ReasoningEffort::None | ReasoningEffort::Minimal | ReasoningEffort::Low => "low",
                    ReasoningEffort::Medium if has_medium => "medium",
                    _ => "high",
                }))
            }
            ThinkingControl::Budget { least, most, can_be_off } => match reasoning.budget_tokens() {
                None => reasoning.is_adaptive.then_some(Thinking::Budget(-1)),
                Some(0) if can_be_off => Some(Thinking::Budget(0)),
                Some(0) => {
                    losses.advisory("reasoning_effort");
                    Some(Thinking::Budget(least.into()))
                }
                Some(tokens) => {
                    // The limit of the answer includes reasoning: one that follows from an effort
                    // leaves half of it for the answer.
                    let room = request.max_output_tokens.filter(|_| reasoning.budget_tokens.is_none());
                    let tokens = room.map_or(tokens, |limit| tokens.min(limit / 2));
                    Some(Thinking::Budget(tokens.clamp(least, most).into()))
                }
            },
        }
    }
}

/// Returns the version in a name such as `gemini-2.5-flash`.
fn version(name: &str) -> Option<(u32, u32)> {
    let rest = name.strip_prefix("gemini-")?;
    let number = rest.split('-').next()?;
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::ReasoningRequest;

    fn thinking(model: &str, reasoning: ReasoningRequest, limit: Option<u32>) -> (Option<Thinking>, bool) {
        let request = ConversationRequest {
            reasoning: Some(reasoning),
            max_output_tokens: limit,
            ..ConversationRequest::default()
        };
        let mut losses = Losses::default();
        let thinking = ModelFamily::of(model).thinking(&request, &mut losses);
        (thinking, losses.is_empty())
    }

    fn effort(effort: ReasoningEffort) -> ReasoningRequest {
        ReasoningRequest { effort: Some(effort), ..ReasoningRequest::default() }
    }

    #[test]
    fn an_effort_is_a_level_from_the_third_generation_on() {
        let level = |model, wanted| thinking(model, effort(wanted), None);
        assert_eq!(
            level("gemini-3-flash-preview", ReasoningEffort::Minimal),
            (Some(Thinking::Level("minimal")), true)
        );
        assert_eq!(
            level("gemini-3-pro-preview", ReasoningEffort::Minimal),
            (Some(Thinking::Level("low")), true)
        );
        assert_eq!(
            level("gemini-3-pro-preview", ReasoningEffort::Medium),
            (Some(Thinking::Level("high")), true)
        );
        assert_eq!(
            level("models/gemini-3.5-pro", ReasoningEffort::Medium),
            (Some(Thinking::Level("medium")), true)
        );
        assert_eq!(level("gemini-3.5-flash", ReasoningEffort::Max), (Some(Thinking::Level("high")), true));
        assert_eq!(
            level("gemini-3.5-flash", ReasoningEffort::None),
            (Some(Thinking::Level("minimal")), false)
        );
    }

    #[test]
    fn an_effort_is_a_budget_before_and_within_the_limits_of_the_model() {
        let budget = |model, wanted| thinking(model, effort(wanted), None);
        assert_eq!(budget("gemini-2.5-flash", ReasoningEffort::High), (Some(Thinking::Budget(16_384)), true));
        assert_eq!(budget("gemini-2.5-flash", ReasoningEffort::Max), (Some(Thinking::Budget(24_576)), true));
        assert_eq!(budget("gemini-2.5-flash", ReasoningEffort::None), (Some(Thinking::Budget(0)), true));
        assert_eq!(budget("gemini-2.5-pro", ReasoningEffort::None), (Some(Thinking::Budget(128)), false));
        assert_eq!(
            budget("gemini-flash-latest", ReasoningEffort::Low),
            (Some(Thinking::Budget(1_024)), true)
        );
    }

    #[test]
    fn a_budget_that_follows_from_an_effort_leaves_room_for_the_answer() {
        let stated = ReasoningRequest { budget_tokens: Some(2_000), ..ReasoningRequest::default() };
        let high = effort(ReasoningEffort::High);
        assert_eq!(thinking("gemini-2.5-flash", high, Some(1_000)).0, Some(Thinking::Budget(500)));
        assert_eq!(thinking("gemini-2.5-flash", stated, Some(1_000)).0, Some(Thinking::Budget(2_000)));
    }

    #[test]
    fn the_model_decides_where_the_client_leaves_it_to_it() {
        let adaptive = ReasoningRequest { is_adaptive: true, ..ReasoningRequest::default() };
        assert_eq!(thinking("gemini-2.5-pro", adaptive.clone(), None), (Some(Thinking::Budget(-1)), true));
        assert_eq!(thinking("gemini-3-pro", adaptive, None), (None, true));
    }

    #[test]
    fn a_budget_of_zero_turns_reasoning_off_whatever_the_effort() {
        let off = ReasoningRequest { budget_tokens: Some(0), ..effort(ReasoningEffort::High) };
        assert_eq!(thinking("gemini-2.5-flash", off.clone(), None), (Some(Thinking::Budget(0)), true));
        assert_eq!(thinking("gemini-3-flash", off, None), (Some(Thinking::Level("minimal")), false));
    }

    #[test]
    fn a_model_that_does_not_reason_is_not_asked_to() {
        assert_eq!(thinking("gemini-2.0-flash", effort(ReasoningEffort::High), None), (None, false));
        assert_eq!(thinking("gemini-2.0-flash", effort(ReasoningEffort::None), None), (None, true));
    }
}
