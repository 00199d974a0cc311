//! Hostile policies against the gateway as a process: the request is answered, the failure is
//! counted under its own reason, and another route answers right after. An attack without an
//! expectation does not compile.

use std::fs;

use pointsman_guests::{
    Blunder, Bomb, FIRST, FLOODER, Flood, HOSTILE, LEAKING, Misdeed, PLANNER, Trick, blundering, flooding,
    misbehaving, sleeper, version_label,
};
use pointsman_tests::{FakeModel, Gateway, client};
use serde_json::{Value, json};

use crate::fleet::{self, ask, backend, built_in, chat, reload};
use crate::policy_failures::inline;
use crate::policy_file::PolicyFile;

/// Expected result of an attack.
enum AttackResult {
    /// The load gate rejects the policy, and the previous version continues.
    Rejected,
    /// The decision fails for this reason, and the models are tried in order.
    Fails(&'static str),
    /// The policy decides or refuses, with this status of the answer.
    Decides(u16),
}

use AttackResult::{Decides, Fails, Rejected};

/// Hostile policy with its configuration.
struct Attack {
    code: Vec<u8>,
    settings: String,
    grants: &'static str,
    /// Ample, except for attacks on the deadline itself: other tests keep the machine busy.
    deadline: &'static str,
}

/// Deadline of attacks that do not aim at it.
const AMPLE: &str = "60s";

impl From<Misdeed> for Attack {
    fn from(misdeed: Misdeed) -> Self {
        Self { code: HOSTILE.to_vec(), settings: misbehaving(misdeed), grants: "", deadline: AMPLE }
    }
}

impl From<Trick> for Attack {
    fn from(trick: Trick) -> Self {
        Self { code: trick.bytes(), settings: "{}".to_owned(), grants: "", deadline: AMPLE }
    }
}

impl From<Flood> for Attack {
    fn from(flood: Flood) -> Self {
        Self {
            code: FLOODER.to_vec(),
            settings: flooding(flood),
            grants: r#""prompt", "outputs", "state""#,
            deadline: AMPLE,
        }
    }
}

impl From<Blunder> for Attack {
    fn from(blunder: Blunder) -> Self {
        Self {
            code: PLANNER.to_vec(),
            settings: blundering(blunder),
            grants: r#""outputs""#,
            deadline: AMPLE,
        }
    }
}

/// Returns a configuration whose route `main` has the hostile policy, and `other` has not.
fn config(model: &FakeModel, policy: &PolicyFile, attack: &Attack, settings: &str) -> String {
    let (grants, deadline) = (attack.grants, attack.deadline);
    format!(
        r#"
        {}{}{}{}
        [policies.bad]
        source = "{}"
        grants = [{grants}]
        settings = {}
        limits.deadline = "{deadline}"
        [routes.main]
        policy = "bad"
        [routes.other]
        policy = "cost"
        "#,
        backend("fake", model, ""),
        fleet::model("fake/one", 1, ""),
        fleet::model("fake/two", 1, ""),
        built_in("cost", ""),
        policy.path().display(),
        inline(settings),
    )
}

async fn check_attack(mut attack: Attack, end: AttackResult) {
    if let Fails("deadline") | Rejected = end {
        attack.deadline = "200ms";
    }
    let (model, policy) = (FakeModel::saying("hello there").await, PolicyFile::new(&attack.code));
    let tame = config(&model, &policy, &attack, "{}");
    let wild = config(&model, &policy, &attack, &attack.settings);
    let gateway = Gateway::start(if matches!(end, Rejected) { &tame } else { &wild }).await;
    if matches!(end, Rejected) {
        fs::write(gateway.config(), wild).expect("the config can be written");
        let report = client::post(&gateway.admin("/admin/reload"), &Value::Null).await;
        assert_ne!(report.status, 200, "{}", report.json());
    }
    let answer = ask(&gateway, &chat("main", "hi")).await;
    let failure = answer.header("x-pointsman-policy-failure");
    match end {
        Rejected => assert_eq!((answer.status.as_u16(), failure), (200, None)),
        Decides(status) => assert_eq!((answer.status.as_u16(), failure), (status, None)),
        Fails(reason) => {
            assert_eq!((answer.status.as_u16(), failure), (200, Some(reason)));
            assert_eq!(answer.header("x-pointsman-route"), Some("static"));
            assert_eq!(answer.header("x-pointsman-policy"), None);
            assert_eq!(answer.header("x-pointsman-model"), Some("fake/one"));
            assert_eq!(answer.text(), "hello there");
        }
    }
    let counted = if let Fails(reason) = end { json!([[reason, 1]]) } else { json!([]) };
    assert_eq!(failures(&gateway).await, counted);
    let other = ask(&gateway, &chat("other", "hi")).await;
    assert_eq!((other.text().as_str(), other.header("x-pointsman-route")), ("hello there", Some("cheapest")));
}

/// Returns the failures of the policy `bad` by reason.
async fn failures(gateway: &Gateway) -> Value {
    client::get(&gateway.admin("/admin/policies/bad")).await.json()["failures"].clone()
}

macro_rules! attacks {
    ($module:ident, $kind:ident: $($name:ident: $attack:ident => $end:expr,)*) => {
        mod $module {
            use super::*;

            const fn end(attack: $kind) -> AttackResult {
                match attack {
                    $($kind::$attack => $end,)*
                }
            }

            $(#[tokio::test]
            async fn $name() {
                check_attack($kind::$attack.into(), end($kind::$attack)).await;
            })*
        }
    };
}

attacks! { misdeeds, Misdeed:
    a_loop_in_a_start_function_is_rejected: LoopAtStart => Rejected,
    a_loop_in_validate_is_rejected: LoopInValidate => Rejected,
    settings_that_the_policy_rejects_are_not_loaded: RefuseSettings => Rejected,
    an_endless_loop_runs_into_the_deadline: LoopInRoute => Fails("deadline"),
    endless_recursion_exhausts_the_stack: Recurse => Fails("stack"),
    memory_above_the_limit_is_denied: GrowMemory => Fails("memory"),
    a_policy_survives_denied_memory: GrowMemoryGracefully => Decides(200),
    a_trap_is_reported: Trap => Fails("trap"),
    a_panic_is_a_trap: Panic => Fails("trap"),
    a_huge_label_is_not_read: HugeLabel => Fails("too_large"),
    a_huge_reason_is_not_read: HugeReason => Fails("too_large"),
    a_long_reason_is_invalid: LongReason => Fails("invalid"),
    too_many_targets_are_not_read: ManyTargets => Fails("too_large"),
    more_targets_than_candidates_are_invalid: MoreTargetsThanCandidates => Fails("invalid"),
    no_target_is_invalid: NoTarget => Fails("invalid"),
    an_unknown_candidate_is_invalid: OutOfRange => Fails("invalid"),
    a_repeated_candidate_is_invalid: Repeat => Fails("invalid"),
    a_timeout_of_zero_is_invalid: ZeroTimeout => Fails("invalid"),
    a_propensity_that_is_no_number_is_invalid: NanPropensity => Fails("invalid"),
    an_infinite_propensity_is_invalid: InfinitePropensity => Fails("invalid"),
    a_propensity_of_minus_infinity_is_invalid: MinusInfinitePropensity => Fails("invalid"),
    the_longest_times_are_no_harm: LongestTimes => Decides(200),
    an_empty_label_is_invalid: EmptyLabel => Fails("invalid"),
    a_label_with_a_header_in_it_is_invalid: HeaderInLabel => Fails("invalid"),
    a_reason_that_clears_the_screen_is_invalid: AnsiInReason => Fails("invalid"),
    a_reason_that_clears_the_screen_with_one_byte_is_invalid: C1InReason => Fails("invalid"),
    a_refusal_that_clears_the_screen_is_invalid: AnsiInRefusal => Fails("invalid"),
    a_log_line_that_clears_the_screen_is_escaped: AnsiInLog => Decides(200),
    a_log_line_that_turns_around_is_escaped: TurnedLog => Decides(200),
    a_reason_that_turns_around_is_escaped: TurnedReason => Decides(200),
    a_refusal_that_turns_around_is_escaped: TurnedRefusal => Decides(403),
    an_error_that_turns_around_is_escaped: TurnedInternal => Fails("internal"),
    a_long_log_line_is_cut: LongLog => Decides(200),
    a_huge_log_line_is_not_read: HugeLog => Fails("too_large"),
    a_flood_of_log_lines_is_cut: FloodLog => Decides(200),
    a_flood_of_host_calls_is_stopped: FloodHost => Fails("host_calls"),
    an_internal_failure_is_reported: Internal => Fails("internal"),
    a_policy_may_deny_a_request: Deny => Decides(403),
    a_policy_may_reject_all_candidates: RefuseAll => Decides(503),
}

attacks! { tricks, Trick:
    a_handwritten_policy_decides: Honest => Decides(200),
    a_loop_in_realloc_for_the_request: LoopInRealloc => Fails("deadline"),
    a_loop_in_realloc_for_an_import: LoopInReallocForImport => Fails("deadline"),
    a_loop_when_the_answer_is_freed: LoopInPostReturn => Fails("deadline"),
    a_trap_when_the_answer_is_freed: TrapInPostReturn => Fails("trap"),
    an_import_called_in_realloc: CallInRealloc => Fails("trap"),
    an_import_called_in_post_return: CallInPostReturn => Fails("trap"),
    memory_out_of_bounds: ReallocOutOfBounds => Fails("unreadable"),
    memory_at_an_odd_address: ReallocUnaligned => Fails("unreadable"),
    memory_that_grows_without_end: ReallocGrows => Fails("memory"),
    an_answer_out_of_bounds: AnswerOutOfBounds => Fails("unreadable"),
    an_answer_at_an_odd_address: AnswerUnaligned => Fails("unreadable"),
    a_list_past_the_end: ListOutOfBounds => Fails("unreadable"),
    a_label_past_the_end: LabelOutOfBounds => Fails("unreadable"),
    a_label_that_is_no_text: LabelNotText => Fails("unreadable"),
    an_unknown_case: UnknownCase => Fails("unreadable"),
    an_option_that_is_neither_some_nor_none: UnknownOption => Fails("unreadable"),
    an_unknown_log_level: UnknownLevel => Fails("unreadable"),
    a_log_line_past_the_end: LogOutOfBounds => Fails("unreadable"),
}

attacks! { floods, Flood:
    endless_reads_of_settings: SettingsJson => Fails("host_calls"),
    endless_log_lines: LogWrite => Fails("host_calls"),
    endless_reads_of_request_attributes: DetailsRequestAttribute => Fails("host_calls"),
    endless_reads_of_candidate_attributes: DetailsCandidateAttribute => Fails("host_calls"),
    endless_reads_of_qualities: DetailsTaskQuality => Fails("host_calls"),
    endless_reads_of_operations: DetailsCandidateOperations => Fails("host_calls"),
    endless_reads_of_the_message_count: PromptMessageCount => Fails("host_calls"),
    endless_reads_of_roles: PromptRole => Fails("host_calls"),
    endless_reads_of_texts: PromptText => Fails("host_calls"),
    endless_reads_of_the_newest_text: PromptLastUserText => Fails("host_calls"),
    endless_reads_of_tool_names: PromptToolNames => Fails("host_calls"),
    endless_reads_of_outlines: OutlineParts => Fails("host_calls"),
    endless_reads_of_the_candidate_count: OutlineWhole => Fails("host_calls"),
    endless_reads_of_outputs: OutputsText => Fails("host_calls"),
    endless_reads_of_state: StateGet => Fails("host_calls"),
    endless_writes_of_state: StateSet => Fails("host_calls"),
    endless_deletions_of_state: StateDelete => Fails("host_calls"),
    endless_additions_to_state: StateAdd => Fails("host_calls"),
    endless_lists_of_state: StateList => Fails("host_calls"),
}

attacks! { blunders, Blunder:
    a_plan_without_tasks: NoTask => Fails("invalid"),
    tasks_that_wait_for_one_another: Cycle => Fails("invalid"),
    a_task_that_waits_for_itself: SelfDependency => Fails("invalid"),
    a_task_that_waits_for_an_unknown_task: UnknownDependency => Fails("invalid"),
    a_task_that_waits_for_another_twice: RepeatedDependency => Fails("invalid"),
    a_task_with_very_many_dependencies: ManyDependencies => Fails("invalid"),
    a_task_for_very_many_candidates: ManyTargets => Fails("invalid"),
    a_task_of_very_many_options: ManyOptions => Fails("invalid"),
    a_task_of_very_many_conversations: ManyInputs => Fails("invalid"),
    a_task_of_very_many_messages: ManyMessages => Fails("invalid"),
    an_answer_of_very_many_parts: LongAnswer => Fails("invalid"),
    a_task_for_an_unknown_candidate: UnknownCandidate => Fails("invalid"),
    hundreds_of_tasks: TooManyTasks => Fails("invalid"),
    tens_of_thousands_of_tasks: HordeOfTasks => Fails("too_large"),
    a_task_of_very_many_parts: ManyParts => Fails("too_large"),
    a_long_chain_of_tasks: TooDeep => Fails("invalid"),
    an_answer_from_an_unknown_task: MissingAnswer => Fails("invalid"),
    an_output_of_a_task_that_is_no_dependency: NotAnAncestor => Fails("invalid"),
    a_task_whose_output_is_unused: Idle => Fails("invalid"),
    a_billion_tokens: TokenCap => Fails("invalid"),
    an_unknown_operation: UnknownOperation => Fails("invalid"),
    a_reference_to_an_unknown_part: UnknownPart => Fails("invalid"),
    an_option_that_is_not_allowed: UnknownOption => Fails("invalid"),
    an_option_with_an_injected_member: SmuggledOption => Fails("invalid"),
    a_task_name_with_a_header_in_it: ForgedName => Fails("invalid"),
    state_of_megabytes: HugeState => Fails("too_large"),
    a_text_of_megabytes: HugeText => Fails("too_large"),
    endless_steps: EndlessResume => Fails("invalid"),
    a_cycle_in_the_second_step: CycleInResume => Fails("invalid"),
    a_trap_in_the_second_step: TrapInResume => Fails("trap"),
    a_loop_in_the_second_step: LoopInResume => Fails("deadline"),
}

#[tokio::test]
async fn leaked_handles_are_counted() {
    let leak = Attack { code: sleeper(), settings: LEAKING.to_owned(), grants: r#""wasi""#, deadline: AMPLE };
    check_attack(leak, Fails("handles")).await;
}

#[tokio::test]
async fn a_sleep_through_wasi_ends_at_the_deadline() {
    let sleep =
        Attack { code: sleeper(), settings: "{}".to_owned(), grants: r#""wasi", "clocks""#, deadline: AMPLE };
    check_attack(sleep, Fails("deadline")).await;
}

#[tokio::test]
async fn no_bomb_stops_the_gateway_or_the_serving_version() {
    let (model, policy) = (FakeModel::saying("hello there").await, PolicyFile::new(FIRST));
    let tame = Attack { code: FIRST.to_vec(), settings: "{}".to_owned(), grants: "", deadline: AMPLE };
    let gateway = Gateway::start(&config(&model, &policy, &tame, &tame.settings)).await;
    for &bomb in Bomb::ALL {
        policy.rename_over(&bomb.bytes());
        let report = client::post(&gateway.admin("/admin/reload"), &Value::Null).await;
        assert_ne!(report.status, 200, "{bomb:?}");
        let answer = ask(&gateway, &chat("main", "hi")).await;
        assert_eq!(answer.header("x-pointsman-route"), Some(&*version_label(0)), "{bomb:?}");
    }
    policy.rename_over(FIRST);
    reload(&gateway).await;
}
