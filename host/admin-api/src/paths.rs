//! Paths and headers.

/// Everything at a glance.
pub const OVERVIEW: &str = "/admin/overview";
/// The stream of events.
pub const EVENTS: &str = "/admin/events";
/// Recent decisions; a decision's id follows for its record.
pub const DECISIONS: &str = "/admin/decisions";
/// Policies; a policy's name follows for one of them, and an operation after it.
pub const POLICIES: &str = "/admin/policies";
/// Routes; a route's name follows for one of them, and an operation after it.
pub const ROUTES: &str = "/admin/routes";
/// Models.
pub const MODELS: &str = "/admin/models";
/// API keys of clients; a key's name follows for one of them, and `/rotate` after it.
pub const KEYS: &str = "/admin/keys";
/// Usage by route, model and key.
pub const USAGE: &str = "/admin/usage";
/// Usage over time, by route, model or key.
pub const HISTORY: &str = "/admin/history";
/// Trade-offs between the routes.
pub const TRADE_OFF: &str = "/admin/trade-off";
/// Recent plans; a decision's id follows for one of them.
pub const PLANS: &str = "/admin/plans";
/// The role of the caller.
pub const ACCESS: &str = "/admin/access";
/// The audit log.
pub const AUDIT: &str = "/admin/audit";
/// A reload of the configuration and of all policies.
pub const RELOAD: &str = "/admin/reload";
/// A run of one request by a policy, which changes nothing.
pub const PLAYGROUND: &str = "/admin/playground";

/// Header with the operator's name, for the audit log.
pub const OPERATOR_HEADER: &str = "x-pointsman-operator";
/// Header with the signature of an uploaded policy: a `.minisig` file in base64.
pub const SIGNATURE_HEADER: &str = "x-pointsman-signature";
