//! Rendering of models and lists of models.

use bytes::Bytes;
use pointsman_domain::date::rfc3339;
use serde::Serialize;

use super::serialize;

/// Model, or route, that a client may request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelEntry<'a> {
    /// Name in requests.
    pub id: &'a str,
    /// Name for people.
    pub display_name: &'a str,
    /// Time of creation in seconds since 1970.
    pub created: u64,
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "model")]
struct ModelBody<'a> {
    id: &'a str,
    display_name: &'a str,
    created_at: String,
    lifecycle: &'static str,
}

#[derive(Serialize)]
struct ModelList<'a> {
    data: Vec<ModelBody<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

impl<'a> From<&ModelEntry<'a>> for ModelBody<'a> {
    fn from(entry: &ModelEntry<'a>) -> Self {
        let ModelEntry { id, display_name, created } = *entry;
        Self { id, display_name, created_at: rfc3339(created), lifecycle: "active" }
    }
}

/// Renders the response to `GET /v1/models`. `has_more` is true if the list continues behind the
/// last of these models.
pub fn render_model_list(models: &[ModelEntry<'_>], has_more: bool) -> Bytes {
    serialize(&ModelList {
        data: models.iter().map(ModelBody::from).collect(),
        has_more,
        first_id: models.first().map(|model| model.id),
        last_id: models.last().map(|model| model.id),
    })
}

/// Renders the response to `GET /v1/models/{id}`.
pub fn render_model(model: &ModelEntry<'_>) -> Bytes {
    serialize(&ModelBody::from(model))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_its_first_and_last_model() {
        let models = [
            ModelEntry { id: "auto", display_name: "auto", created: 0 },
            ModelEntry { id: "claude", display_name: "Claude", created: 1_709_210_096 },
        ];
        let expected = concat!(
            r#"{"data":[{"type":"model","id":"auto","display_name":"auto","#,
            r#""created_at":"1970-01-01T00:00:00Z","lifecycle":"active"},"#,
            r#"{"type":"model","id":"claude","display_name":"Claude","#,
            r#""created_at":"2024-02-29T12:34:56Z","lifecycle":"active"}],"#,
            r#""has_more":false,"first_id":"auto","last_id":"claude"}"#,
        );
        assert_eq!(render_model_list(&models, false), expected);
        assert_eq!(
            render_model_list(&[], false),
            r#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#
        );
        assert!(render_model(&models[1]).starts_with(br#"{"type":"model","id":"claude""#));
    }
}
