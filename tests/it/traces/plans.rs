//! Spans of a request that is split into tasks.

use pointsman_guests::{PLANNER, Planned, Shape, planned};
use pointsman_tests::collector::{Collector, Span};
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::json;

use super::{attempts, span_named, to};
use crate::fleet::{ask, backend, chat, model};
use crate::orchestration::inline;
use crate::policy_file::PolicyFile;

#[tokio::test]
async fn tasks_are_in_the_request_and_calls_are_in_their_tasks() {
    let (collector, policy) = (Collector::start().await, PolicyFile::new(PLANNER));
    let (one, failing) = (FakeModel::saying("from one").await, FakeModel::always(Step::status(500)).await);
    let last = FakeModel::saying("all in all").await;
    let settings = Planned { shape: Shape::FanOut, tasks: 2, optional: vec![1], ..Planned::default() };
    let mut config = String::new();
    for (name, fake) in [("a", &one), ("b", &failing), ("c", &last)] {
        config += &(backend(name, fake, "") + &model(&format!("{name}/chat"), 1, ""));
    }
    config += &format!(
        "[policies.planner]\nlimits.deadline = \"60s\"\nsource = \"{}\"\ngrants = [\"outputs\"]\nsettings = {}\n\
         [routes.main]\npolicy = \"planner\"\nbackoff = \"1ms\"\nmax_attempts = 1\n{}",
        policy.path().display(),
        inline(&planned(&settings)),
        to(&collector, ""),
    );
    let gateway = Gateway::start(&config).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "all in all");

    let spans = collector.spans_when(8).await;
    assert_eq!(spans.len(), 8, "a request, a decision, three tasks, three calls: {spans:#?}");
    let request = span_named(&spans, "chat main");
    let tasks: Vec<&Span> = ["task t0", "task t1", "task answer"].map(|name| span_named(&spans, name)).into();
    for task in &tasks {
        assert_eq!((task.parent.as_ref(), task.kind), (Some(&request.id), "internal"));
        assert!(task.is_within(request), "{spans:#?}");
        let calls: Vec<&Span> =
            attempts(&spans).into_iter().filter(|call| call.parent.as_ref() == Some(&task.id)).collect();
        assert_eq!(calls.len(), 1, "{spans:#?}");
        assert!(calls[0].is_within(task), "{spans:#?}");
    }
    let statuses: Vec<_> = tasks.iter().map(|task| task.get("pointsman.task.status")).collect();
    assert_eq!(statuses, ["done", "failed", "done"]);
    assert_eq!(
        (tasks[1].error.as_deref(), tasks[1].get("error.type")),
        (Some("b/chat: status 500"), &json!("500"))
    );
    let after: Vec<&str> = tasks[2].links.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(after, [tasks[0].id.as_str(), tasks[1].id.as_str()]);
    assert!(tasks[0].ended.max(tasks[1].ended) <= tasks[2].begun, "{spans:#?}");
    assert_eq!(
        (request.get("pointsman.plan.tasks"), request.get("pointsman.plan.steps")),
        (&json!(3), &json!(1))
    );
    assert_eq!(span_named(&spans, "decide planner").get("pointsman.answer"), "plan");

    // Each model gets the span of its own call.
    for fake in [&one, &failing, &last] {
        let traceparent = fake.request(1).await.header("traceparent").expect("a header").to_owned();
        let call = attempts(&spans).into_iter().find(|call| traceparent.contains(&call.id));
        assert_eq!(traceparent, format!("00-{}-{}-01", request.trace, call.expect("a call with this id").id));
    }
}
