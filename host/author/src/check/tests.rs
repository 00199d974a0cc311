use pointsman_policy::{LogLevel, LogLine};

use super::*;
use crate::case::document::{Syntax, parse};
use crate::observed::ObservedProblem;

fn expectation(text: &str) -> Expectation {
    parse(text, Syntax::Toml).unwrap().cases.remove(0).expect
}

fn decision() -> Observed {
    Observed {
        kind: "decision",
        targets: vec!["a/x".to_owned(), "a/y".to_owned()],
        label: Some("cheapest".to_owned()),
        reason: Some("it costs $0.01".to_owned()),
        propensity: Some(0.25),
        ..Observed::default()
    }
}

fn plan() -> Observed {
    let task = |name: &str, after: &[&str]| ObservedTask {
        name: name.to_owned(),
        operation: "chat",
        targets: vec!["a/x".to_owned()],
        after: after.iter().map(|&name| name.to_owned()).collect(),
        optional: true,
        max_output_tokens: Some(9),
    };
    let tasks = vec![task("one", &[]), task("two", &["one"])];
    let plan = ObservedPlan { tasks, next: "answer two".to_owned() };
    Observed { kind: "plan", label: Some("split".to_owned()), plan: Some(plan), ..Observed::default() }
}

fn problem(kind: &'static str, of: &str, text: &str) -> Observed {
    let problem = ObservedProblem { kind: of.to_owned(), text: text.to_owned() };
    Observed { kind, problem: Some(problem), ..Observed::default() }
}

fn trace() -> CallTrace {
    let call = |interface, function| ImportCall {
        interface,
        function,
        arguments: "1".to_owned(),
        bytes: 0,
        times: 1,
    };
    CallTrace {
        imports: vec![call("prompt", "text"), call("details", "task-quality")],
        more_imports: 0,
        log: vec![LogLine { level: LogLevel::Warn, text: "no quality is known".to_owned() }],
    }
}

/// Returns the members that differ.
fn found(expect: &str, observed: &[Observed], stopped: Option<&Stopped>) -> Vec<String> {
    let trace = trace();
    let traces: Vec<&CallTrace> = observed.iter().map(|_| &trace).collect();
    let evidence = Evidence { observed, traces: &traces, fuel: Some(1_000), stopped, ..Evidence::default() };
    let found = differences(&expectation(expect), &evidence);
    found.into_iter().map(|difference| difference.what).collect()
}

#[test]
fn a_decision_is_compared_member_by_member() {
    for equal in [
        "expect.target = \"a/x\"",
        "expect.targets = [\"a/x\", \"a/y\"]",
        "expect = { label = \"cheapest\", reason = \"costs\", propensity = 0.25 }",
        "expect = { log = [\"quality\"], calls = [\"prompt\", \"prompt.text\"], never_calls = \"outputs\" }",
        "expect.max_fuel = 1000",
    ] {
        assert_eq!(found(equal, &[decision()], None), [""; 0], "{equal}");
    }
    let other = "[expect]\ntarget = \"a/y\"\ntargets = [\"a/x\"]\nlabel = \"x\"\nreason = \"free\"\npropensity = 0.5\n\
                 hedge_after_ms = 5\nlog = \"nothing\"\ncalls = \"settings\"\nnever_calls = \"prompt.text\"\n\
                 max_fuel = 999\nrefusal = \"denied\"\n";
    let all = [
        "target",
        "targets",
        "label",
        "reason",
        "hedge_after_ms",
        "propensity",
        "refusal",
        "log",
        "calls",
        "never_calls",
        "max_fuel",
    ];
    assert_eq!(found(other, &[decision()], None), all);
}

#[test]
fn a_refusal_and_a_failure_are_compared_by_kind_and_text() {
    let denied = problem("refusal", "denied", "not for this tenant");
    let trap = problem("failure", "trap", "the policy trapped: boom");
    for (expect, observed, expected) in [
        ("expect.refusal = \"denied\"", &denied, &[][..]),
        ("expect.refusal = { kind = \"denied\", text = \"tenant\" }", &denied, &[]),
        ("expect.refusal = { kind = \"denied\", text = \"model\" }", &denied, &["refusal"]),
        ("expect.refusal = \"no-candidate\"", &denied, &["refusal"]),
        ("expect.failure = { kind = \"trap\", text = \"boom\" }", &trap, &[]),
        ("expect.failure = \"denied\"", &denied, &["failure"]),
        ("expect.never_calls = \"outputs\"", &trap, &["kind"]),
        ("expect.settings_rejected = \"\"", &trap, &["settings_rejected"]),
    ] {
        assert_eq!(found(expect, std::slice::from_ref(observed), None), expected, "{expect}");
    }
    let rejected = Observed::settings_rejected("`a` must be positive");
    assert_eq!(found("expect.settings_rejected = \"positive\"", &[rejected], None), [""; 0]);
}

#[test]
fn a_plan_is_compared_by_its_shape() {
    let equal = "[expect.plan]\ncount = 2\nnext = \"answer two\"\n\
                 tasks = [{ name = \"one\", after = [] }, { name = \"two\", after = [\"one\"], optional = true }]\n";
    assert_eq!(found(equal, &[plan()], None), [""; 0]);
    let other = "[expect.plan]\ncount = 3\nnext = \"compose\"\n\
                 tasks = [{ name = \"1\", operation = \"speech\", target = \"b\", targets = [], after = [\"two\"], \
                 optional = false, max_output_tokens = 1 }]\n";
    let all = [
        "plan.count",
        "plan.next",
        "plan.tasks",
        "plan.tasks[0].name",
        "plan.tasks[0].operation",
        "plan.tasks[0].target",
        "plan.tasks[0].targets",
        "plan.tasks[0].after",
        "plan.tasks[0].optional",
        "plan.tasks[0].max_output_tokens",
    ];
    assert_eq!(found(other, &[plan()], None), all);
    assert_eq!(found("expect.plan.count = 1", &[decision()], None), ["plan"]);
}

#[test]
fn answers_in_between_are_compared_as_steps_and_the_last_one_as_the_end() {
    let both = [plan(), decision()];
    let expect = "expect.target = \"a/x\"\n[[expect.steps]]\nlabel = \"split\"\nplan.count = 2\n";
    assert_eq!(found(expect, &both, None), [""; 0]);
    assert_eq!(found(expect, &both[1..], None), ["steps[0].label", "steps[0].plan"]);
    let more = format!("{expect}[[expect.steps]]\nlabel = \"x\"\n[[expect.steps]]\nlabel = \"y\"\n");
    assert_eq!(found(&more, &both, None), ["steps[1].label", "steps[2].kind"]);
}

#[test]
fn a_request_that_stops_on_the_way_is_a_difference_unless_its_plan_is_expected() {
    let missing = Stopped::NoResult { task: "one".to_owned() };
    assert_eq!(found("expect.label = \"split\"", &[plan()], Some(&missing)), ["end"]);
    assert_eq!(found("expect.plan.count = 2", &[plan()], Some(&missing)), [""; 0]);
    assert_eq!(found("[[expect.steps]]\nlabel = \"split\"", &[plan()], Some(&missing)), [""; 0]);
    let failed = Stopped::TaskFailed { task: "one".to_owned() };
    assert_eq!(found("expect.plan.count = 2", &[plan()], Some(&failed)), ["end"]);
}
