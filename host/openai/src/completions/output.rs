//! Answers that the gateway rendered, read for the decision log.

use std::borrow::Cow;

use pointsman_wire::answer::{AnswerCount, InvalidAnswer, TaskOutput};
use serde::Deserialize;

/// Reads the text of the first choice and its finish reason. Tokens are not read: the gateway knows
/// them from the provider's answer.
///
/// # Errors
/// Fails if it is not an answer of this API.
pub fn read_output(answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        choices: Vec<Choice<'a>>,
    }

    #[derive(Deserialize)]
    struct Choice<'a> {
        #[serde(borrow)]
        text: Cow<'a, str>,
        #[serde(borrow)]
        finish_reason: Option<Cow<'a, str>>,
    }

    let answer: Answer<'_> =
        serde_json::from_slice(answer).map_err(|error| InvalidAnswer::NotJson(error.to_string()))?;
    let first = answer.choices.into_iter().next().ok_or(InvalidAnswer::NoChoices)?;
    Ok(TaskOutput {
        text: first.text.into_owned(),
        finish_reason: first.finish_reason.map(Cow::into_owned),
        count: AnswerCount::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_choice_is_read() {
        let output =
            read_output(br#"{"choices":[{"text":"a\nb","index":0,"finish_reason":"length"}]}"#).unwrap();
        assert_eq!((output.text.as_str(), output.finish_reason.as_deref()), ("a\nb", Some("length")));
        assert_eq!(read_output(br#"{"choices":[]}"#), Err(InvalidAnswer::NoChoices));
        assert!(matches!(read_output(b"{}"), Err(InvalidAnswer::NotJson(_))));
    }
}
