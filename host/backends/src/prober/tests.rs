use pointsman_domain::failure::{FailureKind, TimeLimit};
use pointsman_domain::model::Modalities;
use pointsman_tests::{FakeModel, Gate, Step};

use super::*;
use crate::HttpConfig;

fn model() -> Arc<Model> {
    Arc::new(pointsman_tests::model("small", Modalities::TEXT))
}

fn is_healthy(model: &Model) -> bool {
    model.live.snapshot(&model.expected, Instant::now()).healthy
}

fn start(server: &FakeModel, model: &Arc<Model>) -> Prober {
    let backend = Backend::http(HttpConfig::new(server.base_url())).unwrap();
    let config = ProbeConfig { interval: Duration::from_millis(1), ..ProbeConfig::default() };
    Prober::start(BackendName::new("fake"), backend, vec![Arc::clone(model)], config)
}

/// An answered probe has been judged once the next one arrives.
async fn judged(server: &FakeModel, probes: usize) {
    server.request(probes + 1).await;
}

#[tokio::test]
async fn probes_take_a_model_out_and_bring_it_back_without_traffic() {
    let server = FakeModel::builder()
        .then(Step::status(500))
        .then(Step::status(401))
        .then(Step::drop_connection())
        .start()
        .await;
    let model = model();
    let backend = Backend::http(HttpConfig::new(server.base_url())).unwrap();
    let mut probed = Probed {
        name: BackendName::new("fake"),
        backend,
        models: vec![Arc::clone(&model)],
        config: ProbeConfig::default(),
        down: false,
        fault_after: CallTimeouts::default(),
    };
    for _ in 0..3 {
        assert!(is_healthy(&model));
        let result = probed.backend.probe("models", Duration::from_secs(60)).await;
        probed.judge(result, Instant::now());
    }
    assert!(!is_healthy(&model));

    let _prober = start(&server, &model);
    let probe = server.request(4).await;
    assert_eq!((probe.method.as_str(), probe.path.as_str()), ("GET", "/v1/models"));
    judged(&server, 4).await;
    assert!(is_healthy(&model));
}

#[tokio::test]
async fn a_probe_without_an_answer_fails_in_time() {
    let server = FakeModel::always(Step::hang()).await;
    let backend = Backend::http(HttpConfig::new(server.base_url())).unwrap();
    let limit = Duration::from_millis(1);
    let failure = backend.probe("models", limit).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout { limit: TimeLimit::FirstByte, waited: limit });
}

#[tokio::test]
async fn a_rate_limited_probe_says_nothing() {
    let server = FakeModel::always(Step::status(429)).await;
    let model = model();
    let _prober = start(&server, &model);
    judged(&server, 4).await;
    assert!(is_healthy(&model));
}

#[tokio::test]
async fn a_dropped_prober_ends() {
    let gate = Gate::new();
    let server = FakeModel::always(Step::answer("late").after(&gate)).await;
    let prober = start(&server, &model());
    gate.reached().await;
    drop(prober);
    server.hung_up(1).await;
}

#[tokio::test]
async fn a_panic_costs_one_probe() {
    assert_eq!(unless_panicked(async { 1 }).await, Some(1));
    let panicking = async {
        tokio::task::yield_now().await;
        panic!("on purpose")
    };
    assert_eq!(unless_panicked::<()>(panicking).await, None);
}
