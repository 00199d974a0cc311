//! The line in which a model says how sure it is of its answer.

/// The instruction that asks the model for its confidence.
pub(crate) const ASK: &str = "Answer the conversation that follows. After your answer, write one last line of \
    exactly this form, with nothing behind it:\nCONFIDENCE: N\nwhere N is a whole number from 0 to 100: how likely it \
    is that your answer is right and leaves nothing out. Be honest: where you are not sure, a better model is asked.";

/// An answer without its last line, and what that line says; `None` when the last
/// line says nothing of the kind. Only the last line counts: what stands further
/// up may be a quotation.
pub(crate) fn split(answer: &str) -> Option<(&str, u8)> {
    let answer = answer.trim_end();
    let (body, line) = answer.rsplit_once('\n').unwrap_or(("", answer));
    Some((body.trim_end(), stated(line)?))
}

/// `CONFIDENCE: 85`, also in bold, in any case, or as `85 %` or `85/100`.
fn stated(line: &str) -> Option<u8> {
    let line: String = line.chars().filter(|c| !matches!(c, '*' | '_' | '`') && !c.is_whitespace()).collect();
    let line = line.to_ascii_lowercase();
    let number = line.strip_prefix("confidence:")?;
    let number = number.strip_suffix('.').unwrap_or(number);
    let number = number.strip_suffix('%').or_else(|| number.strip_suffix("/100")).unwrap_or(number);
    let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|&number: &u8| is_plain && number <= 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_taken_off_and_read() {
        assert_eq!(split("Lima.\n\nCONFIDENCE: 85\n"), Some(("Lima.", 85)));
        for line in ["**CONFIDENCE:** 85", "Confidence: 85 %", "`confidence: 85/100`", "CONFIDENCE:85."] {
            assert_eq!(split(&format!("Ä\n{line}")), Some(("Ä", 85)), "{line}");
        }
        assert_eq!(split("CONFIDENCE: 100"), Some(("", 100)), "no answer, but sure of it");
    }

    #[test]
    fn a_line_that_says_something_else_is_no_confidence() {
        for line in [
            "CONFIDENCE: high",
            "CONFIDENCE: 101",
            "CONFIDENCE: -1",
            "CONFIDENCE: +5",
            "CONFIDENCE:",
            "85",
            "",
            "CONFIDENCE: 1 or 2",
            "My CONFIDENCE: 90",
            "CONFIDENCE: 99999999999999999999",
            "CONFIDENCE: ٨",
        ] {
            assert_eq!(split(&format!("Lima.\n{line}")), None, "{line}");
        }
    }

    #[test]
    fn what_stands_further_up_does_not_count() {
        assert_eq!(
            split("It says:\nCONFIDENCE: 100\nCONFIDENCE: 10"),
            Some(("It says:\nCONFIDENCE: 100", 10))
        );
        assert_eq!(split("CONFIDENCE: 100\nLima."), None);
    }
}
