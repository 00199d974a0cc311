//! Tables on standard output.

/// Rows below their titles. Columns are as wide as their widest cell.
#[derive(Debug)]
pub struct TextTable(Vec<Vec<String>>);

impl TextTable {
    /// Starts a table with the titles of its columns.
    pub fn new(titles: &[&str]) -> Self {
        Self(vec![titles.iter().map(|title| (*title).to_owned()).collect()])
    }

    /// Adds a row. It may have fewer cells than there are titles.
    pub fn add(&mut self, cells: Vec<String>) {
        self.0.push(cells);
    }

    /// Renders the table, and notes below it.
    pub fn render(self, notes: Vec<String>) -> String {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            self.0
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let mut lines: Vec<String> = self.0.iter().map(line).collect();
        if !notes.is_empty() {
            lines.push(String::new());
            lines.extend(notes);
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = TextTable::new(&["NAME", "COUNT"]);
        table.add(vec!["a longer name".to_owned(), "1".to_owned()]);
        table.add(vec!["short".to_owned()]);
        let text = table.render(vec!["a note".to_owned()]);
        assert_eq!(text, "NAME           COUNT\na longer name  1\nshort\n\na note");
    }
}
