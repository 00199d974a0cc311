//! Tables that give up columns where there is no room for them.

use std::cmp::Ordering;

use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::palette::{Palette, Tone};

/// Columns between two cells.
const GAP: usize = 2;
/// What a column of free text has at least.
const LEAST: usize = 12;

/// A table.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    title: &'static str,
    kind: Kind,
    /// Those with the highest number go first where there is no room.
    goes: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Name,
    Figure,
    /// Takes the room that is left.
    Text,
}

#[derive(Debug)]
pub(super) struct Row {
    /// What tells the row from all others, now and after the next look.
    pub(super) key: String,
    pub(super) cells: Vec<Cell>,
}

/// A cell, with what it is sorted by.
#[derive(Debug)]
pub(super) struct Cell {
    text: String,
    rank: f64,
    tone: Tone,
}

impl Column {
    pub(super) fn name(title: &'static str, goes: u8) -> Self {
        Self { title, kind: Kind::Name, goes }
    }

    pub(super) fn figure(title: &'static str, goes: u8) -> Self {
        Self { title, kind: Kind::Figure, goes }
    }

    pub(super) fn text(title: &'static str, goes: u8) -> Self {
        Self { title, kind: Kind::Text, goes }
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
    pub(super) fn perhaps(value: Option<f64>, told: impl Fn(f64) -> String) -> Self {
        let text = super::figures::or_dash(value, told);
        Self { text, rank: value.unwrap_or(f64::NEG_INFINITY), tone: Tone::Plain }
    }

    pub(super) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

impl Grid {
    pub(super) fn new(columns: Vec<Column>, rows: Vec<Row>) -> Self {
        Self { columns, rows }
    }

    /// Places of the columns that can be sorted by.
    pub(super) fn sortable(&self) -> Vec<usize> {
        let figures = self.columns.iter().enumerate().filter(|(_, column)| column.kind == Kind::Figure);
        figures.map(|(place, _)| place).collect()
    }

    /// Puts the highest figure of a column first.
    pub(super) fn sort(&mut self, column: usize) {
        let rank = |row: &Row| row.cells.get(column).map_or(f64::NEG_INFINITY, |cell| cell.rank);
        self.rows.sort_by(|a, b| rank(b).partial_cmp(&rank(a)).unwrap_or(Ordering::Equal));
    }

    /// The titles and the rows for a width, the latter from one on and so many at most.
    pub(super) fn lines(
        &self,
        width: usize,
        rows: std::ops::Range<usize>,
        look: &Look,
    ) -> Vec<Line<'static>> {
        let places = self.fit(width);
        let mut titles: Vec<Span<'static>> = Vec::new();
        for (nth, &(place, wide)) in places.iter().enumerate() {
            let column = &self.columns[place];
            let mark = if look.sorted == Some(place) { "▾" } else { "" };
            let text = padded(&format!("{}{mark}", column.title), wide, column.kind == Kind::Figure);
            titles.push(Span::raw(joined(nth, text)));
        }
        let mut lines = vec![Line::from(titles).style(look.palette.style(Tone::Title))];
        let end = rows.end.min(self.rows.len());
        for (number, row) in self.rows.iter().enumerate().take(end).skip(rows.start) {
            let mut spans = Vec::new();
            for (nth, &(place, wide)) in places.iter().enumerate() {
                let Some(cell) = row.cells.get(place) else { continue };
                let text = padded(&cell.text, wide, self.columns[place].kind == Kind::Figure);
                spans.push(Span::styled(joined(nth, text), look.palette.style(cell.tone)));
            }
            let mut line = Line::from(spans);
            if look.selected == Some(number) {
                line.push_span(Span::raw(" ".repeat(width.saturating_sub(line.width()))));
                line = line.style(look.palette.style(Tone::Selected));
            }
            lines.push(line);
        }
        lines
    }

    /// Which columns there is room for, and how wide they are.
    fn fit(&self, width: usize) -> Vec<(usize, usize)> {
        let natural = |place: usize, column: &Column| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(place));
            let title = column.title.width() + usize::from(column.kind == Kind::Figure);
            cells.map(|cell| cell.text.width()).max().unwrap_or(0).max(title)
        };
        let mut kept: Vec<(usize, usize)> =
            self.columns.iter().enumerate().map(|(place, column)| (place, natural(place, column))).collect();
        let least = |&(place, wide): &(usize, usize)| match self.columns[place].kind {
            Kind::Text => wide.min(LEAST),
            _ => wide,
        };
        let needed = |kept: &[(usize, usize)]| {
            kept.iter().map(least).sum::<usize>() + GAP * kept.len().saturating_sub(1)
        };
        while kept.len() > 1 && needed(&kept) > width {
            let goes = kept.iter().enumerate().max_by_key(|(_, (place, _))| self.columns[*place].goes);
            let Some((nth, _)) = goes else { break };
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

/// How a table looks besides what is in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) palette: Palette,
    pub(super) selected: Option<usize>,
    pub(super) sorted: Option<usize>,
}

impl Look {
    pub(super) fn plain(palette: Palette) -> Self {
        Self { palette, selected: None, sorted: None }
    }
}

fn joined(nth: usize, text: String) -> String {
    if nth == 0 { text } else { format!("{:GAP$}{text}", "") }
}

/// The text in a cell of this width, cut off where it is too long.
fn padded(text: &str, width: usize, right: bool) -> String {
    let text = cut(text, width);
    let room = " ".repeat(width.saturating_sub(text.width()));
    if right { room + &text } else { text + &room }
}

/// The beginning of a text that has this width at most.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut told, mut used) = (String::new(), 0);
    for letter in text.chars() {
        used += letter.width().unwrap_or(0);
        if used + 1 > width {
            break;
        }
        told.push(letter);
    }
    if width > 0 {
        told.push('…');
    }
    told
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

    fn told(grid: &Grid, width: usize) -> Vec<String> {
        let lines = grid.lines(width, 0..9, &Look::plain(Palette { colour: false }));
        lines.iter().map(|line| line.to_string().trim_end().to_owned()).collect()
    }

    #[test]
    fn columns_go_and_texts_are_cut_where_there_is_no_room() {
        let grid = grid();
        assert_eq!(
            told(&grid, 99),
            ["NAME       COUNT  WHY", "first          2  because it is cheaper than all", "漢字漢字      11"]
        );
        assert_eq!(told(&grid, 32)[1], "first          2  because it is…");
        assert_eq!(told(&grid, 20), ["NAME       COUNT", "first          2", "漢字漢字      11"]);
        assert_eq!(told(&grid, 5), ["NAME", "first", "漢字…"]);
        assert_eq!(told(&grid, 0), ["", "", ""]);
    }

    #[test]
    fn the_highest_figure_comes_first() {
        let mut grid = grid();
        assert_eq!(grid.sortable(), [1]);
        grid.sort(1);
        assert_eq!(grid.rows[0].key, "漢字漢字");
    }
}
