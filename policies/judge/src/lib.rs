//! A small model says what a request is like, and so which model gets it. Settings and labels: README.md.

use pointsman_kinds::{helpers, is_asked_about, route, route_otherwise};
use pointsman_sdk::plan::{Plan, Step};
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Orchestrator, TaskResult, ask};

mod settings;

pub use settings::{Kind, Settings};

/// Name of the task that asks.
const TASK: &str = "judge";
/// Bytes of a reply that are read.
const REPLY_BYTES: usize = 256;

/// The policy.
#[derive(Clone, Debug)]
pub struct Judge {
    settings: Settings,
}

impl Orchestrator for Judge {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        settings.check()?;
        Ok(Self { settings })
    }

    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
        if !is_asked_about(request, self.settings.with_tools) {
            return self.otherwise(
                request,
                candidates,
                "judge:skipped",
                "requests of this form are not judged",
            );
        }
        let helpers = helpers(request, candidates, "chat", self.settings.model.as_ref());
        if helpers.is_empty() {
            return self.otherwise(request, candidates, "judge:skipped", "there is no healthy judge");
        }
        let Some(message) = ask::newest_user_message(self.settings.max_bytes) else {
            let why = "the newest message has no text, or too much";
            return self.otherwise(request, candidates, "judge:skipped", why);
        };
        let time = ask::time(request, self.settings.timeout_ms);
        let mut plan = Plan::new();
        plan.add(ask::about(TASK, helpers, self.settings.instruction(), message).in_time(time));
        Ok(plan.resume(&(), "judge"))
    }

    fn resume(
        &mut self,
        request: &Request,
        candidates: &[Candidate],
        _: &[u8],
        results: &[TaskResult],
    ) -> Result<Step, Refusal> {
        let Some(reply) = ask::reply(results, TASK, REPLY_BYTES) else {
            return self.otherwise(
                request,
                candidates,
                "judge:unanswered",
                "the judge did not reply in time",
            );
        };
        let kinds = &self.settings.kinds;
        let said =
            ask::choice(&reply, kinds.keys().map(String::as_str)).and_then(|name| kinds.get_key_value(name));
        match said {
            None => {
                self.otherwise(request, candidates, "judge:unclear", "the judge named no kind, or several")
            }
            Some((name, kind)) => {
                let decision = route(request, candidates, &kind.models(), format!("judge:{name}"))?;
                Ok(Step::Route(decision.because(format_args!("judged {name}"))))
            }
        }
    }
}

impl Judge {
    fn otherwise(
        &self,
        request: &Request,
        candidates: &[Candidate],
        label: &str,
        why: &str,
    ) -> Result<Step, Refusal> {
        let kind = self.settings.otherwise.as_ref().and_then(|name| self.settings.kinds.get(name));
        route_otherwise(request, candidates, kind.map(Kind::models).as_ref(), label, why)
    }
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Judge, orchestrator);

#[cfg(test)]
mod tests;
