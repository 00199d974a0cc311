//! Reads a request: authentication, options, and the body, which is scanned as it arrives.

use std::time::{Duration, Instant};

use axum::body::Body;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request};
use pointsman_dialects::protocol::{ForwardedApi, Protocol};
use pointsman_dialects::request::{ClientRequest, ClientRequestScan};
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_serving::app::App;
use pointsman_serving::memory::{HeldFor, MemoryLease};
use pointsman_serving::proxy::request::{AcceptedRequest, IncomingRequest};
use pointsman_serving::snapshot::Snapshot;
use pointsman_wire::form::boundary_of;

use self::decoded_body::DecodedBody;
use super::request_options;

mod decoded_body;
mod form;

/// Length up to which a body is parsed in the thread of its request, in bytes: about a millisecond.
const PARSED_AT_ONCE: usize = 256 << 10;
/// Time in which a client has to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// Purpose of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum RequestPurpose {
    /// An answer, in a protocol.
    Answer(Protocol),
    /// The number of tokens of a message.
    TokenCount,
}

/// Reads and accepts a request that has just arrived.
pub(super) async fn read<'a>(
    app: &App,
    snapshot: &'a Snapshot,
    purpose: RequestPurpose,
    request: Request<Body>,
) -> Result<AcceptedRequest<'a>, ServingError> {
    let (parts, mut body) = request.into_parts();
    let arrived = Instant::now();
    let key = app.authenticate(snapshot, &parts.headers)?;
    let options = request_options::read(&parts.headers)?;
    let mut body_memory = app.memory.lease(HeldFor::RequestBodies, snapshot.config.memory);
    let mut timed_from = arrived;
    let body = match body_kind(purpose, &parts.headers)? {
        BodyKind::Json => {
            let limit = snapshot.max_body_bytes;
            let scan = match purpose {
                RequestPurpose::Answer(protocol) => ClientRequestScan::new(protocol, limit),
                RequestPurpose::TokenCount => ClientRequestScan::count_tokens(limit),
            };
            client_request(scan, &parts.headers, &mut body, limit, &mut body_memory).await?
        }
        BodyKind::Form { api, boundary } => {
            let uploads = form::FormUploads { stored: &app.uploads, limits: &snapshot.config.uploads };
            let read =
                form::read(api, &boundary, &parts.headers, &mut body, uploads, &mut body_memory).await?;
            // A large file may take longer to arrive than a route allows for the answer.
            timed_from = Instant::now();
            read
        }
    };
    let key = key.as_deref();
    let incoming =
        IncomingRequest { headers: parts.headers, body, key, options, arrived, timed_from, body_memory };
    AcceptedRequest::accept(snapshot, &app.responses, incoming)
}

/// Kind of a body.
enum BodyKind {
    Json,
    Form { api: ForwardedApi, boundary: String },
}

/// Returns the kind of the body by its media type. One that is not that of a form is taken for JSON,
/// since clients that send JSON often state another type, or none.
fn body_kind(purpose: RequestPurpose, headers: &HeaderMap) -> Result<BodyKind, ServingError> {
    let RequestPurpose::Answer(Protocol::Forwarded(api)) = purpose else { return Ok(BodyKind::Json) };
    let stated = headers.get(CONTENT_TYPE).and_then(|stated| stated.to_str().ok());
    match stated.and_then(boundary_of) {
        Some(boundary) if api.takes_forms() => Ok(BodyKind::Form { api, boundary }),
        None if api.takes_json() => Ok(BodyKind::Json),
        _ => Err(ClientRequest::wrong_media_type(api, stated)),
    }
}

/// Reads a request of at most `limit` bytes, which the lease counts.
async fn client_request(
    scan: ClientRequestScan,
    headers: &HeaderMap,
    body: &mut Body,
    limit: usize,
    memory: &mut MemoryLease,
) -> Result<ClientRequest, ServingError> {
    if announced_length(headers).is_some_and(|length| length > limit as u64) {
        return Err(larger_than(limit as u64));
    }
    let body = DecodedBody::new(headers, body, limit)?;
    match tokio::time::timeout(BODY_TIMEOUT, read_body(scan, body, memory)).await {
        Ok(read) => read,
        Err(_) => {
            let message = format!("the request body did not arrive within {} s", BODY_TIMEOUT.as_secs());
            Err(ServingError::new(ErrorKind::RequestTimeout, message))
        }
    }
}

async fn read_body(
    mut scan: ClientRequestScan,
    mut body: DecodedBody<'_>,
    memory: &mut MemoryLease,
) -> Result<ClientRequest, ServingError> {
    while let Some(chunk) = body.chunk().await? {
        memory.grow(chunk.len())?;
        scan.push(chunk)?;
    }
    // Parsing holds the request in two more forms.
    memory.grow(2 * scan.unparsed_bytes())?;
    if scan.unparsed_bytes() <= PARSED_AT_ONCE {
        return scan.finish();
    }
    match tokio::task::spawn_blocking(|| scan.finish()).await {
        Ok(read) => read,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(ServingError::new(ErrorKind::Overloaded, "the gateway is stopping")),
        },
    }
}

fn larger_than(limit: u64) -> ServingError {
    let message = format!("the request body is larger than {limit} bytes, the limit of this gateway");
    ServingError::new(ErrorKind::RequestTooLarge, message)
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
