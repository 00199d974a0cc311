//! Asks the gateway, again and again.
//!
//! It asks for the whole overview each time rather than to listen to events: what it
//! shows is then one moment's truth, a look that was missed costs nothing, and after a
//! break there is nothing to put together again.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::told::{self, Overview, Record, Summary};
use crate::cli::Failure;
use crate::cli::admin::{CallError, Caller};

/// Longest wait for an answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// Decisions that are asked for, of the 1,000 that a gateway keeps.
const DECISIONS: &str = "/admin/decisions?limit=200";
/// The same when only some of them are shown.
const ALL_DECISIONS: &str = "/admin/decisions?limit=1000";

/// What to ask for besides.
#[derive(Debug)]
pub(super) enum Order {
    /// A decision, whole.
    Open(String),
    /// All decisions, or the newest.
    Deep(bool),
}

/// What was heard.
#[derive(Debug)]
pub(super) enum News {
    Looked(Result<Box<Look>, FeedError>),
    Opened { id: String, record: Result<Box<Record>, FeedError> },
}

/// How things stand.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) overview: Overview,
    /// The newest first.
    pub(super) decisions: Vec<Summary>,
}

/// Why nothing was heard.
#[derive(Debug, thiserror::Error)]
pub(super) enum FeedError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("what answers is no gateway of this version: {0}")]
    Answer(#[from] serde_json::Error),
}

impl FeedError {
    /// Whether asking again is of no use.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Call(CallError::Refused { status, .. }) => matches!(status, 401 | 403 | 404),
            Self::Call(CallError::Request { .. }) => true,
            Self::Call(CallError::Unreachable { .. }) | Self::Answer(_) => false,
        }
    }
}

impl From<FeedError> for Failure {
    fn from(error: FeedError) -> Self {
        match error {
            // Asking otherwise helps, asking again does not.
            FeedError::Call(error @ CallError::Refused { status: 401 | 403, .. }) => match error.into() {
                Self::Run(message) | Self::Input(message) => Self::Input(message),
            },
            FeedError::Call(error) => error.into(),
            FeedError::Answer(_) => Self::Run(format!("error: {error}")),
        }
    }
}

/// One look.
pub(super) fn look(caller: &Caller, deep: bool) -> Result<Look, FeedError> {
    Ok(Look {
        overview: told::read(caller.get("/admin/overview")?)?,
        decisions: told::read(caller.get(if deep { ALL_DECISIONS } else { DECISIONS })?)?,
    })
}

fn open(caller: &Caller, id: &str) -> Result<Box<Record>, FeedError> {
    // An id is from an answer: nothing in it may lead elsewhere.
    let id: String = id.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    let record: Value = caller.get(&format!("/admin/decisions/{id}"))?;
    Ok(Box::new(told::read(record)?))
}

/// Looks once each interval, and does what it is told to, until nobody tells any more.
pub(super) fn follow(
    caller: &Caller,
    interval: Duration,
    orders: &Receiver<Order>,
    mut tell: impl FnMut(News),
) {
    let mut deep = false;
    loop {
        tell(News::Looked(look(caller, deep).map(Box::new)));
        let next = Instant::now() + interval;
        loop {
            match orders.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(Order::Open(id)) => {
                    let record = open(caller, &id);
                    tell(News::Opened { id, record });
                }
                Ok(Order::Deep(wanted)) if wanted != deep => {
                    deep = wanted;
                    break;
                }
                Ok(Order::Deep(_)) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}
