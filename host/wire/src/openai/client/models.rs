//! Rendering of models and lists of models.

use bytes::Bytes;
use serde::Serialize;

/// Owner of routes.
const GATEWAY: &str = "pointsman";

/// Name that a client may request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ModelEntry<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'a str,
    /// Extension of this gateway, which other clients ignore.
    #[serde(rename = "pointsman")]
    kind: EntryKind<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum EntryKind<'a> {
    Route { policy: &'a str },
    Alias { route: &'a str },
    Model,
}

#[derive(Serialize)]
struct ModelList<'a> {
    object: &'static str,
    data: &'a [ModelEntry<'a>],
}

impl<'a> ModelEntry<'a> {
    /// Returns the entry of a route whose model a policy selects. `created` is in seconds since
    /// 1970.
    pub const fn route(name: &'a str, policy: &'a str, created: u64) -> Self {
        Self { id: name, object: "model", created, owned_by: GATEWAY, kind: EntryKind::Route { policy } }
    }

    /// Returns the entry of another name of a route.
    pub const fn alias(name: &'a str, route: &'a str, created: u64) -> Self {
        Self { id: name, object: "model", created, owned_by: GATEWAY, kind: EntryKind::Alias { route } }
    }

    /// Returns the entry of a model `backend/name`, which its backend owns.
    pub fn model(id: &'a str, created: u64) -> Self {
        let owned_by = id.split_once('/').map_or(GATEWAY, |(backend, _)| backend);
        Self { id, object: "model", created, owned_by, kind: EntryKind::Model }
    }
}

/// Renders the response to `GET /v1/models`.
pub fn render_model_list(models: &[ModelEntry<'_>]) -> Bytes {
    serialize(&ModelList { object: "list", data: models })
}

/// Renders the response to `GET /v1/models/{id}`.
pub fn render_model(model: &ModelEntry<'_>) -> Bytes {
    serialize(model)
}

fn serialize(value: &impl Serialize) -> Bytes {
    // Strings and numbers into a vector: this cannot fail.
    serde_json::to_vec(value).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_whether_it_is_a_route_an_alias_or_a_model() {
        let entries = [
            ModelEntry::route("auto", "dynamic", 1),
            ModelEntry::alias("gpt-4o", "auto", 1),
            ModelEntry::model("local/meta/llama", 2),
        ];
        let expected = concat!(
            r#"{"object":"list","data":["#,
            r#"{"id":"auto","object":"model","created":1,"owned_by":"pointsman","#,
            r#""pointsman":{"kind":"route","policy":"dynamic"}},"#,
            r#"{"id":"gpt-4o","object":"model","created":1,"owned_by":"pointsman","#,
            r#""pointsman":{"kind":"alias","route":"auto"}},"#,
            r#"{"id":"local/meta/llama","object":"model","created":2,"owned_by":"local","#,
            r#""pointsman":{"kind":"model"}}]}"#,
        );
        assert_eq!(render_model_list(&entries), expected);
    }
}
