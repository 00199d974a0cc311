//! The status as plain text.

use super::draw::summary;
use super::grid::{Grid, GridStyle};
use super::palette::Palette;
use super::state::{TopState, View};
use super::tables;

/// Wide enough for every column.
const WIDTH: usize = 100_000;
/// Limit on the decisions.
const DECISIONS: usize = 20;
/// Limit on the changes.
const CHANGES: usize = 10;

/// Renders all tables, one below the other.
pub(super) fn render(state: &TopState) -> String {
    let palette = Palette { colour: false };
    let mut text = String::new();
    let mut add_part = |lines: Vec<ratatui::text::Line<'static>>| {
        if !text.is_empty() {
            text.push('\n');
        }
        for line in lines {
            text.push_str(line.to_string().trim_end());
            text.push('\n');
        }
    };
    add_part(summary(state, palette));
    let mut add_table = |grid: &Grid, limit: usize| {
        if !grid.rows.is_empty() {
            add_part(grid.lines(WIDTH, 0..limit, &GridStyle::plain(palette)));
        }
    };
    for view in [View::Models, View::Routes, View::Policies] {
        add_table(&state.table(view), usize::MAX);
    }
    add_table(&state.table(View::Decisions), DECISIONS);
    add_table(&tables::changes(state), CHANGES);
    if state.decisions.is_empty() {
        text.push_str("\nNo request has ended yet.\n");
    }
    text.trim_end().to_owned()
}
