use super::*;
use crate::top::sample;

fn typed(state: &mut TopState, keys: &str) -> KeyAction {
    let mut action = KeyAction::None;
    for letter in keys.chars() {
        let code = match letter {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            '\t' => KeyCode::Tab,
            letter => KeyCode::Char(letter),
        };
        action = press(state, KeyEvent::from(code));
    }
    action
}

fn keys(state: &TopState) -> Vec<String> {
    state.table(state.view).rows.into_iter().map(|row| row.key).collect()
}

#[test]
fn views_are_selected_by_number_and_in_a_cycle() {
    let mut state = sample::state();
    for (key, view) in
        [("3", View::Routes), ("\t", View::Policies), ("5", View::Decisions), ("\t", View::Overview)]
    {
        typed(&mut state, key);
        assert_eq!(state.view, view);
    }
    press(&mut state, KeyEvent::from(KeyCode::BackTab));
    assert_eq!(state.view, View::Decisions);
}

#[test]
fn a_decision_opens_and_closes() {
    let mut state = sample::state();
    assert_eq!(typed(&mut state, "5j\n"), KeyAction::Open("id-2".to_owned()));
    assert_eq!(state.opened.as_ref().map(|opened| opened.id.as_str()), Some("id-2"));
    assert_eq!(typed(&mut state, "jj\u{1b}"), KeyAction::None);
    assert!(state.opened.is_none());
}

#[test]
fn enter_on_a_model_shows_its_decisions() {
    let mut state = sample::state();
    typed(&mut state, "2j\n");
    assert_eq!((state.view, state.filter.as_str()), (View::Decisions, "fleet/llama-70b"));
    assert_eq!(keys(&state), ["id-2"]);
}

#[test]
fn a_filter_takes_every_letter_and_esc_clears_it() {
    let mut state = sample::state();
    typed(&mut state, "5/7bq");
    assert_eq!((state.filter.as_str(), state.editing), ("7bq", true));
    press(&mut state, KeyEvent::from(KeyCode::Backspace));
    typed(&mut state, "\n");
    assert_eq!(keys(&state), ["id-1", "id-4"]);
    typed(&mut state, "\u{1b}");
    assert_eq!(keys(&state).len(), 4);
    typed(&mut state, "/cost@\u{1b}");
    assert_eq!((state.filter.as_str(), state.editing), ("", false));
}

#[test]
fn s_sorts_by_each_column_and_then_by_none() {
    let mut state = sample::state();
    state.view = View::Models;
    let (mut seen, given) = (Vec::new(), keys(&state));
    loop {
        typed(&mut state, "s");
        let Some(column) = state.sorted(View::Models) else { break };
        seen.push((column, keys(&state)[0].clone()));
    }
    assert!(seen.iter().any(|(_, first)| *first != given[0]), "the one with errors is first by errors");
    assert_eq!(seen.len(), 8);
    assert_eq!(keys(&state), given);
}

#[test]
fn q_and_control_c_quit_from_everywhere_but_a_filter_takes_q() {
    for before in ["", "5\n", "?", "3"] {
        let mut state = sample::state();
        typed(&mut state, before);
        assert_eq!(typed(&mut state, "q"), KeyAction::Quit, "{before}");
    }
    let mut state = sample::state();
    assert_eq!(typed(&mut state, "/q"), KeyAction::None);
    assert_eq!(press(&mut state, KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), KeyAction::Quit);
}

#[test]
fn p_pauses_and_any_key_closes_the_help() {
    let mut state = sample::state();
    typed(&mut state, "p?");
    assert!(state.paused && state.help);
    typed(&mut state, "5");
    assert!(!state.help && state.view == View::Overview);
}
