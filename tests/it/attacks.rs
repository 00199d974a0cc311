//! Every hostile policy, against the gateway as a process: the request is
//! answered, the failure is counted under its own reason, and another route
//! answers right after. An attack without an expectation does not compile.

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

/// What becomes of an attack.
enum End {
    /// The load gate refuses it, and the version before goes on.
    NotLetIn,
    /// Its decision fails for this reason, and the models are tried in order.
    Fails(&'static str),
    /// It decides, or refuses: status of the answer.
    Decides(u16),
}

use End::{Decides, Fails, NotLetIn};

/// A policy and how it is configured.
struct Attack {
    code: Vec<u8>,
    settings: String,
    grants: &'static str,
    /// Ample, but for an attack on the deadline itself: other tests keep the machine busy.
    deadline: &'static str,
}

/// For those that end otherwise.
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
            grants: r#""prompt", "outputs""#,
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

/// The route `main` is the attack's, `other` is not.
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

async fn survives(mut attack: Attack, end: End) {
    if let Fails("deadline") | NotLetIn = end {
        attack.deadline = "200ms";
    }
    let (model, policy) = (FakeModel::saying("hello there").await, PolicyFile::new(&attack.code));
    let tame = config(&model, &policy, &attack, "{}");
    let wild = config(&model, &policy, &attack, &attack.settings);
    let gateway = Gateway::start(if matches!(end, NotLetIn) { &tame } else { &wild }).await;
    if matches!(end, NotLetIn) {
        fs::write(gateway.config(), wild).expect("the config can be written");
        let report = client::post(&gateway.admin("/admin/reload"), &Value::Null).await;
        assert_ne!(report.status, 200, "{}", report.json());
    }
    let answer = ask(&gateway, &chat("main", "hi")).await;
    let failure = answer.header("x-pointsman-policy-failure");
    match end {
        NotLetIn => assert_eq!((answer.status.as_u16(), failure), (200, None)),
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

/// The failures of the policy `bad`, by reason.
async fn failures(gateway: &Gateway) -> Value {
    client::get(&gateway.admin("/admin/policies/bad")).await.json()["failures"].clone()
}

macro_rules! attacks {
    ($module:ident, $kind:ident: $($name:ident: $attack:ident => $end:expr,)*) => {
        mod $module {
            use super::*;

            const fn end(attack: $kind) -> End {
                match attack {
                    $($kind::$attack => $end,)*
                }
            }

            $(#[tokio::test]
            async fn $name() {
                survives($kind::$attack.into(), end($kind::$attack)).await;
            })*
        }
    };
}

attacks! { misdeeds, Misdeed:
    a_loop_in_a_start_function_is_not_let_in: LoopAtStart => NotLetIn,
    a_loop_in_validate_is_not_let_in: LoopInValidate => NotLetIn,
    settings_that_the_policy_refuses_are_not_let_in: RefuseSettings => NotLetIn,
    an_endless_loop_runs_into_the_deadline: LoopInRoute => Fails("deadline"),
    endless_recursion_is_told: Recurse => Fails("stack"),
    memory_beyond_the_limit_is_told: GrowMemory => Fails("memory"),
    memory_that_is_denied_can_be_done_without: GrowMemoryGracefully => Decides(200),
    a_trap_is_told: Trap => Fails("trap"),
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
    an_internal_failure_is_told: Internal => Fails("internal"),
    to_deny_is_its_right: Deny => Decides(403),
    to_refuse_all_candidates_is_its_right: RefuseAll => Decides(503),
}

attacks! { tricks, Trick:
    a_policy_by_hand_decides: Honest => Decides(200),
    memory_for_a_request_that_never_comes: LoopInRealloc => Fails("deadline"),
    memory_for_an_import_that_never_comes: LoopInReallocForImport => Fails("deadline"),
    a_loop_when_the_answer_is_freed: LoopInPostReturn => Fails("deadline"),
    a_trap_when_the_answer_is_freed: TrapInPostReturn => Fails("trap"),
    a_call_while_giving_memory: CallInRealloc => Fails("trap"),
    a_call_while_the_answer_is_freed: CallInPostReturn => Fails("trap"),
    memory_that_is_not_there: ReallocOutOfBounds => Fails("unreadable"),
    memory_at_an_odd_address: ReallocUnaligned => Fails("unreadable"),
    memory_that_grows_without_end: ReallocGrows => Fails("memory"),
    an_answer_that_is_not_there: AnswerOutOfBounds => Fails("unreadable"),
    an_answer_at_an_odd_address: AnswerUnaligned => Fails("unreadable"),
    a_list_past_the_end: ListOutOfBounds => Fails("unreadable"),
    a_label_past_the_end: LabelOutOfBounds => Fails("unreadable"),
    a_label_that_is_no_text: LabelNotText => Fails("unreadable"),
    a_case_that_there_is_not: UnknownCase => Fails("unreadable"),
    an_option_that_is_neither: UnknownOption => Fails("unreadable"),
    a_log_level_that_there_is_not: UnknownLevel => Fails("unreadable"),
    a_log_line_past_the_end: LogOutOfBounds => Fails("unreadable"),
}

attacks! { floods, Flood:
    settings_without_end: SettingsJson => Fails("host_calls"),
    log_lines_without_end: LogWrite => Fails("host_calls"),
    attributes_of_the_request_without_end: DetailsRequestAttribute => Fails("host_calls"),
    attributes_of_candidates_without_end: DetailsCandidateAttribute => Fails("host_calls"),
    qualities_without_end: DetailsTaskQuality => Fails("host_calls"),
    operations_without_end: DetailsCandidateOperations => Fails("host_calls"),
    counts_of_messages_without_end: PromptMessageCount => Fails("host_calls"),
    roles_without_end: PromptRole => Fails("host_calls"),
    texts_without_end: PromptText => Fails("host_calls"),
    newest_texts_without_end: PromptLastUserText => Fails("host_calls"),
    tool_names_without_end: PromptToolNames => Fails("host_calls"),
    outlines_without_end: OutlineParts => Fails("host_calls"),
    counts_of_candidates_without_end: OutlineWhole => Fails("host_calls"),
    outputs_without_end: OutputsText => Fails("host_calls"),
}

attacks! { blunders, Blunder:
    a_plan_without_tasks: NoTask => Fails("invalid"),
    tasks_that_wait_for_one_another: Cycle => Fails("invalid"),
    a_task_that_waits_for_itself: SelfDependency => Fails("invalid"),
    a_task_that_waits_for_none: UnknownDependency => Fails("invalid"),
    a_task_that_waits_for_another_twice: RepeatedDependency => Fails("invalid"),
    a_task_that_waits_for_another_without_end: ManyDependencies => Fails("invalid"),
    a_task_for_very_many_candidates: ManyTargets => Fails("invalid"),
    a_task_of_very_many_options: ManyOptions => Fails("invalid"),
    a_task_of_very_many_conversations: ManyInputs => Fails("invalid"),
    a_task_of_very_many_messages: ManyMessages => Fails("invalid"),
    an_answer_of_very_many_pieces: LongAnswer => Fails("invalid"),
    a_task_for_no_candidate: UnknownCandidate => Fails("invalid"),
    hundreds_of_tasks: TooManyTasks => Fails("invalid"),
    tens_of_thousands_of_tasks: HordeOfTasks => Fails("too_large"),
    a_task_of_very_many_pieces: ManyParts => Fails("too_large"),
    a_long_chain_of_tasks: TooDeep => Fails("invalid"),
    an_answer_from_no_task: MissingAnswer => Fails("invalid"),
    an_output_that_may_not_be_there: NotAnAncestor => Fails("invalid"),
    a_task_that_leads_nowhere: Idle => Fails("invalid"),
    a_billion_tokens: TokenCap => Fails("invalid"),
    an_operation_that_nobody_knows: UnknownOperation => Fails("invalid"),
    a_part_that_is_not_there: UnknownPart => Fails("invalid"),
    an_option_that_costs: UnknownOption => Fails("invalid"),
    an_option_with_more_in_it: SmuggledOption => Fails("invalid"),
    a_task_name_with_a_header_in_it: ForgedName => Fails("invalid"),
    state_of_megabytes: HugeState => Fails("too_large"),
    a_text_of_megabytes: HugeText => Fails("too_large"),
    steps_without_end: EndlessResume => Fails("invalid"),
    a_cycle_in_the_second_step: CycleInResume => Fails("invalid"),
    a_trap_in_the_second_step: TrapInResume => Fails("trap"),
    a_loop_in_the_second_step: LoopInResume => Fails("deadline"),
}

#[tokio::test]
async fn handles_that_are_never_given_back_are_counted() {
    let leak = Attack { code: sleeper(), settings: LEAKING.to_owned(), grants: r#""wasi""#, deadline: AMPLE };
    survives(leak, Fails("handles")).await;
}

#[tokio::test]
async fn sleep_by_way_of_wasi_ends_at_the_deadline() {
    let sleep =
        Attack { code: sleeper(), settings: "{}".to_owned(), grants: r#""wasi", "clocks""#, deadline: AMPLE };
    survives(sleep, Fails("deadline")).await;
}

#[tokio::test]
async fn no_bomb_stops_the_gateway_or_the_version_that_serves() {
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
