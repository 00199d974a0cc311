//! The evaluation on small data sets: made-up ones from the repository, and samples of recorded
//! ones from the folder that `POINTSMAN_DATA` names. Without that variable the tests over
//! recordings report that they were left out.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and reports its data"
)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use eval::{DataSplit, OutcomeRow, Report, load, report};

/// Most rows of one half of a data set: the evaluation of thousands takes minutes.
const SAMPLE: usize = 150;

static MADE_UP: LazyLock<Vec<DataSplit>> =
    LazyLock::new(|| load(&root().join("tests/fixtures/routing")).unwrap());
static RECORDED: LazyLock<Vec<DataSplit>> = LazyLock::new(|| {
    let Some(data) = std::env::var_os("POINTSMAN_DATA").map(PathBuf::from) else {
        assert!(std::env::var_os("CI").is_none(), "CI has to set POINTSMAN_DATA");
        eprintln!("left out: POINTSMAN_DATA does not name the folder of the recordings");
        return Vec::new();
    };
    let mut splits = load(&root().join(data).join("routing")).unwrap();
    for DataSplit { train, test, .. } in &mut splits {
        for rows in [train, test] {
            *rows = every_nth(rows, rows.len().div_ceil(SAMPLE));
        }
    }
    splits
});
static REPORTS: LazyLock<Vec<Report>> =
    LazyLock::new(|| MADE_UP.iter().chain(RECORDED.iter()).map(|split| report(split).unwrap()).collect());

/// Returns the root of the project, to which `POINTSMAN_DATA` may be relative.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn every_nth(rows: &[OutcomeRow], n: usize) -> Vec<OutcomeRow> {
    rows.iter().step_by(n).cloned().collect()
}

#[test]
fn no_row_is_both_learnt_from_and_reported() {
    for split in MADE_UP.iter().chain(RECORDED.iter()) {
        let reported = |row: &OutcomeRow| split.test.iter().any(|test| test.id == row.id);
        assert!(!split.train.iter().any(reported), "{}", split.name);
        assert!(split.train.len().min(split.test.len()) > 30, "{}", split.name);
    }
}

#[test]
fn no_policy_beats_the_oracle_and_the_best_model_is_compared_with_itself() {
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
fn every_policy_is_reported_and_performance_only_if_speeds_are_known() {
    for report in REPORTS.iter() {
        let has = |name: &str| report.lines.iter().any(|line| line.name == name);
        for name in ["cost", "task-type", "dynamic", "random", "length, at the cost of dynamic"] {
            assert!(has(name), "{}: {name}", report.name);
        }
        assert_eq!(has("performance"), report.name == "bfcl");
    }
}
