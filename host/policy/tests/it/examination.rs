//! Examined calls: traces, counted instructions, and the words of a policy that traps.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use pointsman_domain::ids::ModelId;
use pointsman_domain::model::Modalities;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Outcome, RequestEnd};
use pointsman_domain::prompt::{ContentPart, Prompt};
use pointsman_domain::rating::Rating;
use pointsman_domain::usage::Usage;
use pointsman_guests::{HOSTILE, Misdeed, READER, RECORDER, misbehaving, misbehaving_at_once, planned};
use pointsman_guests::{PLANNER, Planned, Shape};
use pointsman_policy::{
    ChildCompiler, Code, Compiler, DecisionInput, Examination, FuelCounting, Grants, Isolation, LogLevel,
    Policy, PolicyFailure, PolicySpec, Runtime, RuntimeConfig,
};
use pointsman_state::StateAccess;

use crate::support::{input, label, load, load_error, reason, spec, spec_with};

static COUNTING: LazyLock<Runtime> = LazyLock::new(|| {
    let config = RuntimeConfig { concurrent_decisions: 2, idle_instances: 1, ..RuntimeConfig::default() };
    Runtime::new(RuntimeConfig { fuel: FuelCounting::On, ..config }).unwrap()
});

fn counting(spec: PolicySpec, bytes: &[u8]) -> Policy {
    COUNTING.load(spec, &Code::new(bytes.to_vec())).unwrap()
}

/// One message of a user.
struct OneMessage;

impl Prompt for OneMessage {
    fn message_count(&self) -> usize {
        1
    }

    fn role(&self, message: usize) -> Option<&str> {
        (message == 0).then_some("user")
    }

    fn text(&self, message: usize) -> Option<&str> {
        (message == 0).then_some("a secret question")
    }

    fn tool_names(&self) -> &[String] {
        &[]
    }

    fn parts(&self) -> &[ContentPart] {
        const PARTS: &[ContentPart] =
            &[ContentPart { message: 0, part: 0, kind: Modalities::TEXT, bytes: 17 }];
        PARTS
    }

    fn part_text(&self, message: usize, _: usize) -> Option<&str> {
        self.text(message)
    }
}

fn with_prompt() -> DecisionInput {
    DecisionInput { prompt: Arc::new(OneMessage), ..input(2) }
}

#[tokio::test]
async fn a_trace_lists_imports_in_order_with_what_they_returned() {
    let policy = load(PolicySpec { grants: Grants::PROMPT, ..spec() }, READER).unwrap();
    let examined = policy.examine(with_prompt(), None).await;
    let imports: Vec<_> = examined
        .trace
        .imports
        .iter()
        .map(|it| (it.interface, it.function, it.arguments.as_str(), it.bytes, it.times))
        .collect();
    assert_eq!(
        imports,
        [
            ("settings", "json", "", 2, 1),
            ("prompt", "role", "0", 4, 1),
            ("prompt", "last-user-text", "4294967295", 17, 1),
            ("prompt", "tool-names", "", 0, 1),
            ("prompt", "message-count", "", 0, 1),
        ]
    );
    assert_eq!(examined.fuel, None, "this runtime does not count");
    assert!(examined.memory_bytes >= 1 << 16);
    assert!(reason(examined.answer).contains("17"));
}

#[tokio::test]
async fn equal_calls_in_a_row_are_counted_and_a_trace_is_bounded() {
    let policy = load(spec_with(&misbehaving(Misdeed::FloodHost)), HOSTILE).unwrap();
    let examined = policy.examine(input(2), None).await;
    assert_eq!(examined.answer, Err(PolicyFailure::HostCalls));
    let [first] = examined.trace.imports.as_slice() else { panic!("{:?}", examined.trace.imports) };
    assert_eq!((first.interface, first.function), ("settings", "json"));
    assert!(first.times > 900, "{}", first.times);

    let policy = load(spec_with(&misbehaving(Misdeed::AnsiInLog)), HOSTILE).unwrap();
    let examined = policy.examine(input(2), None).await;
    let lines: Vec<_> = examined.trace.log.iter().map(|line| (line.level, line.text.as_str())).collect();
    assert_eq!(lines, [(LogLevel::Warn, r"\u{1b}[2J\nERROR forged line")]);
}

#[tokio::test]
async fn counted_instructions_are_the_same_for_the_same_input() {
    let policy = counting(spec_with("{}"), HOSTILE);
    let fuel = |candidates| {
        let policy = &policy;
        async move {
            let examined = policy.examine(input(candidates), None).await;
            assert_eq!(label(examined.answer), "good");
            examined.fuel.unwrap()
        }
    };
    let (two, again, many) = (fuel(2).await, fuel(2).await, fuel(50).await);
    assert_eq!(two, again);
    assert!(two.call > 0 && many.call > two.call, "{two:?} {many:?}");
    assert_eq!(two.total(), two.start + two.call);
    // Requests are decided as well.
    assert_eq!(label(policy.decide(input(2)).await), "good");
}

#[tokio::test]
async fn a_child_compiles_code_that_counts() {
    let child = ChildCompiler {
        program: env!("CARGO_BIN_EXE_pointsman-compile").into(),
        arguments: Vec::new(),
        timeout: Duration::from_secs(60),
        memory_bytes: 1 << 30,
        processes: 1,
    };
    let config = RuntimeConfig { concurrent_decisions: 2, idle_instances: 1, ..RuntimeConfig::default() };
    let runtime =
        Runtime::new(RuntimeConfig { fuel: FuelCounting::On, compiler: Compiler::Child(child), ..config })
            .unwrap();
    let policy = runtime.load(spec(), &Code::new(HOSTILE.to_vec())).unwrap();
    assert!(policy.examine(input(2), None).await.fuel.is_some_and(|fuel| fuel.call > 0));
}

#[tokio::test]
async fn an_examined_call_that_loops_ends_with_its_trace() {
    let mut spec = spec_with(&misbehaving(Misdeed::LoopInRoute));
    spec.limits.deadline = Duration::from_millis(50);
    let policy = counting(spec, HOSTILE);
    let examined = policy.examine(input(2), None).await;
    assert!(
        matches!(examined.answer, Err(PolicyFailure::Deadline | PolicyFailure::Starved)),
        "{:?}",
        examined.answer
    );
    assert_eq!(examined.trace.imports[0].interface, "settings");
}

#[tokio::test]
async fn a_plan_is_resumed_with_its_state() {
    let settings = planned(&Planned { shape: Shape::Resume, ..Planned::default() });
    let policy = load(PolicySpec { grants: Grants::OUTPUTS, ..spec_with(&settings) }, PLANNER).unwrap();
    let resumed = policy.examine(input(2), Some(b"")).await;
    assert_eq!(resumed.trace.imports[0].interface, "settings");
}

#[tokio::test]
async fn the_message_of_a_panic_is_part_of_the_failure_and_of_the_load_error() {
    let policy = load(spec_with(&misbehaving(Misdeed::Panic)), HOSTILE).unwrap();
    let failure = policy.decide(input(2)).await.unwrap_err().to_string();
    assert!(failure.starts_with("the policy trapped: panicked at "), "{failure}");
    assert!(failure.contains("hostile/src/lib.rs") && failure.contains(": as asked ("), "{failure}");

    let error = load_error(spec_with(&misbehaving_at_once(Misdeed::Panic)), HOSTILE);
    assert!(
        error.starts_with("the policy failed on a probe request: the policy trapped: panicked at "),
        "{error}"
    );
    assert!(error.contains("as asked"), "{error}");
}

#[tokio::test]
async fn a_policy_that_may_read_content_is_quoted_only_where_there_is_none() {
    let granted = |settings: &str| PolicySpec { grants: Grants::PROMPT, ..spec_with(settings) };
    let error = load_error(granted(&misbehaving_at_once(Misdeed::Panic)), HOSTILE);
    assert!(error.contains("as asked"), "{error}");
    let policy = load(granted(&misbehaving(Misdeed::Panic)), HOSTILE).unwrap();
    let failure = policy.decide(with_prompt()).await.unwrap_err().to_string();
    assert!(!failure.contains("as asked") && failure.contains("unreachable"), "{failure}");
    let examined = policy.examine(with_prompt(), None).await;
    assert!(examined.answer.unwrap_err().to_string().contains("as asked"));
}

#[tokio::test]
async fn a_warm_policy_is_examined_in_the_instance_that_it_keeps() {
    let isolation = Isolation::Warm { recycle_after: 10, instances: 1 };
    let policy = counting(PolicySpec { isolation, ..spec() }, RECORDER);
    let first = policy.examine(input(2), None).await;
    let outcome = Outcome {
        id: "a".to_owned(),
        label: "any".to_owned(),
        ending: RequestEnd::Answered,
        model: None,
        attempts: 1,
        usage: Usage::default(),
        cost: Picodollars::ZERO,
        first_token: None,
        latency: Duration::ZERO,
        error: None,
        fault: None,
    };
    let observed = policy.examine_outcome(outcome, StateAccess::default()).await.unwrap();
    assert_eq!(observed.answer, Ok(()));
    assert_eq!(observed.fuel.unwrap().start, 0, "a kept instance is not started again");
    assert!(observed.fuel.unwrap().call > 0);
    let (second, third) = (policy.examine(input(2), None).await, policy.examine(input(2), None).await);
    let fuel = |examined: &Examination| examined.fuel.unwrap();
    assert_eq!((fuel(&second).start, fuel(&third).start), (0, 0));
    assert!(fuel(&third).total() < 2 * fuel(&second).total(), "each call has its own count");
    assert_eq!(
        [first, second, third].map(|examined| label(examined.answer)),
        ["decision-1:outcomes-0", "decision-2:outcomes-1", "decision-3:outcomes-1"]
    );
    let rating = Rating {
        decision: "a".to_owned(),
        label: "any".to_owned(),
        model: ModelId::new("a/b"),
        score: 1.0,
        name: None,
    };
    assert!(policy.examine_rating(rating, StateAccess::default()).await.is_none(), "it takes none");
}

#[tokio::test]
async fn a_call_ends_at_the_limit_on_its_instructions() {
    let config = RuntimeConfig { concurrent_decisions: 2, idle_instances: 1, ..RuntimeConfig::default() };
    let config = RuntimeConfig { fuel: FuelCounting::On, fuel_limit: 1_000_000, ..config };
    let runtime = Runtime::new(config).unwrap();
    let code = Code::new(HOSTILE.to_vec());
    let policy = runtime.load(spec_with(&misbehaving(Misdeed::LoopInRoute)), &code).unwrap();
    let examined = policy.examine(input(2), None).await;
    assert_eq!(examined.answer, Err(PolicyFailure::Deadline));
    assert_eq!(examined.fuel.unwrap().total(), 1_000_000);
}
