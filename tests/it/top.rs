//! The command `pointsman top` against a running gateway.

use http::Method;
use pointsman_tests::client::call;
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::command_line::{run, texts};
use crate::fleet::{ask, chat, in_order};
use crate::terminal::Terminal;

const SIZE: (u16, u16) = (100, 30);

/// Runs `pointsman top` without a terminal, and returns its exit status, standard output and
/// standard error.
fn top(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = run(&[&["top"], arguments].concat());
    let (stdout, errors) = texts(&output);
    (output.status.code(), stdout, errors)
}

fn open(admin: &str, more: &[&str], environment: &[(&str, &str)]) -> Terminal {
    let arguments = [&["top", "--admin", admin, "--interval", "0.2"], more].concat();
    Terminal::run(SIZE, &arguments, environment)
}

/// Returns the columns of the line that begins with a word.
fn row<'a>(text: &'a str, first: &str) -> Vec<&'a str> {
    let mut rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.find(|row| row.first() == Some(&first))
        .unwrap_or_else(|| panic!("{first} begins no line of:\n{text}"))
}

#[tokio::test]
async fn one_snapshot_shows_a_gateway_under_load() {
    let (good, failing) =
        (FakeModel::saying("one two three").await, FakeModel::always(Step::status(500)).await);
    let more = "models = [\"a/chat\"]\nbaseline = \"b/chat\"\n\
                [routes.other]\npolicy = \"cost\"\nmodels = [\"b/chat\"]\n";
    let gateway = Gateway::start(&in_order(&[&good, &failing], more)).await;
    let load = (0..20).map(|_| chat("main", "count"));
    for body in load {
        ask(&gateway, &body).await;
    }
    ask(&gateway, &chat("other", "count")).await;
    let (status, output, errors) = top(&["--once", "--admin", &gateway.admin_url]);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    assert!(output.starts_with("pointsman 0."), "{output}");
    assert!(output.contains("saved 50 %") && output.contains("21 for $"), "{output}");
    let answers = row(&output, "a/chat");
    assert_eq!((answers[1], answers[3]), ("ok", "100"), "health and share: {answers:?}");
    let route = row(&output, "main");
    assert!(route[1].starts_with("cost@") && route.contains(&"20") && route.contains(&"b/chat"), "{route:?}");
    assert!(row(&output, "cost").contains(&"21"), "decisions: {output}");
    assert!(output.contains("failed: "), "the newest decision failed, with its reason: {output}");
    // Without a terminal it is the same, with a hint that does not get in the way.
    let (status, output, errors) = top(&["--admin", &gateway.admin_url]);
    assert_eq!((status, output.starts_with("pointsman 0.")), (Some(0), true));
    assert!(errors.contains("hint: ") && errors.contains("--once"), "{errors}");
}

#[tokio::test]
async fn a_terminal_shows_requests_live_and_opens_one() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let mut terminal = open(&gateway.admin_url, &[], &[]);
    let screen = terminal.wait_for_text("No request has ended yet").await;
    assert!(screen.contains("● live") && screen.contains("a/chat"), "{screen}");
    ask(&gateway, &chat("main", "hi")).await;
    terminal.wait_until_gone("No request has ended yet").await;
    terminal.press("5");
    terminal.wait_for_text("FIRST TOKEN").await;
    let screen = terminal.wait_for_text("LATENCY").await;
    assert!(screen.contains("main") && screen.contains("a/chat"), "{screen}");
    terminal.press("\r");
    let screen = terminal.wait_for_text("Calls").await;
    assert!(screen.contains("CANDIDATE") && screen.contains("answered by a/chat"), "{screen}");
    terminal.press("\u{1b}");
    terminal.wait_until_gone("CANDIDATE").await;
    terminal.press("/nothing\r");
    terminal.wait_for_text("No rows contain \"nothing\"").await;
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit().await.0, 0);
}

#[tokio::test]
async fn changes_are_shown_live() {
    let model = FakeModel::saying("hello").await;
    let more = "[policies.other]\nlimits.deadline = \"60s\"\nsource = \"builtin:cost\"\n";
    let gateway = Gateway::start(&in_order(&[&model], more)).await;
    let mut terminal = open(&gateway.admin_url, &[], &[]);
    terminal.press("4");
    terminal.wait_for_text("SWAPS").await;
    let trial = json!({ "policy": "other", "mode": "shadow", "why": "ticket 12" });
    let url = gateway.admin("/admin/routes/main/trial");
    assert_eq!(call(Method::PUT, &url, &[], trial.to_string()).await.status, 200);
    let screen = terminal.wait_for_text("ticket 12").await;
    assert!(screen.contains("main (trial)") && screen.contains("other at main"), "{screen}");
}

#[tokio::test]
async fn a_resize_and_a_signal_restore_the_terminal() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    for signal in ["TERM", "INT", "HUP"] {
        let terminal = open(&gateway.admin_url, &[], &[]);
        terminal.wait_for_text("5 Decisions").await;
        terminal.resize((24, 6));
        terminal.wait_until_gone("5 Decisions").await;
        terminal.resize(SIZE);
        terminal.wait_for_text("5 Decisions").await;
        terminal.signal(signal);
        assert_eq!(terminal.wait_for_exit().await.0, 0, "{signal}");
    }
}

#[tokio::test]
async fn top_waits_for_a_gateway_that_goes_away() {
    let model = FakeModel::saying("hello").await;
    let config = in_order(&[&model], "");
    let gateway = Gateway::start(&config).await;
    let mut terminal = open(&gateway.admin_url, &[], &[]);
    terminal.wait_for_text("● live").await;
    assert!(gateway.stop().await.success());
    let screen = terminal.wait_for_text("disconnected for").await;
    assert!(screen.contains("a/chat"), "the last picture stays: {screen}");
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit().await.0, 0);
}

#[tokio::test]
async fn without_the_token_top_ends_with_an_error() {
    let model = FakeModel::saying("hello").await;
    let config = in_order(&[&model], "[admin]\ntoken_env = \"TOKEN\"\n");
    let gateway = Gateway::start_with(&config, &[("TOKEN", "let-me-in")]).await;
    let (status, output, errors) = top(&["--once", "--admin", &gateway.admin_url]);
    assert_eq!((status, output.as_str()), (Some(2), ""));
    assert!(errors.contains("the admin API needs its token") && errors.contains("--token-file"), "{errors}");
    let terminal = open(&gateway.admin_url, &[], &[]);
    let (status, screen) = terminal.wait_for_exit().await;
    assert_eq!(status, 2);
    assert!(screen.contains("needs its token"), "the screen says that it is needed: {screen}");

    let token = gateway.directory().join("token");
    std::fs::write(&token, "let-me-in\n").expect("a file");
    let token = token.display().to_string();
    let (status, output, _) = top(&["--once", "--admin", &gateway.admin_url, "--token-file", &token]);
    assert_eq!((status, output.starts_with("pointsman 0.")), (Some(0), true));
}

#[tokio::test]
async fn colours_are_disabled_on_request() {
    const COLOUR: &str = "\u{1b}[38;";
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    for (environment, colours) in
        [(&[][..], true), (&[("NO_COLOR", "1")], false), (&[("NO_COLOR", "")], true)]
    {
        let mut terminal = open(&gateway.admin_url, &[], environment);
        terminal.wait_for_text("● live").await;
        terminal.press("q");
        terminal.wait_for_exit().await;
        assert_eq!(terminal.written().contains(COLOUR), colours, "{environment:?}");
    }
}

/// Starts a server that answers every request for an overview with control characters for the
/// terminal.
async fn hostile_gateway() -> String {
    const HOSTILE: &str = "\u{1b}[2Jboo\u{1b}]0;owned\u{7}\u{9b}31m";
    let overview = json!({
        "version": HOSTILE, "now_ms": 9_000, "started_ms": 0,
        "models": [{ "id": HOSTILE, "healthy": true }],
        "changes": [{ "at": 1, "who": { "admin": HOSTILE }, "action": HOSTILE, "why": HOSTILE }],
    });
    let decisions =
        json!([{ "id": "1", "at_ms": 8_000, "route": "main", "ending": "answered", "reason": HOSTILE }]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n")
                && stream.read_buf(&mut asked).await.is_ok_and(|count| count > 0)
            {}
            let response: &Value =
                if asked.starts_with(b"GET /admin/overview") { &overview } else { &decisions };
            let body = response.to_string();
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            // One that went away wants no answer.
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn control_characters_of_a_gateway_do_not_reach_the_terminal() {
    let admin = hostile_gateway().await;
    let asked = admin.clone();
    let (status, output, _) = tokio::task::spawn_blocking(move || top(&["--once", "--admin", &asked]))
        .await
        .expect("it does not panic");
    assert_eq!(status, Some(0));
    assert!(output.contains("\u{fffd}[2Jboo"), "{output:?}");
    assert!(!output.contains(|letter: char| letter.is_control() && letter != '\n'), "{output:?}");

    let mut terminal = open(&admin, &[], &[]);
    terminal.wait_for_text("[2Jboo").await;
    terminal.press("5");
    terminal.wait_for_text("LATENCY").await;
    terminal.press("q");
    terminal.wait_for_exit().await;
    let written = terminal.written();
    assert!(written.contains("\u{fffd}[2Jboo"), "{written:?}");
    assert!(!written.contains("\u{1b}[2Jboo") && !written.contains("\u{1b}]0;"), "{written:?}");
}

#[test]
fn an_unreachable_gateway_and_an_invalid_interval_are_reported_with_a_remedy() {
    let (status, _, errors) = top(&["--once", "--admin", "http://127.0.0.1:1"]);
    assert_eq!(status, Some(1));
    assert!(errors.contains("cannot reach the gateway") && errors.contains("--admin"), "{errors}");
    for interval in ["0", "soon", "61", "NaN"] {
        let (status, _, errors) = top(&["--interval", interval]);
        assert_eq!(status, Some(2), "{interval}");
        assert!(errors.contains("0.2 to 60 seconds"), "{errors}");
    }
    let (status, output, _) = top(&["--help"]);
    assert_eq!(status, Some(0));
    assert!(output.contains("Keys:") && output.contains("pointsman top --once"), "{output}");
}
