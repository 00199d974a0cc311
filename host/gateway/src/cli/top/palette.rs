//! Colours: the terminal's own, so that they can be read on light and on dark.

use ratatui::style::{Color, Modifier, Style};

/// Whether there are colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Palette {
    pub(super) colour: bool,
}

/// What is said with a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing.
    Plain,
    /// It is as it should be.
    Good,
    /// It may be worth a look.
    Warn,
    /// It is not as it should be.
    Bad,
    /// It is less important.
    Dim,
    /// It is what matters here.
    Accent,
    /// It names what is below.
    Title,
    /// It is the row that keys act on.
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
