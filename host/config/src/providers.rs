//! Providers whose APIs are known: how to reach the models of a section of the catalogue.

use pointsman_domain::model::Operation;
use pointsman_wire::provider::ProviderDialect;

/// A provider of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Section of the catalogue, which is also the usual name of the backend.
    pub section: &'static str,
    /// Kind of the backend.
    pub kind: &'static str,
    /// Base URL of the API; `None` if the kind has a default, or if each customer has another one.
    pub base_url: Option<&'static str>,
    /// Environment variable in which the API key is usually found; `None` if the server needs none.
    pub key_variable: Option<&'static str>,
}

const fn provider(
    section: &'static str,
    kind: &'static str,
    base_url: Option<&'static str>,
    key_variable: &'static str,
) -> Provider {
    Provider { section, kind, base_url, key_variable: Some(key_variable) }
}

const fn openai_like(section: &'static str, base_url: &'static str, key_variable: &'static str) -> Provider {
    provider(section, "openai", Some(base_url), key_variable)
}

/// Providers, in the order of their sections.
pub const PROVIDERS: [Provider; 25] = [
    openai_like("alibaba", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"),
    provider("anthropic", "anthropic", None, "ANTHROPIC_API_KEY"),
    provider("azure", "azure", None, "AZURE_API_KEY"),
    openai_like("baseten", "https://inference.baseten.co/v1", "BASETEN_API_KEY"),
    openai_like("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    openai_like("cohere", "https://api.cohere.ai/compatibility/v1", "COHERE_API_KEY"),
    openai_like("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
    openai_like("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    openai_like("fireworks-ai", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    provider("google", "gemini", None, "GEMINI_API_KEY"),
    openai_like("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    openai_like("huggingface", "https://router.huggingface.co/v1", "HF_TOKEN"),
    openai_like("minimax", "https://api.minimax.io/v1", "MINIMAX_API_KEY"),
    openai_like("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    openai_like("moonshotai", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
    openai_like("nebius", "https://api.studio.nebius.com/v1", "NEBIUS_API_KEY"),
    openai_like("novita-ai", "https://api.novita.ai/v3/openai", "NOVITA_API_KEY"),
    openai_like("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
    openai_like("openai", "https://api.openai.com/v1", "OPENAI_API_KEY"),
    openai_like("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    openai_like("perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY"),
    openai_like("togetherai", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    openai_like("vercel", "https://ai-gateway.vercel.sh/v1", "AI_GATEWAY_API_KEY"),
    openai_like("xai", "https://api.x.ai/v1", "XAI_API_KEY"),
    openai_like("zai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY"),
];

/// Returns whether the API of a kind of backend has an operation.
pub fn offers(kind: &str, operation: Operation) -> bool {
    match kind {
        "anthropic" => ProviderDialect::Anthropic.offers(operation),
        "gemini" => ProviderDialect::Gemini.offers(operation),
        _ => true,
    }
}

/// Returns the provider of a section of the catalogue.
pub fn find(section: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.section == section)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn every_provider_has_a_section_of_the_catalogue() {
        assert!(PROVIDERS.is_sorted_by_key(|provider| provider.section));
        for provider in PROVIDERS {
            assert!(catalogue::ids(provider.section).next().is_some(), "{}", provider.section);
        }
    }
}
