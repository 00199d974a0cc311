//! `GET /admin/history`: usage over time.

mod selection;
mod series;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pointsman_admin_api::{History, HistoryQuery, HistoryStorage};
use pointsman_serving::clock::unix_seconds;
use pointsman_state::{HistoryStatus, UsageHistory};
use tokio::sync::Semaphore;

use super::Admin;
use super::error::{AdminError, AdminErrorKind};
use super::query::ApiQuery;
use selection::Selection;
use series::SeriesSums;

/// Most concurrent reads of the history; others wait. A read of two weeks of the largest steps takes
/// about a second.
const READS: usize = 2;

/// The history of usage, with a limit on concurrent reads.
#[derive(Clone, Debug)]
pub(crate) struct HistoryReader {
    history: UsageHistory,
    reads: Arc<Semaphore>,
}

impl HistoryReader {
    pub(crate) fn new(history: UsageHistory) -> Self {
        Self { history, reads: Arc::new(Semaphore::new(READS)) }
    }

    /// Returns the condition of the storage.
    pub(super) fn status(&self) -> HistoryStatus {
        self.history.status()
    }
}

/// Returns the usage of a period, the running step included.
pub(super) async fn history(
    State(admin): State<Arc<Admin>>,
    ApiQuery(query): ApiQuery<HistoryQuery>,
) -> Result<Json<History>, AdminError> {
    let now = unix_seconds();
    let selection = Selection::of(query, now)?;
    let reads = Arc::clone(&admin.history.reads);
    let permit = reads.acquire_owned().await.map_err(|error| unreadable(&error.to_string()))?;
    let read = tokio::task::spawn_blocking(move || {
        // Held until the read has ended, even if the caller went away.
        let _permit = permit;
        let history = &admin.history.history;
        let lines = || admin.app.recorder.ledger.lines();
        history.collect(lines, now).map_err(|error| unreadable(&error.to_string()))?;
        let read = |mut sums: SeriesSums| {
            let oldest =
                history.read(selection.from, selection.to, |at, step| sums.add(&selection, at, step));
            oldest.map(|oldest| (oldest, sums)).map_err(|error| unreadable(&error.to_string()))
        };
        let (oldest, first) = read(SeriesSums::new(&selection))?;
        let sums = match first.for_second_reading(&selection) {
            Some(second) => read(second)?.1,
            None => first,
        };
        let storage = storage(history.status());
        Ok(History { oldest, storage, ..sums.into_history(&selection) })
    });
    read.await.map_err(|error| unreadable(&error.to_string()))?.map(Json)
}

fn unreadable(error: &str) -> AdminError {
    let message = format!("the history cannot be read: {error}");
    AdminError::new(AdminErrorKind::Unavailable, message).code("history_unreadable")
}

fn storage(status: HistoryStatus) -> HistoryStorage {
    let HistoryStatus { is_durable, error, unstored_steps, failures, lost_steps, unreadable_steps } = status;
    HistoryStorage { is_durable, error, unstored_steps, failures, lost_steps, unreadable_steps }
}
