//! Content that a plan assembles is bounded before any of it is copied.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::prompt::{ContentSize, PIECE_BYTES, escaped_len};

fn limited(assembled_bytes: u64) -> PlanLimits {
    PlanLimits { assembled_bytes, ..PlanLimits::default() }
}

fn with_parts(parts: Vec<ComposedPart>) -> PlanProposal {
    let mut only = task("only", &[]);
    only.input = vec![message(parts)];
    plan(vec![only])
}

#[test]
fn too_large_content_is_rejected_where_its_length_is_known() {
    let excerpt = || ComposedPart::Original(ContentRef { message: 0, part: 0, excerpt: Some((0, 6)) });
    let conversations = |number| {
        let mut only = task("only", &[]);
        only.input = vec![TaskInput::Conversation(Modalities::TEXT); number];
        plan(vec![only])
    };
    for (what, small, large) in [
        ("texts", with_parts(vec![text("a"); 10]), with_parts(vec![text("a"); 50])),
        (
            "a long text",
            with_parts(vec![text(&"a".repeat(5000))]),
            with_parts(vec![text(&"a".repeat(11_000))]),
        ),
        (
            "escapes",
            with_parts(vec![text(&"\u{1}".repeat(1000))]),
            with_parts(vec![text(&"\u{1}".repeat(2000))]),
        ),
        ("parts of the request", with_parts(vec![original(0); 10]), with_parts(vec![original(0); 50])),
        ("excerpts", with_parts(vec![excerpt(); 10]), with_parts(vec![excerpt(); 50])),
        ("outputs", with_parts(vec![text("a")]), with_parts(vec![output(0); 50])),
        ("conversations", conversations(2), conversations(20)),
        (
            "tasks",
            plan(vec![task("a", &[]), task("b", &[0])]),
            plan(
                (0..15)
                    .map(|at: usize| {
                        task(&format!("t{at}"), &at.checked_sub(1).into_iter().collect::<Vec<_>>())
                    })
                    .collect(),
            ),
        ),
        (
            "a composed answer",
            PlanProposal { next: Continuation::Compose(vec![output(0); 10]), ..plan(vec![task("a", &[])]) },
            PlanProposal { next: Continuation::Compose(vec![output(0); 50]), ..plan(vec![task("a", &[])]) },
        ),
    ] {
        let limits = limited(40 * PIECE_BYTES);
        assert!(checked_after(0, small, limits).is_ok(), "{what}");
        let error = checked_after(0, large, limits).unwrap_err();
        assert_eq!(error.to_string(), "the plan would assemble more than 10240 bytes", "{what}");
    }
}

#[test]
fn more_input_than_the_limit_is_refused() {
    let limits = PlanLimits { input_tokens: 1000, ..PlanLimits::default() };
    assert!(checked_after(0, with_parts(vec![text(&"a".repeat(3900))]), limits).is_ok());
    let error = checked_after(0, with_parts(vec![text(&"a".repeat(4000))]), limits).unwrap_err();
    assert_eq!(error.to_string(), "the plan would use more than 1000 input tokens");
    let mut tasks = vec![task("a", &[]), task("b", &[0])];
    tasks.iter_mut().for_each(|task| task.input = vec![message(vec![text(&"a".repeat(2500))])]);
    assert!(checked_after(0, plan(tasks), limits).is_err(), "all tasks together");
}

#[test]
fn a_finished_answer_is_bounded_too() {
    let (request, candidates, limits) = (facts(), candidates(), limited(10 * PIECE_BYTES));
    let scope = PlanScope {
        request: &request,
        content: &Content,
        candidates: &candidates,
        whole: 1,
        first: 1,
        limits: &limits,
    };
    let finish = |parts| FinishProposal { content: parts, label: "x".to_owned(), reason: None };
    assert!(scope.finish(finish(vec![output(0); 10])).is_ok());
    let error = scope.finish(finish(vec![output(0); 11])).unwrap_err();
    assert_eq!(error.to_string(), "the plan would assemble more than 2560 bytes");
}

fn part() -> impl Strategy<Value = ComposedPart> {
    prop_oneof![
        "[a\"\n\u{1}\u{e9}]{0,300}".prop_map(ComposedPart::Text),
        (0..3_usize, "[a\n]{0,30}").prop_map(|(task, otherwise)| ComposedPart::Output(OutputRef {
            task,
            otherwise: Some(otherwise)
        })),
        Just(original(0)),
    ]
}

proptest! {
    /// The length of every part is counted wherever it is used.
    #[test]
    fn an_accepted_plan_assembles_no_more_than_its_limit(
        parts in vec(vec(part(), 1..8), 1..4),
        outputs in vec("[a\"\n\u{1}]{0,400}", 3),
        limit in 0..40_000_u64,
    ) {
        let size_of = |task: usize| outputs.get(task).map(|output| ContentSize::unwritten(output));
        let written = |part: &ComposedPart| match part {
            ComposedPart::Text(text) => escaped_len(text),
            ComposedPart::Output(output) => escaped_len(&outputs[output.task]),
            ComposedPart::Original(_) => 6,
        };
        let tasks = parts.iter().enumerate().map(|(at, parts)| {
            let mut task = task(&format!("t{at}"), &[]);
            task.input = vec![message(parts.clone())];
            task
        });
        let next = Continuation::Compose((3..3 + parts.len()).map(output).collect());
        let proposal = PlanProposal { next, ..plan(tasks.collect()) };
        let known: u64 = parts.iter().flatten().filter(|part| !matches!(part, ComposedPart::Output(_))).map(written).sum();
        let Ok(plan) = checked_after(3, proposal, limited(limit)) else { return Ok(()) };
        prop_assert!(known <= limit);
        let (mut spending, mut begun) = (PlanSpending::default(), 0);
        for (task, parts) in plan.tasks().iter().zip(&parts) {
            if spending.assemble(&task.size(size_of), &limited(limit)).is_ok() {
                begun += parts.iter().map(written).sum::<u64>();
            }
        }
        prop_assert!(begun <= limit, "{} of {}", begun, limit);
    }

    #[test]
    fn a_text_is_as_long_as_serialised(text in any::<String>()) {
        let quoted: u64 = text.chars().map(|character| match character {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..'\u{20}' => 6,
            other => other.len_utf8() as u64,
        }).sum();
        prop_assert_eq!(escaped_len(&text), quoted);
    }
}
