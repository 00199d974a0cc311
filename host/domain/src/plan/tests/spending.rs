//! Limits on the sum of the calls of a plan.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::money::{Picodollars, Price};
use crate::prompt::ContentSize;
use crate::usage::Usage;

fn model(dollars_per_million: f64) -> Model {
    let mut model = Arc::into_inner(candidate("able", Operation::Chat, Modalities::TEXT).model).unwrap();
    model.price = Price::per_million(dollars_per_million, dollars_per_million);
    model
}

fn call(model: &Model, output: OutputLimit) -> CallLimits<'_> {
    CallLimits { model, task: None, input_tokens: 10, output, answers: 1, more_may_follow: false }
}

fn limits(output_tokens: u32, cost: Option<f64>) -> PlanLimits {
    PlanLimits { output_tokens, cost: cost.map(Picodollars::from_usd), ..PlanLimits::default() }
}

fn used(output_tokens: u64) -> Usage {
    Usage::counted(10, output_tokens)
}

fn chats(limits: &[Option<u32>]) -> Plan {
    let task = |(at, limit): (usize, &Option<u32>)| TaskProposal {
        max_output_tokens: *limit,
        ..task(&format!("t{at}"), &[])
    };
    let tasks = limits.iter().enumerate().map(task).collect();
    checked(PlanProposal { next: Continuation::Resume(Vec::new()), ..plan(tasks) }).unwrap()
}

const SHARE: OutputLimit = OutputLimit::Share(None);

#[test]
fn a_call_without_a_limit_gets_all_that_is_left() {
    let (cheap, mut spending) = (model(1.0), PlanSpending::default());
    assert_eq!(spending.reserve(0, &call(&cheap, SHARE), &limits(100, None)), Ok(100));
    let none_left = spending.reserve(1, &call(&cheap, SHARE), &limits(100, None));
    assert_eq!(none_left.unwrap_err().to_string(), "the plan has used its 100 output tokens");
    spending.settle(0, used(30), &cheap);
    assert_eq!(spending.reserve(1, &call(&cheap, SHARE), &limits(100, None)), Ok(70));
}

#[test]
fn tokens_left_are_shared_with_waiting_tasks() {
    let cheap = model(1.0);
    let of_task = |task, output| CallLimits { task: Some(task), ..call(&cheap, output) };
    let plan = chats(&[None, Some(40), None]);
    let mut spending = PlanSpending::default();
    spending.start_step((0..).zip(plan.tasks()), false);
    assert_eq!(spending.reserve(0, &of_task(0, SHARE), &limits(100, None)), Ok(30), "half of 100 - 40");
    assert_eq!(spending.reserve(1, &of_task(1, OutputLimit::AtMost(40)), &limits(100, None)), Ok(40));
    assert_eq!(spending.reserve(2, &of_task(2, SHARE), &limits(100, None)), Ok(30));
    let mut spending = PlanSpending::default();
    spending.start_step((0..).zip(plan.tasks()), true);
    assert_eq!(spending.reserve(0, &of_task(0, SHARE), &limits(100, None)), Ok(20), "a step follows");
    spending.end_task(1);
    spending.end_task(2);
    assert_eq!(spending.reserve(1, &of_task(0, SHARE), &limits(100, None)), Ok(40), "80 and a step follows");
}

#[test]
fn a_call_that_another_may_follow_leaves_half() {
    let cheap = model(1.0);
    let first = CallLimits { more_may_follow: true, ..call(&cheap, SHARE) };
    let mut spending = PlanSpending::default();
    assert_eq!(spending.reserve(0, &first, &limits(100, None)), Ok(50));
    assert_eq!(
        spending.reserve(1, &call(&cheap, SHARE), &limits(100, None)),
        Ok(50),
        "the first still counts"
    );
    spending.settle(0, Usage::default(), &cheap);
    assert_eq!(spending.reserve(2, &call(&cheap, SHARE), &limits(100, None)), Ok(50), "it used nothing");
}

#[test]
fn several_answers_of_one_call_share_its_tokens() {
    let cheap = model(1.0);
    let four = |output| CallLimits { answers: 4, ..call(&cheap, output) };
    for (output, expected) in [
        (SHARE, 25),
        (OutputLimit::Share(Some(7)), 7),
        (OutputLimit::AtMost(20), 20),
        (OutputLimit::AtMost(90), 25),
    ] {
        let mut spending = PlanSpending::default();
        assert_eq!(spending.reserve(0, &four(output), &limits(100, None)), Ok(expected), "{output:?}");
        assert_eq!(spending.sum().output_tokens, 4 * u64::from(expected));
    }
    let too_many = CallLimits { answers: 200, ..call(&cheap, SHARE) };
    assert!(PlanSpending::default().reserve(0, &too_many, &limits(100, None)).is_err());
}

#[test]
fn each_target_is_checked_at_its_own_price() {
    let (cheap, dear) = (model(1.0), model(1000.0));
    // 1,010 tokens cost $0.00101 and $1.01.
    let cost = Some(0.01);
    let mut spending = PlanSpending::default();
    let with_limit = OutputLimit::AtMost(1000);
    assert_eq!(spending.reserve(0, &call(&cheap, with_limit), &limits(65_536, cost)), Ok(1000));
    let dear_call = spending.reserve(1, &call(&dear, with_limit), &limits(65_536, cost));
    assert_eq!(dear_call.unwrap_err().to_string(), "the plan would cost more than $0.01");
    // A call without a limit gets what the rest of the money is enough for.
    let (mut spending, cost) = (PlanSpending::default(), Some(0.02));
    assert_eq!(spending.reserve(0, &call(&dear, SHARE), &limits(65_536, cost)), Ok(10));
    assert!(spending.reserve(1, &call(&dear, SHARE), &limits(65_536, cost)).is_err());
    assert_eq!(spending.sum().cost, Picodollars::from_usd(0.02));
    let mut spending = PlanSpending::default();
    assert!(spending.reserve(0, &call(&dear, SHARE), &limits(65_536, Some(0.01))).is_err(), "only the input");
}

#[test]
fn nothing_more_is_called_when_a_model_reports_more_than_it_was_allowed() {
    let cheap = model(1.0);
    let mut spending = PlanSpending::default();
    assert_eq!(spending.reserve(0, &call(&cheap, OutputLimit::AtMost(10)), &limits(100, None)), Ok(10));
    spending.settle(0, used(u64::MAX), &cheap);
    assert!(spending.reserve(1, &call(&cheap, SHARE), &limits(100, None)).is_err());
    assert!(spending.reserve(1, &call(&cheap, OutputLimit::AtMost(1)), &limits(100, None)).is_err());
    assert_eq!(spending.left(&limits(100, None)).output_tokens, 0);
}

#[test]
fn input_tokens_and_assembled_bytes_have_a_sum() {
    let cheap = model(1.0);
    let limits = PlanLimits { input_tokens: 25, assembled_bytes: 1000, ..PlanLimits::default() };
    let mut spending = PlanSpending::default();
    assert!(spending.reserve(0, &call(&cheap, OutputLimit::AtMost(0)), &limits).is_ok());
    assert!(spending.reserve(1, &call(&cheap, OutputLimit::AtMost(0)), &limits).is_ok());
    let third = spending.reserve(2, &call(&cheap, OutputLimit::AtMost(0)), &limits);
    assert_eq!(third.unwrap_err().to_string(), "the plan would use more than 25 input tokens");
    assert_eq!(spending.assemble(&ContentSize::unwritten(&"x".repeat(700)), &limits), Ok(()));
    let more = spending.assemble(&ContentSize::unwritten("x"), &limits);
    assert_eq!(more.unwrap_err().to_string(), "the plan would assemble more than 1000 bytes");
    assert_eq!(spending.left(&limits).assembled_bytes, 1000 - 700 - 256);
}

#[derive(Clone, Debug)]
enum Event {
    /// A call of a model at a price, with a limit, for a number of answers.
    Call { price: f64, output: OutputLimit, answers: u32, input_tokens: u64, more_may_follow: bool },
    /// A call ends, and has used a part of what it may use.
    End { call: prop::sample::Index, part: f64 },
}

fn event() -> impl Strategy<Value = Event> {
    let output = prop_oneof![
        (0..2000_u64).prop_map(OutputLimit::AtMost),
        option::of(1..2000_u64).prop_map(OutputLimit::Share),
    ];
    let call = (0.0..2000.0, output, 1..4_u32, 0..500_u64, any::<bool>());
    prop_oneof![
        2 => call.prop_map(|(price, output, answers, input_tokens, more_may_follow)| Event::Call {
            price, output, answers, input_tokens, more_may_follow
        }),
        1 => (any::<prop::sample::Index>(), 0.0..1.0).prop_map(|(call, part)| Event::End { call, part }),
    ]
}

proptest! {
    /// Models that keep to their limits, however many are called and whatever some
    /// of them leave unused.
    #[test]
    fn the_limits_are_never_exceeded(
        events in vec(event(), 0..40),
        own in vec(option::of(1..500_u32), 0..4),
        (output_tokens, input_tokens) in (1..5000_u32, 1..5000_u64),
        cost in option::of(0.0..3.0),
    ) {
        let limits = PlanLimits { input_tokens, ..limits(output_tokens, cost) };
        let mut spending = PlanSpending::default();
        if !own.is_empty() {
            spending.start_step((0..).zip(chats(&own).tasks()), false);
        }
        let mut calls: Vec<(Model, Spend)> = Vec::new();
        for event in events {
            match event {
                Event::Call { price, output, answers, input_tokens, more_may_follow } => {
                    let model = model(price);
                    let call = CallLimits { model: &model, task: None, input_tokens, output, answers, more_may_follow };
                    if let Ok(limit) = spending.reserve(calls.len(), &call, &limits) {
                        let output_tokens = u64::from(limit) * u64::from(answers);
                        let cost = model.price.of(input_tokens, output_tokens);
                        calls.push((model, Spend { input_tokens, output_tokens, cost }));
                    }
                }
                Event::End { call, part } if !calls.is_empty() => {
                    let number = call.index(calls.len());
                    let (model, spend) = &mut calls[number];
                    let output_tokens = (spend.output_tokens as f64 * part) as u64;
                    let usage = Usage::counted(spend.input_tokens, output_tokens);
                    spending.settle(number, usage, model);
                    *spend = Spend { output_tokens, cost: model.price.of(spend.input_tokens, output_tokens), ..*spend };
                }
                Event::End { .. } => {}
            }
            let sum = spending.sum();
            prop_assert_eq!(sum.output_tokens, calls.iter().map(|(_, spend)| spend.output_tokens).sum::<u64>());
            prop_assert!(sum.output_tokens <= u64::from(limits.output_tokens));
            prop_assert!(sum.input_tokens <= limits.input_tokens);
            prop_assert!(limits.cost.is_none_or(|limit| sum.cost <= limit), "{:?}", sum);
        }
    }
}
