//! The facts that candidates are filtered by and policies decide on.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pointsman_domain::ids::KeyName;
use pointsman_domain::model::Operation;
use pointsman_domain::request::RequestFacts;
use pointsman_wire::openai::client::ChatRequest;

use super::headers::Wishes;

/// A new decision id: a UUID of version 7, so that ids sort by time.
pub(super) fn decision_id() -> String {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut random = [0; 10];
    fastrand::fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(since_epoch.as_millis() as u64, &random).into_uuid().to_string()
}

/// What a policy may know of a request without reading it.
pub(super) fn of(
    id: String,
    request: &ChatRequest,
    wishes: Wishes,
    tenant: Option<KeyName>,
    deadline: Instant,
) -> RequestFacts {
    let mut facts = RequestFacts {
        id,
        operation: Operation::Chat,
        model: request.model.clone(),
        tenant,
        session: wishes.session,
        input_tokens: request.input_tokens,
        least_input_tokens: request.least_input_tokens,
        max_output_tokens: request.max_output_tokens,
        inputs: request.inputs,
        needs: request.needs,
        negotiable_needs: request.negotiable_needs,
        turns: request.turns,
        streaming: request.streaming,
        deadline_ms: None,
        budget_left: None,
        attributes: wishes
            .prefer
            .map(|wish| ("prefer".to_owned(), wish))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    };
    facts.set_time_left(deadline.saturating_duration_since(Instant::now()));
    facts
}
