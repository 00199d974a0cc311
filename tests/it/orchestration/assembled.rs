//! Limits of the content that a plan assembles: inputs of its tasks, and an answer.

use pointsman_guests::{Planned, Shape};
use pointsman_tests::client::Answer;
use pointsman_tests::{FakeModel, Step};

use super::{Setup, last_text};
use crate::fleet::{ask, chat, error, streamed};

fn repeating(shape: Shape, repeat: usize) -> Planned {
    Planned { shape, repeat, ..Planned::default() }
}

async fn planned(settings: &Planned, model: &FakeModel, limits: &str, text: &str) -> (Setup, Answer) {
    let setup = Setup::planning(settings, &[model], limits).await;
    let answer = ask(&setup.gateway, &chat("main", text)).await;
    (setup, answer)
}

#[tokio::test]
async fn an_output_that_is_used_too_often_ends_the_plan() {
    let long = "z".repeat(100_000);
    let model = FakeModel::builder().otherwise(move |_| Step::answer(&long)).start().await;
    let (setup, answer) = planned(&repeating(Shape::RepeatOutput, 8_000), &model, "", "hi").await;
    assert_eq!(
        error(&answer, 503, "plan_limit"),
        "task `answer` was not begun: the plan would use more than 4000000 input tokens"
    );
    assert_eq!(model.requests().len(), 1);
    drop(setup);
    let (_setup, answer) = planned(&repeating(Shape::ComposeOutput, 8_000), &model, "", "hi").await;
    assert_eq!(
        error(&answer, 503, "plan_limit"),
        "the answer was not put together: the plan would assemble more than 67108864 bytes"
    );
}

#[tokio::test]
async fn content_that_is_known_to_be_too_large_is_a_failure_of_the_policy() {
    let model = FakeModel::saying("hello there").await;
    for shape in [Shape::RepeatConversation, Shape::FinishText] {
        let text = "a".repeat(1_000_000);
        let (setup, answer) = planned(&repeating(shape, 8_000), &model, "", &text).await;
        assert_eq!(answer.header("x-pointsman-policy-failure"), Some("invalid"), "{shape:?}");
        assert_eq!(answer.text(), "hello there");
        setup.gateway.logged("the plan would assemble more than 67108864 bytes").await;
    }
}

#[tokio::test]
async fn too_much_input_for_all_tasks_together_is_rejected() {
    let model = FakeModel::saying("hello there").await;
    let limits = "plan = { max_input_tokens = 100000 }";
    let text = "a".repeat(100_000);
    let (setup, answer) = planned(&repeating(Shape::RepeatConversation, 5), &model, limits, &text).await;
    assert_eq!(answer.header("x-pointsman-policy-failure"), Some("invalid"));
    setup.gateway.logged("the plan would use more than 100000 input tokens").await;
}

#[tokio::test]
async fn limits_apply_to_all_steps_together() {
    let model = FakeModel::saying("hello there").await;
    let text = "a".repeat(100_000);
    let limits = "plan = { max_assembled_bytes = \"800 KiB\" }";
    // Five times 100 KB in each of two steps.
    let (setup, answer) = planned(&repeating(Shape::RepeatInSteps, 5), &model, limits, &text).await;
    assert_eq!(answer.header("x-pointsman-policy-failure"), Some("invalid"));
    setup.gateway.logged("the plan would assemble more than ").await;
    let one_step = repeating(Shape::RepeatConversation, 5);
    let (_setup, answer) = planned(&one_step, &model, limits, &text).await;
    assert_eq!(answer.header("x-pointsman-policy-failure"), None);
}

#[tokio::test]
async fn large_content_within_the_limits_is_served() {
    let long = "word \"é\"\n".repeat(20_000);
    let said = long.clone();
    let model = FakeModel::builder().otherwise(move |_| Step::answer(&said)).start().await;
    let setup = Setup::planning(&repeating(Shape::ComposeOutput, 10), &[&model], "").await;
    assert!(ask(&setup.gateway, &chat("main", "hi")).await.text() == long.repeat(10));
    let stream = crate::fleet::open(&setup.gateway, &streamed("main", "hi")).await;
    assert!(crate::fleet::text_of(&stream.events().await) == long.repeat(10));
    let setup = Setup::planning(&repeating(Shape::RepeatOutput, 10), &[&model], "").await;
    assert_eq!(ask(&setup.gateway, &chat("main", "hi")).await.status, 200);
    assert!(last_text(&model.requests().last().expect("a request").json()) == long.repeat(10));
}

#[tokio::test]
async fn many_excerpts_of_a_text_with_escapes_are_correct() {
    let model = FakeModel::saying("hello there").await;
    // A line end is written with two characters.
    let text = "\n".repeat(300_000) + &"0123456789".repeat(100);
    let setup = Setup::planning(&repeating(Shape::Excerpts, 3_000), &[&model], "").await;
    let answer = ask(&setup.gateway, &chat("main", &text)).await;
    assert_eq!(answer.header("x-pointsman-policy-failure"), None, "{}", setup.gateway.log());
    assert_eq!(answer.text(), "hello there");
    let excerpts = "9876543210".repeat(300);
    assert!(last_text(&model.request(1).await.json()) == excerpts);
}
