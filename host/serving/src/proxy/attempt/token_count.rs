//! One call of a provider that counts the tokens of a request's input.

use std::pin::pin;

use http::HeaderMap;
use pointsman_backends::{Backend, BackendCall};
use pointsman_dialects::call::{TOKEN_COUNT_PATH, read_token_count, token_count_body};
use pointsman_dialects::request::ClientConversation;
use pointsman_domain::failure::CallTimeouts;
use pointsman_domain::model::{Model, Operation};

use super::{CallClock, ErrorAnswer, FailedAttempt, reading};
use crate::memory::MemoryLease;

/// Calls the provider of a model, and returns the tokens of the input. The call has no effect on the
/// health and the statistics of the model, which it does not run.
pub async fn count_tokens(
    backend: &Backend,
    model: &Model,
    request: &ClientConversation,
    headers: HeaderMap,
    timeouts: CallTimeouts,
    mut memory: MemoryLease,
) -> Result<u64, FailedAttempt> {
    let clock = CallClock::start(timeouts);
    let call = BackendCall {
        model,
        operation: Operation::Chat,
        path: TOKEN_COUNT_PATH,
        content_type: None,
        body: token_count_body(request, &model.upstream_name)?,
        headers,
    };
    let reply = clock.head(pin!(backend.call(call))).await??;
    match reply.status {
        200..300 => {
            let answer = reading::whole(reply.body, &clock, &mut memory).await?;
            Ok(read_token_count(&answer)?)
        }
        _ => Err(ErrorAnswer::read(reply, backend.dialect()).await),
    }
}
