//! Tools that take text, for providers whose tools take JSON alone.
//!
//! Such a tool is offered as one that takes an object with a single text, and its grammar, which
//! the provider cannot enforce, is a part of its description. The client side of the dialect takes
//! the text out of the object again.

use std::borrow::Cow;

use super::request::{ToolDefinition, ToolGrammar};

impl ToolDefinition {
    /// JSON Schema in place of the text.
    pub const TEXT_SCHEMA: &'static str = r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}"#;

    /// Returns the arguments in place of a text.
    pub fn arguments_of_text(text: &str) -> String {
        let mut arguments = r#"{"input":"#.to_owned();
        // A string into a string: this cannot fail.
        arguments.push_str(&serde_json::to_string(text).unwrap_or_default());
        arguments.push('}');
        arguments
    }

    /// Returns the text in arguments that fit [`TEXT_SCHEMA`](Self::TEXT_SCHEMA); the arguments
    /// themselves if they do not fit it, as some models write the text at once.
    pub fn text_of_arguments(arguments: &str) -> Cow<'_, str> {
        #[derive(serde::Deserialize)]
        struct Arguments<'a> {
            #[serde(borrow)]
            input: Cow<'a, str>,
        }

        match serde_json::from_str::<Arguments<'_>>(arguments) {
            Ok(Arguments { input }) => input,
            Err(_) => Cow::Borrowed(arguments),
        }
    }

    /// Returns the description together with the grammar, for a provider that cannot enforce it.
    pub fn description_with_grammar(&self) -> Option<Cow<'_, str>> {
        let description = self.description.as_deref();
        let Some(ToolGrammar { syntax, definition }) = &self.grammar else {
            return description.map(Cow::Borrowed);
        };
        let mut text = description.map_or_else(String::new, |description| format!("{description}\n\n"));
        text.push_str(&format!("The input must match this grammar ({syntax}):\n{definition}"));
        Some(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_survives_as_an_argument() {
        for text in ["", "*** Begin Patch\n+ \"x\"\n", "\u{1}\u{2028}"] {
            assert_eq!(ToolDefinition::text_of_arguments(&ToolDefinition::arguments_of_text(text)), text);
        }
        assert_eq!(ToolDefinition::text_of_arguments("ls -l"), "ls -l");
    }
}
