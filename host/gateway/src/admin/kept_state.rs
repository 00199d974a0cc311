//! `GET /admin/policies/POLICY/state`: what a policy keeps between its calls.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pointsman_admin_api::{KeptEntry, KeptState, KeptStateQuery};
use pointsman_domain::ids::PolicyName;
use pointsman_state::{StateEntry, StateSize};

use super::error::AdminError;
use super::query::ApiQuery;
use super::{Admin, found};

/// Number of entries where the query names none.
const DEFAULT_LIMIT: usize = 100;

/// Returns a page of the entries.
pub(super) async fn list(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
    ApiQuery(query): ApiQuery<KeptStateQuery>,
) -> Result<Json<KeptState>, AdminError> {
    let snapshot = admin.app.snapshot();
    let name = PolicyName::new(name);
    let slot = found(snapshot.slots.get(&name), || format!("there is no policy `{name}`"))?;
    let policy = slot.active();
    let state = found(policy.state(), || {
        format!("the policy `{name}` keeps nothing: it does not import `pointsman:policy/state`")
    })?;
    let StateSize { keys, bytes, unstored, rejected_writes } = state.size();
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let listed = state.list(query.prefix.as_deref().unwrap_or_default(), query.after.as_deref(), limit);
    let last = listed.last().map(|(key, _)| key.clone());
    let is_more = |last: &str| {
        let prefix = query.prefix.as_deref().unwrap_or_default();
        !state.list(prefix, Some(last), 1).is_empty()
    };
    Ok(Json(KeptState {
        policy: state.policy().to_string(),
        keys,
        bytes,
        unstored,
        rejected_writes,
        is_durable: admin.reloader.runtime().states().storage().is_some(),
        next: last.filter(|last| is_more(last)).map(String::from),
        entries: listed.into_iter().map(|(key, entry)| kept(key.into(), entry)).collect(),
    }))
}

fn kept(key: String, StateEntry { value, expires_ms }: StateEntry) -> KeptEntry {
    let text = std::str::from_utf8(&value).ok().map(str::to_owned);
    let base64 = text.is_none().then(|| BASE64_STANDARD.encode(&value));
    KeptEntry { key, text, base64, expires_ms }
}
