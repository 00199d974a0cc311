//! What keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::detail;
use super::palette::Palette;
use super::state::{Loading, Opened, State, View};

/// Rows that a page key goes.
const PAGE: isize = 10;
/// Columns of a usual terminal: how long a page is hardly depends on them.
const USUAL: usize = 80;
/// Longest filter, in letters.
const FILTER: usize = 64;

/// What a key asks for that is not only another picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    Quit,
    /// To see a decision, whole.
    Open(String),
}

/// Does what a key is for.
pub(super) fn press(state: &mut State, key: KeyEvent) -> Wish {
    if key.kind == KeyEventKind::Release {
        return Wish::Nothing;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    if control && matches!(key.code, KeyCode::Char('c' | 'd')) {
        return Wish::Quit;
    }
    if control || key.modifiers.contains(KeyModifiers::ALT) {
        return Wish::Nothing;
    }
    if state.editing {
        edit(state, key.code);
        return Wish::Nothing;
    }
    if state.help {
        state.help = false;
        return if key.code == KeyCode::Char('q') { Wish::Quit } else { Wish::Nothing };
    }
    if state.opened.is_some() { read(state, key.code) } else { walk(state, key.code) }
}

/// While a filter is written.
fn edit(state: &mut State, key: KeyCode) {
    match key {
        KeyCode::Enter => state.editing = false,
        KeyCode::Esc => {
            state.editing = false;
            state.filter.clear();
        }
        KeyCode::Backspace => drop(state.filter.pop()),
        KeyCode::Char(letter) if state.filter.chars().count() < FILTER && !letter.is_control() => {
            state.filter.push(letter);
        }
        _ => {}
    }
}

/// While a decision is open.
fn read(state: &mut State, key: KeyCode) -> Wish {
    let Some(opened) = &mut state.opened else { return Wish::Nothing };
    let last = match &opened.record {
        Loading::There(record) => {
            detail::lines(record, USUAL, Palette { colour: false }).len().saturating_sub(1)
        }
        Loading::Wait | Loading::Failed(_) => 0,
    };
    let scrolled = |lines: isize| opened.scroll.saturating_add_signed(lines).min(last);
    match key {
        KeyCode::Char('q') => return Wish::Quit,
        KeyCode::Char('?') => state.help = true,
        KeyCode::Esc | KeyCode::Backspace | KeyCode::Left | KeyCode::Char('h') => state.opened = None,
        KeyCode::Down | KeyCode::Char('j') => opened.scroll = scrolled(1),
        KeyCode::Up | KeyCode::Char('k') => opened.scroll = scrolled(-1),
        KeyCode::PageDown | KeyCode::Char(' ') => opened.scroll = scrolled(PAGE),
        KeyCode::PageUp => opened.scroll = scrolled(-PAGE),
        KeyCode::Home | KeyCode::Char('g') => opened.scroll = 0,
        _ => {}
    }
    Wish::Nothing
}

/// While tables are shown.
fn walk(state: &mut State, key: KeyCode) -> Wish {
    match key {
        KeyCode::Char('q') => return Wish::Quit,
        KeyCode::Char('?') => state.help = true,
        KeyCode::Char('/') => state.editing = true,
        KeyCode::Char('p') => state.paused = !state.paused,
        KeyCode::Char('s') => state.sort_next(),
        KeyCode::Char(digit @ '1'..='5') => {
            state.view = View::ALL[(digit as usize - '1' as usize).min(View::ALL.len() - 1)];
        }
        KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => turn(state, 1),
        KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => turn(state, View::ALL.len() - 1),
        KeyCode::Down | KeyCode::Char('j') => state.select(1),
        KeyCode::Up | KeyCode::Char('k') => state.select(-1),
        KeyCode::PageDown | KeyCode::Char(' ') => state.select(PAGE),
        KeyCode::PageUp => state.select(-PAGE),
        KeyCode::Home | KeyCode::Char('g') => state.select(isize::MIN),
        KeyCode::End | KeyCode::Char('G') => state.select(isize::MAX),
        KeyCode::Esc => state.filter.clear(),
        KeyCode::Enter => return enter(state),
        _ => {}
    }
    Wish::Nothing
}

fn turn(state: &mut State, views: usize) {
    state.view = View::ALL[(state.view as usize + views) % View::ALL.len()];
}

/// Opens the decision, or shows the decisions of the model, route or policy.
fn enter(state: &mut State) -> Wish {
    let Some(key) = state.selected_key() else { return Wish::Nothing };
    match state.view {
        View::Overview | View::Decisions => {
            state.opened = Some(Opened { id: key.clone(), record: Loading::Wait, scroll: 0 });
            Wish::Open(key)
        }
        View::Models | View::Routes | View::Policies => {
            state.filter = key;
            state.view = View::Decisions;
            Wish::Nothing
        }
    }
}

#[cfg(test)]
mod tests;
