//! Arbitrary proposals: an accepted plan is within its limits, and a rejected one has a printable
//! message.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::text::is_printable;

fn number() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0_usize..6, 1 => any::<usize>()]
}

fn words() -> impl Strategy<Value = String> {
    let hidden = "[a-z\u{202e}\u{2028}\u{200b}\u{feff}]{0,40}";
    prop_oneof![4 => "[a-z]{1,8}", 1 => any::<String>(), 1 => ".{0,100}", 1 => hidden]
}

fn part() -> impl Strategy<Value = ComposedPart> {
    let excerpt = option::of((number(), number()));
    prop_oneof![
        words().prop_map(ComposedPart::Text),
        (number(), number(), excerpt).prop_map(|(message, part, excerpt)| ComposedPart::Original(
            ContentRef { message, part, excerpt }
        )),
        (number(), option::of(words()))
            .prop_map(|(task, otherwise)| ComposedPart::Output(OutputRef { task, otherwise })),
    ]
}

fn input() -> impl Strategy<Value = TaskInput> {
    let kinds = any::<u8>().prop_map(|bits| TaskInput::Conversation(Modalities::from_bits_truncate(bits)));
    prop_oneof![kinds, vec(part(), 0..4).prop_map(message)]
}

fn any_task() -> impl Strategy<Value = TaskProposal> {
    let operation =
        prop_oneof![4 => Just("chat".to_owned()), 1 => Just("embedding".to_owned()), 1 => words()];
    let target = (number(), option::of(any::<u32>())).prop_map(|(candidate, ms)| Target {
        candidate,
        timeout: ms.map(|ms| Duration::from_millis(ms.into())),
    });
    let option_name = prop_oneof![Just("temperature".to_owned()), Just("seed".to_owned()), words()];
    let value = prop_oneof![any::<f64>().prop_map(|value| value.to_string()), words()];
    let time = || option::of(any::<u32>().prop_map(|ms| Duration::from_millis(ms.into())));
    let what = (words(), operation, vec(target, 0..4), vec(input(), 0..4), vec(number(), 0..4));
    let how = (any::<bool>(), option::of(any::<u32>()), time(), time(), vec((option_name, value), 0..3));
    (what, how).prop_map(|((name, operation, targets, input, after), how)| {
        let (optional, max_output_tokens, timeout, hedge_after, options) = how;
        TaskProposal {
            name,
            operation,
            targets,
            input,
            after,
            optional,
            max_output_tokens,
            timeout,
            hedge_after,
            options,
        }
    })
}

fn any_plan() -> impl Strategy<Value = PlanProposal> {
    let next = prop_oneof![
        number().prop_map(Continuation::Answer),
        vec(part(), 0..4).prop_map(Continuation::Compose),
        vec(any::<u8>(), 0..64).prop_map(Continuation::Resume),
    ];
    (vec(any_task(), 0..6), next, words(), option::of(words()))
        .prop_map(|(tasks, next, label, reason)| PlanProposal { tasks, next, label, reason })
}

proptest! {
    #[test]
    fn an_accepted_plan_is_within_its_limits(proposal in any_plan(), first in number()) {
        let limits = PlanLimits { tasks: 4, depth: 2, output_tokens: 10_000, ..PlanLimits::default() };
        match checked_after(first, proposal, limits) {
            Ok(plan) => {
                prop_assert!(plan.reason().is_none_or(|reason| reason.chars().all(is_printable)));
                prop_assert!(!plan.tasks().is_empty() && first + plan.tasks().len() <= limits.tasks);
                for task in plan.tasks() {
                    prop_assert!(task.decision().targets().iter().all(|it| it.candidate < candidates().len()));
                    prop_assert!(task.after.iter().all(|&it| it < first + plan.tasks().len()));
                }
                let mut progress = PlanProgress::new(&plan, 2);
                while let Some(task) = progress.begin() {
                    progress.ended(task);
                }
                prop_assert!(progress.is_over());
            }
            Err(invalid) => {
                let message = invalid.to_string();
                prop_assert!(message.len() < 2_000 && message.chars().all(is_printable), "{}", message);
            }
        }
    }
}

/// A sandbox can return a name of a megabyte, which must not end up in a log line.
#[test]
fn a_long_word_is_cut_in_the_message() {
    let long = TaskProposal { operation: "x".repeat(1 << 20), ..task("painter", &[]) };
    let message = checked(plan(vec![long])).unwrap_err().to_string();
    assert!(message.len() < 500, "{}", message.len());
}
