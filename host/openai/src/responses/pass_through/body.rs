//! Bodies of calls: the client's request with the members that the call sets.

use std::borrow::Cow;

use bytes::Bytes;
use pointsman_conversation::{BodyChanges, EditableBody};
use pointsman_domain::serving_error::ServingError;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::json::{MemberPath, ObjectMembers};

/// Most references to items that are read.
const MAX_REFERENCES: usize = 256;

/// Request as its client wrote it, with the members that a gateway reads.
#[derive(Clone, Debug)]
pub struct ResponsesBody {
    body: EditableBody,
    /// Response that the request continues. Its provider has to keep it.
    pub previous_response_id: Option<String>,
    /// Conversation that the request continues, which its provider keeps.
    pub conversation: Option<String>,
    /// Items of earlier responses to which the input refers. Their provider has to keep them.
    pub referenced_items: Vec<String>,
    /// True if the response is computed in the background.
    pub is_background: bool,
}

impl ResponsesBody {
    /// Parses the members at the top of a request. The others are the provider's to check.
    ///
    /// # Errors
    /// Fails if the body is not a JSON object, has no model, or a member that is read has another
    /// type.
    pub fn parse(body: &Bytes) -> Result<Self, ServingError> {
        const ROOT: MemberPath<'_> = MemberPath::Root;
        let mut members = ObjectMembers::parse_request(body)?;
        Ok(Self {
            body: EditableBody::find(body, &mut members, "max_output_tokens")?,
            previous_response_id: members.take_as("previous_response_id", &ROOT, "a string")?,
            conversation: members.take("conversation").map(conversation_id).transpose()?,
            referenced_items: members.take("input").map(referenced_items).unwrap_or_default(),
            is_background: members.take_as("background", &ROOT, "a boolean")?.unwrap_or(false),
        })
    }

    /// Returns the body of a call of the model with this name at its provider, as
    /// [`EditableBody::body_for`] does.
    pub fn body_for(&self, upstream_name: &str, max_output_tokens: Option<u32>) -> Vec<Bytes> {
        self.body.body_for(upstream_name, max_output_tokens, BodyChanges::default())
    }
}

/// Returns the id of a conversation, which is a string or an object.
fn conversation_id(value: &RawValue) -> Result<String, ServingError> {
    let path = MemberPath::Root.member("conversation");
    if value.get().starts_with('"') {
        return path.parse(value, "a string or an object");
    }
    ObjectMembers::parse(value, &path)?.require("id", &path, "a string")
}

/// Members by which an item is known for a reference.
#[derive(Deserialize)]
struct ItemHead<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    role: Option<IgnoredAny>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

impl ItemHead<'_> {
    /// Returns the id of the item that this one refers to. An item with neither a type nor a role is a
    /// reference.
    fn reference(self) -> Option<String> {
        let is_reference = match &self.kind {
            Some(kind) => kind == "item_reference",
            None => self.role.is_none(),
        };
        self.id.filter(|_| is_reference).map(Cow::into_owned)
    }
}

/// Returns the ids of the items to which an input refers. An input that is not valid has none: it is the
/// provider's to reject.
fn referenced_items(input: &RawValue) -> Vec<String> {
    if !input.get().starts_with('[') {
        return Vec::new();
    }
    let items: Vec<ItemHead<'_>> = serde_json::from_str(input.get()).unwrap_or_default();
    items.into_iter().filter_map(ItemHead::reference).take(MAX_REFERENCES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<ResponsesBody, ServingError> {
        ResponsesBody::parse(&Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn a_call_sets_the_model_and_a_lower_limit() {
        let body = parse(r#"{ "input" : "x", "model" : "m" , "max_output_tokens":50}"#).unwrap();
        assert_eq!(
            body.body_for("n", Some(20)).concat(),
            br#"{ "input" : "x", "model" : "n" , "max_output_tokens":20}"#
        );
    }

    #[test]
    fn members_about_kept_state_are_read() {
        let body = parse(
            r#"{"model":"m","previous_response_id":"resp_1","background":true,"conversation":{"id":"conv_1"}}"#,
        )
        .unwrap();
        assert_eq!(body.previous_response_id.as_deref(), Some("resp_1"));
        assert_eq!(body.conversation.as_deref(), Some("conv_1"));
        assert!(body.is_background);
        let body = parse(r#"{"model":"m","conversation":"conv_2"}"#).unwrap();
        assert_eq!(body.conversation.as_deref(), Some("conv_2"));
    }

    #[test]
    fn references_to_items_are_read() {
        let references =
            |input: &str| parse(&format!(r#"{{"model":"m","input":{input}}}"#)).unwrap().referenced_items;
        let items = r#"[{"type":"item_reference","id":"msg_1"},{"id":"fc_1"},{"type":null,"id":"rs_\u0031"},
            {"role":"user","content":"a","id":"msg_2"},{"type":"message","role":"user","content":"a","id":"msg_3"},
            {"type":"item_reference"}]"#;
        assert_eq!(references(items), ["msg_1", "fc_1", "rs_1"]);
        for input in ["\"a\"", "[]", "[1]", "{}", "null"] {
            assert!(references(input).is_empty(), "{input}");
        }
        let many = vec![r#"{"type":"item_reference","id":"a"}"#; MAX_REFERENCES + 1].join(",");
        assert_eq!(references(&format!("[{many}]")).len(), MAX_REFERENCES);
    }

    #[test]
    fn an_invalid_member_is_named() {
        let parameter = |body: &str| parse(body).unwrap_err().parameter.unwrap_or_default();
        assert_eq!(parameter(r#"{"input":"x"}"#), "model");
        assert_eq!(parameter(r#"{"model":"m","conversation":{}}"#), "conversation.id");
    }
}
