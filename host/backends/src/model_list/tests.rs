use pointsman_domain::secret::Secret;
use pointsman_tests::{FakeModel, Request as Received, Step};
use serde_json::json;

use super::*;
use crate::{HttpConfig, ProviderAuth, TransportConfig};

const PATIENCE: Duration = Duration::from_secs(60);

fn backend(config: HttpConfig, dialect: ProviderDialect) -> Backend {
    Backend::new(TransportConfig::Http(config), dialect).unwrap()
}

async fn list(server: &FakeModel, dialect: ProviderDialect) -> Result<ModelList, ModelListError> {
    let config = HttpConfig::new(server.base_url());
    backend(config, dialect).list_models(PATIENCE).await.map(|list| list.expect("it is no simulated fleet"))
}

fn names(names: &[&str], is_complete: bool) -> ModelList {
    ModelList { names: names.iter().map(|name| (*name).to_owned()).collect(), is_complete }
}

#[tokio::test]
async fn the_list_of_each_dialect_is_read() {
    let data = json!({ "object": "list", "data": [{ "id": "small", "object": "model" }, { "id": "large" }] });
    let gemini = json!({ "models": [{ "name": "models/small" }, { "name": "large" }] });
    for dialect in ProviderDialect::ALL {
        let (body, path) = match dialect {
            ProviderDialect::OpenAi => (&data, "/v1/models"),
            ProviderDialect::Azure => (&data, "/v1/openai/models"),
            ProviderDialect::Anthropic => (&data, "/v1/models?limit=1000"),
            ProviderDialect::Gemini => (&gemini, "/v1/models?pageSize=1000"),
        };
        let server = FakeModel::always(Step::json(body)).await;
        assert_eq!(list(&server, dialect).await, Ok(names(&["small", "large"], true)), "{dialect:?}");
        let request = server.request(1).await;
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", path));
    }
    let bare = FakeModel::always(Step::json(&json!([{ "id": "small" }]))).await;
    assert_eq!(list(&bare, ProviderDialect::OpenAi).await, Ok(names(&["small"], true)));
}

#[tokio::test]
async fn a_list_with_further_pages_is_incomplete() {
    let anthropic = json!({ "data": [{ "id": "a" }], "has_more": true, "last_id": "a" });
    let gemini = json!({ "models": [{ "name": "models/a" }], "nextPageToken": "next" });
    for (dialect, body) in [(ProviderDialect::Anthropic, anthropic), (ProviderDialect::Gemini, gemini)] {
        let server = FakeModel::always(Step::json(&body)).await;
        assert_eq!(list(&server, dialect).await, Ok(names(&["a"], false)));
    }
}

#[tokio::test]
async fn a_key_that_is_rejected_differs_from_one_that_is_missing() {
    for dialect in ProviderDialect::ALL {
        for status in [401, 403] {
            let server = FakeModel::always(Step::status(status)).await;
            let failure = list(&server, dialect).await.unwrap_err();
            assert_eq!(failure, ModelListError::WrongKey { status, has_key: false });
            assert_eq!(failure.to_string(), format!("status {status}: a key is required"));
            let auth = Some(ProviderAuth::bearer(Secret::new("sk-secret")));
            let config = HttpConfig { auth, ..HttpConfig::new(server.base_url()) };
            let failure = backend(config, dialect).list_models(PATIENCE).await.unwrap_err();
            assert_eq!(failure, ModelListError::WrongKey { status, has_key: true });
        }
    }
    let reason = json!({ "error": { "code": 400, "details": [{ "reason": "API_KEY_INVALID" }] } });
    let gemini = FakeModel::always(Step::json(&reason).with_status(400)).await;
    let failure = list(&gemini, ProviderDialect::Gemini).await.unwrap_err();
    assert_eq!(failure, ModelListError::WrongKey { status: 400, has_key: false });
    let other = FakeModel::always(Step::status(400)).await;
    assert_eq!(list(&other, ProviderDialect::Gemini).await, Err(ModelListError::Status(400)));
}

#[tokio::test]
async fn a_wrong_base_url_is_recognised() {
    let list_of_gemini = json!({ "models": [{ "name": "models/a" }] });
    let list_of_openai = json!({ "data": [{ "id": "a" }] });
    let gemini = ProviderDialect::Gemini;
    let openai = ProviderDialect::OpenAi;
    let elsewhere = Step::status(302).header("location", "http://127.0.0.1:1/");
    for (step, dialect, sign) in [
        (Step::status(404), openai, WrongAddress::Status(404)),
        (Step::status(404), ProviderDialect::Anthropic, WrongAddress::Status(404)),
        (Step::status(404), ProviderDialect::Azure, WrongAddress::Status(404)),
        (Step::status(404), gemini, WrongAddress::Status(404)),
        (Step::bytes("text/html; charset=utf-8", "<html></html>"), openai, WrongAddress::WebPage),
        (Step::bytes("text/plain", "ok"), gemini, WrongAddress::NotJson),
        (Step::json(&json!({ "status": "ok" })), openai, WrongAddress::OtherJson),
        (Step::json(&list_of_gemini), openai, WrongAddress::OtherApi(gemini)),
        (Step::json(&list_of_openai), gemini, WrongAddress::OtherApi(openai)),
        (elsewhere, openai, WrongAddress::Redirect(302)),
    ] {
        let server = FakeModel::always(step).await;
        assert_eq!(list(&server, dialect).await, Err(ModelListError::WrongAddress(sign)), "{dialect:?}");
    }
}

#[tokio::test]
async fn an_api_without_a_list_is_found_by_an_empty_call() {
    for (dialect, path) in
        [(ProviderDialect::OpenAi, "/v1/chat/completions"), (ProviderDialect::Anthropic, "/v1/messages")]
    {
        let script = |found: u16| {
            move |request: &Received| match request.method.as_str() {
                "GET" => Step::status(404),
                _ => Step::status(found),
            }
        };
        let server = FakeModel::builder().otherwise(script(400)).start().await;
        assert_eq!(list(&server, dialect).await, Err(ModelListError::NoList));
        let request = server.request(2).await;
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", path));
        assert_eq!(request.json(), json!({}));
        let closed = FakeModel::builder().otherwise(script(401)).start().await;
        let failure = list(&closed, dialect).await.unwrap_err();
        assert_eq!(failure, ModelListError::WrongKey { status: 401, has_key: false });
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_reported_with_the_cause() {
    let cause = async |config: HttpConfig| match backend(config, ProviderDialect::OpenAi)
        .list_models(PATIENCE)
        .await
        .unwrap_err()
    {
        ModelListError::Unreachable { cause, .. } => cause,
        other => panic!("it can be reached: {other}"),
    };
    let mut down = FakeModel::saying("").await;
    down.go_down().await;
    assert_eq!(cause(HttpConfig::new(down.base_url())).await, ConnectCause::Refused);
    let encrypted = down.base_url().replace("http://", "https://");
    assert_eq!(cause(HttpConfig::new(encrypted)).await, ConnectCause::Refused);
    for scheme in ["http", "https"] {
        // A label that is too long is looked up nowhere.
        let nowhere = format!("{scheme}://{}.test/v1", "a".repeat(64));
        assert_eq!(cause(HttpConfig::new(nowhere)).await, ConnectCause::Dns);
    }
    let (trusted, stranger) =
        (FakeModel::builder().tls().start().await, FakeModel::builder().tls().start().await);
    let ca_pem = trusted.ca_pem().map(|pem| pem.as_bytes().to_vec());
    let doubting = HttpConfig { ca_pem, ..HttpConfig::new(stranger.base_url()) };
    assert_eq!(cause(doubting).await, ConnectCause::Tls);
    let plain = FakeModel::saying("").await;
    let encrypted = plain.base_url().replace("http://", "https://");
    assert_eq!(cause(HttpConfig::new(encrypted)).await, ConnectCause::Tls);
}

#[tokio::test]
async fn a_server_that_hangs_or_fails_is_reported() {
    let hanging = FakeModel::always(Step::hang()).await;
    let limit = Duration::from_millis(1);
    let config = HttpConfig::new(hanging.base_url());
    let listed = backend(config, ProviderDialect::OpenAi).list_models(limit).await;
    assert_eq!(listed, Err(ModelListError::Timeout(limit)));
    for status in [400, 429, 500, 503] {
        let server = FakeModel::always(Step::status(status)).await;
        assert_eq!(list(&server, ProviderDialect::OpenAi).await, Err(ModelListError::Status(status)));
    }
    let endless = FakeModel::always(Step::huge(MAX_LIST + (1 << 20))).await;
    assert!(matches!(list(&endless, ProviderDialect::OpenAi).await, Err(ModelListError::Broken(_))));
    let broken = FakeModel::always(Step::drop_connection()).await;
    assert!(matches!(list(&broken, ProviderDialect::OpenAi).await, Err(ModelListError::Broken(_))));
}
