//! The help: keys and terms.

use ratatui::text::{Line, Span};

use crate::top::palette::{Palette, Tone};

const KEYS: [(&str, &str); 10] = [
    ("1 … 5, Tab, ← →", "overview, models, routes, policies, decisions"),
    ("j k, ↑ ↓, PgUp PgDn, g G", "select a row"),
    ("Enter", "open a decision; of a model, route or policy, show its decisions"),
    ("Esc", "back; clear the filter"),
    ("/", "filter rows by a text: of a route, a model, a policy"),
    ("s", "sort by the next column, after the last one in the gateway's order"),
    ("p", "pause and resume"),
    ("?", "this help"),
    ("q, Ctrl-C", "quit"),
    ("", ""),
];

const TERMS: [(&str, &str); 6] = [
    ("requests/s, p50, p95", "means of the last 10 seconds; answered, cost/min: of the last minute"),
    ("saved", "since the start, where the route's baseline model could have answered too"),
    ("share", "of all answers since the start"),
    ("errors", "share of recent calls that failed"),
    ("held", "versions that were rolled back and may not be used"),
    ("", "This is read-only: nothing here changes the gateway."),
];

pub(super) fn lines(palette: Palette) -> Vec<Line<'static>> {
    let line = |(key, text): &(&'static str, &'static str)| {
        Line::from(vec![Span::styled(format!("  {key:26}"), palette.style(Tone::Accent)), Span::raw(*text)])
    };
    KEYS.iter().chain(&TERMS).map(line).collect()
}
