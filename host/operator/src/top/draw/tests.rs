use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::style::{Color, Modifier};
use serde_json::json;

use super::*;
use crate::client::ClientError;
use crate::top::feed::{FeedError, FeedEvent};
use crate::top::input::press;
use crate::top::plain;
use crate::top::sample::{self, NOW_MS};
use crate::top::state::RecordState;

const COLOURS: Palette = Palette { colour: true };

fn draw_on_terminal(state: &TopState, width: u16, height: u16, palette: Palette) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| draw(frame, state, palette, NOW_MS + 12_000)).expect("a picture");
    terminal.backend().clone()
}

fn picture(state: &TopState, width: u16, height: u16) -> String {
    draw_on_terminal(state, width, height, COLOURS).to_string()
}

fn showing(view: View) -> TopState {
    let mut state = sample::state();
    state.view = view;
    state
}

fn no_answer() -> FeedEvent {
    let answer: Result<(), _> = serde_json::from_str("null\n!");
    FeedEvent::Updated(Err(FeedError::from(ClientError::Response(answer.expect_err("no JSON")))))
}

/// Returns a state with the first decision open.
fn reading() -> TopState {
    let mut state = showing(View::Decisions);
    press(&mut state, KeyEvent::from(KeyCode::Enter));
    state.apply(sample::opened(sample::record()), NOW_MS);
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
fn an_open_decision_is_drawn() {
    assert_snapshot!(picture(&reading(), 100, 32));
}

#[test]
fn the_help_is_drawn() {
    let mut state = sample::state();
    state.help = true;
    assert_snapshot!(picture(&state, 110, 24));
}

#[test]
fn a_placeholder_is_drawn_before_the_first_update() {
    let mut state = TopState::new("http://127.0.0.1:8081".to_owned());
    assert_snapshot!(picture(&state, 80, 6));
    state.apply(no_answer(), NOW_MS);
    assert!(picture(&state, 80, 6).contains("disconnected for 12 s, retrying"));
}

#[test]
fn a_gateway_without_requests_is_drawn() {
    assert_snapshot!(picture(&sample::empty(), 80, 24));
}

#[test]
fn a_lost_connection_keeps_the_last_picture() {
    let mut state = sample::state();
    state.apply(no_answer(), NOW_MS);
    state.apply(no_answer(), NOW_MS + 6_000);
    assert_snapshot!(picture(&state, 80, 24));
}

#[test]
fn a_narrow_terminal_has_the_most_important_columns() {
    assert_snapshot!(picture(&showing(View::Overview), 38, 20));
}

#[test]
fn the_status_is_rendered_as_plain_text() {
    assert_snapshot!(plain::render(&sample::state()));
    assert!(plain::render(&sample::empty()).ends_with("No request has ended yet."));
}

#[test]
fn every_terminal_size_is_drawn() {
    let mut states: Vec<TopState> = View::ALL.into_iter().map(showing).collect();
    states.extend([sample::empty(), reading(), TopState::new(String::new())]);
    let (mut help, mut lost, mut scrolled) = (sample::state(), sample::state(), reading());
    help.help = true;
    lost.apply(no_answer(), NOW_MS);
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
fn the_selected_row_is_always_visible() {
    let decisions = sample::decisions()[0].clone();
    let many = (0..100).map(|number| {
        let mut decision = decisions.clone();
        decision["id"] = format!("id-{number}").into();
        decision["label"] = format!("label-{number}").into();
        decision
    });
    let mut state = showing(View::Decisions);
    state.apply(sample::updated(sample::overview(), many.collect()), NOW_MS);
    for _ in 0..57 {
        press(&mut state, KeyEvent::from(KeyCode::Char('j')));
    }
    assert!(picture(&state, 110, 12).contains("label-57"));
    press(&mut state, KeyEvent::from(KeyCode::Char('g')));
    assert!(picture(&state, 110, 12).contains("label-0 "));
}

#[test]
fn foreign_text_cannot_control_the_terminal() {
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
    state.apply(sample::updated(overview, decisions), NOW_MS);
    let mut pictures = vec![plain::render(&state)];
    pictures.extend(View::ALL.map(|view| {
        state.view = view;
        picture(&state, 200, 50)
    }));
    press(&mut state, KeyEvent::from(KeyCode::Enter));
    state.apply(sample::opened(record), NOW_MS);
    assert!(matches!(state.opened.as_ref().map(|opened| &opened.record), Some(RecordState::Loaded(_))));
    pictures.push(picture(&state, 200, 50));
    assert!(pictures.iter().filter(|picture| picture.contains("\u{fffd}[2Jboo")).count() >= 4);
    let commands = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
    assert!(!pictures.concat().contains(commands));
}

#[test]
fn only_the_terminals_own_colours_are_used() {
    let own = [Color::Reset, Color::Red, Color::Green, Color::Yellow, Color::Cyan];
    for view in View::ALL {
        let state = showing(view);
        let coloured = draw_on_terminal(&state, 120, 40, COLOURS);
        let cells = coloured.buffer().content();
        assert!(cells.iter().all(|cell| own.contains(&cell.fg) && cell.bg == Color::Reset));
        assert!(cells.iter().any(|cell| cell.fg != Color::Reset));
        let plain = draw_on_terminal(&state, 120, 40, Palette { colour: false });
        let cells = plain.buffer().content();
        assert!(cells.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
        assert!(cells.iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)));
    }
}
