//! The content of a request, for policies that were granted it.

/// Read access to a request's messages. Implementations may decode the request
/// on the first call; without a grant there is no call.
pub trait Prompt: Send + Sync {
    /// Messages in the conversation, system messages included.
    fn message_count(&self) -> usize;
    /// The role of a message; `None` past the end.
    fn role(&self, message: usize) -> Option<&str>;
    /// The text parts of a message joined by line ends; `None` past the end.
    fn text(&self, message: usize) -> Option<&str>;
    /// The names of the tools that the request offers.
    fn tool_names(&self) -> &[String];
}

/// A request without content: what a policy is probed with.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPrompt;

impl Prompt for NoPrompt {
    fn message_count(&self) -> usize {
        0
    }

    fn role(&self, _: usize) -> Option<&str> {
        None
    }

    fn text(&self, _: usize) -> Option<&str> {
        None
    }

    fn tool_names(&self) -> &[String] {
        &[]
    }
}
