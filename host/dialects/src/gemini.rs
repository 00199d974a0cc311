//! Google's Gemini API (`generativelanguage`, v1beta): the provider side.
//!
//! A request is `models/{model}:generateContent`, a stream `models/{model}:streamGenerateContent`
//! with `alt=sse`. Each event of a stream is a whole `GenerateContentResponse`, and no event marks
//! the end. Reasoning is a part with `thought`; a `thoughtSignature` is an attribute of any part.

mod answer;
mod citations;
pub mod embedding;
mod error;
mod model_family;
mod path;
mod request;
mod response;
mod schema;
mod stream;

pub use self::answer::parse_answer;
pub use self::error::parse_error;
pub use self::path::operation_path;
pub use self::request::render_request;
pub use self::stream::GeminiStreamReader;

#[cfg(test)]
mod tests;
