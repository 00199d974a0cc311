use std::sync::Arc;

use super::*;
use crate::candidate::Candidate;
use crate::model::{Abilities, Model};
use crate::prompt::{ContentPart, Prompt};
use crate::request::RequestFacts;

mod arbitrary;
mod assembly;
mod critical_path;
mod progress;
mod properties;
mod rules;
mod spending;

/// Conversation of one message: a text, an image and a recording.
struct Content;

const TEXT: &str = "naïve";

impl Prompt for Content {
    fn message_count(&self) -> usize {
        1
    }

    fn role(&self, message: usize) -> Option<&str> {
        (message == 0).then_some("user")
    }

    fn text(&self, message: usize) -> Option<&str> {
        self.part_text(message, 0)
    }

    fn tool_names(&self) -> &[String] {
        &[]
    }

    fn parts(&self) -> &[ContentPart] {
        const fn part(part: usize, kind: Modalities) -> ContentPart {
            ContentPart { message: 0, part, kind, bytes: 6 }
        }
        const PARTS: &[ContentPart] =
            &[part(0, Modalities::TEXT), part(1, Modalities::IMAGE), part(2, Modalities::AUDIO)];
        PARTS
    }

    fn part_text(&self, message: usize, part: usize) -> Option<&str> {
        ((message, part) == (0, 0)).then_some(TEXT)
    }
}

fn facts() -> RequestFacts {
    RequestFacts {
        input_tokens: 100,
        inputs: Modalities::TEXT | Modalities::IMAGE | Modalities::AUDIO,
        needs: Abilities::TOOLS,
        ..RequestFacts::new("test", "auto")
    }
}

fn candidate(name: &str, operation: Operation, inputs: Modalities) -> Candidate {
    let model = Model {
        operations: vec![operation],
        inputs,
        abilities: if name == "able" { Abilities::TOOLS } else { Abilities::empty() },
        ..Model::new("fake", name)
    };
    let live = model.live.snapshot(&model.expected, std::time::Instant::now());
    Candidate { model: Arc::new(model), live }
}

/// Candidates: 0 can serve the whole request; 1 accepts text and images, 2 text, 3 transcribes, 4
/// embeds.
fn candidates() -> Vec<Candidate> {
    let (text, image, audio) = (Modalities::TEXT, Modalities::IMAGE, Modalities::AUDIO);
    vec![
        candidate("able", Operation::Chat, text | image | audio),
        candidate("eye", Operation::Chat, text | image),
        candidate("tongue", Operation::Chat, text),
        candidate("ear", Operation::Transcription, audio),
        candidate("embedder", Operation::Embedding, text),
    ]
}

fn target(candidate: usize) -> Target {
    Target { candidate, timeout: None }
}

fn message(content: Vec<ComposedPart>) -> TaskInput {
    TaskInput::Message(ComposedMessage { role: MessageRole::User, content })
}

fn text(text: &str) -> ComposedPart {
    ComposedPart::Text(text.to_owned())
}

fn output(task: usize) -> ComposedPart {
    ComposedPart::Output(OutputRef { task, otherwise: None })
}

fn original(part: usize) -> ComposedPart {
    ComposedPart::Original(ContentRef { message: 0, part, excerpt: None })
}

/// Chat with the model that reads.
fn task(name: &str, after: &[usize]) -> TaskProposal {
    TaskProposal {
        name: name.to_owned(),
        operation: "chat".to_owned(),
        targets: vec![target(2)],
        input: vec![message(vec![text("hi")])],
        after: after.to_vec(),
        optional: false,
        max_output_tokens: None,
        timeout: None,
        hedge_after: None,
        options: Vec::new(),
    }
}

/// Plan whose last task answers, with a model that can.
fn plan(mut tasks: Vec<TaskProposal>) -> PlanProposal {
    if let Some(last) = tasks.last_mut() {
        last.targets = vec![target(0)];
    }
    let next = Continuation::Answer(tasks.len().saturating_sub(1));
    PlanProposal { tasks, next, label: "test".to_owned(), reason: None }
}

fn checked(proposal: PlanProposal) -> Result<Plan, InvalidPlan> {
    checked_after(0, proposal, PlanLimits::default())
}

fn checked_after(first: usize, proposal: PlanProposal, limits: PlanLimits) -> Result<Plan, InvalidPlan> {
    let (request, candidates) = (facts(), candidates());
    let scope = PlanScope {
        request: &request,
        content: &Content,
        candidates: &candidates,
        whole: 1,
        first,
        limits: &limits,
    };
    proposal.validate(&scope)
}
