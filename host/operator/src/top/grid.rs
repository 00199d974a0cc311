//! Tables that drop columns when there is not enough room.

use std::cmp::Ordering;

use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::palette::{Palette, Tone};

/// Characters between two cells.
const GAP: usize = 2;
/// Least width of a column of free text.
const MIN_TEXT: usize = 12;

#[derive(Debug)]
pub(super) struct Grid {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    title: &'static str,
    kind: ColumnKind,
    /// Columns with the highest number are dropped first.
    drop_order: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum ColumnKind {
    Name,
    Figure,
    /// Free text, which takes the remaining width.
    Text,
}

#[derive(Debug)]
pub(super) struct Row {
    /// Identity of the row, which stays the same in later updates.
    pub(super) key: String,
    pub(super) cells: Vec<Cell>,
}

/// A cell with its sort key.
#[derive(Debug)]
pub(super) struct Cell {
    text: String,
    rank: f64,
    tone: Tone,
}

impl Column {
    pub(super) fn name(title: &'static str, drop_order: u8) -> Self {
        Self { title, kind: ColumnKind::Name, drop_order }
    }

    pub(super) fn figure(title: &'static str, drop_order: u8) -> Self {
        Self { title, kind: ColumnKind::Figure, drop_order }
    }

    pub(super) fn text(title: &'static str, drop_order: u8) -> Self {
        Self { title, kind: ColumnKind::Text, drop_order }
    }
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), rank: 0.0, tone: Tone::Plain }
    }

    pub(super) fn figure(rank: f64, text: String) -> Self {
        Self { text, rank, tone: Tone::Plain }
    }

    /// A figure that may be unknown.
    pub(super) fn optional_figure(value: Option<f64>, format: impl Fn(f64) -> String) -> Self {
        let text = super::figures::or_dash(value, format);
        Self { text, rank: value.unwrap_or(f64::NEG_INFINITY), tone: Tone::Plain }
    }

    pub(super) fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

impl Grid {
    pub(super) fn new(columns: Vec<Column>, rows: Vec<Row>) -> Self {
        Self { columns, rows }
    }

    /// Returns the indices of the columns that can be sorted by.
    pub(super) fn sortable(&self) -> Vec<usize> {
        let figures = self.columns.iter().enumerate().filter(|(_, column)| column.kind == ColumnKind::Figure);
        figures.map(|(index, _)| index).collect()
    }

    /// Sorts by a column, the highest figure first.
    pub(super) fn sort(&mut self, column: usize) {
        let rank = |row: &Row| row.cells.get(column).map_or(f64::NEG_INFINITY, |cell| cell.rank);
        self.rows.sort_by(|a, b| rank(b).partial_cmp(&rank(a)).unwrap_or(Ordering::Equal));
    }

    /// Renders the titles and a range of the rows in a width.
    pub(super) fn lines(
        &self,
        width: usize,
        rows: std::ops::Range<usize>,
        style: &GridStyle,
    ) -> Vec<Line<'static>> {
        let fitted = self.fit(width);
        let mut titles: Vec<Span<'static>> = Vec::new();
        for (nth, &(index, cell_width)) in fitted.iter().enumerate() {
            let column = &self.columns[index];
            let mark = if style.sorted == Some(index) { "▾" } else { "" };
            let text =
                padded(&format!("{}{mark}", column.title), cell_width, column.kind == ColumnKind::Figure);
            titles.push(Span::raw(joined(nth, text)));
        }
        let mut lines = vec![Line::from(titles).style(style.palette.style(Tone::Title))];
        let end = rows.end.min(self.rows.len());
        for (number, row) in self.rows.iter().enumerate().take(end).skip(rows.start) {
            let mut spans = Vec::new();
            for (nth, &(index, cell_width)) in fitted.iter().enumerate() {
                let Some(cell) = row.cells.get(index) else { continue };
                let text = padded(&cell.text, cell_width, self.columns[index].kind == ColumnKind::Figure);
                spans.push(Span::styled(joined(nth, text), style.palette.style(cell.tone)));
            }
            let mut line = Line::from(spans);
            if style.selected == Some(number) {
                line.push_span(Span::raw(" ".repeat(width.saturating_sub(line.width()))));
                line = line.style(style.palette.style(Tone::Selected));
            }
            lines.push(line);
        }
        lines
    }

    /// Returns the columns for which there is room, by index, with their widths.
    fn fit(&self, width: usize) -> Vec<(usize, usize)> {
        let natural = |index: usize, column: &Column| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(index));
            let title = column.title.width() + usize::from(column.kind == ColumnKind::Figure);
            cells.map(|cell| cell.text.width()).max().unwrap_or(0).max(title)
        };
        let mut kept: Vec<(usize, usize)> =
            self.columns.iter().enumerate().map(|(index, column)| (index, natural(index, column))).collect();
        let least = |&(index, width): &(usize, usize)| match self.columns[index].kind {
            ColumnKind::Text => width.min(MIN_TEXT),
            _ => width,
        };
        let needed = |kept: &[(usize, usize)]| {
            kept.iter().map(least).sum::<usize>() + GAP * kept.len().saturating_sub(1)
        };
        while kept.len() > 1 && needed(&kept) > width {
            let dropped =
                kept.iter().enumerate().max_by_key(|(_, (index, _))| self.columns[*index].drop_order);
            let Some((nth, _)) = dropped else { break };
            kept.remove(nth);
        }
        let mut free = width.saturating_sub(needed(&kept));
        for kept in &mut kept {
            let (natural, least) = (kept.1, least(kept));
            let more = free.min(natural - least);
            free -= more;
            kept.1 = (least + more).min(width);
        }
        kept
    }
}

/// The style of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct GridStyle {
    pub(super) palette: Palette,
    pub(super) selected: Option<usize>,
    pub(super) sorted: Option<usize>,
}

impl GridStyle {
    pub(super) fn plain(palette: Palette) -> Self {
        Self { palette, selected: None, sorted: None }
    }
}

fn joined(nth: usize, text: String) -> String {
    if nth == 0 { text } else { format!("{:GAP$}{text}", "") }
}

/// Pads or cuts a text to a width.
fn padded(text: &str, width: usize, right: bool) -> String {
    let text = cut(text, width);
    let room = " ".repeat(width.saturating_sub(text.width()));
    if right { room + &text } else { text + &room }
}

/// Cuts a text to a width.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut start, mut used) = (String::new(), 0);
    for letter in text.chars() {
        used += letter.width().unwrap_or(0);
        if used + 1 > width {
            break;
        }
        start.push(letter);
    }
    if width > 0 {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let row = |name: &str, count: f64, why: &str| Row {
            key: name.to_owned(),
            cells: vec![Cell::text(name), Cell::figure(count, format!("{count}")), Cell::text(why)],
        };
        Grid::new(
            vec![Column::name("NAME", 0), Column::figure("COUNT", 1), Column::text("WHY", 2)],
            vec![row("first", 2.0, "because it is cheaper than all"), row("漢字漢字", 11.0, "")],
        )
    }

    fn rendered(grid: &Grid, width: usize) -> Vec<String> {
        let lines = grid.lines(width, 0..9, &GridStyle::plain(Palette { colour: false }));
        lines.iter().map(|line| line.to_string().trim_end().to_owned()).collect()
    }

    #[test]
    fn columns_are_dropped_and_texts_cut_when_there_is_no_room() {
        let grid = grid();
        assert_eq!(
            rendered(&grid, 99),
            ["NAME       COUNT  WHY", "first          2  because it is cheaper than all", "漢字漢字      11"]
        );
        assert_eq!(rendered(&grid, 32)[1], "first          2  because it is…");
        assert_eq!(rendered(&grid, 20), ["NAME       COUNT", "first          2", "漢字漢字      11"]);
        assert_eq!(rendered(&grid, 5), ["NAME", "first", "漢字…"]);
        assert_eq!(rendered(&grid, 0), ["", "", ""]);
    }

    #[test]
    fn the_highest_figure_comes_first() {
        let mut grid = grid();
        assert_eq!(grid.sortable(), [1]);
        grid.sort(1);
        assert_eq!(grid.rows[0].key, "漢字漢字");
    }
}
