//! Requests for reasoning, which some APIs state as an effort and others as a number of tokens.

/// Requested reasoning before the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReasoningRequest {
    /// Effort, if the client stated one.
    pub effort: Option<ReasoningEffort>,
    /// Limit of tokens, if the client stated one. 0 requests none.
    pub budget_tokens: Option<u32>,
    /// True if the model decides how much it reasons (Anthropic's `adaptive`, Gemini's budget of
    /// -1).
    pub is_adaptive: bool,
    /// True if the answer is to have the reasoning or its summary; `None` for the API's default.
    pub is_visible: Option<bool>,
}

/// Effort of reasoning, from none to the most that a model can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReasoningEffort {
    /// No reasoning.
    None,
    /// As little as possible.
    Minimal,
    /// Little.
    Low,
    /// The usual amount.
    Medium,
    /// Much.
    High,
    /// More than [`High`](Self::High).
    ExtraHigh,
    /// The most that the model can do.
    Max,
}

impl ReasoningEffort {
    /// Every effort, in increasing order.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::ExtraHigh, Self::Max];

    /// Returns the name in OpenAI's and Anthropic's API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::ExtraHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// Returns the effort with a [name](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.name() == name)
    }

    /// Returns the tokens of reasoning that correspond to the effort. Anthropic's lower bound of a
    /// budget is 1,024 tokens; the steps above are powers of two, as providers publish no mapping.
    pub const fn budget_tokens(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Minimal | Self::Low => 1_024,
            Self::Medium => 4_096,
            Self::High => 16_384,
            Self::ExtraHigh | Self::Max => 32_768,
        }
    }

    /// Returns the effort whose budget is nearest below a number of tokens.
    pub const fn from_budget_tokens(tokens: u32) -> Self {
        match tokens {
            0 => Self::None,
            1..4_096 => Self::Low,
            4_096..16_384 => Self::Medium,
            _ => Self::High,
        }
    }
}

impl ReasoningRequest {
    /// Returns the effort, derived from the budget if only that is stated; `None` if the model
    /// decides.
    pub fn effort(&self) -> Option<ReasoningEffort> {
        self.effort.or_else(|| self.budget_tokens.map(ReasoningEffort::from_budget_tokens))
    }

    /// Returns the budget in tokens, derived from the effort if only that is stated; `None` if the
    /// model decides.
    pub fn budget_tokens(&self) -> Option<u32> {
        self.budget_tokens.or_else(|| self.effort.map(ReasoningEffort::budget_tokens))
    }

    /// Returns whether the client requested that the model does not reason.
    pub fn is_off(&self) -> bool {
        self.budget_tokens() == Some(0)
    }
}
