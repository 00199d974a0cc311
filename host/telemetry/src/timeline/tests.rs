use std::collections::BTreeMap;

use pointsman_domain::ids::ModelId;
use pointsman_domain::outcome::RequestEnd;

use super::*;
use crate::sample::{history, time};

/// Twenty minutes after 1970, in milliseconds: the start of an interval of every window.
const START: u64 = 1_200_000;

fn requests(series: &IntervalSeries) -> Vec<(u64, u64)> {
    series.points.iter().map(|point| (point.at_ms - START, point.requests)).collect()
}

fn add(timeline: &Timeline, ended: &[u64]) {
    for &at in ended {
        timeline.add(&history(START + at, "a", RequestEnd::Answered));
    }
}

#[test]
fn a_point_sums_the_requests_that_ended_in_its_interval() {
    let timeline = Timeline::default();
    timeline.add(&history(START, "a", RequestEnd::Answered));
    timeline.add(&history(START + 999, "b", RequestEnd::Answered));
    timeline.add(&history(START + 999, "b", RequestEnd::Failed));
    timeline.add(&history(START + 999, "b", RequestEnd::Cancelled));
    let series = timeline.series(TimelineWindow::Minutes, time(START + 999));
    let [point] = series.points.as_slice() else { panic!("one second: {series:?}") };
    assert_eq!((point.requests, point.answered, point.failed, point.cancelled), (4, 2, 1, 1));
    assert_eq!((point.input_tokens, point.output_tokens), (80, 40));
    let close = |value: f64, expected: f64| (value - expected).abs() < 1e-12;
    assert!(close(point.cost_usd, 4.0 * 0.0006), "{point:?}");
    assert!(close(point.compared_cost_usd, 2.0 * 0.0006) && close(point.baseline_cost_usd, 2.0 * 0.0015));
    assert_eq!(point.models, BTreeMap::from([(ModelId::new("fleet/a"), 1), (ModelId::new("fleet/b"), 1)]));
    // 40 ms, up to an eighth more.
    assert!(point.latency_ms_p95.is_some_and(|p95| (40.0..46.0).contains(&p95)), "{point:?}");
}

#[test]
fn fine_intervals_are_summed_to_coarse_ones_without_loss() {
    let timeline = Timeline::default();
    add(&timeline, &[0, 1_500, 9_999, 10_000, 299_999, 300_000, 300_500]);
    let now = time(START + 300_900);
    let minutes = timeline.series(TimelineWindow::Minutes, now);
    assert_eq!(requests(&minutes), [(1_000, 1), (9_000, 1), (10_000, 1), (299_000, 1), (300_000, 2)]);
    let hour = timeline.series(TimelineWindow::Hour, now);
    assert_eq!(requests(&hour), [(0, 3), (10_000, 1), (290_000, 1), (300_000, 2)]);
    let day = timeline.series(TimelineWindow::Day, now);
    assert_eq!(requests(&day), [(0, 5), (300_000, 2)]);
    assert_eq!(day.points[0].models, BTreeMap::from([(ModelId::new("fleet/a"), 5)]));
    assert!(day.points[0].latency_ms_p50.is_some());
}

#[test]
fn points_before_the_window_are_left_out() {
    let timeline = Timeline::default();
    add(&timeline, &[0]);
    let much_later = time(START + 86_400_000 + 300_000);
    for window in TimelineWindow::ALL {
        assert!(timeline.series(window, much_later).points.is_empty(), "{window:?}");
    }
}

#[test]
fn a_window_keeps_no_more_intervals_than_it_has() {
    let timeline = Timeline::default();
    let seconds: Vec<u64> = (0..400).map(|second| second * 1_000).collect();
    add(&timeline, &seconds);
    assert_eq!(timeline.rings()[0].closed.len(), 300);
}

#[test]
fn a_clock_that_is_set_back_loses_nothing() {
    let timeline = Timeline::default();
    add(&timeline, &[500_000, 500_000, 100_000]);
    let series = timeline.series(TimelineWindow::Day, time(START + 100_000));
    assert_eq!(series.points.iter().map(|point| point.requests).sum::<u64>(), 3, "{series:?}");
}

#[test]
fn a_window_is_found_by_its_length() {
    assert_eq!(TimelineWindow::of_seconds(3_600), Some(TimelineWindow::Hour));
    assert_eq!(TimelineWindow::of_seconds(60), None);
}
