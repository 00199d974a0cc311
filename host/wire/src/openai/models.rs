//! The list of models in OpenAI's shape.

use bytes::Bytes;
use serde::Serialize;

/// A name that a client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed<'a> {
    /// The name.
    pub id: &'a str,
    /// Seconds since 1970 when it was made known.
    pub created: u64,
    /// Whose it is: a backend, or the gateway for a route.
    pub owned_by: &'a str,
    /// What it is.
    pub kind: Kind<'a>,
}

/// What a listed name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind<'a> {
    /// A route: a policy chooses the model.
    Route {
        /// The policy's name.
        policy: &'a str,
    },
    /// One model.
    Model,
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'a str,
    /// Ours, and ignored by clients that do not know it.
    pointsman: Kind<'a>,
}

/// The answer to `GET /v1/models`.
pub fn list<'a>(models: impl IntoIterator<Item = Listed<'a>>) -> Bytes {
    let data = models.into_iter().map(Entry::from).collect();
    written(&List { object: "list", data })
}

/// The answer to `GET /v1/models/{id}`.
pub fn one(model: Listed<'_>) -> Bytes {
    written(&Entry::from(model))
}

impl<'a> From<Listed<'a>> for Entry<'a> {
    fn from(Listed { id, created, owned_by, kind }: Listed<'a>) -> Self {
        Self { id, object: "model", created, owned_by, pointsman: kind }
    }
}

fn written(value: &impl Serialize) -> Bytes {
    // Strings and numbers into a vector: there is nothing that could fail.
    serde_json::to_vec(value).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_and_models_are_told_apart() {
        let auto =
            Listed { id: "auto", created: 1, owned_by: "pointsman", kind: Kind::Route { policy: "dynamic" } };
        let model = Listed { id: "local/llama", created: 2, owned_by: "local", kind: Kind::Model };
        let expected = concat!(
            r#"{"object":"list","data":["#,
            r#"{"id":"auto","object":"model","created":1,"owned_by":"pointsman","#,
            r#""pointsman":{"kind":"route","policy":"dynamic"}},"#,
            r#"{"id":"local/llama","object":"model","created":2,"owned_by":"local","#,
            r#""pointsman":{"kind":"model"}}]}"#,
        );
        assert_eq!(list([auto, model]), expected);
    }
}
