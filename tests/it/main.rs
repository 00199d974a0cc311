//! Integration tests: the whole gateway as a process, against scripted models on real sockets.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot do its part fails"
)]

mod fleet;
mod forwarded;
mod policy_file;
mod raw;
mod terminal;

mod admin;
mod ask_first;
mod attacks;
mod author;
mod author_builds;
mod author_diff;
mod author_fuzz;
mod author_new;
mod backends;
mod built_in_policies;
mod client_apis;
mod client_libraries;
mod clients;
mod coding_agents;
mod command_line;
mod compatibility;
mod compiling;
mod connections;
mod decision_log;
mod decisions;
mod dev;
mod early_refusals;
mod encodings;
mod error_causes;
mod errors;
mod evaluation;
mod failing_backends;
mod fallbacks;
mod first_policy;
mod hang_ups;
mod hedging;
mod hot_swap;
mod import;
mod init;
mod keys;
mod languages;
mod leaks;
mod lifecycle;
mod log_databases;
mod logging;
mod memory;
mod metrics;
mod models_command;
mod native_completions;
mod observers;
mod openapi;
mod orchestration;
mod overview;
mod packaged_sdk;
mod page;
mod playground;
mod policy_command;
mod policy_description;
mod policy_failures;
mod policy_inspection;
mod policy_state;
mod protocols;
mod provider_keys;
mod provider_state;
mod publishing;
mod readmes;
mod real_model;
mod reloads;
mod replay;
mod rollouts;
mod routing;
mod secrecy;
mod security_claims;
mod shared_health;
mod signing;
mod simulated_fleet;
mod stalled_clients;
mod state;
mod stream_ends;
mod supply;
mod time_limits;
mod token_counts;
mod top;
mod traces;
mod trials;
mod unreachable_sources;
mod unservable;
mod usage;
mod web_pages;
