//! Responses that a provider keeps: later requests go to the model that made them.

use http::Method;
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::{Value, json};

use crate::fleet::{backend, built_in, error, model};
use crate::keys::key;

/// Two backends that keep responses, `a` and `b`, and `c` that does not; the cheapest is `a/m`.
struct Setup {
    a: FakeModel,
    b: FakeModel,
    c: FakeModel,
    gateway: Gateway,
}

/// Returns a server that answers every request with a response of this id.
async fn keeping(id: &'static str) -> FakeModel {
    let answer = move |streaming: bool| {
        let response = json!({
            "id": id, "object": "response", "status": "completed", "model": "m",
            "output": [{ "type": "message", "id": format!("msg_{id}"), "role": "assistant", "content": [{ "type": "output_text", "text": "Hi" }] }],
            "usage": { "input_tokens": 3, "output_tokens": 1, "total_tokens": 4 },
        });
        if !streaming {
            return Step::json(&response);
        }
        let created =
            json!({ "type": "response.created", "response": { "id": id, "status": "in_progress" } });
        let delta = json!({ "type": "response.output_text.delta", "delta": "Hi" });
        let end = json!({ "type": "response.completed", "response": response });
        let events = [created, delta, end].map(|event| format!("data: {event}\n\n"));
        Step::chunks("text/event-stream", events)
    };
    FakeModel::builder()
        .otherwise(move |request| match request.method {
            Method::POST if request.path == "/v1/responses" => answer(request.json()["stream"] == true),
            Method::DELETE => Step::json(&json!({ "id": id, "deleted": true })),
            _ => Step::json(&json!({ "kept": id })),
        })
        .start()
        .await
}

impl Setup {
    async fn new(more: &str) -> Self {
        let (a, b) = (keeping("resp_a").await, keeping("resp_b").await);
        let c = FakeModel::saying("hello").await;
        let apis = "apis = [\"responses\"]\n";
        let config = backend("a", &a, apis)
            + &backend("b", &b, apis)
            + &backend("c", &c, "")
            + &model("a/m", 1, "")
            + &model("b/m", 2, "")
            + &model("c/m", 3, "")
            + &built_in("cost", "")
            + "[routes.main]\npolicy = \"cost\"\n[routes.one]\npolicy = \"cost\"\nmodels = [\"b/*\", \"c/*\"]\n\
               [routes.none]\npolicy = \"cost\"\nmodels = [\"c/*\"]\n"
            + more;
        let gateway = Gateway::start(&config).await;
        Self { a, b, c, gateway }
    }

    async fn post(&self, members: Value) -> Answer {
        self.post_as("", members).await
    }

    async fn post_as(&self, key: &str, members: Value) -> Answer {
        let mut body = json!({ "model": "main", "input": "Hello" });
        body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        client::post_with(&self.gateway.url("/v1/responses"), &[("x-api-key", key)], &body).await
    }

    async fn call(&self, method: Method, path: &str, key: &str) -> Answer {
        client::call(method, &self.gateway.url(path), &[("x-api-key", key)], "").await
    }
}

fn served_by(answer: &Answer) -> Option<&str> {
    answer.header("x-pointsman-model")
}

#[tokio::test]
async fn a_conversation_goes_on_with_the_model_that_has_it() {
    for streaming in [false, true] {
        let setup = Setup::new("").await;
        assert_eq!(served_by(&setup.post(json!({})).await), Some("a/m"));
        let first = setup.post(json!({ "model": "b/m", "stream": streaming })).await;
        assert_eq!(served_by(&first), Some("b/m"));
        let next = setup.post(json!({ "previous_response_id": "resp_b", "stream": streaming })).await;
        assert_eq!((next.status.as_u16(), served_by(&next)), (200, Some("b/m")));
        assert_eq!(setup.b.request(2).await.json()["previous_response_id"], "resp_b");
        // Another route, without that model.
        let elsewhere = setup.post(json!({ "model": "none", "previous_response_id": "resp_b" })).await;
        let message = error(&elsewhere, 400, "unsupported_request");
        assert!(message.starts_with("the response `resp_b` was made by `b/m`, which is no model of `none`"));
    }
}

#[tokio::test]
async fn state_of_unknown_origin_goes_only_where_it_can_be() {
    let setup = Setup::new("").await;
    for member in ["previous_response_id", "conversation"] {
        let answer = setup.post(json!({ member: "id_1" })).await;
        let message = error(&answer, 400, "unsupported_request");
        assert!(message.contains("does not know which model of `main` has `id_1`"), "{message}");
        assert_eq!(answer.json()["error"]["param"], member);
        let answer = setup.post(json!({ "model": "one", member: "id_1" })).await;
        assert_eq!(served_by(&answer), Some("b/m"));
        let message =
            error(&setup.post(json!({ "model": "none", member: "id_1" })).await, 400, "unsupported_request");
        assert!(message.contains("no model of `none` keeps responses"), "{message}");
    }
    assert_eq!(served_by(&setup.post(json!({ "background": true, "model": "one" })).await), Some("b/m"));
    assert_eq!(served_by(&setup.post(json!({ "background": true })).await), Some("a/m"));
    assert!(setup.c.requests().is_empty());
}

#[tokio::test]
async fn a_request_that_refers_to_an_item_goes_to_the_model_that_made_it() {
    for streaming in [false, true] {
        let setup = Setup::new("").await;
        let reference = |id: &str| {
            let items =
                json!([{ "type": "item_reference", "id": id }, { "role": "user", "content": "go on" }]);
            json!({ "input": items, "stream": streaming })
        };
        // Nothing is known of this item: the provider of the chosen model decides.
        assert_eq!(served_by(&setup.post(reference("msg_resp_b")).await), Some("a/m"));
        let first = setup.post(json!({ "model": "b/m", "stream": streaming })).await;
        assert_eq!(served_by(&first), Some("b/m"));
        let next = setup.post(reference("msg_resp_b")).await;
        assert_eq!((next.status.as_u16(), served_by(&next)), (200, Some("b/m")));
        let mut elsewhere = reference("msg_resp_b");
        elsewhere["model"] = "none".into();
        let answer = setup.post(elsewhere).await;
        let message = error(&answer, 400, "unsupported_request");
        assert!(message.starts_with("the item `msg_resp_b` was made by `b/m`, which is no model of `none`"));
        assert_eq!(answer.json()["error"]["param"], "input");
        // A response that the request continues decides.
        let mut continued = reference("msg_resp_b");
        continued["previous_response_id"] = "resp_a".into();
        assert_eq!(served_by(&setup.post(continued).await), Some("a/m"));
    }
}

#[tokio::test]
async fn a_stored_response_is_requested_from_its_model() {
    let setup = Setup::new("").await;
    setup.post(json!({ "model": "b/m" })).await;
    let got = setup.call(Method::GET, "/v1/responses/resp_b?include=a&stream=false", "").await;
    assert_eq!((got.status.as_u16(), got.json()), (200, json!({ "kept": "resp_b" })));
    let items = setup.call(Method::GET, "/responses/resp_b/input_items/?limit=2", "").await;
    assert_eq!(items.json(), json!({ "kept": "resp_b" }));
    assert_eq!(setup.call(Method::POST, "/v1/responses/resp_b/cancel", "").await.status, 200);
    let deleted = setup.call(Method::DELETE, "/v1/responses/resp_b", "").await;
    assert_eq!(deleted.json()["deleted"], true);
    let sent: Vec<_> = setup.b.requests().into_iter().skip(1).map(|sent| (sent.method, sent.path)).collect();
    assert_eq!(
        sent,
        [
            (Method::GET, "/v1/responses/resp_b?include=a&stream=false".to_owned()),
            (Method::GET, "/v1/responses/resp_b/input_items?limit=2".to_owned()),
            (Method::POST, "/v1/responses/resp_b/cancel".to_owned()),
            (Method::DELETE, "/v1/responses/resp_b".to_owned()),
        ]
    );
    // Two backends could have this one.
    let unknown = setup.call(Method::GET, "/v1/responses/resp_x", "").await;
    assert_eq!(error(&unknown, 404, "response_not_found"), "Response with id 'resp_x' not found.");
    assert!(setup.a.requests().is_empty());
}

#[tokio::test]
async fn no_client_reaches_the_response_of_another() {
    let (app, other) = ("key-of-the-app", "key-of-another");
    let setup = Setup::new(&(key("app", app, "[\"*\"]") + &key("other", other, "[\"*\"]"))).await;
    assert_eq!(setup.post_as(app, json!({})).await.status, 200);
    assert_eq!(setup.call(Method::GET, "/v1/responses/resp_a", app).await.status, 200);
    for method in [Method::GET, Method::DELETE] {
        let answer = setup.call(method, "/v1/responses/resp_a", other).await;
        error(&answer, 404, "response_not_found");
    }
    let answer = setup.post_as(other, json!({ "previous_response_id": "resp_a" })).await;
    error(&answer, 400, "previous_response_not_found");
    let answer =
        setup.post_as(other, json!({ "input": [{ "type": "item_reference", "id": "msg_resp_a" }] })).await;
    assert_eq!(error(&answer, 404, "response_not_found"), "Item with id 'msg_resp_a' not found.");
    assert_eq!(setup.call(Method::GET, "/v1/responses/resp_a", "").await.status, 401);
    assert_eq!(setup.a.requests().len(), 2);
}
