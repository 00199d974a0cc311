//! What is shown: everything that was told, and what the person at the keys made of it.

use super::feed::{Look, News};
use super::grid::Grid;
use super::tables;
use super::told::{Overview, Point, Record, Summary, Sums};

/// Seconds whose mean is the present rate.
const PRESENT: u64 = 10;
/// Seconds in a minute.
const MINUTE: u64 = 60;

/// Everything that drawing needs.
#[derive(Debug)]
pub(super) struct State {
    /// Where the gateway is.
    pub(super) admin: String,
    pub(super) connection: Connection,
    /// What the gateway told last, or when the picture was stopped.
    pub(super) overview: Option<Overview>,
    /// The newest first.
    pub(super) decisions: Vec<Summary>,
    pub(super) view: View,
    /// The selected row of each view, by its key.
    selected: [Option<String>; View::ALL.len()],
    /// The column that each view is sorted by, none for the gateway's order.
    sorted: [Option<usize>; View::ALL.len()],
    /// Only rows with this text in them are shown.
    pub(super) filter: String,
    /// Whether keys go into the filter.
    pub(super) editing: bool,
    pub(super) paused: bool,
    pub(super) help: bool,
    /// The decision that is open.
    pub(super) opened: Option<Opened>,
}

/// How it stands with the gateway.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Connection {
    /// It was not heard of yet.
    Connecting,
    /// The last look went well.
    Live,
    /// It is not there.
    Lost {
        /// Since when, in milliseconds since 1970.
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

/// A decision that is looked into.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) id: String,
    pub(super) record: Loading,
    /// Lines that are above the screen.
    pub(super) scroll: usize,
}

#[derive(Debug)]
pub(super) enum Loading {
    Wait,
    There(Box<Record>),
    Failed(String),
}

/// How things go at present.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Present {
    pub(super) requests_per_second: f64,
    /// Of the last minute.
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
}

impl State {
    pub(super) fn new(admin: String) -> Self {
        Self {
            admin,
            connection: Connection::Connecting,
            overview: None,
            decisions: Vec::new(),
            view: View::Overview,
            selected: Default::default(),
            sorted: Default::default(),
            filter: String::new(),
            editing: false,
            paused: false,
            help: false,
            opened: None,
        }
    }

    /// Takes in what the gateway told.
    pub(super) fn hear(&mut self, news: News, now_ms: u64) {
        match news {
            News::Looked(Ok(look)) => {
                self.connection = Connection::Live;
                // The picture stands still, and still shows whether the gateway is there.
                if !self.paused || self.overview.is_none() {
                    let Look { overview, decisions } = *look;
                    (self.overview, self.decisions) = (Some(overview), decisions);
                }
            }
            News::Looked(Err(error)) => {
                let since_ms = match self.connection {
                    Connection::Lost { since_ms, .. } => since_ms,
                    _ => now_ms,
                };
                self.connection = Connection::Lost { since_ms, why: error.to_string() };
            }
            News::Opened { id, record } => {
                if let Some(opened) = self.opened.as_mut().filter(|opened| opened.id == id) {
                    opened.record = match record {
                        Ok(record) => Loading::There(record),
                        Err(error) => Loading::Failed(error.to_string()),
                    };
                }
            }
        }
    }

    /// The table that keys act on, filtered and sorted.
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

    /// Whether a row with these texts is shown.
    pub(super) fn shows<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        self.filter.is_empty() || texts.into_iter().any(|text| text.contains(&self.filter))
    }

    /// The place of the selected row. Before one was selected, or when it is gone, the first.
    pub(super) fn selected(&self, view: View, grid: &Grid) -> usize {
        let key = self.selected[view as usize].as_deref();
        key.and_then(|key| grid.rows.iter().position(|row| row.key == key)).unwrap_or(0)
    }

    /// What tells the selected row from others.
    pub(super) fn selected_key(&self) -> Option<String> {
        let grid = self.table(self.view);
        let row = grid.rows.get(self.selected(self.view, &grid))?;
        Some(row.key.clone())
    }

    /// Selects another row, so many below.
    pub(super) fn select(&mut self, below: isize) {
        let grid = self.table(self.view);
        let place = self.selected(self.view, &grid).saturating_add_signed(below);
        let place = place.min(grid.rows.len().saturating_sub(1));
        // At the top of what is new, the selection stays at the top.
        let key = grid.rows.get(place).filter(|_| place > 0).map(|row| row.key.clone());
        self.selected[self.view as usize] = key;
    }

    pub(super) fn sorted(&self, view: View) -> Option<usize> {
        self.sorted[view as usize]
    }

    /// Sorts by the next column, after the last by none.
    pub(super) fn sort_next(&mut self) {
        let columns = self.table(self.view).sortable();
        let sorted = &mut self.sorted[self.view as usize];
        *sorted = match sorted {
            None => columns.first().copied(),
            Some(now) => columns.into_iter().find(|column| column > now),
        };
    }

    /// The gateway's clock when it told what is shown.
    pub(super) fn told_ms(&self) -> u64 {
        self.overview.as_ref().map_or(0, |overview| overview.now_ms)
    }

    /// The seconds of the timeline that are over, the newest first; seconds without requests as such.
    pub(super) fn seconds(&self) -> impl Iterator<Item = Point> + '_ {
        let now = self.told_ms() / 1_000;
        let points = self.overview.as_ref().map(|overview| overview.timeline.points.as_slice());
        let mut points = points.unwrap_or_default().iter().rev().peekable();
        (1..=now).map(move |back| {
            let at_ms = (now - back) * 1_000;
            while points.next_if(|point| point.at_ms > at_ms).is_some() {}
            let point = points.next_if(|point| point.at_ms == at_ms);
            point.copied().unwrap_or(Point { at_ms, ..Point::default() })
        })
    }

    /// How things go at present. The percentiles are means of those of the last
    /// seconds, by the answers in each: histograms would be exact, and are not told.
    pub(super) fn present(&self) -> Present {
        let Some(overview) = &self.overview else { return Present::default() };
        let up = (overview.now_ms.saturating_sub(overview.started_ms) / 1_000).max(1);
        let span = |most: u64| up.min(most);
        let (mut minute, mut present) = (Sums::default(), Sums::default());
        let mut latency = [(0.0, 0.0); 2];
        for (second, point) in self.seconds().take(span(MINUTE) as usize).enumerate() {
            minute.add(&point.sums);
            if second as u64 >= PRESENT {
                continue;
            }
            present.add(&point.sums);
            let answers = point.sums.answered as f64;
            for (sum, ms) in latency.iter_mut().zip([point.latency_ms_p50, point.latency_ms_p95]) {
                if let Some(ms) = ms {
                    *sum = (sum.0 + ms * answers, sum.1 + answers);
                }
            }
        }
        let [p50, p95] = latency.map(|(sum, answers)| (answers > 0.0).then(|| sum / answers));
        Present {
            requests_per_second: present.requests as f64 / span(PRESENT) as f64,
            answered_share: minute.answered_share(),
            latency_ms_p50: p50,
            latency_ms_p95: p95,
            cost_per_minute: minute.cost_usd * MINUTE as f64 / span(MINUTE) as f64,
        }
    }
}

#[cfg(test)]
mod tests;
