//! Rendering of the state.

mod charts;
mod header;
mod help;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::grid::{Grid, GridStyle};
use super::palette::{Palette, Tone};
use super::state::{Connection, OpenDecision, RecordState, TopState, View};
use super::{detail, tables};

pub(super) use header::summary;

/// Least height of a list with its titles.
const MIN_LIST: u16 = 4;

/// Draws the state. Terminals of any size are supported.
pub(super) fn draw(frame: &mut Frame<'_>, state: &TopState, palette: Palette, now_ms: u64) {
    let area = frame.area();
    let head = header::lines(state, area.width.into(), palette, now_ms);
    let foot = u16::from(area.height > 3);
    let tall = (head.len() as u16).min(area.height.saturating_sub(foot + 1));
    let [top, body, bottom] =
        Layout::vertical([Constraint::Length(tall), Constraint::Min(0), Constraint::Length(foot)])
            .areas(area);
    frame.render_widget(Paragraph::new(head), top);
    frame.render_widget(Paragraph::new(keys(state, palette)), bottom);
    if state.help {
        frame.render_widget(Paragraph::new(help::lines(palette)), body);
    } else if let Some(opened) = &state.opened {
        record(frame, body, opened, palette);
    } else if state.overview.is_none() {
        frame.render_widget(Paragraph::new(placeholder(state, palette)), body);
    } else {
        view(frame, body, state, palette);
    }
}

/// Returns the text before the first update.
fn placeholder(state: &TopState, palette: Palette) -> Vec<Line<'static>> {
    let text = match &state.connection {
        Connection::Lost { why, .. } => format!("No gateway yet: {why}"),
        _ => format!("Connecting to {} …", state.admin),
    };
    vec![Line::default(), Line::styled(text, palette.style(Tone::Dim))]
}

fn view(frame: &mut Frame<'_>, area: Rect, state: &TopState, palette: Palette) {
    match state.view {
        View::Overview => overview(frame, area, state, palette),
        View::Policies => {
            let [above, below] = split(area, 2, state.table(View::Policies).rows.len());
            list(frame, above, state, View::Policies, palette);
            changes(frame, below, state, palette);
        }
        view => list(frame, area, state, view, palette),
    }
}

/// Draws charts and the beginning of each list.
fn overview(frame: &mut Frame<'_>, area: Rect, state: &TopState, palette: Palette) {
    let charts = if area.height >= 12 { charts::ROWS + u16::from(area.height >= 34) * 3 } else { 0 };
    let [top, rest] = Layout::vertical([Constraint::Length(charts), Constraint::Min(0)]).areas(area);
    charts::draw(frame, top, state, palette);
    let wide = area.width >= 150;
    let (models, routes) = (state.table(View::Models), state.table(View::Routes));
    if wide && rest.height >= 2 * MIN_LIST {
        let tall = models.rows.len().max(routes.rows.len());
        let [above, below] = split(rest, 2, tall);
        let [left, right] =
            Layout::horizontal([Constraint::Percentage(50), Constraint::Min(0)]).spacing(3).areas(above);
        rows(frame, left, &models, palette);
        rows(frame, right, &routes, palette);
        let [newest, changed] =
            Layout::horizontal([Constraint::Percentage(62), Constraint::Min(0)]).spacing(3).areas(below);
        list(frame, newest, state, View::Overview, palette);
        changes(frame, changed, state, palette);
        return;
    }
    // Each list has its share of the height. The decisions get what the others leave.
    let share = |entries: usize| needed(entries).min((rest.height / 4).max(MIN_LIST));
    let changed = tables::changes(state).rows.len().min(if rest.height < 20 { 1 } else { 3 });
    let lists = match rest.height {
        ..8 => [0, 0, 0],
        8..12 => [share(models.rows.len()), 0, 0],
        _ => [
            share(models.rows.len()),
            share(routes.rows.len()),
            if changed > 0 { needed(changed) } else { 0 },
        ],
    };
    let [first, second, third, last] = Layout::vertical([
        Constraint::Length(lists[0]),
        Constraint::Length(lists[1]),
        Constraint::Min(0),
        Constraint::Length(lists[2]),
    ])
    .areas(rest);
    rows(frame, first, &models, palette);
    rows(frame, second, &routes, palette);
    list(frame, third, state, View::Overview, palette);
    let [_, last] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(last);
    changes(frame, last, state, palette);
}

/// Splits an area into the height that a list needs, and the rest. The rest has at least one of
/// `part` + 1 equal parts.
fn split(area: Rect, part: u16, entries: usize) -> [Rect; 2] {
    let most = area.height - area.height / (part + 1).max(1);
    Layout::vertical([Constraint::Length(needed(entries).min(most)), Constraint::Min(0)]).areas(area)
}

/// Returns the height of a table with its titles and a blank line below it.
fn needed(entries: usize) -> u16 {
    u16::try_from(entries).unwrap_or(u16::MAX).saturating_add(2)
}

/// Draws the beginning of a table without a selection.
fn rows(frame: &mut Frame<'_>, area: Rect, grid: &Grid, palette: Palette) {
    let most = usize::from(area.height.saturating_sub(1));
    let lines = grid.lines(area.width.into(), 0..most, &GridStyle::plain(palette));
    frame.render_widget(Paragraph::new(lines), area);
}

fn changes(frame: &mut Frame<'_>, area: Rect, state: &TopState, palette: Palette) {
    let grid = tables::changes(state);
    if grid.rows.is_empty() {
        let nothing = Line::styled("No changes to policies yet.", palette.style(Tone::Dim));
        frame.render_widget(Paragraph::new(nothing), area);
    } else {
        rows(frame, area, &grid, palette);
    }
}

/// Draws a table, scrolled to its selected row.
fn list(frame: &mut Frame<'_>, area: Rect, state: &TopState, view: View, palette: Palette) {
    let grid = state.table(view);
    if grid.rows.is_empty() {
        let why = match (state.filter.is_empty(), view) {
            (false, _) => format!("No rows contain \"{}\"; Esc clears the filter.", state.filter),
            (true, View::Overview | View::Decisions) => "No request has ended yet.".to_owned(),
            (true, _) => format!("There are no {}.", view.title().to_lowercase()),
        };
        frame.render_widget(Paragraph::new(Line::styled(why, palette.style(Tone::Dim))), area);
        return;
    }
    let room = usize::from(area.height.saturating_sub(1)).max(1);
    let selected = state.selected(view, &grid);
    let first = selected.saturating_sub(room - 1);
    let style = GridStyle { palette, selected: Some(selected), sorted: state.sorted(view) };
    let lines = grid.lines(area.width.into(), first..first + room, &style);
    frame.render_widget(Paragraph::new(lines), area);
}

/// Draws the open decision.
fn record(frame: &mut Frame<'_>, area: Rect, opened: &OpenDecision, palette: Palette) {
    let lines = match &opened.record {
        RecordState::Loading => vec![Line::styled("Loading …", palette.style(Tone::Dim))],
        RecordState::Failed(why) => vec![Line::styled(why.clone(), palette.style(Tone::Bad))],
        RecordState::Loaded(record) => detail::lines(record, area.width.into(), palette),
    };
    let last = lines.len().saturating_sub(usize::from(area.height).max(1));
    let lines: Vec<Line<'_>> = lines.into_iter().skip(opened.scroll.min(last)).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// Returns the last line, which lists keys.
fn keys(state: &TopState, palette: Palette) -> Line<'static> {
    if state.editing {
        let filter = Span::raw(format!("/{}", state.filter));
        let hint = Span::styled("▏ Enter applies it, Esc clears it", palette.style(Tone::Dim));
        return Line::from(vec![filter, hint]);
    }
    let text = if state.help {
        "any key closes the help"
    } else if state.opened.is_some() {
        "Esc back  j/k scroll  ? help  q quit"
    } else {
        "q quit  ? help  Enter open  / filter  s sort  p pause  Tab views  j/k rows"
    };
    Line::styled(text, palette.style(Tone::Dim))
}

#[cfg(test)]
mod tests;
