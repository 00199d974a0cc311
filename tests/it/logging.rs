//! Failures of standard error, which lose log lines and nothing else.

use std::fs::{self, File};
use std::io::Read;
use std::process::Stdio;

use pointsman_guests::{HOSTILE, Misdeed, misbehaving, version, version_label};
use pointsman_tests::{FakeModel, Gateway, client};
use serde_json::Value;

use crate::fleet::{ask, chat, in_order, reload};
use crate::policy_failures::inline;
use crate::policy_file::PolicyFile;

/// Gateway with a policy in a file and one that logs as much as it may.
struct Setup {
    gateway: Gateway,
    config: String,
    policy: PolicyFile,
    _flooder: PolicyFile,
    _model: FakeModel,
}

impl Setup {
    async fn start(stderr: impl Into<Stdio>) -> Self {
        let model = FakeModel::saying("hello").await;
        let (policy, flooder) = (PolicyFile::new(&version(1)), PolicyFile::new(HOSTILE));
        let more = format!(
            "[policies.changing]\nsource = \"{}\"\n[routes.changing]\npolicy = \"changing\"\n\
             [policies.flooder]\nsource = \"{}\"\nsettings = {}\n\
             [routes.flooder]\npolicy = \"flooder\"\n",
            policy.path().display(),
            flooder.path().display(),
            inline(&misbehaving(Misdeed::FloodLog)),
        );
        let config = in_order(&[&model], &more);
        let gateway = Gateway::start_with_stderr(&config, stderr).await;
        Self { gateway, config, policy, _flooder: flooder, _model: model }
    }

    /// Logs far more than a pipe and the queue hold, by repeated reloads of a configuration with
    /// thousands of errors.
    async fn flood_log(&self) {
        let bad: String =
            (0..3_000).map(|number| format!("[routes.r{number}]\npolicy = \"nobody\"\n")).collect();
        fs::write(self.gateway.config(), bad).expect("the config can be written");
        while self.dropped_lines().await == 0 {
            let report = client::post(&self.gateway.admin("/admin/reload"), &Value::Null).await;
            assert_eq!(report.status, 422);
        }
        fs::write(self.gateway.config(), &self.config).expect("the config can be written");
        reload(&self.gateway).await;
    }

    /// Fails unless requests are answered and changes on disk are noticed.
    async fn assert_working(&self, number: u32) {
        for route in ["main", "flooder", "changing"] {
            assert_eq!(ask(&self.gateway, &chat(route, "hi")).await.status, 200, "{route}");
        }
        self.policy.rename_over(&version(number));
        // Noticed by its own, not only when somebody asks.
        let label = version_label(number);
        while ask(&self.gateway, &chat("changing", "hi")).await.header("x-pointsman-route") != Some(&label) {
            tokio::task::yield_now().await;
        }
        reload(&self.gateway).await;
    }

    /// Returns the number of dropped lines. Fails if anything panicked or was restarted.
    async fn dropped_lines(&self) -> u64 {
        let page = client::get(&self.gateway.admin("/metrics")).await;
        let page = String::from_utf8(page.body.to_vec()).expect("metrics are text");
        let value = |series: &str| {
            let line = page.lines().find(|line| line.starts_with(series));
            let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            value.unwrap_or_else(|| panic!("{series} is not in\n{page}"))
        };
        assert_eq!(value("pointsman_panics_total"), 0.0);
        for task in ["log", "reload", "guard", "prices", "events", "feedback", "shadow", "file-watch"] {
            assert_eq!(
                value(&format!("pointsman_background_restarts_total{{task=\"{task}\"}}")),
                0.0,
                "{task}"
            );
        }
        value("pointsman_dropped_total{queue=\"log\"}") as u64
    }
}

#[tokio::test]
async fn a_full_disk_behind_standard_error_loses_only_log_lines() {
    let full = File::options().write(true).open("/dev/full").expect("there is /dev/full");
    let setup = Setup::start(full).await;
    setup.assert_working(2).await;
    assert!(setup.dropped_lines().await > 0);
    assert_eq!(setup.gateway.stop().await.code(), Some(0));
}

#[tokio::test]
async fn a_pipe_without_a_reader_loses_only_log_lines() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let setup = Setup::start(writer).await;
    setup.assert_working(2).await;
    assert!(setup.dropped_lines().await > 0);
    assert_eq!(setup.gateway.stop().await.code(), Some(0));
}

#[tokio::test]
async fn a_reader_that_closes_its_end_loses_only_log_lines() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let setup = Setup::start(writer).await;
    setup.assert_working(2).await;
    drop(reader);
    setup.assert_working(3).await;
    assert!(setup.dropped_lines().await > 0);
    assert_eq!(setup.gateway.stop().await.code(), Some(0));
}

#[tokio::test]
async fn an_unread_pipe_delays_no_request_and_no_shutdown() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let setup = Setup::start(writer).await;
    setup.flood_log().await;
    setup.assert_working(2).await;
    assert_eq!(setup.gateway.stop().await.code(), Some(0));
    drop(reader);
}

#[tokio::test]
async fn dropped_lines_are_reported_once_writing_resumes() {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let setup = Setup::start(writer).await;
    setup.flood_log().await;
    let reading = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("the log is text");
        text
    });
    assert_eq!(setup.gateway.stop().await.code(), Some(0));
    let text = reading.await.expect("reading does not panic");
    assert!(text.contains("log lines were dropped"), "the report is among the last lines");
    let torn = text.lines().filter(|line| serde_json::from_str::<Value>(line).is_err());
    assert_eq!(torn.count(), 0, "every line is whole");
}
