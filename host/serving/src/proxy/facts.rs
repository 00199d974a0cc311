//! The facts of a request, by which candidates are filtered and policies decide.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pointsman_dialects::request::ClientRequest;
use pointsman_domain::ids::KeyName;
use pointsman_domain::request::RequestFacts;

/// Options of a client for the gateway, beside the request itself.
#[derive(Debug, Default)]
pub struct RequestOptions {
    /// Time for the whole answer. It only shortens that of the route.
    pub deadline: Option<Duration>,
    /// The client's preference: `cost`, `speed` or `quality`.
    pub prefer: Option<String>,
    /// Name of the session, which keeps the requests of a conversation together.
    pub session: Option<String>,
}

/// Returns a new decision id: a UUID of version 7, so that ids sort by time.
pub(super) fn decision_id() -> String {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut random = [0; 10];
    fastrand::fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(since_epoch.as_millis() as u64, &random).into_uuid().to_string()
}

/// Returns the facts that a policy sees without a grant to read the content.
pub(super) fn of(
    id: String,
    request: &ClientRequest,
    options: RequestOptions,
    tenant: Option<KeyName>,
    deadline: Instant,
) -> RequestFacts {
    let mut facts = RequestFacts {
        tenant,
        session: options.session,
        attributes: options
            .prefer
            .map(|preference| ("prefer".to_owned(), preference))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        ..RequestFacts::new(id, "")
    };
    request.describe(&mut facts);
    facts.set_time_left(deadline.saturating_duration_since(Instant::now()));
    facts
}
