//! Pictures and sound to the models that take them, in one plan: what the policies
//! `multimodal` and `auto` have in common. Settings, labels and a drawing of the
//! plan: policies/multimodal/README.md.
//!
//! A library for the same reason as `pointsman-tradeoff`. It reads no content: media
//! and texts travel by reference.

use pointsman_sdk::plan::{Step, is_too_long};
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Abilities, Modalities, Orchestrator, outline};
use pointsman_tradeoff::Call;

mod found;
mod planner;
mod refusal;
mod settings;

use planner::Planner;
pub use settings::{FindingsAs, Settings};

/// The policy.
#[derive(Clone, Debug)]
pub struct Multimodal {
    settings: Settings,
}

/// The kind of request, as far as its outline shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Text alone, pictures alone, or sound alone.
    Single,
    /// Several of these.
    Mixed,
    /// Something that can't be cut: other kinds of content, or no chat.
    Solid,
}

impl Orchestrator for Multimodal {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        settings.check()?;
        Ok(Self { settings })
    }

    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
        match self.cut(request, candidates)? {
            Some(step) => Ok(step),
            None => self.route(request, candidates).map(Step::Route),
        }
    }
}

impl Multimodal {
    /// A plan for a request with several kinds of content, or with one that no model
    /// can serve by itself. `None` for any other: then there is at least one
    /// candidate that can serve it whole, and it only has to be routed.
    ///
    /// # Errors
    /// No candidate where nothing can be cut or no model takes a part; denied where
    /// the budget can't pay.
    pub fn cut(&self, request: &Request, candidates: &[Candidate]) -> Result<Option<Step>, Refusal> {
        let is_whole = outline::whole() > 0;
        let shape = Shape::of(request);
        // A loop of tool calls stays with one model if one can follow it.
        let keep_whole = self.settings.whole_first || request.needs.contains(Abilities::TOOLS);
        if is_whole && (shape != Shape::Mixed || keep_whole) {
            return Ok(None);
        }
        if is_too_long(request, candidates) {
            return Err(refusal::too_long());
        }
        if shape == Shape::Solid {
            return Err(refusal::cannot_be_cut(request));
        }
        let parts = outline::parts();
        let found = found::find(&parts, self.settings.max_parts);
        match (found.media.is_empty(), is_whole) {
            (true, true) => Ok(None),
            (true, false) => Err(refusal::nothing_to_cut()),
            (false, _) => Planner::new(&self.settings, request, candidates, &found).step().map(Some),
        }
    }

    /// The models that can serve the whole request, as preferred.
    fn route(&self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let prefer = self.settings.prefer.or_as_the_client_says();
        let task = match request.inputs {
            kinds if kinds.contains(Modalities::AUDIO) => "audio",
            kinds if kinds.intersects(Modalities::IMAGE | Modalities::VIDEO) => "vision",
            _ => "chat",
        };
        let whole: Vec<usize> = (0..outline::whole()).collect();
        let call = Call { request, candidates, task, room: request.input_tokens, calls: 1 };
        let order = call.order(&whole, prefer)?;
        let label = match Shape::of(request) {
            Shape::Single => "multimodal:single",
            Shape::Mixed | Shape::Solid => "multimodal:whole",
        };
        let why = format!("{} can serve it whole; first by {}", candidates[order[0]].id, prefer.name());
        Ok(Decision::of(order, label).because(why))
    }
}

impl Shape {
    fn of(request: &Request) -> Self {
        let cut = Modalities::TEXT | Modalities::IMAGE | Modalities::AUDIO;
        if request.operation != "chat" || !cut.contains(request.inputs) {
            return Self::Solid;
        }
        if request.inputs.iter().count() > 1 { Self::Mixed } else { Self::Single }
    }
}
