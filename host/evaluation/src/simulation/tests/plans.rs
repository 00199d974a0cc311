use pointsman_domain::model::Modalities;
use pointsman_domain::plan::{FinishProposal, PlanStep, TaskResult};

use super::*;

/// Tasks of the first step, each with the tasks before it, and what follows.
struct Planner {
    tasks: Vec<TaskProposal>,
    next: Continuation,
    /// Step after the tasks.
    then: Option<fn(&Resumption<'_>) -> PlanStep>,
    seen: Vec<TaskResult>,
}

fn task(name: &str, candidate: usize, after: &[usize]) -> TaskProposal {
    let outputs = after.iter().map(|task| ComposedPart::Output(OutputRef { task: *task, otherwise: None }));
    let content = std::iter::once(ComposedPart::Text("do this".to_owned())).chain(outputs).collect();
    TaskProposal {
        name: name.to_owned(),
        operation: "chat".to_owned(),
        targets: vec![Target { candidate, timeout: None }],
        input: vec![
            TaskInput::Message(ComposedMessage { role: MessageRole::User, content }),
            TaskInput::Conversation(Modalities::TEXT),
        ],
        after: after.to_vec(),
        optional: false,
        max_output_tokens: None,
        timeout: None,
        hedge_after: None,
        options: Vec::new(),
    }
}

fn planner(tasks: Vec<TaskProposal>, next: Continuation) -> Planner {
    Planner { tasks, next, then: None, seen: Vec::new() }
}

impl DecisionMaker for Planner {
    fn decide(&mut self, query: &DecisionQuery<'_>) -> Selection {
        let selection = InOrder.decide(query);
        if query.stage > 0 {
            return selection;
        }
        let scope = PlanScope {
            request: query.request,
            content: &**query.content,
            candidates: &selection.candidates,
            whole: selection.whole,
            first: 0,
            limits: &PlanLimits::default(),
        };
        let (tasks, next) = (self.tasks.clone(), self.next.clone());
        let proposal = PlanProposal { tasks, next, label: "plan".to_owned(), reason: None };
        let step = proposal.validate(&scope).unwrap();
        Selection { action: Action::Plan(PlanStep::Run(step)), orchestrates: true, ..selection }
    }

    fn resume(&mut self, resumption: &Resumption<'_>) -> ResumptionAnswer {
        self.seen = resumption.results.to_vec();
        self.then.map_or(ResumptionAnswer::Failed("trap"), |then| ResumptionAnswer::Step(then(resumption)))
    }
}

fn planned(planner: &mut Planner, setup: &SimulationSetup) -> SimulationReport {
    simulate(setup, [request(Duration::ZERO, 100, 50)], planner, &mut |_| {}).unwrap()
}

fn two_models() -> SimulationSetup {
    setup(vec![(model("a", 10.0), steady()), (model("b", 20.0), steady())])
}

#[test]
fn tasks_run_at_once_unless_one_waits_for_another() {
    let tasks = vec![task("left", 0, &[]), task("right", 1, &[]), task("answer", 0, &[0, 1])];
    let mut planner = planner(tasks, Continuation::Answer(2));
    let report = planned(&mut planner, &two_models());
    assert_eq!((report.requests.answered, report.shape.calls, report.shape.largest_depth), (1, 3, 2));
    assert!(close(report.latency.largest().unwrap(), 0.120), "60 ms for both, 60 ms for the answer");
    assert_eq!((report.models[0].calls, report.models[1].calls, report.models[0].answered), (2, 1, 1));
    assert_eq!(report.labels["plan"], 1);
    // The answer's input has both outputs, 50 tokens each.
    assert!(report.models[0].usage.input_tokens > 100);
}

#[test]
fn a_resumed_plan_sees_the_results_and_can_end_with_a_text() {
    let finish = |resumption: &Resumption<'_>| {
        let scope = PlanScope {
            request: resumption.request,
            content: &**resumption.content,
            candidates: resumption.candidates,
            whole: resumption.whole,
            first: resumption.results.len(),
            limits: &resumption.limits,
        };
        let content = vec![ComposedPart::Output(OutputRef { task: 0, otherwise: None })];
        scope.finish(FinishProposal { content, label: "done".to_owned(), reason: None }).unwrap()
    };
    let mut planner = planner(vec![task("draft", 1, &[])], Continuation::Resume(vec![7]));
    planner.then = Some(finish);
    let report = planned(&mut planner, &two_models());
    assert_eq!((report.requests.answered, report.shape.depth), (1, 1));
    let result = &planner.seen[0];
    assert_eq!((&*result.name, result.candidate, result.latency), ("draft", Some(1), 60 * MS));
    assert_eq!((result.usage.output_tokens, result.output.as_ref().unwrap().len()), (50, 200));
    assert_eq!(result.cost, report.cost);
}

#[test]
fn after_a_policy_that_fails_in_its_plan_the_next_stage_decides() {
    let mut planner = planner(vec![task("draft", 1, &[])], Continuation::Resume(Vec::new()));
    let report = planned(&mut planner, &two_models());
    assert_eq!((report.requests.answered, report.decision_failures["trap"]), (1, 1));
    assert_eq!((report.models[0].answered, report.shape.calls), (1, 2));
}

#[test]
fn a_required_task_that_fails_ends_the_request_and_an_optional_one_does_not() {
    let mut setup = two_models();
    setup.models[1].behaviour.failure_rate = 1.0;
    setup.limits.backoff = MS;
    let tasks = |optional| vec![TaskProposal { optional, ..task("look", 1, &[]) }, task("answer", 0, &[0])];
    let required = planned(&mut planner(tasks(false), Continuation::Answer(1)), &setup);
    assert_eq!((required.requests.task_failed, required.models[0].calls), (1, 0));
    let optional = planned(&mut planner(tasks(true), Continuation::Answer(1)), &setup);
    assert_eq!((optional.requests.answered, optional.models[0].answered), (1, 1));
}

#[test]
fn a_task_ends_at_its_own_time_limit_and_limits_of_plans_hold() {
    let mut late = TaskProposal { optional: true, timeout: Some(20 * MS), ..task("late", 1, &[]) };
    let tasks = vec![late.clone(), task("answer", 0, &[0])];
    let report = planned(&mut planner(tasks, Continuation::Answer(1)), &two_models());
    assert!(close(report.latency.largest().unwrap(), 0.080));
    late.timeout = None;
    late.max_output_tokens = Some(10);
    let output = ComposedPart::Output(OutputRef { task: 0, otherwise: Some(String::new()) });
    let text = Continuation::Compose(vec![output]);
    let short = planned(&mut planner(vec![late.clone()], text.clone()), &two_models());
    assert_eq!(short.models[1].usage.output_tokens, 10);
    let mut poor = two_models();
    poor.limits.plan.cost = Some(Picodollars::from_usd(1e-9));
    let nothing = planned(&mut planner(vec![late], text), &poor);
    assert_eq!((nothing.requests.answered, nothing.shape.calls), (1, 0));
}
