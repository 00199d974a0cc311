//! What the keys do, and what the words mean.

use ratatui::text::{Line, Span};

use crate::cli::top::palette::{Palette, Tone};

const KEYS: [(&str, &str); 10] = [
    ("1 … 5, Tab, ← →", "overview, models, routes, policies, decisions"),
    ("j k, ↑ ↓, PgUp PgDn, g G", "select a row"),
    ("Enter", "open a decision; of a model, route or policy, show its decisions"),
    ("Esc", "back; show all again"),
    ("/", "only rows with a text: of a route, a model, a policy"),
    ("s", "sort by the next column, after the last as the gateway does"),
    ("p", "stop the picture, and go on"),
    ("?", "this help"),
    ("q, Ctrl-C", "quit"),
    ("", ""),
];

const WORDS: [(&str, &str); 6] = [
    ("requests/s, p50, p95", "mean of the last 10 seconds; answered, cost/min: of the last minute"),
    ("saved", "against the route's baseline model, since the start, where that could have answered"),
    ("share", "of all answers since the start"),
    ("errors", "share of recent calls that failed"),
    ("held", "versions that were rolled back and may not serve"),
    ("", "This only looks: nothing here changes the gateway."),
];

pub(super) fn lines(palette: Palette) -> Vec<Line<'static>> {
    let line = |(key, told): &(&'static str, &'static str)| {
        Line::from(vec![Span::styled(format!("  {key:26}"), palette.style(Tone::Accent)), Span::raw(*told)])
    };
    KEYS.iter().chain(&WORDS).map(line).collect()
}
