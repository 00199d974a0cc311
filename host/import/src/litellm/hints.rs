//! Advice on keys of LiteLLM that have no counterpart.

type HintTable<const N: usize> = [(&'static str, &'static str); N];

const LOGGING: &str =
    "metrics are at `GET /metrics`, spans go to `[traces]`, and `[decision_log]` has a line for each request";
const DATABASE: &str = "the gateway has no database: keys are in `[keys]`, usage is at `GET /admin/usage` and in \
                        `[decision_log]`";
const CACHE: &str = "the gateway caches no answers: use the providers' prompt caching, or a cache in front of the \
                     gateway";
const STATE: &str = "gateways share no state: each one measures health and load";
const GUARDRAILS: &str = "a policy with the grant `prompt` can refuse requests: docs/writing-policies.md";
const SPEND: &str = "limit what one request may cost with `plan.max_cost` of a route; usage by key is at \
                     `GET /admin/usage`";
const REQUEST: &str = "let clients send the parameter with their requests";
const AWS: &str = "models of this provider need an endpoint like OpenAI's: set `base_url` of a backend";
const MCP: &str = "the gateway serves no MCP: connect clients to the servers directly";
const ENTRA: &str = "use `api_key_command` with a command that prints a token, and \
                     `api_key_header = \"authorization\"`: docs/backends.md#commands";
const REFUSAL: &str = "a refusal of a model is an answer; only failures are given to another model";
const TAGS: &str = "make a route for each tag";
const ALERTS: &str = "alert by the rules in examples/observability";
const TOKENS: &str =
    "put a proxy that checks tokens in front of the gateway, or give clients keys in `[keys]`";
const SECRETS: &str = "use `api_key_file` with a mounted secret, or `api_key_command`";
const HEALTH: &str = "set `health` of the backend; the health of models follows from their calls too";
const IN_FLIGHT: &str = "use the policy `priority` with `max_in_flight`";
const VERIFY: &str =
    "servers are always verified: name a certificate authority with `ca_file` of the backend";

/// Keys of the document.
pub(super) const TOP: HintTable<9> = [
    ("guardrails", GUARDRAILS),
    ("mcp_*", MCP),
    ("callback_settings", LOGGING),
    ("include", "import each file, and join the results"),
    ("vector_store_registry", "the gateway has no vector stores"),
    ("files_settings", "the gateway serves no files: clients call the provider directly"),
    ("finetune_settings", "the gateway serves no fine-tuning: clients call the provider directly"),
    ("prompts", "keep templates of prompts in the application"),
    ("search_tools", "the gateway has no tools of its own"),
];

/// Keys of `litellm_params`.
pub(super) const PARAMS: HintTable<31> = [
    ("temperature", REQUEST),
    ("top_p", REQUEST),
    ("max_tokens", REQUEST),
    ("max_completion_tokens", REQUEST),
    ("seed", REQUEST),
    ("stop", REQUEST),
    ("n", REQUEST),
    ("presence_penalty", REQUEST),
    ("frequency_penalty", REQUEST),
    ("reasoning_effort", REQUEST),
    ("thinking", REQUEST),
    ("response_format", REQUEST),
    ("extra_body", REQUEST),
    ("user", REQUEST),
    ("stream", REQUEST),
    ("aws_*", AWS),
    ("vertex_*", "use Vertex's endpoint like OpenAI's with `api_key_command`: docs/backends.md#commands"),
    ("azure_ad_token", ENTRA),
    ("tenant_id", ENTRA),
    ("client_id", ENTRA),
    ("client_secret", ENTRA),
    ("ssl_verify", VERIFY),
    ("drop_params", "set `on_untranslatable = \"drop\"` on the route"),
    ("tags", TAGS),
    ("max_budget", SPEND),
    ("budget_duration", SPEND),
    ("max_parallel_requests", IN_FLIGHT),
    ("cache_control_injection_points", "let clients mark what is cached"),
    ("use_in_pass_through", "the gateway serves only the APIs of docs/client-apis.md"),
    ("mock_response", "use a backend of kind `simulated`"),
    ("input_cost_per_*", "only prices of tokens are counted"),
];

/// Keys of `model_info`.
pub(super) const MODEL_INFO: HintTable<5> = [
    ("access_groups", "list the routes that a key may request in `routes` of `[keys.NAME]`"),
    ("supported_environments", "keep a configuration for each environment"),
    ("litellm_provider", "set `provider` of the backend"),
    ("supports_*", "state `abilities` and `inputs` of the model; without them, those of the catalogue hold"),
    ("output_cost_per_*", "only prices of tokens are counted"),
];

/// Keys of `router_settings`.
pub(super) const ROUTER: HintTable<17> = [
    ("redis_*", STATE),
    ("cache_*", CACHE),
    ("caching_groups", CACHE),
    ("client_ttl", "connections are kept for `idle_timeout` of a backend"),
    ("routing_strategy_args", "see the settings of the policies in policies/"),
    ("retry_policy", "errors that may be transient are retried, others are not: docs/reliability.md"),
    ("model_group_retry_policy", "set `max_attempts` of the route"),
    ("allowed_fails_policy", "the meaning of each error is fixed: docs/answers.md"),
    ("content_policy_fallbacks", REFUSAL),
    ("enable_tag_filtering", TAGS),
    ("tag_filtering_match_any", TAGS),
    ("provider_budget_config", SPEND),
    ("default_max_parallel_requests", IN_FLIGHT),
    ("default_litellm_params", REQUEST),
    ("polling_interval", STATE),
    ("debug_level", "set `level` in `[log]`"),
    ("set_verbose", "set `level` in `[log]`"),
];

/// Keys of `litellm_settings`.
pub(super) const SETTINGS: HintTable<26> = [
    ("success_callback", LOGGING),
    ("failure_callback", LOGGING),
    ("callbacks", LOGGING),
    ("service_callbacks", LOGGING),
    ("audit_log_callbacks", "operators' changes are in the audit log: `pointsman policy audit`"),
    ("langfuse_*", LOGGING),
    ("prometheus_*", "labels of metrics are fixed: docs/metrics.md"),
    ("custom_prometheus_*", "labels of metrics are fixed: docs/metrics.md"),
    ("redact_*", "log lines, spans and metrics contain no keys"),
    ("cache", CACHE),
    ("cache_params", CACHE),
    ("enable_caching_on_provider_specific_optional_params", CACHE),
    ("guardrails", GUARDRAILS),
    ("content_policy_fallbacks", REFUSAL),
    ("max_budget", SPEND),
    ("budget_duration", SPEND),
    ("max_internal_user_budget", SPEND),
    ("default_*", DATABASE),
    ("upperbound_key_generate_params", DATABASE),
    ("key_generation_settings", DATABASE),
    ("max_end_user_budget*", SPEND),
    ("force_ipv4", "addresses are chosen by the system"),
    ("ssl_verify", VERIFY),
    ("modify_params", "requests are translated as docs/translation.md says"),
    ("mcp_aliases", MCP),
    ("model_alias_map", "add `aliases` to the route"),
];

/// Keys of `general_settings`.
pub(super) const GENERAL: HintTable<28> = [
    ("database_*", DATABASE),
    ("disable_*", DATABASE),
    ("store_model_in_db", "models are in the configuration, which is reloaded when the file changes"),
    ("store_prompts_in_spend_logs", "set `content = true` in `[decision_log]`"),
    ("allow_requests_on_db_unavailable", DATABASE),
    ("proxy_batch_write_at", DATABASE),
    ("maximum_spend_logs_*", "limit the log with `max_size` in `[decision_log]`"),
    ("use_redis_transaction_buffer", STATE),
    ("alerting*", ALERTS),
    ("alert_*", ALERTS),
    ("slack_*", ALERTS),
    ("enable_jwt_auth", TOKENS),
    ("litellm_jwtauth", TOKENS),
    ("enable_oauth2_*", TOKENS),
    (
        "custom_*",
        "Python code cannot be imported; a policy in WebAssembly decides about requests: docs/writing-policies.md",
    ),
    ("key_management_*", SECRETS),
    ("use_google_kms", SECRETS),
    ("use_azure_key_vault", SECRETS),
    ("max_parallel_requests", "limit connections with `max_connections_per_peer` in `[server]`"),
    ("global_max_parallel_requests", "limit memory in `[memory]`, and connections in `[server]`"),
    ("max_request_size_mb", "set `max_body_bytes` in `[server]`"),
    ("max_response_size_mb", "set `max_answer_bytes` in `[memory]`"),
    ("health_check_*", HEALTH),
    ("background_health_checks", HEALTH),
    ("pass_through_endpoints", "the gateway serves only the APIs of docs/client-apis.md"),
    ("allowed_ips", "limit addresses in a firewall or a proxy"),
    ("completion_model", "add the alias `*` to a route"),
    ("forward_client_headers_to_llm_api", "set `headers` of the backend"),
];
