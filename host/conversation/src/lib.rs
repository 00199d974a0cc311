//! Conversations with models in a common form, in no API's format.
//!
//! [`form`] has requests, answers, stream events and errors; the dialects of APIs parse into it and
//! render from it. [`json`] reads objects member by member, so that nothing is lost silently.
//! [`EditableBody`] is a request that passes through, with the few edits that a call needs.

mod editable_body;
pub mod form;
pub mod json;

pub use self::editable_body::{BodyChanges, EditableBody};
