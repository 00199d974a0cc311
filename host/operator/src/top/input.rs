//! Handling of keys.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::detail;
use super::palette::Palette;
use super::state::{OpenDecision, RecordState, TopState, View};

/// Rows that a page key moves.
const PAGE: isize = 10;
/// Columns that are assumed for the length of a record. The length hardly depends on them.
const ASSUMED_WIDTH: usize = 80;
/// Limit on the filter, in characters.
const MAX_FILTER: usize = 64;

/// Effect of a key beyond the display's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyAction {
    None,
    Quit,
    /// Get the record of a decision.
    Open(String),
}

/// Handles a key.
pub(super) fn press(state: &mut TopState, key: KeyEvent) -> KeyAction {
    if key.kind == KeyEventKind::Release {
        return KeyAction::None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    if control && matches!(key.code, KeyCode::Char('c' | 'd')) {
        return KeyAction::Quit;
    }
    if control || key.modifiers.contains(KeyModifiers::ALT) {
        return KeyAction::None;
    }
    if state.editing {
        edit_filter(state, key.code);
        return KeyAction::None;
    }
    if state.help {
        state.help = false;
        return if key.code == KeyCode::Char('q') { KeyAction::Quit } else { KeyAction::None };
    }
    if state.opened.is_some() { press_in_record(state, key.code) } else { press_in_tables(state, key.code) }
}

fn edit_filter(state: &mut TopState, key: KeyCode) {
    match key {
        KeyCode::Enter => state.editing = false,
        KeyCode::Esc => {
            state.editing = false;
            state.filter.clear();
        }
        KeyCode::Backspace => drop(state.filter.pop()),
        KeyCode::Char(letter) if state.filter.chars().count() < MAX_FILTER && !letter.is_control() => {
            state.filter.push(letter);
        }
        _ => {}
    }
}

fn press_in_record(state: &mut TopState, key: KeyCode) -> KeyAction {
    let Some(opened) = &mut state.opened else { return KeyAction::None };
    let last = match &opened.record {
        RecordState::Loaded(record) => {
            detail::lines(record, ASSUMED_WIDTH, Palette { colour: false }).len().saturating_sub(1)
        }
        RecordState::Loading | RecordState::Failed(_) => 0,
    };
    let scrolled = |lines: isize| opened.scroll.saturating_add_signed(lines).min(last);
    match key {
        KeyCode::Char('q') => return KeyAction::Quit,
        KeyCode::Char('?') => state.help = true,
        KeyCode::Esc | KeyCode::Backspace | KeyCode::Left | KeyCode::Char('h') => state.opened = None,
        KeyCode::Down | KeyCode::Char('j') => opened.scroll = scrolled(1),
        KeyCode::Up | KeyCode::Char('k') => opened.scroll = scrolled(-1),
        KeyCode::PageDown | KeyCode::Char(' ') => opened.scroll = scrolled(PAGE),
        KeyCode::PageUp => opened.scroll = scrolled(-PAGE),
        KeyCode::Home | KeyCode::Char('g') => opened.scroll = 0,
        _ => {}
    }
    KeyAction::None
}

fn press_in_tables(state: &mut TopState, key: KeyCode) -> KeyAction {
    match key {
        KeyCode::Char('q') => return KeyAction::Quit,
        KeyCode::Char('?') => state.help = true,
        KeyCode::Char('/') => state.editing = true,
        KeyCode::Char('p') => state.paused = !state.paused,
        KeyCode::Char('s') => state.sort_next(),
        KeyCode::Char(digit @ '1'..='5') => {
            state.view = View::ALL[(digit as usize - '1' as usize).min(View::ALL.len() - 1)];
        }
        KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => cycle_view(state, 1),
        KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => cycle_view(state, View::ALL.len() - 1),
        KeyCode::Down | KeyCode::Char('j') => state.move_selection(1),
        KeyCode::Up | KeyCode::Char('k') => state.move_selection(-1),
        KeyCode::PageDown | KeyCode::Char(' ') => state.move_selection(PAGE),
        KeyCode::PageUp => state.move_selection(-PAGE),
        KeyCode::Home | KeyCode::Char('g') => state.move_selection(isize::MIN),
        KeyCode::End | KeyCode::Char('G') => state.move_selection(isize::MAX),
        KeyCode::Esc => state.filter.clear(),
        KeyCode::Enter => return enter(state),
        _ => {}
    }
    KeyAction::None
}

fn cycle_view(state: &mut TopState, views: usize) {
    state.view = View::ALL[(state.view.index() + views) % View::ALL.len()];
}

/// Opens the decision, or shows the decisions of the model, route or policy.
fn enter(state: &mut TopState) -> KeyAction {
    let Some(key) = state.selected_key() else { return KeyAction::None };
    match state.view {
        View::Overview | View::Decisions => {
            state.opened = Some(OpenDecision { id: key.clone(), record: RecordState::Loading, scroll: 0 });
            KeyAction::Open(key)
        }
        View::Models | View::Routes | View::Policies => {
            state.filter = key;
            state.view = View::Decisions;
            KeyAction::None
        }
    }
}

#[cfg(test)]
mod tests;
