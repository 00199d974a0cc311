//! Decisions of a policy over requests, in the sandbox of the gateway.

use pointsman_author::case::format::{CandidateEntry, CandidateFormat, RequestFormat};
use pointsman_author::case::input::{input_of, limits};
use pointsman_author::subject::{LoadOptions, PolicyFile, Sandbox, Subject, not_loadable};
use pointsman_domain::plan::PlanStep;
use pointsman_evaluation::graded::ModelFacts;
use pointsman_policy::{Isolation, PolicyAnswer};
use pointsman_terminal::{CommandError, Progress};

use crate::policy_chain::{RECYCLE_AFTER, patient};

/// A policy to be run, with its settings.
pub(crate) struct Router<'s> {
    subject: Subject<'s>,
    source: String,
    options: LoadOptions,
}

impl<'s> Router<'s> {
    /// Prepares a policy, whose instances are kept between decisions or not. Nothing is loaded yet.
    pub(crate) fn new(
        sandbox: &'s Sandbox,
        file: &'s PolicyFile,
        number: usize,
        settings: String,
        keeps_instances: bool,
    ) -> Self {
        let isolation = if keeps_instances {
            // Decisions are made one after the other, so one instance is enough.
            Isolation::Warm { recycle_after: RECYCLE_AFTER, instances: 1 }
        } else {
            Isolation::Fresh
        };
        let options = LoadOptions { settings, grants: None, limits: patient(limits(None)), isolation };
        Self { subject: Subject::numbered(sandbox, file, number), source: file.source.clone(), options }
    }

    /// Returns the model that the policy chooses for each request.
    ///
    /// # Errors
    /// Fails with exit status 3 if the policy cannot be loaded, and with 1 if it fails, refuses or plans.
    pub(crate) fn decide(
        &mut self,
        requests: &[RequestFormat],
        candidates: &[CandidateEntry],
    ) -> Result<Vec<usize>, CommandError> {
        let policy = self.subject.load(&self.options).map_err(|error| not_loadable(&self.source, &error))?;
        let mut progress = Progress::stderr("decisions", requests.len());
        let mut chosen = Vec::with_capacity(requests.len());
        for (number, request) in requests.iter().enumerate() {
            let input = input_of(request, candidates, None, policy.orchestrates());
            let names: Vec<String> = input.candidates.iter().map(|it| it.model.id.to_string()).collect();
            let answer = self.subject.sandbox().wait(policy.decide(input));
            progress.advance();
            let fault = |what: String| {
                Err(CommandError::Run(format!("error: {}: request {}: {what}", self.source, number + 1)))
            };
            let target = match answer {
                Ok(PolicyAnswer::Step(PlanStep::Route(decision))) => {
                    decision.targets().first().map(|target| target.candidate)
                }
                Ok(PolicyAnswer::Step(_)) => {
                    return fault(
                        "it splits the request into tasks, whose outcomes are not recorded\n  = hint: policies that \
                         choose one model for a request can be evaluated"
                            .to_owned(),
                    );
                }
                Ok(PolicyAnswer::Refusal(refusal)) => return fault(format!("it refuses: {refusal:?}")),
                Err(failure) => return fault(failure.to_string()),
            };
            // The order of candidates may be another one for a policy that orchestrates.
            let name = target.and_then(|target| names.get(target));
            let model = name.and_then(|name| candidates.iter().position(|entry| id(entry) == Some(name)));
            match model {
                Some(model) => chosen.push(model),
                None => return fault("it chose no candidate".to_owned()),
            }
        }
        Ok(chosen)
    }
}

fn id(entry: &CandidateEntry) -> Option<&String> {
    match entry {
        CandidateEntry::Facts(facts) => Some(&facts.id),
        CandidateEntry::Id(_) => None,
    }
}

/// Backend of models whose name has none.
const BACKEND: &str = "recorded";

/// Returns candidates with the facts of models; with quality by kind of task if that is asked for.
pub(crate) fn candidates(facts: &[ModelFacts], by_kind: bool) -> Vec<CandidateEntry> {
    let of = |model: &ModelFacts| {
        let id = if model.model.contains('/') {
            model.model.clone()
        } else {
            format!("{BACKEND}/{}", model.model)
        };
        let kinds = model.by_kind.iter().map(|(kind, quality)| ((*kind).to_owned(), *quality));
        CandidateEntry::Facts(Box::new(CandidateFormat {
            id,
            input_price: Some(model.input_price),
            output_price: Some(model.output_price),
            quality: Some(model.score),
            task_quality: if by_kind { kinds.collect() } else { Default::default() },
            first_token_ms: model.first_token_ms,
            tokens_per_second: model.tokens_per_second,
            ..CandidateFormat::default()
        }))
    };
    facts.iter().map(of).collect()
}
