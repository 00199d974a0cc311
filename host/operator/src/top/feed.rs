//! Polls the gateway.
//!
//! Each poll gets the whole overview instead of following the event stream. What is shown is
//! then consistent, a missed poll costs nothing, and there is no state to restore after a
//! disconnection.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use pointsman_admin_api::{DECISIONS, DecisionRecord, DecisionSummary, OVERVIEW, Overview};

use crate::CommandError;
use crate::client::{AdminClient, ClientError};

/// Time for one call.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// Decisions that a poll gets, of the 1,000 that a gateway keeps.
const RECENT: usize = 200;
/// Decisions that a poll gets while a filter selects among them.
const ALL: usize = 1_000;

/// A request to the polling thread.
#[derive(Debug)]
pub(super) enum FeedRequest {
    /// Get the record of a decision.
    Open(String),
    /// Get all decisions from now on, or only recent ones.
    AllDecisions(bool),
}

/// A result of the polling thread.
#[derive(Debug)]
pub(super) enum FeedEvent {
    Updated(Result<Box<Update>, FeedError>),
    Opened { id: String, record: Result<Box<DecisionRecord>, FeedError> },
}

/// The result of one poll.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) overview: Overview,
    /// The newest first.
    pub(super) decisions: Vec<DecisionSummary>,
}

/// Failure of a poll.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct FeedError(#[from] ClientError);

impl FeedError {
    /// Returns whether another attempt would fail too.
    pub(super) fn is_final(&self) -> bool {
        match &self.0 {
            ClientError::Refused { status, .. } => matches!(status, 401 | 403 | 404),
            ClientError::Request { .. } => true,
            ClientError::Unreachable { .. } | ClientError::Response(_) => false,
        }
    }
}

impl From<FeedError> for CommandError {
    fn from(FeedError(error): FeedError) -> Self {
        // A missing token or wrong address is an input error: retrying does not help.
        let is_input = matches!(error, ClientError::Refused { status: 401 | 403, .. });
        match error.into() {
            Self::Run(message) if is_input => Self::Input(message),
            error => error,
        }
    }
}

/// Polls once.
pub(super) fn fetch(client: &AdminClient, all_decisions: bool) -> Result<Update, FeedError> {
    let limit = if all_decisions { ALL } else { RECENT };
    Ok(Update {
        overview: client.get(OVERVIEW)?,
        decisions: client.get(&format!("{DECISIONS}?limit={limit}"))?,
    })
}

fn open(client: &AdminClient, id: &str) -> Result<Box<DecisionRecord>, FeedError> {
    // The id comes from a response: it must not lead to another path.
    let id: String = id.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    Ok(Box::new(client.get(&format!("{DECISIONS}/{id}"))?))
}

/// Polls once per interval and serves requests, until their sender is dropped.
pub(super) fn follow(
    client: &AdminClient,
    interval: Duration,
    requests: &Receiver<FeedRequest>,
    mut emit: impl FnMut(FeedEvent),
) {
    let mut all_decisions = false;
    loop {
        emit(FeedEvent::Updated(fetch(client, all_decisions).map(Box::new)));
        let next = Instant::now() + interval;
        loop {
            match requests.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(FeedRequest::Open(id)) => {
                    let record = open(client, &id);
                    emit(FeedEvent::Opened { id, record });
                }
                Ok(FeedRequest::AllDecisions(wanted)) if wanted != all_decisions => {
                    all_decisions = wanted;
                    break;
                }
                Ok(FeedRequest::AllDecisions(_)) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}
