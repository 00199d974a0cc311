use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::style::{Color, Modifier};
use serde_json::json;

use super::*;
use crate::cli::top::feed::{FeedError, News};
use crate::cli::top::input::press;
use crate::cli::top::plain;
use crate::cli::top::sample::{self, NOW_MS};
use crate::cli::top::state::Loading;

const COLOURS: Palette = Palette { colour: true };

fn terminal(state: &State, width: u16, height: u16, palette: Palette) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| draw(frame, state, palette, NOW_MS + 12_000)).expect("a picture");
    terminal.backend().clone()
}

fn picture(state: &State, width: u16, height: u16) -> String {
    terminal(state, width, height, COLOURS).to_string()
}

fn showing(view: View) -> State {
    let mut state = sample::state();
    state.view = view;
    state
}

fn no_answer() -> News {
    let answer: Result<(), _> = serde_json::from_str("null\n!");
    News::Looked(Err(FeedError::Answer(answer.expect_err("no JSON"))))
}

/// With the first decision open.
fn reading() -> State {
    let mut state = showing(View::Decisions);
    press(&mut state, KeyEvent::from(KeyCode::Enter));
    state.hear(sample::opened(sample::record()), NOW_MS);
    state
}

#[test]
fn an_overview_is_drawn() {
    assert_snapshot!(picture(&showing(View::Overview), 80, 24));
}

#[test]
fn an_overview_uses_a_wide_terminal() {
    assert_snapshot!(picture(&showing(View::Overview), 180, 40));
}

#[test]
fn models_are_drawn() {
    assert_snapshot!(picture(&showing(View::Models), 110, 12));
}

#[test]
fn routes_are_drawn() {
    assert_snapshot!(picture(&showing(View::Routes), 110, 12));
}

#[test]
fn policies_are_drawn_with_their_changes() {
    assert_snapshot!(picture(&showing(View::Policies), 110, 16));
}

#[test]
fn decisions_are_drawn() {
    assert_snapshot!(picture(&showing(View::Decisions), 110, 12));
}

#[test]
fn an_open_decision_tells_why_how_and_what_it_cost() {
    assert_snapshot!(picture(&reading(), 100, 32));
}

#[test]
fn the_help_is_drawn() {
    let mut state = sample::state();
    state.help = true;
    assert_snapshot!(picture(&state, 110, 24));
}

#[test]
fn before_a_gateway_was_heard_of_it_says_so() {
    let mut state = State::new("http://127.0.0.1:8081".to_owned());
    assert_snapshot!(picture(&state, 80, 6));
    state.hear(no_answer(), NOW_MS);
    assert!(picture(&state, 80, 6).contains("disconnected for 12 s, trying again"));
}

#[test]
fn a_gateway_without_requests_is_drawn() {
    assert_snapshot!(picture(&sample::empty(), 80, 24));
}

#[test]
fn a_gateway_that_is_gone_leaves_the_last_picture_and_says_since_when() {
    let mut state = sample::state();
    state.hear(no_answer(), NOW_MS);
    state.hear(no_answer(), NOW_MS + 6_000);
    assert_snapshot!(picture(&state, 80, 24));
}

#[test]
fn a_narrow_terminal_has_what_matters_most() {
    assert_snapshot!(picture(&showing(View::Overview), 38, 20));
}

#[test]
fn one_look_is_plain_text() {
    assert_snapshot!(plain::overview(&sample::state()));
    assert!(plain::overview(&sample::empty()).ends_with("No request has ended yet."));
}

#[test]
fn no_size_of_the_terminal_is_too_much() {
    let mut states: Vec<State> = View::ALL.into_iter().map(showing).collect();
    states.extend([sample::empty(), reading(), State::new(String::new())]);
    let (mut help, mut lost, mut scrolled) = (sample::state(), sample::state(), reading());
    help.help = true;
    lost.hear(no_answer(), NOW_MS);
    if let Some(opened) = &mut scrolled.opened {
        opened.scroll = usize::MAX;
    }
    states.extend([help, lost, scrolled]);
    let widths = (1..=16).chain((17..=200).step_by(23)).chain([200]);
    for (width, state) in widths.flat_map(|width| states.iter().map(move |state| (width, state))) {
        for height in (1..=10).chain((11..=60).step_by(12)).chain([60]) {
            picture(state, width, height);
        }
    }
}

#[test]
fn the_selected_row_is_always_in_sight() {
    let decisions = sample::decisions()[0].clone();
    let many = (0..100).map(|number| {
        let mut decision = decisions.clone();
        decision["id"] = format!("id-{number}").into();
        decision["label"] = format!("label-{number}").into();
        decision
    });
    let mut state = showing(View::Decisions);
    state.hear(sample::looked(sample::overview(), many.collect()), NOW_MS);
    for _ in 0..57 {
        press(&mut state, KeyEvent::from(KeyCode::Char('j')));
    }
    assert!(picture(&state, 110, 12).contains("label-57"));
    press(&mut state, KeyEvent::from(KeyCode::Char('g')));
    assert!(picture(&state, 110, 12).contains("label-0 "));
}

#[test]
fn foreign_text_reaches_no_terminal_as_a_command() {
    let hostile = "\u{1b}[2Jboo\u{202e}\u{9b}31m\u{7}";
    let (mut overview, mut decisions, mut record) =
        (sample::overview(), sample::decisions(), sample::record());
    decisions[0]["reason"] = hostile.into();
    decisions[0]["model"] = hostile.into();
    overview["version"] = hostile.into();
    overview["changes"][0]["who"] = json!({ "admin": hostile });
    overview["changes"][0]["why"] = hostile.into();
    record["decisions"][0]["answer"]["reason"] = hostile.into();
    record["request"]["attributes"] = json!({ hostile: hostile });
    let mut state = sample::state();
    state.hear(sample::looked(overview, decisions), NOW_MS);
    let mut pictures = vec![plain::overview(&state)];
    pictures.extend(View::ALL.map(|view| {
        state.view = view;
        picture(&state, 200, 50)
    }));
    press(&mut state, KeyEvent::from(KeyCode::Enter));
    state.hear(sample::opened(record), NOW_MS);
    assert!(matches!(state.opened.as_ref().map(|opened| &opened.record), Some(Loading::There(_))));
    pictures.push(picture(&state, 200, 50));
    assert!(pictures.iter().filter(|picture| picture.contains("\u{fffd}[2Jboo")).count() >= 4);
    let commands = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
    assert!(!pictures.concat().contains(commands));
}

#[test]
fn colours_are_the_terminals_own_or_none() {
    let own = [Color::Reset, Color::Red, Color::Green, Color::Yellow, Color::Cyan];
    for view in View::ALL {
        let state = showing(view);
        let coloured = terminal(&state, 120, 40, COLOURS);
        let cells = coloured.buffer().content();
        assert!(cells.iter().all(|cell| own.contains(&cell.fg) && cell.bg == Color::Reset));
        assert!(cells.iter().any(|cell| cell.fg != Color::Reset));
        let plain = terminal(&state, 120, 40, Palette { colour: false });
        let cells = plain.buffer().content();
        assert!(cells.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
        assert!(cells.iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)));
    }
}
