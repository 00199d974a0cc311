//! Small plans that refer to the same content many times.

use pointsman_sdk::plan::{self, ContentRef, Part, Plan, Step, Task};
use pointsman_sdk::{Modalities, TaskResult, outline};

use super::Shape;

pub(crate) fn plan(shape: Shape, repeat: usize, mut plan: Plan) -> Step {
    match shape {
        Shape::RepeatOutput => {
            let first = plan.add(Task::chat("first", [0]).user([Part::text("hi")]));
            let parts = vec![Part::from(first); repeat];
            let answer = plan.add(Task::chat("answer", [0]).user(parts));
            plan.answer(answer, "repeat-output")
        }
        Shape::ComposeOutput => {
            let first = plan.add(Task::chat("first", [0]).user([Part::text("hi")]));
            plan.compose(vec![Part::from(first); repeat], "compose-output")
        }
        Shape::RepeatInSteps => {
            plan.add(repeated("first", repeat));
            plan.resume(&1, "repeat-in-steps")
        }
        Shape::FinishText => plan::finish(vec![newest_text(None); repeat], "finish-text"),
        Shape::Excerpts => {
            let bytes = outline::parts().last().map_or(0, |part| part.bytes);
            let excerpts = (0..repeat as u32).map(|at| {
                let from = bytes - 1 - at % bytes.min(1_000);
                newest_text(Some((from, from + 1)))
            });
            let answer = plan.add(Task::chat("answer", [0]).user(excerpts.collect::<Vec<_>>()));
            plan.answer(answer, "excerpts")
        }
        _ => {
            let answer = plan.add(repeated("answer", repeat));
            plan.answer(answer, "repeat-conversation")
        }
    }
}

pub(crate) fn second_step(repeat: usize, results: &[TaskResult]) -> Step {
    let mut plan = Plan::after(results);
    let answer = plan.add(repeated("second", repeat));
    plan.answer(answer, "repeat-in-steps")
}

fn repeated(name: &str, repeat: usize) -> Task {
    (0..repeat).fold(Task::chat(name, [0]), |task, _| task.conversation(Modalities::all()))
}

fn newest_text(excerpt: Option<(u32, u32)>) -> Part {
    let (message, part) = outline::parts().last().map_or((0, 0), |part| (part.message, part.part));
    Part::Original(ContentRef { message, part, excerpt })
}
