//! The stream of events.

/// Kind of an event of `GET /admin/events`, which is its name in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The status of the gateway, each second: a [`Tick`](crate::Tick).
    Tick,
    /// Decisions since the tick before, oldest first: a list of
    /// [`DecisionSummary`](crate::DecisionSummary).
    Decisions,
    /// A change to a policy or a route: an [`AuditEvent`](crate::AuditEvent).
    Change,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Tick, Self::Decisions, Self::Change];

    /// Returns the name in the stream.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tick => "tick",
            Self::Decisions => "decisions",
            Self::Change => "change",
        }
    }
}
