//! Colours: the terminal's own, so that they are readable on light and dark backgrounds.

use ratatui::style::{Color, Modifier, Style};

/// The choice of colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Palette {
    /// False if no colours are used.
    pub(super) colour: bool,
}

/// The meaning of a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// A healthy state.
    Good,
    /// A state that may need attention.
    Warn,
    /// An error.
    Bad,
    /// Secondary text.
    Dim,
    /// Text that stands out.
    Accent,
    /// A title.
    Title,
    /// The row that keys act on.
    Selected,
}

impl Palette {
    pub(super) fn style(self, tone: Tone) -> Style {
        let style = Style::new();
        let coloured = |colour: Color| if self.colour { style.fg(colour) } else { style };
        match tone {
            Tone::Plain => style,
            Tone::Good => coloured(Color::Green),
            Tone::Warn => coloured(Color::Yellow),
            Tone::Bad => coloured(Color::Red).add_modifier(Modifier::BOLD),
            Tone::Dim => style.add_modifier(Modifier::DIM),
            Tone::Accent => coloured(Color::Cyan),
            Tone::Title => style.add_modifier(Modifier::BOLD),
            Tone::Selected => style.add_modifier(Modifier::REVERSED),
        }
    }
}
