//! The last minutes as bars, a second each, the newest on the right.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline};

use crate::cli::top::figures::{money, rate, time};
use crate::cli::top::palette::{Palette, Tone};
use crate::cli::top::state::State;
use crate::cli::top::told::Point;

/// Rows of a chart with its title and the free one below it.
pub(in crate::cli::top) const ROWS: u16 = 5;
/// What a chart is wide at least.
const NARROW: u16 = 24;

/// What is drawn.
struct Chart {
    title: &'static str,
    tone: Tone,
    value: fn(&Point) -> f64,
    told: fn(f64) -> String,
}

const CHARTS: [Chart; 3] = [
    Chart { title: "requests/s", tone: Tone::Accent, value: |point| point.sums.requests as f64, told: rate },
    Chart { title: "p95", tone: Tone::Warn, value: |point| point.latency_ms_p95.unwrap_or(0.0), told: time },
    Chart { title: "cost/s", tone: Tone::Good, value: |point| point.sums.cost_usd, told: money },
];

/// As many as there is room for.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
    if area.height < 3 {
        return;
    }
    let count = CHARTS.len().min((area.width / NARROW).max(1).into());
    let places = Layout::horizontal(vec![Constraint::Fill(1); count]).spacing(2).split(area);
    for (chart, place) in CHARTS.iter().zip(places.iter()) {
        chart.draw(frame, *place, state, palette);
    }
}

impl Chart {
    fn draw(&self, frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
        let [title, bars, _] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(area);
        let mut values: Vec<f64> =
            state.seconds().take(bars.width.into()).map(|point| (self.value)(&point)).collect();
        values.resize(bars.width.into(), 0.0);
        values.reverse();
        let most = values.iter().copied().fold(0.0, f64::max);
        let name = Span::styled(self.title, palette.style(Tone::Title));
        let told = if most > 0.0 { format!(" up to {}", (self.told)(most)) } else { String::new() };
        let told = Span::styled(told, palette.style(Tone::Dim));
        frame.render_widget(Paragraph::new(Line::from(vec![name, told])), title);
        // Bars are whole numbers; what is there at all is seen.
        let heights = values.iter().map(|value| (value / most * 1e3).ceil() as u64);
        let data: Vec<u64> = if most > 0.0 { heights.collect() } else { vec![0; values.len()] };
        frame
            .render_widget(Sparkline::default().data(&data).max(1_000).style(palette.style(self.tone)), bars);
    }
}
