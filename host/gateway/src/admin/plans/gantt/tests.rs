use pointsman_admin_api::PlanDetail;

use super::*;

fn task(number: usize, name: &str, times: Option<(f64, f64)>, status: &str) -> TaskTrace {
    TaskTrace {
        number,
        name: name.to_owned(),
        operation: "chat".to_owned(),
        step: 1,
        after: Vec::new(),
        status: status.to_owned(),
        model: times.map(|_| "fleet/<b>".to_owned()),
        attempts: 1,
        begun_ms: times.map(|(begun, _)| begun),
        ended_ms: times.map(|(_, ended)| ended),
        input_tokens: 10,
        output_tokens: 5,
        cost_usd: 0.001,
        output_bytes: None,
        error: (status == "failed").then(|| "\"quoted\" & broken".to_owned()),
    }
}

fn trace() -> PlanTrace {
    PlanTrace {
        id: "0192".to_owned(),
        at: 1,
        route: "multimodal".to_owned(),
        policy: "multimodal@abc".to_owned(),
        label: "multimodal".to_owned(),
        reason: None,
        ending: "answered".to_owned(),
        error: None,
        latency_ms: 100.0,
        input_tokens: 20,
        output_tokens: 10,
        cost_usd: 0.002,
        plan: PlanDetail {
            steps: 1,
            critical_path: vec![0, 1],
            critical_path_ms: 99.0,
            tasks: vec![
                task(0, "see", Some((0.0, 40.0)), "done"),
                task(1, "answer", Some((40.0, 100.0)), "done"),
                task(2, "hear", Some((0.0, 10.0)), "failed"),
                task(3, "never", None, "skipped"),
            ],
        },
    }
}

#[test]
fn bars_span_the_time_of_their_tasks_and_the_critical_path_is_highlighted() {
    let svg = render(&trace());
    for bar in [
        r#"<rect class="critical" x="180.0" y="64" rx="3" width="236.0""#,
        r#"<rect class="critical" x="416.0" y="92" rx="3" width="354.0""#,
        r#"<rect class="failed" x="180.0" y="120" rx="3" width="59.0""#,
        r#"<rect class="skipped" x="180.0" y="148""#,
    ] {
        assert!(svg.contains(bar), "{bar} is not in {svg}");
    }
    assert!(svg.contains("answered after 100.0 ms, critical path 99.0 ms, $0.002000"), "{svg}");
}

#[test]
fn foreign_text_is_escaped() {
    let svg = render(&trace());
    assert!(svg.contains("fleet/&lt;b&gt;") && svg.contains("&quot;quoted&quot; &amp; broken"), "{svg}");
    assert_eq!(svg.matches('<').count(), svg.matches('>').count());
}

#[test]
fn long_names_are_cut_beside_the_bars_and_complete_in_tooltips() {
    let name = "a".repeat(64);
    let mut long = trace();
    long.plan.tasks = vec![task(0, &name, Some((0.0, 1.0)), "done")];
    let svg = render(&long);
    assert!(
        svg.contains(&format!(">{}…</text>", "a".repeat(24))) && svg.contains(&format!("{name} (chat)")),
        "{svg}"
    );
}

#[test]
fn a_plan_without_tasks_or_duration_is_rendered() {
    let mut empty = PlanTrace { latency_ms: 0.0, ..trace() };
    (empty.plan.tasks, empty.plan.critical_path) = (Vec::new(), Vec::new());
    assert!(render(&empty).ends_with("</svg>\n"));
}
