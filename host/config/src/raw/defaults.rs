//! Defaults of omitted keys.

use std::collections::BTreeMap;

use pointsman_backends::HttpConfig;
use pointsman_domain::money::Picodollars;
use pointsman_domain::plan::PlanLimits;
use pointsman_domain::rollout::{HoldBackoff, Thresholds};
use pointsman_wire::provider::ProviderDialect;

use super::{
    Address, Admin, Backend, BackendKind, Compile, DecisionLog, Duration, Health, IsolationWord, Limits,
    OnFailureWord, OnUntranslatable, Plan, Policy, Rollback, Route, Server, Size, Traces, Warm, WordOr,
};

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: Address::loopback(8080),
            tls: None,
            max_body_bytes: Size::mebibytes(32),
            max_header_bytes: Size::kibibytes(64),
            max_connections: 4096,
            max_connections_per_peer: None,
            max_concurrent_streams: 64,
            trusted_proxies: Vec::new(),
            header_timeout: Duration::seconds(10),
            idle_timeout: Duration::seconds(75),
            write_timeout: None,
            shutdown_delay: Duration::seconds(0),
            drain_timeout: Duration::seconds(30),
            allow_anonymous: false,
            require_key: false,
            allowed_origins: Vec::new(),
            allowed_hosts: None,
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: Address::loopback(8081),
            tls: None,
            token_env: None,
            token_file: None,
            read_token_env: None,
            read_token_file: None,
        }
    }
}

impl Default for Traces {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: BTreeMap::new(),
            headers_env: BTreeMap::new(),
            headers_file: BTreeMap::new(),
            ca_file: None,
            timeout: Duration::seconds(10),
            sample: 1.0,
            content: false,
            service_name: "pointsman".to_owned(),
        }
    }
}

impl Default for DecisionLog {
    fn default() -> Self {
        Self {
            dir: None,
            rotate_size: Size::mebibytes(64),
            rotate_after: Duration::seconds(3_600),
            max_size: Size::mebibytes(4 << 10),
            sample: 1.0,
            content: false,
            content_size: Size::kibibytes(16),
            outputs: false,
        }
    }
}

impl Default for Compile {
    fn default() -> Self {
        Self { timeout: Duration::seconds(60), memory: Size::mebibytes(2 << 10), processes: 2 }
    }
}

impl Default for Backend {
    fn default() -> Self {
        let http = HttpConfig::new("");
        Self {
            kind: BackendKind::Openai,
            base_url: None,
            query: BTreeMap::new(),
            api_key_env: None,
            api_key_file: None,
            api_key_command: None,
            api_key_refresh_after: None,
            api_key_timeout: None,
            api_key_header: None,
            api_key_prefix: None,
            api_key_query: None,
            headers: BTreeMap::new(),
            connect_timeout: http.connect_timeout.into(),
            first_byte_timeout: None,
            stream_usage: true,
            idle_timeout: http.idle_timeout.into(),
            max_idle_connections: http.max_idle_connections as u32,
            http2: http.http2,
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
            proxy: None,
            proxy_auth_env: None,
            proxy_auth_file: None,
            health: None,
            apis: None,
            provider: None,
            seed: 0,
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            path: ProviderDialect::OpenAi.models_path().to_owned(),
            interval: Duration::seconds(10),
            timeout: Duration::seconds(2),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            source: None,
            sha256: None,
            public_key: None,
            poll: None,
            ca_file: None,
            username: None,
            password_env: None,
            password_file: None,
            settings: toml::Table::new(),
            grants: Vec::new(),
            limits: Limits::default(),
            isolation: WordOr::Word(IsolationWord::Fresh),
            state_of: None,
            on_failure: WordOr::Word(OnFailureWord::Fallback),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let limits = pointsman_policy::Limits::default();
        Self {
            deadline: limits.deadline.into(),
            memory: Size::bytes(limits.memory_bytes as u64),
            concurrency: limits.concurrency,
            host_calls: None,
            log_lines_per_second: limits.log_lines_per_second,
            prompt_bytes: Size::bytes(limits.prompt_bytes.into()),
            component: Size::bytes(limits.max_component_bytes as u64),
        }
    }
}

impl Default for Warm {
    fn default() -> Self {
        Self { recycle_after: 10_000, instances: 4 }
    }
}

impl Default for Route {
    fn default() -> Self {
        Self {
            aliases: Vec::new(),
            description: None,
            policy: None,
            shadow: None,
            canary: None,
            models: None,
            baseline: None,
            timeout: Duration::seconds(300),
            attempt_timeout: Duration::seconds(60),
            first_content_timeout: None,
            silence_timeout: None,
            answer_timeout: None,
            max_attempts: 3,
            last_resort: true,
            on_untranslatable: OnUntranslatable::Reject,
            backoff: Duration::milliseconds(100),
            plan: Plan::default(),
            on_failure: None,
        }
    }
}

impl Default for Rollback {
    fn default() -> Self {
        let (thresholds, backoff) = (Thresholds::default(), HoldBackoff::default());
        Self {
            enabled: true,
            failure_rate: thresholds.failure_rate,
            error_rate: thresholds.error_rate,
            decision_time: thresholds.decision_time,
            watch: Duration::seconds(3_600),
            backoff: backoff.first.into(),
            attempts: backoff.attempts,
        }
    }
}

impl Default for Plan {
    fn default() -> Self {
        let limits = PlanLimits::default();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            max_tasks: count(limits.tasks),
            max_steps: count(limits.steps),
            max_parallel: count(limits.parallel),
            max_depth: count(limits.depth),
            max_output_tokens: limits.output_tokens,
            max_input_tokens: limits.input_tokens,
            max_assembled_bytes: Size::bytes(limits.assembled_bytes),
            max_cost: limits.cost.map(Picodollars::usd),
        }
    }
}
