//! From what was found to tasks: one for each picture and recording, side by side,
//! and one that answers.

use pointsman_sdk::plan::{Part, Plan, Step, Task, TaskId, able};
use pointsman_sdk::{Abilities, Candidate, Modalities, Refusal, Request};
use pointsman_tradeoff::{Call, Preference};

use crate::found::{Found, Medium};
use crate::refusal;
use crate::settings::{FindingsAs, Settings};

/// One request with what was found in it.
pub(crate) struct Planner<'a> {
    settings: &'a Settings,
    request: &'a Request,
    candidates: &'a [Candidate],
    found: &'a Found<'a>,
    prefer: Preference,
}

/// The models for media, in the order in which they are tried.
struct Readers {
    pictures: Vec<usize>,
    recordings: Vec<usize>,
    /// True if recordings are transcribed; otherwise a chat model describes them.
    transcribe: bool,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        request: &'a Request,
        candidates: &'a [Candidate],
        found: &'a Found<'a>,
    ) -> Self {
        let prefer = settings.prefer.or_as_the_client_says();
        Self { settings, request, candidates, found, prefer }
    }

    pub(crate) fn step(&self) -> Result<Step, Refusal> {
        let readers = self.readers()?;
        let answering = self.answering()?;
        let mut plan = Plan::new();
        let Some(&first) = answering.first() else {
            // What is said in a recording is an answer of sorts, and nothing else is.
            // It can't be left out.
            let ids = plan.fan_out(&self.found.media, |medium| self.task(medium, &readers));
            return Ok(plan
                .compose(transcript(&ids), "multimodal:transcript")
                .because(format_args!("{}; no model answers in text", self.describe_readers(&readers))));
        };
        let ids = plan.fan_out(&self.found.media, |medium| {
            let task = self.task(medium, &readers);
            if self.settings.optional { task.optional() } else { task }
        });
        let answer = plan.add(self.answer(answering, &ids));
        let why = format!("{}; {} answers", self.describe_readers(&readers), self.candidates[first].id);
        Ok(plan.answer(answer, "multimodal:parts").because(why))
    }

    /// Selects the models that read pictures and recordings.
    fn readers(&self) -> Result<Readers, Refusal> {
        let has = |picture| self.found.media.iter().any(|medium| medium.is_picture() == picture);
        let mut readers = Readers { pictures: Vec::new(), recordings: Vec::new(), transcribe: false };
        if has(true) {
            let eyes = able(self.candidates, "chat", Modalities::TEXT | Modalities::IMAGE);
            readers.pictures = self.order(&eyes, "vision", 0)?;
            if readers.pictures.is_empty() {
                return Err(refusal::nobody_reads("pictures"));
            }
        }
        if has(false) {
            let typists = able(self.candidates, "transcription", Modalities::AUDIO);
            let ears = able(self.candidates, "chat", Modalities::TEXT | Modalities::AUDIO);
            // Healthy ones are first, so the first is unhealthy only if all are.
            let is_healthy = |order: &[usize]| order.first().is_some_and(|&it| self.candidates[it].healthy);
            readers.transcribe = is_healthy(&typists) || (!typists.is_empty() && !is_healthy(&ears));
            readers.recordings = self.order(if readers.transcribe { &typists } else { &ears }, "audio", 0)?;
            if readers.recordings.is_empty() {
                return Err(refusal::nobody_reads("recordings"));
            }
        }
        Ok(readers)
    }

    /// Selects the models that answer; none if the request asks only for a transcript.
    fn answering(&self) -> Result<Vec<usize>, Refusal> {
        let mut able = able(self.candidates, "chat", Modalities::TEXT);
        able.retain(|&index| self.candidates[index].abilities.contains(self.request.needs));
        let asks_for_more = !(self.request.needs - Abilities::STREAMING).is_empty();
        if able.is_empty() && (asks_for_more || self.request.inputs != Modalities::AUDIO) {
            return Err(refusal::nobody_answers(self.request.needs));
        }
        self.order(&able, "chat", self.request.input_tokens)
    }

    fn order(&self, able: &[usize], task: &str, room: u32) -> Result<Vec<usize>, Refusal> {
        let (request, candidates) = (self.request, self.candidates);
        let calls = self.found.media.len() + 1;
        Call { request, candidates, task, room, calls }.order(able, self.prefer)
    }

    fn task(&self, medium: &Medium<'_>, readers: &Readers) -> Task {
        let name = medium.task_name();
        let settings = self.settings;
        let mut task = match (medium.is_picture(), readers.transcribe) {
            (true, _) => Task::chat(name, readers.pictures.iter().copied())
                .user(self.with_question(&settings.picture_instruction, medium))
                .at_most(settings.max_output_tokens),
            (false, true) => Task::transcription(name, readers.recordings.iter().copied(), medium.part),
            (false, false) => Task::chat(name, readers.recordings.iter().copied())
                .user([Part::text(&settings.recording_instruction), medium.part.into()])
                .at_most(settings.max_output_tokens),
        };
        task.timeout_ms = self.time();
        task
    }

    /// The instruction, the text that the picture came with, and the picture.
    fn with_question(&self, instruction: &str, medium: &Medium<'_>) -> Vec<Part> {
        let mut parts = vec![Part::text(instruction)];
        if self.settings.with_question && !medium.question.is_empty() {
            parts.push(Part::text("\n\nThe message that it came with:"));
            for &text in &medium.question {
                parts.extend([Part::text("\n"), text.into()]);
            }
        }
        parts.push(medium.part.into());
        parts
    }

    /// The timeout of a task that reads media: at most half of the time that the request has
    /// left, so that a model that hangs leaves time for the answer.
    fn time(&self) -> Option<u32> {
        let half = self.request.deadline_ms.map(|left| (left / 2).max(1));
        half.into_iter().chain(self.settings.timeout_ms).min()
    }

    /// The task that answers. Where the newest message is no text, the findings are
    /// what the person says, and come last. A loop of tool calls goes on from its last
    /// message, so nothing follows that.
    fn answer(&self, answering: Vec<usize>, tasks: &[TaskId]) -> Task {
        let findings = self.findings(tasks);
        let mut answer = Task::chat("answer", answering);
        let has_text = self.request.inputs.contains(Modalities::TEXT);
        let in_loop = has_text && self.request.needs.contains(Abilities::TOOLS);
        if in_loop || self.found.asks_in_words && self.settings.findings_as == FindingsAs::System {
            return answer.system(findings).conversation(Modalities::TEXT);
        }
        if has_text {
            answer = answer.conversation(Modalities::TEXT);
        }
        answer.user(findings)
    }

    fn findings(&self, tasks: &[TaskId]) -> Vec<Part> {
        let mut parts = vec![Part::text(&self.settings.answer_instruction)];
        if self.found.left_out > 0 {
            let left_out = self.found.left_out;
            parts.push(Part::text(format!("\n\nOlder pictures and recordings, not looked at: {left_out}")));
        }
        for (medium, &task) in self.found.media.iter().zip(tasks) {
            parts.push(Part::text(format!("\n\n{}:\n", medium.title())));
            parts.push(Part::output_or(task, &self.settings.otherwise));
        }
        parts
    }

    /// `2 pictures to fleet/clip, 1 recording to fleet/whisper`
    fn describe_readers(&self, readers: &Readers) -> String {
        let pictures = self.found.media.iter().filter(|medium| medium.is_picture()).count();
        let recordings = self.found.media.len() - pictures;
        let describe = |count, what: &str, order: &[usize]| {
            let model = &self.candidates[*order.first()?].id;
            Some(format!("{count} {what}{} to {model}", if count == 1 { "" } else { "s" }))
        };
        let descriptions = [
            describe(pictures, "picture", &readers.pictures),
            describe(recordings, "recording", &readers.recordings),
        ];
        descriptions.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// The transcripts of recordings, in order.
fn transcript(tasks: &[TaskId]) -> Vec<Part> {
    let mut parts = Vec::new();
    for (at, &task) in tasks.iter().enumerate() {
        if at > 0 {
            parts.push(Part::text("\n\n"));
        }
        parts.push(task.into());
    }
    parts
}
