//! Charts of the last minutes: a bar per second, the newest on the right.

use pointsman_admin_api::TimelinePoint;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline};

use crate::top::figures::{money, rate, time};
use crate::top::palette::{Palette, Tone};
use crate::top::state::TopState;

/// Height of a chart with its title and a blank line below it.
pub(in crate::top) const ROWS: u16 = 5;
/// Least width of a chart.
const MIN_WIDTH: u16 = 24;

struct Chart {
    title: &'static str,
    tone: Tone,
    value: fn(&TimelinePoint) -> f64,
    format: fn(f64) -> String,
}

const CHARTS: [Chart; 3] = [
    Chart { title: "requests/s", tone: Tone::Accent, value: |point| point.requests as f64, format: rate },
    Chart {
        title: "p95",
        tone: Tone::Warn,
        value: |point| point.latency_ms_p95.unwrap_or(0.0),
        format: time,
    },
    Chart { title: "cost/s", tone: Tone::Good, value: |point| point.cost_usd, format: money },
];

/// Draws as many charts as there is room for.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &TopState, palette: Palette) {
    if area.height < 3 {
        return;
    }
    let count = CHARTS.len().min((area.width / MIN_WIDTH).max(1).into());
    let areas = Layout::horizontal(vec![Constraint::Fill(1); count]).spacing(2).split(area);
    for (chart, area) in CHARTS.iter().zip(areas.iter()) {
        chart.draw(frame, *area, state, palette);
    }
}

impl Chart {
    fn draw(&self, frame: &mut Frame<'_>, area: Rect, state: &TopState, palette: Palette) {
        let [title, bars, _] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(area);
        let mut values: Vec<f64> =
            state.seconds().take(bars.width.into()).map(|point| (self.value)(&point)).collect();
        values.resize(bars.width.into(), 0.0);
        values.reverse();
        let max = values.iter().copied().fold(0.0, f64::max);
        let name = Span::styled(self.title, palette.style(Tone::Title));
        let max_text = if max > 0.0 { format!(" up to {}", (self.format)(max)) } else { String::new() };
        let max_text = Span::styled(max_text, palette.style(Tone::Dim));
        frame.render_widget(Paragraph::new(Line::from(vec![name, max_text])), title);
        // Bars are whole numbers. Rounding up keeps small values visible.
        let heights = values.iter().map(|value| (value / max * 1e3).ceil() as u64);
        let data: Vec<u64> = if max > 0.0 { heights.collect() } else { vec![0; values.len()] };
        frame
            .render_widget(Sparkline::default().data(&data).max(1_000).style(palette.style(self.tone)), bars);
    }
}
