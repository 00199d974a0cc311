//! The empty world of policies with the grant for WASI.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pointsman_domain::ids::PolicyName;
use pointsman_guests::{prober, sleeper};
use pointsman_policy::{Grants, HostCalls, Isolation, Limits, Policy, PolicyFailure, PolicySpec};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{decide, hasty, load, load_error, reason, spec, spec_with};

fn probing(probe: &str, grants: Grants) -> PolicySpec {
    let settings = format!(r#"{{"probe": {probe}}}"#);
    PolicySpec { grants: Grants::WASI | grants, ..spec_with(&settings) }
}

fn policy(probe: &str, grants: Grants) -> Policy {
    load(probing(probe, grants), &prober()).unwrap()
}

async fn found(policy: &Policy) -> String {
    reason(decide(policy).await)
}

#[test]
fn the_grants_for_clocks_and_randomness_do_not_include_wasi() {
    let grants = Grants::CLOCKS | Grants::RANDOM;
    let error = load_error(PolicySpec { grants, ..spec() }, &prober());
    assert!(error.ends_with("to grant it: grants = [\"wasi\"]"), "{error}");
}

#[tokio::test]
async fn there_is_nothing_to_reach() {
    let everything = Grants::all();
    for grants in [Grants::empty(), everything] {
        assert_eq!(
            found(&policy(r#""world""#, grants)).await,
            "environment 0, arguments 0, cwd 0, directories 0, stdin closed, tcp denied, udp denied, names denied"
        );
    }
}

#[tokio::test]
async fn clocks_and_random_numbers_are_the_same_for_each_instance() {
    let policy = policy(r#""readings""#, Grants::empty());
    let first = found(&policy).await;
    assert!(first.starts_with("(0, 1000000) (946684800, 2000000) ["), "{first}");
    assert_eq!(found(&policy).await, first);
    let other = load(probing(r#""readings""#, Grants::PROMPT), &prober()).unwrap();
    assert_eq!(found(&other).await, first);
}

#[tokio::test]
async fn the_clock_of_a_warm_instance_continues() {
    let isolation = Isolation::Warm { recycle_after: 2, instances: 1 };
    let spec = PolicySpec { isolation, ..probing(r#""readings""#, Grants::empty()) };
    let policy = load(spec, &prober()).unwrap();
    let (first, second) = (found(&policy).await, found(&policy).await);
    assert!(second.starts_with("(3000000, 4000000) (946684800, 5000000) ["), "{second}");
    assert_eq!(found(&policy).await, first, "the next instance starts again");
}

#[tokio::test]
async fn granted_clocks_are_real_and_leave_randomness_alone() {
    let without = found(&policy(r#""readings""#, Grants::empty())).await;
    let with = found(&policy(r#""readings""#, Grants::CLOCKS)).await;
    let (clocks, random) = with.split_once('[').unwrap();
    assert_eq!(without.split_once('[').unwrap().1, random);
    let seconds = clocks.rsplit('(').next().unwrap().split(',').next().unwrap();
    let read = Duration::from_secs(seconds.parse().unwrap());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(read <= now && now - read < Duration::from_secs(3_600), "{with}");
}

#[tokio::test]
async fn granted_randomness_differs_and_leaves_the_clocks_alone() {
    let policy = policy(r#""readings""#, Grants::RANDOM);
    let (first, second) = (found(&policy).await, found(&policy).await);
    let split = |text: &str| text.split_once('[').map(|(one, two)| (one.to_owned(), two.to_owned())).unwrap();
    assert_eq!(split(&first).0, split(&second).0);
    let numbers = |text: &str| -> Vec<String> { split(text).1.split(", ").map(str::to_owned).collect() };
    for (one, two) in numbers(&first).iter().zip(&numbers(&second)) {
        assert_ne!(one, two, "{first} {second}");
    }
}

#[tokio::test]
async fn waiting_and_sleeping_end_at_once_without_a_clock() {
    assert_eq!(found(&policy(r#""wait""#, Grants::empty())).await, "slept for 1 hour");
    let policy = load(PolicySpec { grants: Grants::WASI, ..spec() }, &sleeper()).unwrap();
    decide(&policy).await.unwrap();
}

#[tokio::test]
async fn a_policy_that_sleeps_by_a_real_clock_is_stopped_at_its_deadline() {
    let grants = Grants::WASI | Grants::CLOCKS;
    let policy = load(PolicySpec { grants, ..hasty(spec()) }, &sleeper()).unwrap();
    let failure = decide(&policy).await.unwrap_err();
    assert!(failure == PolicyFailure::Deadline && failure.is_policys_fault());
}

#[tokio::test]
async fn wasi_calls_count_as_host_calls() {
    // One further call is the SDK's, which reads the settings.
    let limits = Limits { host_calls: HostCalls::Exactly(10), ..spec().limits };
    let calling =
        |times: u32| PolicySpec { limits, ..probing(&format!(r#"{{"calls": {times}}}"#), Grants::empty()) };
    decide(&load(calling(9), &prober()).unwrap()).await.unwrap();
    let failure = decide(&load(calling(10), &prober()).unwrap()).await.unwrap_err();
    assert_eq!(failure, PolicyFailure::HostCalls);
}

#[tokio::test]
async fn endless_wasi_calls_are_stopped_long_before_the_deadline() {
    let limits = Limits { deadline: Duration::from_secs(3_600), ..Limits::default() };
    let spec = PolicySpec { limits, ..probing(r#""flood""#, Grants::empty()) };
    let failure = decide(&load(spec, &prober()).unwrap()).await.unwrap_err();
    assert_eq!(failure, PolicyFailure::HostCalls);
}

#[tokio::test]
async fn a_policy_that_exits_has_failed() {
    let failure = decide(&policy(r#""exit""#, Grants::empty())).await.unwrap_err();
    assert_eq!(failure.to_string(), "the policy trapped: it exited with status 1");
}

/// A captured log, with `LEVEL text fields` in each line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Returns the log of a policy that prints these texts. Each test uses another name, because
    /// policies of one name share a rate limit.
    async fn of(name: &str, texts: &[(&str, &str)]) -> Vec<String> {
        let spec = probing(&serde_json::json!({ "print": texts }).to_string(), Grants::empty());
        let policy = load(PolicySpec { name: PolicyName::new(name), ..spec }, &prober()).unwrap();
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(log.clone())
            .without_time()
            .with_target(false)
            .with_ansi(false);
        let logging = tracing::subscriber::set_default(subscriber.finish());
        decide(&policy).await.unwrap();
        drop(logging);
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(|line| line.trim().to_owned()).collect()
    }
}

/// An expected line of the log.
fn line(policy: &str, level: &str, text: &str) -> String {
    format!("{level} {text} policy=\"{policy}\" decision=\"decision-1\"")
}

#[tokio::test]
async fn output_is_logged_by_line_and_in_order() {
    let texts = [
        ("stdout", "one\ntw"),
        ("stderr", "oh\r\n"),
        ("stdout", "o\n\n"),
        ("log", "three"),
        ("stdout", "four, with no end"),
    ];
    let expected =
        [("INFO", "one"), ("WARN", "oh"), ("INFO", "two"), ("INFO", "three"), ("INFO", "four, with no end")];
    assert_eq!(
        Log::of("printing", &texts).await,
        expected.map(|(level, text)| line("printing", level, text))
    );
}

#[tokio::test]
async fn output_cannot_forge_log_lines() {
    let lines = Log::of("forging", &[("stdout", "\u{1b}[2Jforged\rline\u{202e}\u{200b}\n")]).await;
    assert_eq!(lines, [line("forging", "INFO", r"\u{1b}[2Jforged\rline\u{202e}\u{200b}")]);
}

#[tokio::test]
async fn long_lines_are_cut_and_excess_lines_dropped() {
    let long = Log::of("long", &[("stdout", &"ä".repeat(5_000))]).await;
    assert_eq!(long, [line("long", "INFO", &format!("{}…", "ä".repeat(512)))]);
    let many = Log::of("many", &[("stdout", &"again\n".repeat(100)), ("log", "too late")]).await;
    let (last, lines) = many.split_last().unwrap();
    assert_eq!(lines, vec![line("many", "INFO", "again"); 32]);
    assert_eq!(
        last,
        "WARN dropped log lines of the policy: it may write 32 in one call and 100 per second policy=many dropped=69"
    );
}
