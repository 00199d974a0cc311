//! The evaluation on a small sample of the data.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::LazyLock;

use eval::{Report, Row, load, report};

fn sample() -> Vec<eval::Split> {
    load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/routing")).unwrap()
}

static REPORTS: LazyLock<Vec<Report>> =
    LazyLock::new(|| sample().iter().map(|split| report(split).unwrap()).collect());

#[test]
fn no_row_is_both_learnt_from_and_reported() {
    for split in sample() {
        let reported = |row: &Row| split.test.iter().any(|test| test.id == row.id);
        assert!(!split.train.iter().any(reported), "{}", split.name);
        assert!(split.train.len().min(split.test.len()) > 30, "{}", split.name);
    }
}

#[test]
fn no_policy_beats_the_oracle_and_the_best_is_measured_against_itself() {
    for report in REPORTS.iter() {
        let of = |name: &str| report.lines.iter().find(|line| line.name == name).unwrap();
        let oracle = of("oracle").score.value;
        for line in &report.lines {
            assert!(line.score.value <= oracle + 1e-9, "{}: {}", report.name, line.name);
            assert!(line.score.low <= line.score.value && line.score.value <= line.score.high);
        }
        let best = of("always best");
        assert_eq!((best.saved.value, best.difference.value), (0.0, 0.0));
        assert!(of("always cheapest").saved.value > 0.0);
    }
}

#[test]
fn every_policy_is_reported_and_performance_only_where_speeds_are_known() {
    for report in REPORTS.iter() {
        let has = |name: &str| report.lines.iter().any(|line| line.name == name);
        for name in ["cost", "task-type", "dynamic", "random", "length, at the cost of dynamic"] {
            assert!(has(name), "{}: {name}", report.name);
        }
        assert_eq!(has("performance"), report.name == "bfcl");
    }
}
