//! Rules that a plan can break, with their messages.

use super::*;

#[track_caller]
fn refused(proposal: PlanProposal, expected: &str) {
    assert_eq!(checked(proposal).unwrap_err().to_string(), expected);
}

/// Plan whose first of two tasks is changed.
#[track_caller]
fn first_refused(change: impl FnOnce(&mut TaskProposal), expected: &str) {
    let mut first = task("one", &[]);
    change(&mut first);
    refused(plan(vec![first, task("two", &[0])]), expected);
}

#[test]
fn a_sound_plan_is_accepted_with_its_tasks_in_order() {
    let mut see = task("see", &[]);
    see.targets = vec![target(1), target(0)];
    see.input = vec![message(vec![text("look: "), original(1)])];
    let mut hear = task("hear", &[]);
    hear.operation = "transcription".to_owned();
    hear.targets = vec![target(3)];
    hear.input = vec![message(vec![original(2)])];
    hear.options = vec![("language".to_owned(), "\"en\"".to_owned())];
    let mut answer = task("answer", &[0, 1]);
    answer.input = vec![
        TaskInput::Conversation(Modalities::TEXT),
        message(vec![
            output(0),
            output(1),
            ComposedPart::Original(ContentRef { message: 0, part: 0, excerpt: Some((0, 4)) }),
        ]),
    ];
    let plan = checked(plan(vec![see, hear, answer])).unwrap();
    let names: Vec<&str> = plan.tasks().iter().map(Task::name).collect();
    assert_eq!((names, plan.answering(), plan.label()), (vec!["see", "hear", "answer"], Some(2), "test"));
    assert_eq!(plan.task(1).map(|task| task.operation), Some(Operation::Transcription));
    assert_eq!(plan.tasks()[2].uses().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn outputs_of_earlier_steps_may_be_used_and_those_of_later_ones_may_not() {
    let with_output = |number| {
        let mut only = task("only", &[]);
        only.input = vec![message(vec![output(number)])];
        PlanProposal { next: Continuation::Answer(3), ..plan(vec![only]) }
    };
    assert!(checked_after(3, with_output(2), PlanLimits::default()).is_ok());
    let error = checked_after(3, with_output(4), PlanLimits::default()).unwrap_err();
    assert_eq!(error.to_string(), "task `only`: it uses the output of task 4, which it does not wait for");
}

#[test]
fn texts_and_counts_are_bounded() {
    refused(
        PlanProposal { label: "two words".to_owned(), ..plan(vec![task("a", &[])]) },
        "the label \"two words\" is not 1 to 64 characters of a-z A-Z 0-9 . _ : / -",
    );
    refused(
        PlanProposal { reason: Some("\u{1b}[2J".to_owned()), ..plan(vec![task("a", &[])]) },
        "the reason is longer than 512 bytes or has control characters",
    );
    refused(plan(Vec::new()), "the plan has no task");
    let many = (0..65).map(|at| task(&format!("t{at}"), &[])).collect();
    refused(plan(many), "the plan has 65 tasks, which makes 65 for this request; at most 64 are allowed");
    let error = checked_after(
        60,
        plan((0..5).map(|at| task(&format!("t{at}"), &[])).collect()),
        PlanLimits::default(),
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "the plan has 5 tasks, which makes 65 for this request; at most 64 are allowed"
    );
    let state = Continuation::Resume(vec![0; 10 << 20]);
    refused(
        PlanProposal { next: state, ..plan(vec![task("a", &[])]) },
        "the state has 10485760 bytes; at most 65536 are allowed",
    );
    first_refused(
        |task| task.max_output_tokens = Some(1 << 30),
        "the tasks may give 1073741824 output tokens together; at most 65536 are allowed",
    );
    first_refused(
        |task| task.name = "a\r\nx: y".to_owned(),
        "task 0 has the name \"a\\r\\nx: y\", which is not 1 to 64 characters of a-z A-Z 0-9 . _ : / -",
    );
}

#[test]
fn the_order_has_to_be_one_that_can_be_run() {
    refused(plan(vec![task("a", &[0])]), "task `a`: it waits for itself");
    refused(
        plan(vec![task("a", &[7]), task("b", &[0])]),
        "task `a`: it waits for task 7, which is not in this plan",
    );
    refused(plan(vec![task("a", &[]), task("b", &[0, 0])]), "task `b`: it waits for task 0 twice");
    refused(plan(vec![task("a", &[]), task("b", &[0; 400_000])]), "task `b`: it waits for task 0 twice");
    refused(
        plan(vec![task("a", &[2]), task("b", &[0]), task("c", &[1]), task("d", &[2])]),
        "task `a`: it waits for itself by way of others: a -> c -> b -> a",
    );
    let row =
        (0..17).map(|at: usize| task(&format!("t{at}"), &at.checked_sub(1).into_iter().collect::<Vec<_>>()));
    refused(
        plan(row.collect()),
        "task `t16`: 17 tasks in a row wait for one another up to it; at most 16 are allowed",
    );
    let mut uses = task("b", &[]);
    uses.input = vec![message(vec![output(0)])];
    refused(
        plan(vec![task("a", &[]), uses]),
        "task `b`: it uses the output of task 0, which it does not wait for",
    );
}

#[test]
fn references_have_to_exist() {
    let using = |part: ComposedPart| move |task: &mut TaskProposal| task.input = vec![message(vec![part])];
    let place = |message, part, excerpt| ComposedPart::Original(ContentRef { message, part, excerpt });
    first_refused(
        using(place(0, 9, None)),
        "task `one`: it uses part 9 of message 0 of the request, which is not there",
    );
    first_refused(
        using(place(4, 0, None)),
        "task `one`: it uses part 0 of message 4 of the request, which is not there",
    );
    for (from, to) in [(0, 7), (0, 3), (5, 4)] {
        first_refused(
            using(place(0, 0, Some((from, to)))),
            &format!(
                "task `one`: it uses bytes {from} to {to} of part 0 of message 0, which are no text there"
            ),
        );
    }
    first_refused(
        using(place(0, 1, Some((0, 1)))),
        "task `one`: it uses bytes 0 to 1 of part 1 of message 0, which are no text there",
    );
    first_refused(|task| task.input.clear(), "task `one`: it has no input");
    first_refused(|task| task.input = vec![message(Vec::new())], "task `one`: it has no input");
}

#[test]
fn models_have_to_be_able_to_do_their_task() {
    first_refused(
        |task| task.operation = "painting".to_owned(),
        "task `one`: there is no operation \"painting\"; there are chat, embedding, transcription, translation, speech, \
         image and moderation",
    );
    first_refused(|task| task.targets.clear(), "task `one`: the decision has no target");
    first_refused(
        |task| task.targets = vec![target(5)],
        "task `one`: target 0 names candidate 5, but there are 5",
    );
    first_refused(
        |task| task.targets = vec![target(2), target(3)],
        "task `one`: fake/ear is not called for chat",
    );
    first_refused(
        |task| task.input = vec![message(vec![original(1)])],
        "task `one`: fake/tongue does not accept image",
    );
    first_refused(
        |task| task.input = vec![TaskInput::Conversation(Modalities::all())],
        "task `one`: fake/tongue does not accept image and audio",
    );
    let weak = |tasks: Vec<TaskProposal>| {
        let mut proposal = plan(tasks);
        proposal.tasks[0].targets = vec![target(2)];
        proposal
    };
    refused(
        weak(vec![task("a", &[])]),
        "task `a`: fake/tongue cannot give the answer that the client asks for",
    );
}

#[test]
fn transcriptions_and_embeddings_take_one_message_of_their_kind() {
    let transcription = "task `one`: a transcription takes one message with one recording in it";
    let as_transcription = |input: Vec<TaskInput>| {
        move |task: &mut TaskProposal| {
            task.operation = "transcription".to_owned();
            task.targets = vec![target(3)];
            task.input = input;
        }
    };
    for input in [
        vec![message(vec![text("hi")])],
        vec![message(vec![original(2), original(2)])],
        vec![message(vec![original(1)])],
        vec![message(vec![original(2)]), message(vec![original(2)])],
        vec![TaskInput::Conversation(Modalities::AUDIO)],
    ] {
        first_refused(as_transcription(input), transcription);
    }
    first_refused(
        |task| {
            task.operation = "embedding".to_owned();
            task.targets = vec![target(4)];
            task.input = vec![message(vec![original(1)])];
        },
        "task `one`: an embedding takes one message with text in it",
    );
    for (operation, article) in [("speech", "a"), ("image", "an"), ("moderation", "a")] {
        first_refused(
            |task| {
                task.operation = operation.to_owned();
                task.input = vec![message(vec![text("a"), original(2)])];
            },
            &format!("task `one`: {article} {operation} takes one message with text in it"),
        );
    }
}

#[test]
fn only_a_conversation_is_answered_by_a_plan() {
    let facts = RequestFacts { operation: Operation::Image, ..facts() };
    let (candidates, limits) = (candidates(), PlanLimits::default());
    let scope = PlanScope {
        request: &facts,
        content: &Content,
        candidates: &candidates,
        whole: 1,
        first: 0,
        limits: &limits,
    };
    let refused = plan(vec![task("one", &[])]).validate(&scope);
    assert_eq!(refused.err(), Some(InvalidPlan::Operation(Operation::Image)));
    let finish = FinishProposal { content: vec![text("a")], label: "l".to_owned(), reason: None };
    assert_eq!(scope.finish(finish).err(), Some(InvalidPlan::Operation(Operation::Image)));
}

#[test]
fn only_listed_options_with_fitting_values_are_sent() {
    let with = |name: &str, value: &str| {
        let options = vec![(name.to_owned(), value.to_owned())];
        move |task: &mut TaskProposal| task.options = options
    };
    for (name, value) in [
        ("temperature", "0.2"),
        ("top_p", "1"),
        ("seed", "-7"),
        ("reasoning_effort", "\"low\""),
        ("response_format", "\"json_object\""),
    ] {
        let mut first = task("one", &[]);
        with(name, value)(&mut first);
        checked(plan(vec![first, task("two", &[0])])).unwrap();
    }
    first_refused(with("n", "1000"), "task `one`: the option `n` is not allowed for chat");
    first_refused(with("model", "\"x\""), "task `one`: the option `model` is not allowed for chat");
    first_refused(
        with("temperature", "9"),
        "task `one`: the option `temperature` is not a number from 0 to 2",
    );
    for value in ["1,\"n\":5", "NaN", "1e0", "+1", ".5", "01", "1.", "\"1\"", ""] {
        first_refused(
            with("temperature", value),
            "task `one`: the option `temperature` is not a number from 0 to 2",
        );
    }
    first_refused(with("seed", "1.5"), "task `one`: the option `seed` is not a whole number");
    first_refused(
        with("response_format", "{}"),
        "task `one`: the option `response_format` is not \"json_object\" or \"text\"",
    );
    first_refused(
        |task| task.options = vec![("seed".to_owned(), "1".to_owned()), ("seed".to_owned(), "2".to_owned())],
        "task `one`: the option `seed` is not allowed for chat",
    );
    let of = |operation: &'static str, name: &str, value: &str| {
        let set = with(name, value);
        move |task: &mut TaskProposal| {
            task.operation = operation.to_owned();
            set(task);
        }
    };
    for (operation, name, value, expected) in [
        ("speech", "voice", "\"\"", "a voice such as \"alloy\""),
        ("speech", "voice", "{\"id\":\"x\"}", "a voice such as \"alloy\""),
        ("speech", "speed", "9", "a number from 0.25 to 4"),
        ("image", "size", "\"10x\"", "a size such as \"1024x1024\", or \"auto\""),
        ("image", "size", "\"12345x1\"", "a size such as \"1024x1024\", or \"auto\""),
        ("image", "quality", "\"very high\"", "a quality such as \"low\""),
    ] {
        let message = format!("task `one`: the option `{name}` is not {expected}");
        first_refused(of(operation, name, value), &message);
    }
    // The option passes, and the model does not do the operation.
    for (operation, name, value) in [
        ("speech", "voice", "\"alloy\""),
        ("speech", "response_format", "\"wav\""),
        ("image", "size", "\"1024x1536\""),
        ("image", "size", "\"auto\""),
        ("image", "output_format", "\"webp\""),
    ] {
        first_refused(
            |task| {
                of(operation, name, value)(task);
                task.input = vec![message(vec![text("a")])];
            },
            &format!("task `one`: fake/tongue is not called for {operation}"),
        );
    }
    first_refused(|task| task.max_output_tokens = Some(0), "task `one`: its limit of output tokens is zero");
    first_refused(|task| task.timeout = Some(Duration::ZERO), "task `one`: its time is zero");
}

#[test]
fn the_answer_has_to_come_from_a_chat_and_every_task_has_to_contribute() {
    refused(
        PlanProposal { next: Continuation::Answer(9), ..plan(vec![task("a", &[])]) },
        "the answer uses the output of task 9, but there is none",
    );
    refused(
        PlanProposal { next: Continuation::Compose(vec![output(1)]), ..plan(vec![task("a", &[])]) },
        "the answer uses the output of task 1, but there is none",
    );
    refused(
        PlanProposal {
            next: Continuation::Compose(vec![output(0), original(1)]),
            ..plan(vec![task("a", &[])])
        },
        "the answer uses part 1 of message 0 of the request, which is no text there",
    );
    refused(plan(vec![task("a", &[]), task("b", &[])]), "task `a`: it does not lead to the answer");
    refused(
        PlanProposal { next: Continuation::Compose(vec![text("done")]), ..plan(vec![task("a", &[])]) },
        "task `a`: it does not lead to the answer",
    );
    let mut optional = plan(vec![task("a", &[])]);
    optional.tasks[0].optional = true;
    refused(optional, "task `a`: it is the answer, so it cannot be optional");
    let mut vector = plan(vec![task("a", &[])]);
    vector.tasks[0].operation = "embedding".to_owned();
    vector.tasks[0].targets = vec![target(4)];
    refused(
        vector,
        "task `a`: the output of a task of operation embedding cannot be passed on as the answer",
    );
    let resumed =
        PlanProposal { next: Continuation::Resume(Vec::new()), ..plan(vec![task("a", &[]), task("b", &[])]) };
    assert!(checked(resumed).is_ok(), "the policy will say what the tasks were for");
}

#[test]
fn a_decision_for_the_whole_request_names_only_models_that_can_serve_it() {
    let (request, candidates, limits) = (facts(), candidates(), PlanLimits::default());
    let scope = PlanScope {
        request: &request,
        content: &Content,
        candidates: &candidates,
        whole: 1,
        first: 0,
        limits: &limits,
    };
    let decision = |of: &[usize]| crate::decision::Proposal {
        targets: of.iter().map(|&it| target(it)).collect(),
        label: "x".to_owned(),
        reason: None,
        hedge_after: None,
        propensity: None,
    };
    assert!(matches!(scope.decision(decision(&[0])), Ok(PlanStep::Route(_))));
    assert_eq!(
        scope.decision(decision(&[0, 2])).unwrap_err().to_string(),
        "target 1 names fake/tongue, which cannot serve the whole request"
    );
    let finish = |content: Vec<ComposedPart>| FinishProposal { content, label: "x".to_owned(), reason: None };
    assert_eq!(scope.finish(finish(vec![text("hello")])).unwrap().label(), "x");
    assert!(scope.finish(finish(vec![output(0)])).is_err());
}
