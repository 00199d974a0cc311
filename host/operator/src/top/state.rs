//! The state of the display: data of the gateway, and the user's selections.

use pointsman_admin_api::{DecisionRecord, DecisionSummary, Overview, TimelinePoint};

use super::feed::{FeedEvent, Update};
use super::grid::Grid;
use super::tables;

/// Seconds over which current rates are averaged.
const CURRENT: u64 = 10;
/// Seconds in a minute.
const MINUTE: u64 = 60;

/// Everything that drawing needs.
#[derive(Debug)]
pub(super) struct TopState {
    /// URL of the gateway's admin listener.
    pub(super) admin: String,
    pub(super) connection: Connection,
    /// The last overview, or the one that was shown when the display was paused.
    pub(super) overview: Option<Overview>,
    /// The newest first.
    pub(super) decisions: Vec<DecisionSummary>,
    pub(super) view: View,
    tables: [TableState; View::ALL.len()],
    /// Only rows that contain this text are shown.
    pub(super) filter: String,
    /// True while keys are entered into the filter.
    pub(super) editing: bool,
    pub(super) paused: bool,
    pub(super) help: bool,
    /// The decision that is open.
    pub(super) opened: Option<OpenDecision>,
}

/// The state of the connection to the gateway.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Connection {
    /// No poll has completed yet.
    Connecting,
    /// The last poll succeeded.
    Live,
    /// The last poll failed.
    Lost {
        /// First failure, in milliseconds since 1970.
        since_ms: u64,
        why: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Overview,
    Models,
    Routes,
    Policies,
    Decisions,
}

/// The user's selections in the table of a view.
#[derive(Debug, Default)]
struct TableState {
    /// Key of the selected row.
    selected: Option<String>,
    /// The column to sort by; `None` for the gateway's order.
    sorted: Option<usize>,
}

/// The decision that is open.
#[derive(Debug)]
pub(super) struct OpenDecision {
    pub(super) id: String,
    pub(super) record: RecordState,
    /// Lines above the visible part.
    pub(super) scroll: usize,
}

#[derive(Debug)]
pub(super) enum RecordState {
    Loading,
    Loaded(Box<DecisionRecord>),
    Failed(String),
}

/// Current rates.
#[derive(Debug, Default, PartialEq)]
pub(super) struct CurrentRates {
    pub(super) requests_per_second: f64,
    /// Share of the requests of the last minute.
    pub(super) answered_share: Option<f64>,
    pub(super) latency_ms_p50: Option<f64>,
    pub(super) latency_ms_p95: Option<f64>,
    pub(super) cost_per_minute: f64,
}

impl View {
    pub(super) const ALL: [Self; 5] =
        [Self::Overview, Self::Models, Self::Routes, Self::Policies, Self::Decisions];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Models => "Models",
            Self::Routes => "Routes",
            Self::Policies => "Policies",
            Self::Decisions => "Decisions",
        }
    }

    /// Returns the position in [`View::ALL`].
    pub(super) fn index(self) -> usize {
        match self {
            Self::Overview => 0,
            Self::Models => 1,
            Self::Routes => 2,
            Self::Policies => 3,
            Self::Decisions => 4,
        }
    }
}

impl TopState {
    pub(super) fn new(admin: String) -> Self {
        Self {
            admin,
            connection: Connection::Connecting,
            overview: None,
            decisions: Vec::new(),
            view: View::Overview,
            tables: Default::default(),
            filter: String::new(),
            editing: false,
            paused: false,
            help: false,
            opened: None,
        }
    }

    /// Applies a result of the polling thread.
    pub(super) fn apply(&mut self, event: FeedEvent, now_ms: u64) {
        match event {
            FeedEvent::Updated(Ok(update)) => {
                self.connection = Connection::Live;
                // A paused display keeps its data, and still shows the state of the connection.
                if !self.paused || self.overview.is_none() {
                    let Update { overview, decisions } = *update;
                    (self.overview, self.decisions) = (Some(overview), decisions);
                }
            }
            FeedEvent::Updated(Err(error)) => {
                let since_ms = match self.connection {
                    Connection::Lost { since_ms, .. } => since_ms,
                    _ => now_ms,
                };
                self.connection = Connection::Lost { since_ms, why: error.to_string() };
            }
            FeedEvent::Opened { id, record } => {
                // The user may have closed the decision, or opened another one, since.
                if let Some(opened) = self.opened.as_mut().filter(|opened| opened.id == id) {
                    opened.record = match record {
                        Ok(record) => RecordState::Loaded(record),
                        Err(error) => RecordState::Failed(error.to_string()),
                    };
                }
            }
        }
    }

    /// Returns the table that keys act on, filtered and sorted.
    pub(super) fn table(&self, view: View) -> Grid {
        let mut grid = match view {
            View::Overview | View::Decisions => tables::decisions(self),
            View::Models => tables::models(self),
            View::Routes => tables::routes(self),
            View::Policies => tables::policies(self),
        };
        if let Some(column) = self.sorted(view) {
            grid.sort(column);
        }
        grid
    }

    /// Returns whether the filter accepts a row with these texts.
    pub(super) fn accepts<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        self.filter.is_empty() || texts.into_iter().any(|text| text.contains(&self.filter))
    }

    /// Returns the index of the selected row: the first one if none was selected, or if it is gone.
    pub(super) fn selected(&self, view: View, grid: &Grid) -> usize {
        let key = self.tables[view.index()].selected.as_deref();
        key.and_then(|key| grid.rows.iter().position(|row| row.key == key)).unwrap_or(0)
    }

    /// Returns the key of the selected row.
    pub(super) fn selected_key(&self) -> Option<String> {
        let grid = self.table(self.view);
        let row = grid.rows.get(self.selected(self.view, &grid))?;
        Some(row.key.clone())
    }

    /// Moves the selection down by a number of rows.
    pub(super) fn move_selection(&mut self, rows: isize) {
        let grid = self.table(self.view);
        let index = self.selected(self.view, &grid).saturating_add_signed(rows);
        let index = index.min(grid.rows.len().saturating_sub(1));
        // The first row is selected by position, so that the selection stays at the top when newer
        // rows arrive.
        let key = grid.rows.get(index).filter(|_| index > 0).map(|row| row.key.clone());
        self.tables[self.view.index()].selected = key;
    }

    pub(super) fn sorted(&self, view: View) -> Option<usize> {
        self.tables[view.index()].sorted
    }

    /// Sorts by the next column, and after the last one in the gateway's order.
    pub(super) fn sort_next(&mut self) {
        let columns = self.table(self.view).sortable();
        let sorted = &mut self.tables[self.view.index()].sorted;
        *sorted = match sorted {
            None => columns.first().copied(),
            Some(current) => columns.into_iter().find(|column| column > current),
        };
    }

    /// Returns the gateway's clock at the time of the overview.
    pub(super) fn now_ms(&self) -> u64 {
        self.overview.as_ref().map_or(0, |overview| overview.status.now_ms)
    }

    /// Returns the completed seconds of the timeline, the newest first. Seconds without requests
    /// are included.
    pub(super) fn seconds(&self) -> impl Iterator<Item = TimelinePoint> + '_ {
        let now = self.now_ms() / 1_000;
        let points = self.overview.as_ref().map(|overview| overview.timeline.points.as_slice());
        let mut points = points.unwrap_or_default().iter().rev().peekable();
        (1..=now).map(move |back| {
            let at_ms = (now - back) * 1_000;
            while points.next_if(|point| point.at_ms > at_ms).is_some() {}
            let point = points.next_if(|point| point.at_ms == at_ms);
            point.cloned().unwrap_or(TimelinePoint { at_ms, ..TimelinePoint::default() })
        })
    }

    /// Returns current rates. The percentiles are means of those of the last seconds, weighted by
    /// answers; exact ones would need histograms, which the API does not have.
    pub(super) fn current_rates(&self) -> CurrentRates {
        let Some(overview) = &self.overview else { return CurrentRates::default() };
        let status = &overview.status;
        let uptime = (status.now_ms.saturating_sub(status.started_ms) / 1_000).max(1);
        // A gateway that has just started was not idle before.
        let span = |seconds: u64| uptime.min(seconds);
        let (mut requests, mut answered, mut cost, mut current_requests) = (0, 0, 0.0, 0);
        let mut latency = [(0.0, 0.0); 2];
        for (second, point) in (0..).zip(self.seconds().take(span(MINUTE) as usize)) {
            requests += point.requests;
            answered += point.answered;
            cost += point.cost_usd;
            if second >= CURRENT {
                continue;
            }
            current_requests += point.requests;
            let answers = point.answered as f64;
            for (sum, ms) in latency.iter_mut().zip([point.latency_ms_p50, point.latency_ms_p95]) {
                if let Some(ms) = ms {
                    *sum = (sum.0 + ms * answers, sum.1 + answers);
                }
            }
        }
        let [p50, p95] = latency.map(|(sum, answers)| (answers > 0.0).then(|| sum / answers));
        CurrentRates {
            requests_per_second: current_requests as f64 / span(CURRENT) as f64,
            answered_share: (requests > 0).then(|| answered as f64 / requests as f64),
            latency_ms_p50: p50,
            latency_ms_p95: p95,
            cost_per_minute: cost * MINUTE as f64 / span(MINUTE) as f64,
        }
    }
}

#[cfg(test)]
mod tests;
