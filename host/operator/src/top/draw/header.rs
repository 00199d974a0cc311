//! The first lines: connection, figures, conditions that need an operator, and views.

use pointsman_admin_api::{AttentionEntry, AttentionLevel};
use ratatui::text::{Line, Span};

use crate::top::figures::{ago, count, money, or_dash, rate, saving, share, time};
use crate::top::palette::{Palette, Tone};
use crate::top::state::{Connection, TopState, View};
use crate::top::tables::saving_tone;

/// Most conditions that are shown above the tables.
const MAX_CONDITIONS: usize = 3;
/// Gap between two figures.
const GAP: &str = "  ";

/// Returns the connection, the figures and the views.
pub(super) fn lines(state: &TopState, width: usize, palette: Palette, now_ms: u64) -> Vec<Line<'static>> {
    let mut lines = vec![connection(state, palette, now_ms)];
    if state.overview.is_some() {
        lines.extend(wrapped(figures(state, palette), width));
        lines.extend(attention(state, palette, MAX_CONDITIONS));
    }
    lines.push(views(state, palette));
    lines
}

/// Returns the figures in one line, and the conditions that need an operator.
pub(in crate::top) fn summary(state: &TopState, palette: Palette) -> Vec<Line<'static>> {
    let title = identity(state, palette);
    let mut lines = vec![Line::from(title), Line::from(joined(figures(state, palette)))];
    lines.extend(attention(state, palette, usize::MAX));
    lines
}

fn identity(state: &TopState, palette: Palette) -> Vec<Span<'static>> {
    let mut spans = vec![Span::styled("pointsman", palette.style(Tone::Title))];
    if let Some(overview) = &state.overview {
        spans.push(Span::raw(format!(" {}", overview.status.version)));
        let up = ago(overview.status.now_ms.saturating_sub(overview.status.started_ms));
        spans.push(Span::raw(format!("{GAP}up {up}")));
    }
    spans.push(Span::styled(format!("{GAP}{}", state.admin), palette.style(Tone::Dim)));
    spans
}

fn connection(state: &TopState, palette: Palette, now_ms: u64) -> Line<'static> {
    let (text, tone) = match &state.connection {
        Connection::Connecting => ("○ connecting".to_owned(), Tone::Warn),
        Connection::Live if state.paused => ("‖ paused".to_owned(), Tone::Warn),
        Connection::Live => ("● live".to_owned(), Tone::Good),
        Connection::Lost { since_ms, why } => {
            let since = ago(now_ms.saturating_sub(*since_ms));
            (format!("✗ disconnected for {since}, retrying: {why}"), Tone::Bad)
        }
    };
    let mut spans = vec![Span::styled(text, palette.style(tone)), Span::raw(GAP)];
    spans.extend(identity(state, palette));
    if !state.filter.is_empty() {
        spans.push(Span::styled(format!("{GAP}filter: {}", state.filter), palette.style(Tone::Accent)));
    }
    Line::from(spans)
}

/// Returns each figure with its name.
fn figures(state: &TopState, palette: Palette) -> Vec<Vec<Span<'static>>> {
    let Some(overview) = &state.overview else { return Vec::new() };
    let (rates, totals) = (state.current_rates(), &overview.status.totals);
    let answered = rates.answered_share;
    let tone = if answered.is_some_and(|share| share < 0.99) { Tone::Bad } else { Tone::Plain };
    let figure = |name: &str, text: String, tone: Tone| {
        let name = Span::styled(format!("{name} "), palette.style(Tone::Dim));
        vec![name, Span::styled(text, palette.style(tone).patch(palette.style(Tone::Title)))]
    };
    let saving = saving(&totals.sums);
    let in_flight = overview.status.models.iter().map(|model| u64::from(model.status.in_flight)).sum();
    vec![
        figure("requests/s", rate(rates.requests_per_second), Tone::Plain),
        figure("answered", or_dash(answered, share), tone),
        figure("p50", or_dash(rates.latency_ms_p50, time), Tone::Plain),
        figure("p95", or_dash(rates.latency_ms_p95, time), Tone::Plain),
        figure("cost/min", money(rates.cost_per_minute), Tone::Plain),
        figure("saved", or_dash(saving, share), saving_tone(saving)),
        figure("in flight", count(in_flight), Tone::Plain),
        figure(
            "since the start",
            format!("{} for {}", count(totals.requests), money(totals.sums.cost_usd)),
            Tone::Plain,
        ),
    ]
}

/// Returns a line for each condition that needs an operator, and one for the rest of them.
fn attention(state: &TopState, palette: Palette, most: usize) -> Vec<Line<'static>> {
    let Some(overview) = &state.overview else { return Vec::new() };
    let entries = &overview.status.attention;
    let line = |entry: &AttentionEntry| {
        let (word, tone) = match entry.level {
            AttentionLevel::Red => ("URGENT", Tone::Bad),
            AttentionLevel::Amber => ("warning", Tone::Warn),
        };
        let since = entry.since_ms.map(|since| ago(overview.status.now_ms.saturating_sub(since)));
        let since = since.map_or_else(String::new, |time| format!("for {time}: "));
        let word = Span::styled(format!("{word} "), palette.style(tone));
        Line::from(vec![word, Span::raw(format!("{since}{}", entry.message))])
    };
    let mut lines: Vec<Line<'static>> = entries.iter().take(most).map(line).collect();
    if entries.len() > most {
        let more = format!("and {} more", entries.len() - most);
        lines.push(Line::styled(more, palette.style(Tone::Dim)));
    }
    lines
}

fn views(state: &TopState, palette: Palette) -> Line<'static> {
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
            spans.push(Span::raw(GAP));
        }
        spans.extend(figure);
    }
    spans
}

/// Wraps figures into one or two lines. What does not fit is left out.
fn wrapped(figures: Vec<Vec<Span<'static>>>, width: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Vec<Vec<Span<'static>>>> = vec![Vec::new()];
    let mut used = 0;
    for figure in figures {
        let width_of = figure.iter().map(Span::width).sum::<usize>() + GAP.len();
        if used + width_of > width + GAP.len() && used > 0 {
            if lines.len() == 2 {
                break;
            }
            lines.push(Vec::new());
            used = 0;
        }
        used += width_of;
        if let Some(line) = lines.last_mut() {
            line.push(figure);
        }
    }
    lines.into_iter().map(|figures| Line::from(joined(figures))).collect()
}
