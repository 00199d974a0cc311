use pointsman_domain::failure::{FailureKind, TimeLimit};
use pointsman_domain::model::Modalities;
use pointsman_tests::{FakeModel, Gate, Step};

use super::*;
use crate::{HttpConfig, TransportConfig};

fn model() -> Arc<Model> {
    Arc::new(pointsman_tests::model("small", Modalities::TEXT))
}

fn is_healthy(model: &Model) -> bool {
    model.live.snapshot(&model.expected, Instant::now()).healthy
}

fn start(server: &FakeModel, model: &Arc<Model>) -> Prober {
    let backend =
        Backend::new(TransportConfig::Http(HttpConfig::new(server.base_url())), ProviderDialect::OpenAi)
            .unwrap();
    let config = ProbeConfig { interval: Duration::from_millis(1), ..ProbeConfig::default() };
    Prober::start(BackendName::new("fake"), backend, vec![Arc::clone(model)], config)
}

/// Waits until a number of probes have been recorded: a probe is recorded before the next one
/// starts.
async fn judged(server: &FakeModel, probes: usize) {
    server.request(probes + 1).await;
}

#[tokio::test]
async fn probes_take_a_model_out_and_bring_it_back_without_traffic() {
    let server = FakeModel::builder()
        .then(Step::status(500))
        .then(Step::status(503))
        .then(Step::status(502))
        .start()
        .await;
    let model = model();
    let backend =
        Backend::new(TransportConfig::Http(HttpConfig::new(server.base_url())), ProviderDialect::OpenAi)
            .unwrap();
    let mut probed = ProbeTask {
        name: BackendName::new("fake"),
        backend,
        models: vec![Arc::clone(&model)],
        config: ProbeConfig::default(),
        down: false,
        unexpected_status: None,
    };
    for _ in 0..3 {
        assert!(is_healthy(&model));
        let result = probed.backend.probe("models", Duration::from_secs(60)).await;
        probed.record(result, Instant::now());
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
    let backend =
        Backend::new(TransportConfig::Http(HttpConfig::new(server.base_url())), ProviderDialect::OpenAi)
            .unwrap();
    let limit = Duration::from_millis(1);
    let failure = backend.probe("models", limit).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout { limit: TimeLimit::FirstByte, waited: limit });
}

#[tokio::test]
async fn a_server_that_answers_is_alive_unless_it_failed() {
    let within = Duration::from_secs(60);
    let probe = async |status: u16| {
        let server = FakeModel::always(Step::status(status).header("location", "http://127.0.0.1:1/")).await;
        let backend =
            Backend::new(TransportConfig::Http(HttpConfig::new(server.base_url())), ProviderDialect::OpenAi)
                .unwrap();
        backend.probe("models", within).await.map_err(|failure| failure.kind)
    };
    for alive in [200, 204, 301, 307, 400, 401, 403, 404, 405, 429, 499] {
        assert_eq!(probe(alive).await, Ok(alive));
    }
    for failed in [500, 502, 503, 529] {
        assert_eq!(probe(failed).await, Err(FailureKind::server_error(failed)));
    }
}

#[tokio::test]
async fn a_server_without_the_page_that_is_probed_stays_in_use() {
    let server = FakeModel::always(Step::status(404)).await;
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
