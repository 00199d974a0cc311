//! Plans that break a rule, for the guest and for the tests that match on all of
//! them.

use pointsman_sdk::plan::{self, ContentRef, Next, Part, Step, Task};
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Modalities, TaskResult};
use serde::{Deserialize, Serialize};

use super::raw;

macro_rules! blunders {
    ($($(#[$doc:meta])* $blunder:ident = $name:literal,)*) => {
        /// Something that a plan must not be.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
        pub enum Blunder {
            $($(#[$doc])* #[serde(rename = $name)] $blunder,)*
        }

        impl Blunder {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$blunder),*];

            /// Returns the name in the settings.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$blunder => $name,)*
                }
            }
        }
    };
}

blunders! {
    /// No task at all.
    NoTask = "no-task",
    /// Tasks that wait for one another.
    Cycle = "cycle",
    /// A task that waits for itself.
    SelfDependency = "self-dependency",
    /// A task that waits for one that is not there.
    UnknownDependency = "unknown-dependency",
    /// A task that waits for another twice.
    RepeatedDependency = "repeated-dependency",
    /// A task that waits for another 400,000 times.
    ManyDependencies = "many-dependencies",
    /// A task for 100,000 candidates.
    ManyTargets = "many-targets",
    /// A task with 10,000 options.
    ManyOptions = "many-options",
    /// A task that is given the conversation 50,000 times.
    ManyInputs = "many-inputs",
    /// A task that is given 10,000 messages.
    ManyMessages = "many-messages",
    /// An answer of 20,000 pieces.
    LongAnswer = "long-answer",
    /// A candidate that does not exist.
    UnknownCandidate = "unknown-candidate",
    /// 500 tasks.
    TooManyTasks = "too-many-tasks",
    /// 20,000 tasks.
    HordeOfTasks = "horde-of-tasks",
    /// A task of 100,000 pieces of nothing.
    ManyParts = "many-parts",
    /// 40 tasks in a row.
    TooDeep = "too-deep",
    /// An answer from a task that does not exist.
    MissingAnswer = "missing-answer",
    /// The output of a task that need not have ended.
    NotAnAncestor = "not-an-ancestor",
    /// A task that leads to nothing.
    Idle = "idle",
    /// A limit of a billion tokens.
    TokenCap = "token-cap",
    /// An unknown operation.
    UnknownOperation = "unknown-operation",
    /// A part of the request that does not exist.
    UnknownPart = "unknown-part",
    /// An option that would multiply the bill.
    UnknownOption = "unknown-option",
    /// A value that would smuggle in further members.
    SmuggledOption = "smuggled-option",
    /// A name with a line end in it.
    ForgedName = "forged-name",
    /// State of 10 MB.
    HugeState = "huge-state",
    /// A task with 8 MB of text.
    HugeText = "huge-text",
    /// Resumes forever.
    EndlessResume = "endless-resume",
    /// A good plan, and then a bad one.
    CycleInResume = "cycle-in-resume",
    /// Traps in `resume`.
    TrapInResume = "trap-in-resume",
    /// Loops forever in `resume`.
    LoopInResume = "loop-in-resume",
}

impl Blunder {
    pub(crate) fn plan(self, candidates: usize) -> Result<Step, Refusal> {
        let last = candidates - 1;
        let task = |name: &str, after: &[u32]| Task {
            after: after.to_vec(),
            ..Task::chat(name, [last]).user([Part::text("hi")])
        };
        let only = |task: Task| raw(vec![task], Next::Answer(0));
        Ok(match self {
            Self::NoTask => raw(Vec::new(), Next::Answer(0)),
            Self::Cycle => cycle(&task),
            Self::SelfDependency => only(task("loner", &[0])),
            Self::UnknownDependency => only(task("waiter", &[7])),
            Self::RepeatedDependency => raw(vec![task("a", &[]), task("b", &[0, 0])], Next::Answer(1)),
            Self::ManyDependencies => raw(vec![task("a", &[]), task("b", &[0; 400_000])], Next::Answer(1)),
            Self::ManyTargets => only(Task::chat("vague", vec![last; 100_000]).user([Part::text("hi")])),
            Self::ManyOptions => only((0..10_000).fold(task("fussy", &[]), |task, _| task.option("seed", 1))),
            Self::ManyInputs => {
                only((0..50_000).fold(task("parrot", &[]), |task, _| task.conversation(Modalities::TEXT)))
            }
            Self::ManyMessages => {
                only((0..10_000).fold(task("chatty", &[]), |task, _| task.user([Part::text("")])))
            }
            Self::LongAnswer => raw(vec![task("a", &[])], Next::Compose(vec![Part::output(0); 20_000])),
            Self::UnknownCandidate => only(Task::chat("lost", [candidates]).user([Part::text("hi")])),
            Self::TooManyTasks => {
                raw((0..500).map(|at| task(&format!("t{at}"), &[])).collect(), Next::Resume(Vec::new()))
            }
            Self::HordeOfTasks => raw((0..20_000).map(|_| task("t", &[])).collect(), Next::Answer(0)),
            Self::ManyParts => only(task("crumbs", &[]).user(vec![Part::text(""); 100_000])),
            Self::TooDeep => {
                let after = |at: u32| at.checked_sub(1).into_iter().collect::<Vec<_>>();
                raw((0..40).map(|at| task(&format!("t{at}"), &after(at))).collect(), Next::Answer(39))
            }
            Self::MissingAnswer => raw(vec![task("a", &[])], Next::Answer(5)),
            Self::NotAnAncestor => {
                let early = Task { after: Vec::new(), ..task("early", &[]).user([Part::output(0)]) };
                raw(vec![task("a", &[]), early], Next::Answer(1))
            }
            Self::Idle => raw(vec![task("idle", &[]), task("b", &[])], Next::Answer(1)),
            Self::TokenCap => only(task("greedy", &[]).at_most(1 << 30)),
            Self::UnknownOperation => only(Task { operation: "painting".to_owned(), ..task("painter", &[]) }),
            Self::UnknownPart => {
                let nowhere = ContentRef { message: 99, part: 0, excerpt: None };
                only(task("blind", &[]).user([Part::Original(nowhere)]))
            }
            Self::UnknownOption => only(task("dear", &[]).option("n", 1_000)),
            Self::SmuggledOption => only(task("sly", &[]).option("temperature", "1,\"n\":1000")),
            Self::ForgedName => only(task("a\r\nx-injected: yes", &[])),
            Self::HugeState => raw(vec![task("a", &[])], Next::Resume(vec![0; 10 << 20])),
            Self::HugeText => only(task("wordy", &[]).user([Part::text("x".repeat(8 << 20))])),
            Self::EndlessResume | Self::CycleInResume | Self::TrapInResume | Self::LoopInResume => {
                let honest = Task::chat("honest", [last]).conversation(Modalities::TEXT);
                raw(vec![honest], Next::Resume(Vec::new()))
            }
        })
    }

    #[expect(clippy::empty_loop, reason = "one of the blunders")]
    pub(crate) fn resume(self, candidates: usize, results: &[TaskResult]) -> Result<Step, Refusal> {
        let last = candidates - 1;
        let first = results.len() as u32;
        match self {
            Self::EndlessResume => {
                let mut again = plan::Plan::after(results);
                again.add(Task::chat("again", [last]).conversation(Modalities::TEXT));
                Ok(again.resume(&(), "endless"))
            }
            Self::CycleInResume => Ok(cycle(&|name: &str, after: &[u32]| Task {
                after: after.iter().map(|at| first + at).collect(),
                ..Task::chat(name, [last]).user([Part::text("hi")])
            })),
            Self::TrapInResume => std::process::abort(),
            Self::LoopInResume => loop {},
            _ => Err(Refusal::Internal("never resumed".to_owned())),
        }
    }
}

fn cycle(task: &dyn Fn(&str, &[u32]) -> Task) -> Step {
    raw(vec![task("chicken", &[1]), task("egg", &[0])], Next::Resume(Vec::new()))
}
