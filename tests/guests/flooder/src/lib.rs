//! A policy that calls an imported function, named by its settings, in an endless loop. It
//! imports every interface of the contract, so it needs every grant except WASI's.

use pointsman_sdk::plan::Step;
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Orchestrator, TaskResult, details, log, outline, outputs, prompt, settings, state};
use serde::Deserialize;

/// The id of the load gate's request.
const TRIAL: &str = "trial";

macro_rules! floods {
    ($($flood:ident = $name:literal => $call:expr,)*) => {
        /// An imported function, by `interface.function`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[expect(missing_docs, reason = "the name says it")]
        pub enum Flood {
            $(#[serde(rename = $name)] $flood,)*
        }

        impl Flood {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$flood),*];

            /// Returns the name in the settings and in the contract.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$flood => $name,)*
                }
            }

            fn call(self) {
                match self {
                    $(Self::$flood => drop($call),)*
                }
            }
        }
    };
}

floods! {
    SettingsJson = "settings.json" => settings::json(),
    LogWrite = "log.write" => log::info("flood"),
    DetailsRequestAttribute = "details.request-attribute" => details::request_attribute("prefer"),
    DetailsCandidateAttribute = "details.candidate-attribute" => details::candidate_attribute(0, "x"),
    DetailsTaskQuality = "details.task-quality" => details::task_quality(0, "code"),
    DetailsCandidateOperations = "details.candidate-operations" => details::candidate_operations(0),
    PromptMessageCount = "prompt.message-count" => prompt::message_count(),
    PromptRole = "prompt.role" => prompt::role(0),
    PromptText = "prompt.text" => prompt::text(0, 10),
    PromptLastUserText = "prompt.last-user-text" => prompt::last_user_text(10),
    PromptToolNames = "prompt.tool-names" => prompt::tool_names(),
    OutlineParts = "outline.parts" => outline::parts(),
    OutlineWhole = "outline.whole" => outline::whole(),
    OutputsText = "outputs.text" => outputs::text(0, 10),
    StateGet = "state.get" => state::get("k"),
    StateSet = "state.set" => state::set("k", "v"),
    StateDelete = "state.delete" => state::delete("k"),
    StateAdd = "state.add" => state::add("n", 1),
    StateList = "state.list" => state::list(""),
}

/// The function to call; without one, nothing is called.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    flood: Option<Flood>,
}

/// The policy.
pub struct Flooder(Settings);

impl Orchestrator for Flooder {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
        if let Some(flood) = self.0.flood.filter(|_| request.id != TRIAL) {
            loop {
                flood.call();
            }
        }
        Ok(Step::Route(Decision::of(0..candidates.len(), "calm")))
    }

    fn resume(&mut self, _: &Request, _: &[Candidate], _: &[u8], _: &[TaskResult]) -> Result<Step, Refusal> {
        Err(Refusal::Internal("never resumed".to_owned()))
    }
}

pointsman_sdk::export!(Flooder, orchestrator);
