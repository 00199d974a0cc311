//! The page in its formats.

use super::*;

#[test]
fn the_preferred_format_of_the_reader_is_selected() {
    let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;\
                      q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    assert_eq!(MetricsFormat::accepted(prometheus), MetricsFormat::OpenMetrics);
    for plain in [
        "",
        "*/*",
        "text/html",
        "text/plain",
        "text/plain;version=0.0.4;q=1,application/openmetrics-text;q=0.5",
        "application/openmetrics-text;q=0",
        "application/openmetrics-text;q=nonsense,text/plain;q=0.1",
    ] {
        assert_eq!(MetricsFormat::accepted(plain), MetricsFormat::Prometheus, "{plain}");
    }
}

#[test]
fn openmetrics_includes_units_and_an_end_marker() {
    let metrics = configured(&["auto"], &["llama-7b"]);
    metrics.record_request(&history(1_000, "llama-7b", RequestEnd::Answered));
    let page = metrics.page(MetricsFormat::OpenMetrics, MetricsState::default());
    for line in [
        "# TYPE pointsman_cost_usd counter",
        "# UNIT pointsman_cost_usd usd",
        "# TYPE pointsman_build info",
        r#"pointsman_build_info{version=""} 1"#,
        r#"pointsman_added_latency_seconds_bucket{le="+Inf",route="auto"} 1"#,
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
    assert!(page.ends_with("# EOF\n"));
}

#[test]
fn health_and_rest_of_a_model_are_separate_gauges() {
    let model = |id: &str, healthy, resting| state::ModelMetrics {
        backend: "fleet".to_owned(),
        id: id.to_owned(),
        healthy,
        resting,
        ..state::ModelMetrics::default()
    };
    let models = vec![
        model("fleet/well", true, false),
        model("fleet/down", false, false),
        model("fleet/resting", true, true),
    ];
    let state = MetricsState { models, ..MetricsState::default() };
    let page = Metrics::default().page(MetricsFormat::Prometheus, state);
    for (id, healthy, resting) in [("well", "1.0", "0.0"), ("down", "0.0", "0.0"), ("resting", "1.0", "1.0")]
    {
        for (gauge, value) in [("healthy", healthy), ("resting", resting)] {
            let line = format!(r#"pointsman_model_{gauge}{{backend="fleet",model="fleet/{id}"}} {value}"#);
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
    }
}

#[test]
fn decision_times_of_a_policy_are_counted_in_the_buckets_of_the_page() {
    let policy = state::PolicyMetrics {
        name: "cost".to_owned(),
        digest: "abababababab".to_owned(),
        failures: vec![("trap", 2)],
        log_lines_dropped: 5,
        rollbacks: vec![RollbackCount { action: "rollback", by: "gateway", count: 1 }],
        decision_times: vec![(Duration::from_nanos(12_287), 7), (Duration::from_millis(25), 1)],
        decision_time: Duration::from_millis(26),
        calls: 3,
        peak_memory: 65_536,
        ..state::PolicyMetrics::default()
    };
    let state = MetricsState { policies: vec![policy], ..MetricsState::default() };
    let page = Metrics::default().page(MetricsFormat::Prometheus, state);
    for line in [
        r#"pointsman_policy_info{policy="cost",digest="abababababab"} 1"#,
        r#"pointsman_policy_failures_total{policy="cost",reason="trap"} 2"#,
        r#"pointsman_policy_log_lines_dropped_total{policy="cost"} 5"#,
        r#"pointsman_policy_rollbacks_total{policy="cost",action="rollback",by="gateway"} 1"#,
        r#"pointsman_decision_duration_seconds_bucket{policy="cost",le="1e-05"} 0"#,
        r#"pointsman_decision_duration_seconds_bucket{policy="cost",le="2.5e-05"} 7"#,
        r#"pointsman_decision_duration_seconds_bucket{policy="cost",le="0.025"} 8"#,
        r#"pointsman_decision_duration_seconds_sum{policy="cost"} 0.026"#,
        r#"pointsman_policy_calls_in_flight{policy="cost"} 3.0"#,
        r#"pointsman_policy_peak_memory_bytes{policy="cost"} 65536.0"#,
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
}
