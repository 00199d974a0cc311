//! State to picture.

mod charts;
mod header;
mod help;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::grid::{Grid, Look};
use super::palette::{Palette, Tone};
use super::state::{Connection, Loading, Opened, State, View};
use super::{detail, tables};

pub(super) use header::summary;

/// Rows that a list has with its title, if there is room for it at all.
const LIST: u16 = 4;

/// Draws everything, in whatever room there is.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State, palette: Palette, now_ms: u64) {
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
        one(frame, body, opened, palette);
    } else if state.overview.is_none() {
        frame.render_widget(Paragraph::new(nothing(state, palette)), body);
    } else {
        view(frame, body, state, palette);
    }
}

/// Before anything was told.
fn nothing(state: &State, palette: Palette) -> Vec<Line<'static>> {
    let told = match &state.connection {
        Connection::Lost { why, .. } => format!("No gateway yet: {why}"),
        _ => format!("Looking for a gateway at {} …", state.admin),
    };
    vec![Line::default(), Line::styled(told, palette.style(Tone::Dim))]
}

fn view(frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
    match state.view {
        View::Overview => overview(frame, area, state, palette),
        View::Policies => {
            let [above, below] = parts(area, 2, state.table(View::Policies).rows.len());
            list(frame, above, state, View::Policies, palette);
            changes(frame, below, state, palette);
        }
        view => list(frame, area, state, view, palette),
    }
}

/// Charts, and a little of every list.
fn overview(frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
    let charts = if area.height >= 12 { charts::ROWS + u16::from(area.height >= 34) * 3 } else { 0 };
    let [top, rest] = Layout::vertical([Constraint::Length(charts), Constraint::Min(0)]).areas(area);
    charts::draw(frame, top, state, palette);
    let wide = area.width >= 150;
    let (models, routes) = (state.table(View::Models), state.table(View::Routes));
    if wide && rest.height >= 2 * LIST {
        let tall = models.rows.len().max(routes.rows.len());
        let [above, below] = parts(rest, 2, tall);
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
    // Each has its share of the room, and what one leaves free is the decisions'.
    let share = |entries: usize| needed(entries).min((rest.height / 4).max(LIST));
    let told = tables::changes(state).rows.len();
    let told = told.min(if rest.height < 20 { 1 } else { 3 });
    let lists = match rest.height {
        ..8 => [0, 0, 0],
        8..12 => [share(models.rows.len()), 0, 0],
        _ => [share(models.rows.len()), share(routes.rows.len()), if told > 0 { needed(told) } else { 0 }],
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

/// A list with what it needs, and below it the rest, at least a part of the room each.
fn parts(area: Rect, part: u16, entries: usize) -> [Rect; 2] {
    let most = area.height - area.height / (part + 1).max(1);
    Layout::vertical([Constraint::Length(needed(entries).min(most)), Constraint::Min(0)]).areas(area)
}

/// Rows of a table with its titles and a free one below it.
fn needed(entries: usize) -> u16 {
    u16::try_from(entries).unwrap_or(u16::MAX).saturating_add(2)
}

/// The beginning of a table in which nothing is selected.
fn rows(frame: &mut Frame<'_>, area: Rect, grid: &Grid, palette: Palette) {
    let most = usize::from(area.height.saturating_sub(1));
    let lines = grid.lines(area.width.into(), 0..most, &Look::plain(palette));
    frame.render_widget(Paragraph::new(lines), area);
}

fn changes(frame: &mut Frame<'_>, area: Rect, state: &State, palette: Palette) {
    let grid = tables::changes(state);
    if grid.rows.is_empty() {
        let nothing = Line::styled("No changes of policies yet.", palette.style(Tone::Dim));
        frame.render_widget(Paragraph::new(nothing), area);
    } else {
        rows(frame, area, &grid, palette);
    }
}

/// A table with its selected row in sight.
fn list(frame: &mut Frame<'_>, area: Rect, state: &State, view: View, palette: Palette) {
    let grid = state.table(view);
    if grid.rows.is_empty() {
        let why = match (state.filter.is_empty(), view) {
            (false, _) => format!("Nothing has \"{}\" in it; Esc shows all.", state.filter),
            (true, View::Overview | View::Decisions) => "No request has ended yet.".to_owned(),
            (true, _) => format!("There are no {}.", view.title().to_lowercase()),
        };
        frame.render_widget(Paragraph::new(Line::styled(why, palette.style(Tone::Dim))), area);
        return;
    }
    let room = usize::from(area.height.saturating_sub(1)).max(1);
    let selected = state.selected(view, &grid);
    let first = selected.saturating_sub(room - 1);
    let look = Look { palette, selected: Some(selected), sorted: state.sorted(view) };
    let lines = grid.lines(area.width.into(), first..first + room, &look);
    frame.render_widget(Paragraph::new(lines), area);
}

/// The open decision.
fn one(frame: &mut Frame<'_>, area: Rect, opened: &Opened, palette: Palette) {
    let lines = match &opened.record {
        Loading::Wait => vec![Line::styled("Asking for it …", palette.style(Tone::Dim))],
        Loading::Failed(why) => vec![Line::styled(why.clone(), palette.style(Tone::Bad))],
        Loading::There(record) => detail::lines(record, area.width.into(), palette),
    };
    let last = lines.len().saturating_sub(usize::from(area.height).max(1));
    let lines: Vec<Line<'_>> = lines.into_iter().skip(opened.scroll.min(last)).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// The last line: which keys there are.
fn keys(state: &State, palette: Palette) -> Line<'static> {
    if state.editing {
        let filter = Span::raw(format!("/{}", state.filter));
        let told = Span::styled("▏ Enter keeps it, Esc shows all", palette.style(Tone::Dim));
        return Line::from(vec![filter, told]);
    }
    let told = if state.help {
        "any key goes back"
    } else if state.opened.is_some() {
        "Esc back  j/k scroll  ? help  q quit"
    } else {
        "q quit  ? help  Enter open  / filter  s sort  p pause  Tab views  j/k rows"
    };
    Line::styled(told, palette.style(Tone::Dim))
}

#[cfg(test)]
mod tests;
