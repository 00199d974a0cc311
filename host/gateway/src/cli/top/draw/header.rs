//! The first lines: how it stands, in one look.

use ratatui::text::{Line, Span};

use crate::cli::top::figures::{ago, count, money, or_dash, rate, share, time};
use crate::cli::top::palette::{Palette, Tone};
use crate::cli::top::state::{Connection, State, View};
use crate::cli::top::tables::saving_tone;

const APART: &str = "  ";

/// What is connected, the figures, and the views.
pub(super) fn lines(state: &State, width: usize, palette: Palette, now_ms: u64) -> Vec<Line<'static>> {
    let mut lines = vec![connection(state, palette, now_ms)];
    if state.overview.is_some() {
        lines.extend(wrapped(figures(state, palette), width));
    }
    lines.push(views(state, palette));
    lines
}

/// The figures in one line.
pub(in crate::cli::top) fn summary(state: &State, palette: Palette) -> Vec<Line<'static>> {
    let title = identity(state, palette);
    vec![Line::from(title), Line::from(joined(figures(state, palette)))]
}

fn identity(state: &State, palette: Palette) -> Vec<Span<'static>> {
    let mut spans = vec![Span::styled("pointsman", palette.style(Tone::Title))];
    if let Some(overview) = &state.overview {
        spans.push(Span::raw(format!(" {}", overview.version)));
        let up = ago(overview.now_ms.saturating_sub(overview.started_ms));
        spans.push(Span::raw(format!("{APART}up {up}")));
    }
    spans.push(Span::styled(format!("{APART}{}", state.admin), palette.style(Tone::Dim)));
    spans
}

fn connection(state: &State, palette: Palette, now_ms: u64) -> Line<'static> {
    let (told, tone) = match &state.connection {
        Connection::Connecting => ("○ connecting".to_owned(), Tone::Warn),
        Connection::Live if state.paused => ("‖ paused".to_owned(), Tone::Warn),
        Connection::Live => ("● live".to_owned(), Tone::Good),
        Connection::Lost { since_ms, why } => {
            let since = ago(now_ms.saturating_sub(*since_ms));
            (format!("✗ disconnected for {since}, trying again: {why}"), Tone::Bad)
        }
    };
    let mut spans = vec![Span::styled(told, palette.style(tone)), Span::raw(APART)];
    spans.extend(identity(state, palette));
    if !state.filter.is_empty() {
        spans.push(Span::styled(format!("{APART}filter: {}", state.filter), palette.style(Tone::Accent)));
    }
    Line::from(spans)
}

/// Each figure with what it is.
fn figures(state: &State, palette: Palette) -> Vec<Vec<Span<'static>>> {
    let Some(overview) = &state.overview else { return Vec::new() };
    let (present, totals) = (state.present(), &overview.totals);
    let answered = present.answered_share;
    let tone = if answered.is_some_and(|share| share < 0.99) { Tone::Bad } else { Tone::Plain };
    let figure = |name: &str, text: String, tone: Tone| {
        let name = Span::styled(format!("{name} "), palette.style(Tone::Dim));
        vec![name, Span::styled(text, palette.style(tone).patch(palette.style(Tone::Title)))]
    };
    let saving = totals.saving();
    let in_flight = overview.models.iter().map(|model| model.in_flight).sum();
    vec![
        figure("requests/s", rate(present.requests_per_second), Tone::Plain),
        figure("answered", or_dash(answered, share), tone),
        figure("p50", or_dash(present.latency_ms_p50, time), Tone::Plain),
        figure("p95", or_dash(present.latency_ms_p95, time), Tone::Plain),
        figure("cost/min", money(present.cost_per_minute), Tone::Plain),
        figure("saved", or_dash(saving, share), saving_tone(saving)),
        figure("in flight", count(in_flight), Tone::Plain),
        figure(
            "since the start",
            format!("{} for {}", count(totals.requests), money(totals.cost_usd)),
            Tone::Plain,
        ),
    ]
}

fn views(state: &State, palette: Palette) -> Line<'static> {
    let mut spans = Vec::new();
    for (number, view) in (1..).zip(View::ALL) {
        let tone = if view == state.view { Tone::Selected } else { Tone::Dim };
        spans.push(Span::styled(format!(" {number} {} ", view.title()), palette.style(tone)));
    }
    Line::from(spans)
}

fn joined(figures: Vec<Vec<Span<'static>>>) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for (nth, figure) in figures.into_iter().enumerate() {
        if nth > 0 {
            spans.push(Span::raw(APART));
        }
        spans.extend(figure);
    }
    spans
}

/// One line, or two where one is not enough; what does not fit into those is left out.
fn wrapped(figures: Vec<Vec<Span<'static>>>, width: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Vec<Vec<Span<'static>>>> = vec![Vec::new()];
    let mut used = 0;
    for figure in figures {
        let wide = figure.iter().map(Span::width).sum::<usize>() + APART.len();
        if used + wide > width + APART.len() && used > 0 {
            if lines.len() == 2 {
                break;
            }
            lines.push(Vec::new());
            used = 0;
        }
        used += wide;
        if let Some(line) = lines.last_mut() {
            line.push(figure);
        }
    }
    lines.into_iter().map(|figures| Line::from(joined(figures))).collect()
}
