//! Providers of LiteLLM, which are the prefixes of model names.

use pointsman_config::{catalogue, providers};

/// A provider that can be imported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ImportedProvider {
    /// Prefix in LiteLLM, which becomes the name of the backend.
    pub(super) prefix: &'static str,
    /// Section of the catalogue; empty if there is none.
    pub(super) section: &'static str,
    /// Kind of the backend.
    pub(super) kind: &'static str,
    /// Base URL, where the file states none.
    pub(super) base_url: Option<&'static str>,
    /// Environment variable in which LiteLLM looks for the key; `None` if a server usually needs none.
    pub(super) key_variable: Option<&'static str>,
    /// True for servers of one's own, whose tokens cost nothing.
    pub(super) is_local: bool,
    /// Path that LiteLLM adds to the base URL of the file.
    pub(super) path: &'static str,
}

/// Prefixes whose provider has a section of the catalogue and an address.
const HOSTED: [(&str, &str); 28] = [
    ("anthropic", "anthropic"),
    ("baseten", "baseten"),
    ("cerebras", "cerebras"),
    ("cohere", "cohere"),
    ("cohere_chat", "cohere"),
    ("dashscope", "alibaba"),
    ("deepinfra", "deepinfra"),
    ("deepseek", "deepseek"),
    ("fireworks_ai", "fireworks-ai"),
    ("gemini", "google"),
    ("groq", "groq"),
    ("huggingface", "huggingface"),
    ("minimax", "minimax"),
    ("mistral", "mistral"),
    ("moonshot", "moonshotai"),
    ("nebius", "nebius"),
    ("novita", "novita-ai"),
    ("nvidia_nim", "nvidia"),
    ("openai", "openai"),
    ("openai_like", "openai"),
    ("custom_openai", "openai"),
    ("text-completion-openai", "openai"),
    ("openrouter", "openrouter"),
    ("perplexity", "perplexity"),
    ("together_ai", "togetherai"),
    ("vercel_ai_gateway", "vercel"),
    ("xai", "xai"),
    ("zai", "zai"),
];

/// Names of key variables that differ from those of the catalogue's provider.
const KEY_VARIABLES: [(&str, &str); 4] = [
    ("together_ai", "TOGETHERAI_API_KEY"),
    ("huggingface", "HUGGINGFACE_API_KEY"),
    ("nvidia_nim", "NVIDIA_NIM_API_KEY"),
    ("perplexity", "PERPLEXITYAI_API_KEY"),
];

/// Servers of one's own, with their usual address and the path that LiteLLM adds to an address.
const LOCAL: [(&str, Option<&str>, &str); 9] = [
    ("hosted_vllm", None, ""),
    ("litellm_proxy", None, ""),
    ("llamafile", Some("http://127.0.0.1:8080/v1"), ""),
    ("lm_studio", Some("http://127.0.0.1:1234/v1"), ""),
    ("ollama", Some("http://127.0.0.1:11434/v1"), "/v1"),
    ("ollama_chat", Some("http://127.0.0.1:11434/v1"), "/v1"),
    ("oobabooga", None, ""),
    ("vllm", None, ""),
    ("xinference", Some("http://127.0.0.1:9997/v1"), ""),
];

/// Providers without an API that the gateway speaks, with the remedy.
const UNSUPPORTED: [(&str, &str); 8] = [
    ("bedrock", "use Bedrock's endpoint like OpenAI's with `base_url` and an API key of Bedrock"),
    ("bedrock_converse", "use Bedrock's endpoint like OpenAI's with `base_url` and an API key of Bedrock"),
    ("sagemaker", "use an endpoint like OpenAI's in front of the model"),
    ("sagemaker_chat", "use an endpoint like OpenAI's in front of the model"),
    ("vertex_ai", "use Vertex's endpoint like OpenAI's with `api_key_command`: docs/backends.md#commands"),
    (
        "vertex_ai_beta",
        "use Vertex's endpoint like OpenAI's with `api_key_command`: docs/backends.md#commands",
    ),
    ("watsonx", "use an endpoint like OpenAI's in front of the model"),
    ("replicate", "use an endpoint like OpenAI's in front of the model"),
];

impl ImportedProvider {
    /// Returns the provider of a prefix.
    pub(super) fn find(prefix: &str) -> Option<Self> {
        if prefix == "azure" || prefix == "azure_text" {
            return Some(Self::new("azure", "azure", "azure", None, Some("AZURE_API_KEY")));
        }
        if prefix == "azure_ai" {
            return Some(Self::new("azure_ai", "azure", "openai", None, Some("AZURE_AI_API_KEY")));
        }
        if let Some((prefix, base_url, path)) = LOCAL.into_iter().find(|(name, ..)| *name == prefix) {
            return Some(Self { is_local: true, path, ..Self::new(prefix, "", "openai", base_url, None) });
        }
        let (prefix, section) = HOSTED.into_iter().find(|(name, _)| *name == prefix)?;
        let provider = providers::find(section)?;
        let variable =
            KEY_VARIABLES.into_iter().find(|(name, _)| *name == prefix).map(|(_, variable)| variable);
        // Other names for servers like OpenAI's are one backend with theirs.
        let name = if section == "openai" { "openai" } else { prefix };
        Some(Self::new(name, section, provider.kind, provider.base_url, variable.or(provider.key_variable)))
    }

    /// Returns the remedy for the models of a provider that cannot be imported.
    pub(super) fn advice(prefix: &str) -> &'static str {
        let known = UNSUPPORTED.into_iter().find(|(name, _)| *name == prefix);
        known.map_or(
            "if it has an API like OpenAI's, add a backend with its `base_url`: docs/backends.md",
            |(_, advice)| advice,
        )
    }

    /// Splits the value of `model` into provider and model. Without a known prefix, LiteLLM guesses the
    /// provider from the name.
    pub(super) fn split(model: &str) -> (Option<Self>, &str) {
        if let Some((prefix, name)) = model.split_once('/')
            && let Some(provider) = Self::find(prefix)
        {
            return (Some(provider), name.strip_prefix("responses/").unwrap_or(name));
        }
        let is_listed = |section: &str| catalogue::lookup(&format!("{section}/{model}")).is_some();
        let guesses =
            [("openai", "openai"), ("anthropic", "anthropic"), ("gemini", "google"), ("mistral", "mistral")];
        let by_catalogue = guesses.into_iter().find(|(_, section)| is_listed(section));
        let by_name = [
            ("gpt-", "openai"),
            ("text-embedding-", "openai"),
            ("claude-", "anthropic"),
            ("gemini-", "gemini"),
        ];
        let by_name = by_name.into_iter().find(|(start, _)| model.starts_with(start));
        let prefix = by_catalogue.map(|(prefix, _)| prefix).or(by_name.map(|(_, prefix)| prefix));
        (prefix.and_then(Self::find), model)
    }

    const fn new(
        prefix: &'static str,
        section: &'static str,
        kind: &'static str,
        base_url: Option<&'static str>,
        key_variable: Option<&'static str>,
    ) -> Self {
        Self { prefix, section, kind, base_url, key_variable, is_local: false, path: "" }
    }
}
