//! Differences between providers of chat completions, by the hosts of their APIs.

/// Properties of a provider of chat completions that a call depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatQuirks {
    /// Form in which earlier reasoning goes back to the model.
    pub reasoning: ReasoningReplay,
    /// True if the role `developer` exists. It is `system` elsewhere.
    pub developer_role: bool,
    /// True if `tool_choice` can name several tools. Elsewhere only these are offered.
    pub allowed_tools: bool,
    /// True if tools can take text. They take an object with a text elsewhere.
    pub custom_tools: bool,
    /// True if parts and tools can have `cache_control`.
    pub cache_control: bool,
    /// True if `top_k` exists.
    pub top_k: bool,
    /// True if the content of a message can be an array of texts. They are joined elsewhere.
    pub text_parts: bool,
    /// True if reasoning is requested by an object rather than by an effort alone.
    pub reasoning_object: bool,
    /// True if a document can be at a URL.
    pub document_urls: bool,
    /// True if OpenAI's models reason in requests with tools. Its own chat completions reject that
    /// from GPT-5.4 on.
    pub reasons_with_tools: bool,
    /// Name of the member that limits output tokens; `None` if it depends on the model.
    pub limit: Option<&'static str>,
}

/// Form in which earlier reasoning goes back to the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasoningReplay {
    /// None: the provider rejects the members.
    Omitted,
    /// Text in `reasoning_content`.
    Text,
    /// Text, `reasoning_details` with signatures, and Google's signatures of calls.
    Details,
}

const MAX_TOKENS: &str = "max_tokens";
const MAX_COMPLETION_TOKENS: &str = "max_completion_tokens";

impl ChatQuirks {
    /// A provider that is not known: most probably a model server such as vLLM, llama.cpp or
    /// Ollama.
    pub const UNKNOWN: Self = Self {
        reasoning: ReasoningReplay::Details,
        developer_role: false,
        allowed_tools: false,
        custom_tools: false,
        cache_control: false,
        top_k: false,
        text_parts: true,
        reasoning_object: false,
        document_urls: false,
        reasons_with_tools: false,
        limit: None,
    };
    /// OpenAI's own API, also on Azure.
    pub const OPENAI: Self = Self {
        reasoning: ReasoningReplay::Omitted,
        developer_role: true,
        allowed_tools: true,
        custom_tools: true,
        limit: Some(MAX_COMPLETION_TOKENS),
        ..Self::UNKNOWN
    };
    /// OpenRouter, which expresses all that is known here.
    pub const OPENROUTER: Self = Self {
        reasoning: ReasoningReplay::Details,
        developer_role: true,
        allowed_tools: false,
        custom_tools: false,
        cache_control: true,
        top_k: true,
        text_parts: true,
        reasoning_object: true,
        document_urls: true,
        reasons_with_tools: true,
        limit: Some(MAX_TOKENS),
    };
    const STRICT: Self =
        Self { reasoning: ReasoningReplay::Omitted, limit: Some(MAX_TOKENS), ..Self::UNKNOWN };

    /// Returns the quirks of the provider whose API has a host name.
    pub fn of_host(host: &str) -> Self {
        let is_of = |domain: &str| {
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        match host {
            _ if ["openai.com", "openai.azure.com", "services.ai.azure.com"].into_iter().any(is_of) => {
                Self::OPENAI
            }
            _ if is_of("openrouter.ai") => Self::OPENROUTER,
            // These reject members that they do not know.
            _ if ["mistral.ai", "groq.com", "cerebras.ai"].into_iter().any(is_of) => Self::STRICT,
            _ if is_of("deepseek.com") => Self {
                reasoning: ReasoningReplay::Text,
                text_parts: false,
                limit: Some(MAX_TOKENS),
                ..Self::UNKNOWN
            },
            _ => Self::UNKNOWN,
        }
    }

    /// Returns the name of the member that limits output tokens for a model. Every server knows
    /// `max_tokens`, but OpenAI's reasoning models reject it.
    pub(super) fn limit_member(&self, model: &str) -> &'static str {
        self.limit.unwrap_or_else(|| {
            if is_openai_reasoning_model(model) { MAX_COMPLETION_TOKENS } else { MAX_TOKENS }
        })
    }

    /// Returns whether a model rejects requests that have tools and do not turn reasoning off.
    pub(super) fn rejects_reasoning_with_tools(&self, model: &str) -> bool {
        !self.reasons_with_tools && gpt_version(model).is_some_and(|version| version >= (5, 4))
    }
}

impl Default for ChatQuirks {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

/// Returns whether a name is one of OpenAI's models that reject `max_tokens`: `o3`, `gpt-5.1` …
fn is_openai_reasoning_model(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    let is_o_series = name.strip_prefix('o').and_then(leading_number).is_some();
    is_o_series || gpt_version(model).is_some_and(|version| version >= (5, 0))
}

/// Returns the version in a name such as `gpt-5.4-mini`.
fn gpt_version(model: &str) -> Option<(u32, u32)> {
    let name = model.rsplit('/').next().unwrap_or(model);
    let (major, rest) = leading_number(name.strip_prefix("gpt-")?)?;
    let minor = rest.strip_prefix('.').and_then(leading_number).map_or(0, |(minor, _)| minor);
    Some((major, minor))
}

/// Splits a text into the number at its beginning and the rest.
fn leading_number(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_known_by_its_domain() {
        assert_eq!(ChatQuirks::of_host("api.openai.com"), ChatQuirks::OPENAI);
        assert_eq!(ChatQuirks::of_host("eu.api.openai.com"), ChatQuirks::OPENAI);
        assert_eq!(ChatQuirks::of_host("contoso.openai.azure.com"), ChatQuirks::OPENAI);
        assert_eq!(ChatQuirks::of_host("openrouter.ai"), ChatQuirks::OPENROUTER);
        assert_eq!(ChatQuirks::of_host("notopenai.com"), ChatQuirks::UNKNOWN);
        assert_eq!(ChatQuirks::of_host("api.mistral.ai").reasoning, ReasoningReplay::Omitted);
        assert_eq!(ChatQuirks::of_host("127.0.0.1"), ChatQuirks::UNKNOWN);
    }

    #[test]
    fn models_that_do_not_reason_with_tools_are_known_by_their_version() {
        let rejects = |model| ChatQuirks::UNKNOWN.rejects_reasoning_with_tools(model);
        assert!(["gpt-5.4", "gpt-5.6-terra", "openai/gpt-6", "gpt-5.10"].into_iter().all(rejects));
        assert!(!["gpt-5", "gpt-5.1-codex", "gpt-4o", "o3", "gpt-oss-120b"].into_iter().any(rejects));
        assert!(!ChatQuirks::OPENROUTER.rejects_reasoning_with_tools("openai/gpt-5.6"));
    }

    #[test]
    fn only_reasoning_models_of_openai_have_the_new_limit() {
        for model in ["o3", "o4-mini", "gpt-5", "gpt-5.1-codex", "openai/gpt-5-mini", "gpt-10"] {
            assert_eq!(ChatQuirks::UNKNOWN.limit_member(model), "max_completion_tokens", "{model}");
        }
        for model in ["gpt-4o", "gpt-oss-120b", "olmo-2", "llama-3", "", "opus", "openai/gpt-oss-20b"] {
            assert_eq!(ChatQuirks::UNKNOWN.limit_member(model), "max_tokens", "{model}");
        }
    }
}
