//! Records as inputs of a policy, without cases in between.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use pointsman_domain::candidate::Candidate;
use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::live::LiveSnapshot;
use pointsman_domain::model::{Abilities, Modalities, Model, Operation, Quality};
use pointsman_domain::money::Price;
use pointsman_domain::plan::PlanLimits;
use pointsman_domain::request::RequestFacts;
use pointsman_policy::{DecisionInput, Orchestration, StateUse};
use pointsman_record::{CandidateRecord, DecisionEntryRecord, DecisionRecord, RequestRecord};

use super::{VisibleFacts, messages};
use crate::case::content::CaseContent;
use crate::case::words::{Ability, ContentKind};

/// Most models that are kept.
const MAX_MODELS: usize = 4_096;
/// Backend of candidates whose id names none.
const BACKEND: &str = "example";

/// Makes the inputs of a policy from records: the same as from their cases, and faster. Facts of models that do not
/// change from one record to the next are kept. A policy that cannot split requests sees the candidates that can serve
/// the whole request, as in the gateway.
#[derive(Debug)]
pub struct InputBuilder {
    visible: VisibleFacts,
    orchestrates: bool,
    models: HashMap<Box<str>, (CandidateRecord<'static>, Arc<Model>)>,
    /// Content of requests that the policy does not read.
    unread: Arc<CaseContent>,
}

impl InputBuilder {
    /// Creates a builder for a policy that sees these facts.
    pub fn new(visible: VisibleFacts, orchestrates: bool) -> Self {
        Self { visible, orchestrates, models: HashMap::new(), unread: Arc::default() }
    }

    /// Makes the input of one of a record's decisions.
    ///
    /// # Errors
    /// Fails with the reason if the record lacks a fact that the policy can see. Nothing is guessed.
    pub fn input(
        &mut self,
        record: &DecisionRecord<'_>,
        entry: &DecisionEntryRecord<'_>,
    ) -> Result<DecisionInput, String> {
        let content = self.visible.recorded(record, entry)?;
        let request = request_facts(record)?;
        let whole = entry.whole.min(entry.candidates.len());
        let seen = if self.orchestrates { entry.candidates.len() } else { whole };
        if seen == 0 {
            return Err("no candidate can serve the whole request".to_owned());
        }
        let candidates = entry.candidates.iter().take(seen).map(|candidate| self.candidate(candidate));
        let candidates: Vec<Candidate> = candidates.collect::<Result<_, _>>()?;
        let prompt = match content {
            None => Arc::clone(&self.unread),
            Some(content) => Arc::new(CaseContent::new(Some(&messages(content)), &[])),
        };
        Ok(DecisionInput {
            request: Arc::new(request),
            candidates: candidates.into(),
            prompt,
            orchestration: Orchestration { whole, limits: PlanLimits::default(), results: Arc::default() },
            state: StateUse::default(),
        })
    }

    fn candidate(&mut self, record: &CandidateRecord<'_>) -> Result<Candidate, String> {
        let model = match self.models.get(&*record.model) {
            Some((known, model)) if has_same_model(known, record) => Arc::clone(model),
            _ => {
                let model = Arc::new(model(record)?);
                if self.models.len() >= MAX_MODELS {
                    self.models.clear();
                }
                self.models.insert((&*record.model).into(), (owned(record), Arc::clone(&model)));
                model
            }
        };
        let live = LiveSnapshot {
            healthy: record.healthy,
            resting: false,
            in_flight: record.in_flight,
            first_token_ms: record.first_token_ms,
            tokens_per_second: record.tokens_per_second,
            error_rate: record.error_rate,
        };
        Ok(Candidate { model, live })
    }
}

fn request_facts(record: &DecisionRecord<'_>) -> Result<RequestFacts, String> {
    let RequestRecord {
        operation,
        model,
        session,
        input_tokens,
        max_output_tokens,
        inputs,
        needs,
        turns,
        streaming,
        deadline_ms,
        budget_left_usd,
        attributes,
    } = &record.request;
    Ok(RequestFacts {
        operation: self::operation(operation)?,
        tenant: record.key.as_deref().map(KeyName::new),
        session: session.as_deref().map(str::to_owned),
        input_tokens: *input_tokens,
        max_output_tokens: *max_output_tokens,
        inputs: modalities(inputs)?,
        needs: abilities(needs)?,
        turns: *turns,
        streaming: *streaming,
        deadline_ms: *deadline_ms,
        budget_left: *budget_left_usd,
        attributes: attributes.clone().into_owned(),
        ..RequestFacts::new(&*record.id, &**model)
    })
}

fn model(record: &CandidateRecord<'_>) -> Result<Model, String> {
    let (backend, name) = record.model.split_once('/').unwrap_or((BACKEND, &record.model));
    // Records of the first version do not have operations.
    let operations = match record.operations.as_slice() {
        [] => vec![Operation::Chat],
        operations => operations.iter().map(|name| operation(name)).collect::<Result<_, _>>()?,
    };
    Ok(Model {
        id: ModelId::new(&*record.model),
        operations,
        inputs: modalities(&record.inputs)?,
        abilities: abilities(&record.abilities)?,
        context_window: record.context_window,
        max_output_tokens: record.max_output_tokens,
        price: Price::per_million(record.input_usd_per_million, record.output_usd_per_million),
        quality: Quality { general: record.quality, by_task: record.quality_by_task.clone().into_owned() },
        attributes: record.attributes.clone().into_owned(),
        ..Model::new(backend, name)
    })
}

/// Returns whether two candidates are the same model with the same facts, beside those that change all the time.
fn has_same_model(known: &CandidateRecord<'_>, record: &CandidateRecord<'_>) -> bool {
    known.input_usd_per_million == record.input_usd_per_million
        && known.output_usd_per_million == record.output_usd_per_million
        && known.context_window == record.context_window
        && known.max_output_tokens == record.max_output_tokens
        && known.inputs == record.inputs
        && known.abilities == record.abilities
        && known.operations == record.operations
        && known.quality == record.quality
        && known.quality_by_task == record.quality_by_task
        && known.attributes == record.attributes
}

fn owned(record: &CandidateRecord<'_>) -> CandidateRecord<'static> {
    let words = |words: &[Cow<'_, str>]| words.iter().map(|word| Cow::Owned(word.to_string())).collect();
    CandidateRecord {
        model: Cow::Owned(record.model.to_string()),
        inputs: words(&record.inputs),
        abilities: words(&record.abilities),
        operations: words(&record.operations),
        quality_by_task: Cow::Owned(record.quality_by_task.clone().into_owned()),
        attributes: Cow::Owned(record.attributes.clone().into_owned()),
        ..*record
    }
}

fn unknown(word: &str) -> String {
    format!("the unknown word `{word}`")
}

fn operation(name: &str) -> Result<Operation, String> {
    Operation::from_name(name).ok_or_else(|| unknown(name))
}

fn modalities(words: &[Cow<'_, str>]) -> Result<Modalities, String> {
    words
        .iter()
        .map(|word| ContentKind::of(word).map(ContentKind::value).ok_or_else(|| unknown(word)))
        .collect()
}

fn abilities(words: &[Cow<'_, str>]) -> Result<Abilities, String> {
    words.iter().map(|word| Ability::of(word).map(Ability::value).ok_or_else(|| unknown(word))).collect()
}
