//! Decision logs as traces: the requests that a gateway served, with what it measured.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bitflags::Flags;
use pointsman_domain::ids::KeyName;
use pointsman_domain::model::{Abilities, Modalities, Operation};
use pointsman_domain::request::RequestFacts;
use pointsman_record::{AttemptRecord, DecisionRecord, RecordReader};
use pointsman_terminal::CommandError;

use super::{MAX_ENTRIES, Recorded, TraceEntry};

/// Result of an attempt that gave an answer or an output.
const ANSWERED: &str = "answered";

/// Reads the records with an outcome.
pub(super) fn read(path: &Path) -> Result<(Vec<TraceEntry>, Recorded), CommandError> {
    let name = path.display();
    let reader = RecordReader::open(path)
        .map_err(|error| CommandError::Input(format!("error: cannot read {name}: {error}")))?;
    let (mut entries, mut recorded) = (Vec::new(), Recorded::default());
    for record in reader {
        let record = record
            .map_err(|error| CommandError::Input(format!("error: {name}:{}: {}", error.line, error.kind)))?;
        if entries.len() == MAX_ENTRIES {
            return Err(CommandError::Input(format!("error: {name} has more than {MAX_ENTRIES} requests")));
        }
        match entry(&record, &mut recorded) {
            Some(entry) => entries.push(entry),
            None => recorded.left_out += 1,
        }
    }
    Ok((entries, recorded))
}

fn entry(record: &DecisionRecord<'_>, recorded: &mut Recorded) -> Option<TraceEntry> {
    let outcome = record.outcome.as_ref()?;
    let facts = facts(record)?;
    recorded.cost_usd += outcome.cost_usd;
    if outcome.ending == ANSWERED {
        recorded.answered += 1;
        recorded.latency.add(milliseconds(outcome.latency_ms));
        if let Some(first_token) = outcome.first_token_ms {
            recorded.first_token.add(milliseconds(first_token));
        }
    } else {
        recorded.failed += 1;
    }
    // The mean over the calls that gave something stands for each call of a plan.
    let answered: Vec<&AttemptRecord<'_>> =
        record.attempts.iter().filter(|attempt| attempt.result == ANSWERED).collect();
    let mean = |of: fn(&AttemptRecord<'_>) -> u64| {
        let sum: u64 = answered.iter().map(|attempt| of(attempt)).sum();
        sum.checked_div(answered.len() as u64).map(|mean| u32::try_from(mean).unwrap_or(u32::MAX))
    };
    let input_tokens = match answered.as_slice() {
        [only] => u32::try_from(only.input_tokens).unwrap_or(u32::MAX),
        _ => facts.input_tokens,
    };
    Some(TraceEntry {
        at: Duration::from_millis(record.at_ms),
        input_tokens,
        output_tokens: mean(|attempt| attempt.output_tokens).unwrap_or(0),
        prefix: Arc::default(),
        facts: Some(Arc::new(facts)),
    })
}

fn milliseconds(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default()
}

fn facts(record: &DecisionRecord<'_>) -> Option<RequestFacts> {
    let request = &record.request;
    Some(RequestFacts {
        operation: Operation::from_name(&request.operation)?,
        tenant: record.key.as_deref().map(KeyName::new),
        session: request.session.as_deref().map(str::to_owned),
        input_tokens: request.input_tokens,
        max_output_tokens: request.max_output_tokens,
        inputs: flags::<Modalities>(&request.inputs)?,
        needs: flags::<Abilities>(&request.needs)?,
        // Models that lack what a request merely prefers served it then, and may do so again.
        negotiable_needs: flags::<Abilities>(&request.needs)?,
        turns: request.turns,
        streaming: request.streaming,
        deadline_ms: request.deadline_ms,
        budget_left: request.budget_left_usd,
        attributes: request.attributes.clone().into_owned(),
        ..RequestFacts::new(record.id.as_ref(), request.model.as_ref())
    })
}

/// Returns the flags with these names, or `None` if one is unknown.
fn flags<F: Flags>(names: &[Cow<'_, str>]) -> Option<F> {
    let mut all = F::empty();
    for name in names {
        all.insert(F::from_name(&name.to_ascii_uppercase().replace('-', "_"))?);
    }
    Some(all)
}
