//! Charts as inline SVG.

use super::markup::escape;

/// Width of the drawings in their own units; they scale with the page.
const WIDTH: f64 = 440.0;
/// Width of the names beside bars and intervals.
const NAMES: f64 = 160.0;
/// Space at the right, for values.
const VALUES: f64 = 110.0;
/// Height of a row.
const ROW: f64 = 26.0;
/// Longest name, in characters.
const MAX_NAME: usize = 22;
/// Most rows of a chart.
const MAX_ROWS: usize = 12;

/// A part of a whole.
pub(super) struct BarPart<'a> {
    pub(super) name: &'a str,
    pub(super) share: f64,
    pub(super) class: &'a str,
}

/// A bar with its text.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) text: String,
}

/// A value with its interval.
#[derive(Clone, Debug)]
pub(super) struct IntervalRow {
    pub(super) name: String,
    pub(super) low: f64,
    pub(super) middle: f64,
    pub(super) high: f64,
}

/// Draws the parts of a whole as one bar with a legend.
pub(super) fn stacked(parts: &[BarPart<'_>]) -> String {
    let mut drawing = String::new();
    let mut left = 0.0;
    for part in parts {
        let width = (part.share * WIDTH).clamp(0.0, (WIDTH - left).max(0.0));
        drawing += &rectangle((left, 0.0, width, 28.0), part.class);
        left += width;
    }
    for (number, part) in parts.iter().enumerate() {
        let top = 40.0 + ROW * number as f64;
        drawing += &rectangle((0.0, top, 14.0, 14.0), part.class);
        drawing += &text(22.0, top + 12.0, &format!("{} {:.1} %", part.name, part.share * 100.0));
    }
    svg(40.0 + ROW * parts.len() as f64, &drawing)
}

/// Draws bars beside their names.
pub(super) fn bars(bars: &[Bar]) -> String {
    let bars = &bars[..bars.len().min(MAX_ROWS)];
    let most = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    if bars.is_empty() || most <= 0.0 {
        return String::new();
    }
    let room = WIDTH - NAMES - VALUES;
    let mut drawing = String::new();
    for (number, bar) in bars.iter().enumerate() {
        let top = ROW * number as f64;
        let width = room * bar.value / most;
        drawing += &text(0.0, top + 17.0, &short(&bar.name));
        drawing += &rectangle((NAMES, top + 5.0, width, 16.0), "mark");
        drawing += &text(NAMES + width + 6.0, top + 17.0, &bar.text);
    }
    svg(ROW * bars.len() as f64, &drawing)
}

/// Draws values with their intervals around 0.
pub(super) fn intervals(title: &str, rows: &[IntervalRow]) -> String {
    let finite = |row: &&IntervalRow| row.low.is_finite() && row.high.is_finite();
    let rows: Vec<&IntervalRow> = rows.iter().filter(finite).take(MAX_ROWS).collect();
    if rows.is_empty() {
        return String::new();
    }
    let reach = rows.iter().flat_map(|row| [row.low.abs(), row.high.abs()]).fold(1.0, f64::max);
    let room = WIDTH - NAMES - VALUES;
    let place = |value: f64| NAMES + room * (value + reach) / (2.0 * reach);
    let bottom = ROW * (rows.len() as f64 + 1.0);
    let mut drawing = line((place(0.0), ROW, place(0.0), bottom), "zero");
    drawing += &format!("<text class=\"quiet\" x=\"0\" y=\"17\">{}</text>", escape(title));
    for (number, row) in rows.iter().enumerate() {
        let middle = ROW * (number as f64 + 1.5);
        drawing += &text(0.0, middle + 4.0, &short(&row.name));
        drawing += &line((NAMES, middle, NAMES + room, middle), "axis");
        drawing += &line((place(row.low), middle, place(row.high), middle), "range");
        drawing += &format!(
            "<circle class=\"fill-mark\" cx=\"{:.1}\" cy=\"{middle:.1}\" r=\"5\"/>",
            place(row.middle)
        );
        drawing += &text(NAMES + room + 8.0, middle + 4.0, &format!("{:+.1} %", row.middle));
    }
    svg(bottom + 4.0, &drawing)
}

fn svg(height: f64, drawing: &str) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\">{drawing}</svg>\n")
}

fn rectangle((x, y, width, height): (f64, f64, f64, f64), class: &str) -> String {
    format!(
        "<rect class=\"fill-{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
    )
}

fn line((x1, y1, x2, y2): (f64, f64, f64, f64), class: &str) -> String {
    format!("<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>")
}

fn text(x: f64, y: f64, content: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(content))
}

fn short(name: &str) -> String {
    if name.chars().count() <= MAX_NAME {
        return name.to_owned();
    }
    name.chars().take(MAX_NAME - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_stay_within_their_drawing() {
        let parts = [
            BarPart { name: "a", share: 0.75, class: "same" },
            BarPart { name: "b", share: 0.5, class: "bad" },
        ];
        let drawing = stacked(&parts);
        assert!(drawing.contains("width=\"330.0\"") && drawing.contains("width=\"110.0\""), "{drawing}");
        let row = |low: f64, high: f64| IntervalRow { name: "<x>".to_owned(), low, middle: 0.0, high };
        let drawing = intervals("t", &[row(-10.0, 5.0), row(f64::NEG_INFINITY, 1.0)]);
        assert_eq!(drawing.matches("class=\"range\"").count(), 1);
        assert!(drawing.contains("&lt;x&gt;") && drawing.contains("x1=\"160.0\""), "{drawing}");
        assert_eq!(bars(&[]) + &intervals("t", &[]), "");
        let long = Bar { name: "n".repeat(99), value: 1.0, text: "1".to_owned() };
        assert!(bars(&[long]).contains("n…</text>"));
    }
}
