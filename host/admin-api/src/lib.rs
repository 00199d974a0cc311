//! Requests and responses of the admin API and its event stream.
//!
//! The gateway, `pointsman top` and the commands that talk to a running gateway use these
//! types, so a member cannot be renamed in one of them alone. The live page reads the same
//! members through type declarations that are generated from them (`admin-api.d.ts`).
//!
//! A client may be older or newer than the gateway: members that are missing have their
//! defaults, and members that are unknown are ignored. Values that may be extended, such as
//! the action of a change, are text.

mod access;
mod attention;
mod changes;
mod decisions;
mod error;
mod events;
mod history;
mod keys;
mod models;
mod overview;
mod paths;
mod plans;
mod playground;
mod policies;
mod record;
mod reload;
mod requests;
mod routes;
mod timeline;
mod totals;
mod trade_off;

pub use access::{AccessStatus, Role};
pub use attention::{AttentionEntry, AttentionKind, AttentionLevel, AttentionSubject};
pub use changes::{Actor, AuditEvent};
pub use decisions::{DecisionSummary, FailedCall};
pub use error::{ErrorDetail, ErrorResponse};
pub use events::EventKind;
pub use history::{
    History, HistoryPoint, HistoryQuery, HistorySeries, HistoryStorage, HistoryTotals, OtherSeries,
};
pub use keys::{
    ChangeKeyRequest, CreateKeyRequest, IssuedKey, KeyList, KeySource, KeyState, KeyStatus, RotateKeyRequest,
    TimeValue,
};
pub use models::ModelStatus;
pub use overview::{
    DecisionLogCounts, GatewayStatus, ModelOverview, Overview, RouteOverview, SpanCounts, Tick,
};
pub use paths::{
    ACCESS, AUDIT, DECISIONS, EVENTS, HISTORY, KEYS, MODELS, OPERATOR_HEADER, OVERVIEW, PLANS, PLAYGROUND,
    POLICIES, RELOAD, ROUTES, SIGNATURE_HEADER, TRADE_OFF, USAGE,
};
pub use plans::{PlanDetail, PlanSummary, PlanTrace, TaskTrace};
pub use playground::{PlaygroundProblem, PlaygroundRequest, PlaygroundRun};
pub use policies::{
    ChosenVersion, DeclaredAnswer, DescriptionStatus, HoldStatus, KeptEntry, KeptState, OverrideKind,
    PolicyList, PolicyStatus, RejectedVersion, SettingStatus, VersionStats,
};
pub use record::{
    DecisionRecord, RecordedAnswer, RecordedAttempt, RecordedCandidate, RecordedDecision, RecordedOutcome,
    RecordedRequest, RecordedTarget,
};
pub use reload::{ConfigResult, PolicyReload, ReloadReport};
pub use requests::{
    AuditQuery, DecisionsQuery, KeptStateQuery, OperationResult, OverviewQuery, PlansQuery, Reason,
    TrialRequest, VersionRequest,
};
pub use routes::{Comparison, Promotion, RouteStatus, TrialMode, TrialScore, TrialStatus, ValuePair};
pub use timeline::{Timeline, TimelinePoint};
pub use totals::{FailureCauses, RequestSums, RequestTotals, UsageLine};
pub use trade_off::{RouteTradeOff, TradeOff, TradeOffQuery};

#[cfg(test)]
mod tests;
