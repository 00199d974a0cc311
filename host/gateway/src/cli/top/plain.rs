//! One look, as plain text.

use super::draw::summary;
use super::grid::{Grid, Look};
use super::palette::Palette;
use super::state::{State, View};
use super::tables;

/// Wide enough for every column.
const WIDE: usize = 100_000;
/// Decisions that are told.
const DECISIONS: usize = 20;
/// Changes that are told.
const CHANGES: usize = 10;

/// All tables, each under the one before.
pub(super) fn overview(state: &State) -> String {
    let palette = Palette { colour: false };
    let mut text = String::new();
    let mut part = |lines: Vec<ratatui::text::Line<'static>>| {
        if !text.is_empty() {
            text.push('\n');
        }
        for line in lines {
            text.push_str(line.to_string().trim_end());
            text.push('\n');
        }
    };
    part(summary(state, palette));
    let mut table = |grid: &Grid, most: usize| {
        if !grid.rows.is_empty() {
            part(grid.lines(WIDE, 0..most, &Look::plain(palette)));
        }
    };
    for view in [View::Models, View::Routes, View::Policies] {
        table(&state.table(view), usize::MAX);
    }
    table(&state.table(View::Decisions), DECISIONS);
    table(&tables::changes(state), CHANGES);
    if state.decisions.is_empty() {
        text.push_str("\nNo request has ended yet.\n");
    }
    text.trim_end().to_owned()
}
