//! Requests that are forwarded as they arrived: embeddings, audio, images and moderations.
//!
//! No policy can split them, and only a provider with the same API answers them. A call changes the
//! name of the model, and nothing else.

mod answer;
mod api;
mod prompt;
mod relay;
mod request;
mod usage;

pub use self::answer::{read_answer, read_answer_text, read_image_output, read_moderation_output};
pub use self::api::ForwardedApi;
pub use self::prompt::ForwardedPrompt;
pub use self::relay::{ForwardedRelay, RelayFraming};
pub use self::request::ForwardedRequest;
