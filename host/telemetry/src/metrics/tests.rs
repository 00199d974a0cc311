use std::collections::BTreeSet;
use std::time::Duration;

use pointsman_domain::failure::{FailureKind, TimeLimit};
use pointsman_domain::history::{CallEnd, DecisionAnswer, ModelCall, PlanRun, TaskRun};
use pointsman_domain::ids::{ModelId, PolicyName};
use pointsman_domain::model::Operation;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{FailureCause, Fault, RequestEnd};
use pointsman_domain::plan::PlanLimits;

use super::*;
use crate::sample::{history, model};

mod page;
mod reference;

/// Returns metrics of a configuration with these names, each with the same models.
fn configured(names: &[&str], models: &[&str]) -> Metrics {
    let metrics = Metrics::default();
    configure(&metrics, names, models);
    metrics
}

fn configure(metrics: &Metrics, names: &[&str], models: &[&str]) {
    let names: Vec<Arc<str>> = names.iter().map(|name| (*name).into()).collect();
    let models: Vec<Arc<Model>> = models.iter().map(|name| model(name, 20.0)).collect();
    metrics.configure(|| names.iter().map(|name| (name, models.as_slice())));
}

fn page(metrics: &Metrics) -> String {
    metrics.page(MetricsFormat::Prometheus, MetricsState::default())
}

/// Panics unless the page contains these lines.
fn assert_lines(metrics: &Metrics, lines: &[&str]) {
    let page = page(metrics);
    for line in lines {
        assert!(page.lines().any(|found| found == *line), "{line} is not in\n{page}");
    }
}

/// Returns the names of all series, with their labels.
fn series(page: &str) -> BTreeSet<&str> {
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect()
}

fn call(name: &str, end: CallEnd) -> ModelCall {
    let mut call = history(1_000, name, RequestEnd::Answered).calls.remove(0);
    call.end = end;
    call
}

fn task(operation: Operation, begun: Option<u64>, ended: Option<u64>, error: Option<&str>) -> TaskRun {
    TaskRun {
        name: "a name that the policy made up".to_owned(),
        operation,
        step: 1,
        after: Vec::new(),
        begun: begun.map(Duration::from_millis),
        ended: ended.map(Duration::from_millis),
        model: None,
        output_bytes: None,
        error: error.map(str::to_owned),
    }
}

#[test]
fn a_request_is_counted_at_its_route_and_model() {
    let metrics = configured(&["auto"], &["llama-7b", "llama-70b"]);
    metrics.record_request(&history(1_000, "llama-7b", RequestEnd::Answered));
    metrics.record_request(&history(1_000, "llama-7b", RequestEnd::Answered));
    metrics.record_request(&history(1_000, "llama-7b", RequestEnd::Cancelled));
    assert_lines(
        &metrics,
        &[
            r#"pointsman_requests_total{route="auto",ending="answered"} 2"#,
            r#"pointsman_requests_total{route="auto",ending="failed"} 0"#,
            r#"pointsman_requests_total{route="auto",ending="cancelled"} 1"#,
            r#"pointsman_answers_total{route="auto",model="fleet/llama-7b"} 2"#,
            r#"pointsman_tokens_total{route="auto",model="fleet/llama-7b",direction="input"} 60"#,
            r#"pointsman_tokens_total{route="auto",model="fleet/llama-7b",direction="output"} 30"#,
            r#"pointsman_cost_usd_total{route="auto",model="fleet/llama-7b"} 0.0018"#,
            r#"pointsman_compared_cost_usd_total{route="auto"} 0.0012"#,
            r#"pointsman_baseline_cost_usd_total{route="auto"} 0.003"#,
            r#"pointsman_request_duration_seconds_bucket{route="auto",model="fleet/llama-7b",le="0.025"} 0"#,
            r#"pointsman_request_duration_seconds_bucket{route="auto",model="fleet/llama-7b",le="0.05"} 2"#,
            r#"pointsman_request_duration_seconds_sum{route="auto",model="fleet/llama-7b"} 0.08"#,
            r#"pointsman_time_to_first_token_seconds_sum{route="auto",model="fleet/llama-7b"} 0.06"#,
            r#"pointsman_added_latency_seconds_bucket{route="auto",le="0.0001"} 2"#,
            r#"pointsman_added_latency_seconds_sum{route="auto"} 0.0002"#,
            r#"pointsman_decisions_total{route="auto",answer="route"} 3"#,
            r#"pointsman_calls_total{backend="fleet",model="fleet/llama-7b",result="answered"} 2"#,
            r#"pointsman_calls_total{backend="fleet",model="fleet/llama-7b",result="cancelled"} 1"#,
            r#"pointsman_calls_total{backend="fleet",model="fleet/llama-70b",result="answered"} 0"#,
        ],
    );
    let page = page(&metrics);
    assert!(!page.contains(r#"route="auto",model="fleet/llama-70b""#), "a model that was never used");
}

#[test]
fn tokens_of_every_special_kind_are_counted_apart() {
    let metrics = configured(&["auto"], &["llama-7b"]);
    let mut request = history(1_000, "llama-7b", RequestEnd::Answered);
    let usage = &mut request.calls[0].usage;
    (usage.cached_input_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens) = (1, 2, 3);
    (usage.reasoning_tokens, usage.audio_input_tokens, usage.audio_output_tokens) = (4, 5, 6);
    (usage.image_input_tokens, usage.image_output_tokens) = (7, 8);
    metrics.record_request(&request);
    let kinds = [
        ("cached-input", 1),
        ("cache-write", 2),
        ("cache-write-1h", 3),
        ("reasoning", 4),
        ("audio-input", 5),
        ("audio-output", 6),
        ("image-input", 7),
        ("image-output", 8),
    ];
    for (kind, tokens) in kinds {
        let labels = format!(r#"route="auto",model="fleet/llama-7b",kind="{kind}""#);
        assert_lines(&metrics, &[&format!("pointsman_special_tokens_total{{{labels}}} {tokens}")]);
    }
}

#[test]
fn a_failure_is_counted_by_the_party_at_fault_and_by_its_cause() {
    let metrics = configured(&["auto"], &["llama-7b"]);
    for (fault, cause) in [
        (Fault::Backend, FailureCause::Model),
        (Fault::Backend, FailureCause::Limit),
        (Fault::Deadline, FailureCause::Client),
    ] {
        let mut failed = history(1_000, "llama-7b", RequestEnd::Failed);
        (failed.outcome.fault, failed.cause) = (Some(fault), Some(cause));
        metrics.record_request(&failed);
    }
    assert_lines(
        &metrics,
        &[
            r#"pointsman_request_errors_total{route="auto",fault="backend"} 2"#,
            r#"pointsman_request_errors_total{route="auto",fault="deadline"} 1"#,
            r#"pointsman_request_errors_total{route="auto",fault="policy"} 0"#,
            r#"pointsman_request_errors_total{route="auto",fault="client"} 0"#,
            r#"pointsman_failed_requests_total{route="auto",cause="client"} 1"#,
            r#"pointsman_failed_requests_total{route="auto",cause="model"} 1"#,
            r#"pointsman_failed_requests_total{route="auto",cause="policy"} 0"#,
            r#"pointsman_failed_requests_total{route="auto",cause="limit"} 1"#,
        ],
    );
}

#[test]
fn a_call_is_counted_by_its_result() {
    let ends = [
        (CallEnd::Answered, "answered"),
        (CallEnd::Cancelled, "cancelled"),
        (CallEnd::Failed(FailureKind::Connect("refused".to_owned())), "connect"),
        (CallEnd::Failed(FailureKind::NoKey("it is not there".to_owned())), "no-key"),
        (
            CallEnd::Failed(FailureKind::Timeout {
                limit: TimeLimit::Silence,
                waited: Duration::from_secs(1),
            }),
            "timeout",
        ),
        (CallEnd::Failed(FailureKind::server_error(429)), "status-429"),
        (CallEnd::Failed(FailureKind::server_error(404)), "status-4xx"),
        (CallEnd::Failed(FailureKind::server_error(529)), "status-5xx"),
        (CallEnd::Failed(FailureKind::server_error(302)), "status-other"),
        (CallEnd::Failed(FailureKind::Broken("not JSON".to_owned())), "unusable"),
        (CallEnd::BrokeOff, "broke-off"),
        (CallEnd::Failed(FailureKind::NoMemory), "no-memory"),
        (CallEnd::Failed(FailureKind::Untranslatable("n".to_owned())), "untranslatable"),
    ];
    for (end, result) in ends {
        let metrics = configured(&["auto"], &["llama-7b"]);
        let mut request = history(1_000, "llama-7b", RequestEnd::Failed);
        request.calls = vec![call("llama-7b", end)];
        metrics.record_request(&request);
        let series =
            format!(r#"pointsman_calls_total{{backend="fleet",model="fleet/llama-7b",result="{result}"}} 1"#);
        assert_lines(&metrics, &[&series]);
        assert_eq!(page(&metrics).matches("pointsman_calls_total{").count(), 13);
    }
}

#[test]
fn a_call_after_the_first_is_a_fallback_or_if_the_model_is_the_same_a_retry() {
    let metrics = configured(&["auto"], &["one", "two"]);
    let failed = || CallEnd::Failed(FailureKind::server_error(503));
    let mut request = history(1_000, "one", RequestEnd::Answered);
    request.calls = vec![call("one", failed()), call("one", failed()), call("two", CallEnd::Answered)];
    // Those of other tasks are first calls.
    let mut of_a_task = call("two", CallEnd::Answered);
    of_a_task.task = Some(1);
    request.calls.push(of_a_task);
    metrics.record_request(&request);
    assert_lines(
        &metrics,
        &[
            r#"pointsman_fallback_calls_total{route="auto"} 1"#,
            r#"pointsman_call_retries_total{backend="fleet",model="fleet/one"} 1"#,
            r#"pointsman_call_retries_total{backend="fleet",model="fleet/two"} 0"#,
        ],
    );
}

#[test]
fn a_request_whose_policy_failed_and_that_another_decided_is_a_fallback() {
    let metrics = configured(&["auto"], &["llama-7b"]);
    let mut request = history(1_000, "llama-7b", RequestEnd::Answered);
    let mut own_order = request.decisions[0].clone();
    own_order.policy = None;
    request.decisions[0].answer =
        DecisionAnswer::Failure { reason: "deadline", message: "too slow".to_owned() };
    let rejected = request.clone();
    request.decisions.push(own_order);
    metrics.record_request(&request);
    metrics.record_request(&rejected);
    assert_lines(
        &metrics,
        &[
            r#"pointsman_policy_fallbacks_total{route="auto"} 1"#,
            r#"pointsman_decisions_total{route="auto",answer="failure"} 2"#,
            r#"pointsman_decisions_total{route="auto",answer="route"} 0"#,
        ],
    );
}

#[test]
fn a_plan_is_counted_with_its_tasks_and_its_critical_path() {
    let metrics = configured(&["auto"], &["llama-7b"]);
    assert!(!page(&metrics).contains("pointsman_plans_total{"), "a route without plans");
    let mut request = history(1_000, "llama-7b", RequestEnd::Answered);
    let tasks = vec![
        task(Operation::Transcription, Some(1), Some(21), None),
        task(Operation::Chat, Some(1), Some(11), None),
        task(Operation::Chat, Some(1), Some(5), Some("status 500")),
        task(Operation::Embedding, None, None, None),
    ];
    request.plan = Some(PlanRun { steps: 1, limits: PlanLimits::default(), tasks });
    request.outcome.model = None;
    metrics.record_request(&request);
    assert_lines(
        &metrics,
        &[
            r#"pointsman_plans_total{route="auto",ending="answered"} 1"#,
            r#"pointsman_plan_tasks_total{route="auto",operation="transcription",end="done"} 1"#,
            r#"pointsman_plan_tasks_total{route="auto",operation="chat",end="done"} 1"#,
            r#"pointsman_plan_tasks_total{route="auto",operation="chat",end="failed"} 1"#,
            r#"pointsman_plan_tasks_total{route="auto",operation="embedding",end="skipped"} 1"#,
            r#"pointsman_plan_critical_path_seconds_sum{route="auto"} 0.02"#,
            r#"pointsman_answers_total{route="auto",model=""} 1"#,
        ],
    );
}

#[test]
fn rejected_requests_and_dropped_entries_are_counted() {
    let metrics = Metrics::default();
    metrics.record_rejected("invalid_api_key");
    metrics.record_rejected("invalid_api_key");
    metrics.record_dropped(QueueLabel::DecisionLog, 1);
    assert_lines(
        &metrics,
        &[
            r#"pointsman_rejected_requests_total{code="invalid_api_key"} 2"#,
            r#"pointsman_dropped_total{queue="decision-log"} 1"#,
            r#"pointsman_dropped_total{queue="traces"} 0"#,
        ],
    );
}

#[test]
fn a_reload_drops_removed_series_and_keeps_the_counts_of_others() {
    let metrics = configured(&["auto", "old"], &["one", "two"]);
    let ended = |route: &str, name: &str| {
        let mut request = history(1_000, name, RequestEnd::Answered);
        request.route = route.into();
        metrics.record_request(&request);
    };
    for route in ["auto", "old"] {
        ended(route, "one");
        ended(route, "two");
    }
    configure(&metrics, &["auto", "new"], &["two", "three"]);
    // These began before the reload.
    ended("auto", "one");
    ended("old", "two");
    ended("auto", "two");
    assert_lines(
        &metrics,
        &[
            r#"pointsman_requests_total{route="auto",ending="answered"} 4"#,
            r#"pointsman_answers_total{route="auto",model="fleet/two"} 2"#,
            r#"pointsman_calls_total{backend="fleet",model="fleet/two",result="answered"} 3"#,
        ],
    );
    let page = page(&metrics);
    assert!(!page.contains("old") && !page.contains("fleet/one"), "{page}");
}

#[test]
fn no_request_can_add_a_series() {
    let metrics = configured(&["auto"], &["llama-7b", "llama-70b"]);
    let ends = [RequestEnd::Answered, RequestEnd::Failed, RequestEnd::Cancelled];
    let faults = [Fault::Client, Fault::Policy, Fault::Backend, Fault::Deadline];
    let operations = Operation::ALL;
    let hostile = |number: usize| {
        let text = format!("made up {number}\n\"}} 1");
        let mut request = history(1_000, "llama-7b", ends[number % 3]);
        request.outcome.id = text.clone();
        request.outcome.label = text.clone();
        request.outcome.error = Some(text.clone());
        request.outcome.fault = Some(faults[number % 4]);
        let facts = Arc::make_mut(&mut request.request);
        facts.session = Some(text.clone());
        facts.model.clone_from(&text);
        facts.attributes.insert(text.clone(), text.clone());
        if let Some(version) = &mut request.decisions[0].policy {
            version.policy = PolicyName::new(text.clone());
        }
        request.decisions[0].answer = match number % 3 {
            0 => DecisionAnswer::Plan { label: text.clone(), reason: Some(text.clone()), tasks: 1 },
            1 => DecisionAnswer::Finish { label: text.clone(), reason: Some(text.clone()) },
            _ => DecisionAnswer::Failure { reason: "deadline", message: text.clone() },
        };
        let mut task = task(operations[number % 7], None, None, Some(&text));
        task.name.clone_from(&text);
        task.model = Some(text.clone());
        request.plan = Some(PlanRun { steps: 1, limits: PlanLimits::default(), tasks: vec![task] });
        if number.is_multiple_of(5) {
            request.route = text.clone().into();
        }
        if number.is_multiple_of(7) {
            request.outcome.model = Some(ModelId::new(text.clone()));
            request.calls.push(call(&text, CallEnd::Failed(FailureKind::Broken(text.clone()))));
        }
        request
    };
    (1..400).for_each(|number| metrics.record_request(&hostile(number)));
    let early = page(&metrics);
    (400..5_000).for_each(|number| metrics.record_request(&hostile(number)));
    let late = page(&metrics);
    assert_eq!(series(&early), series(&late));
    assert!(!late.contains("made up"), "{late}");
    assert!(series(&late).len() < 320, "{}", series(&late).len());
}

#[test]
fn a_name_with_quotes_stays_one_label() {
    let metrics = configured(&["a \"b\"\\ c"], &["llama-7b"]);
    let mut request = history(1_000, "llama-7b", RequestEnd::Answered);
    request.route = "a \"b\"\\ c".into();
    metrics.record_request(&request);
    assert_lines(&metrics, &[r#"pointsman_requests_total{route="a \"b\"\\ c",ending="answered"} 1"#]);
}

#[test]
fn a_time_is_counted_in_the_first_bucket_that_holds_it() {
    use super::durations::{DurationHistogram, GATEWAY_BUCKETS, HistogramSnapshot};
    let times = DurationHistogram::new(GATEWAY_BUCKETS);
    let sample = [Duration::ZERO, Duration::from_nanos(1_000), Duration::from_nanos(1_001), Duration::MAX];
    sample.into_iter().take(3).for_each(|time| times.add(time));
    let counted = times.snapshot();
    assert_eq!((counted.count, counted.sum), (3, 2.001e-6));
    assert_eq!(counted.buckets[..2], [(1e-6, 2), (2.5e-6, 1)]);
    times.add(Duration::MAX);
    assert_eq!(times.snapshot().buckets.last(), Some(&(f64::INFINITY, 1)));

    let finer = sample.map(|time| (time, 5));
    let counted = HistogramSnapshot::rebucketed(GATEWAY_BUCKETS, &finer, Duration::from_secs(2));
    assert_eq!((counted.count, counted.sum), (20, 2.0));
    assert_eq!(counted.buckets[..2], [(1e-6, 10), (2.5e-6, 5)]);
}

#[test]
fn sums_of_money_lose_nothing_to_rounding() {
    let metrics = configured(&["auto"], &["llama-7b"]);
    let mut request = history(1_000, "llama-7b", RequestEnd::Answered);
    if let Some(baseline) = &mut request.baseline {
        baseline.cost = Picodollars::new(1);
    }
    (0..1_000).for_each(|_| metrics.record_request(&request));
    assert_lines(&metrics, &[r#"pointsman_baseline_cost_usd_total{route="auto"} 1e-9"#]);
}
