//! The verdict on an answer.

use pointsman_sdk::{TaskResult, TaskStatus, outputs};

use crate::{Check, Settings, code, confidence, grade, json};

/// Most bytes of an answer that are read; a longer one cannot be checked.
const MOST_BYTES: usize = 60 << 10;

/// The result of a check, with its reason.
pub(crate) enum Verdict {
    /// The answer as it is.
    Accept(String),
    /// This part of it.
    AcceptCut(String, String),
    /// A better model is to be asked.
    Reject(String),
}

/// True for a complete output. A truncated one is never accepted: a better model may need fewer
/// words.
pub(crate) fn is_complete(result: &TaskResult) -> bool {
    result.status == TaskStatus::Done
        && result.output_bytes > 0
        && result.finish_reason.as_deref() != Some("length")
}

/// The verdict of a rule, or of the model about itself.
pub(crate) fn of_rule(check: Check, result: &TaskResult, settings: &Settings) -> Verdict {
    if !is_complete(result) {
        return Verdict::Reject(incomplete(result).to_owned());
    }
    let holds = |holds: bool, yes: &str, no: &str| match holds {
        true => Verdict::Accept(yes.to_owned()),
        false => Verdict::Reject(no.to_owned()),
    };
    match check {
        Check::Length => holds(
            result.output_bytes >= settings.min_bytes,
            "the answer is long enough",
            "the answer is short",
        ),
        Check::Json => match text(result) {
            Some(text) => holds(json::is_json(&text), "the answer is JSON", "the answer is not JSON"),
            None => too_long(),
        },
        Check::Code => match text(result) {
            Some(text) => {
                holds(code::is_whole(&text), "the program looks whole", "there is no whole program")
            }
            None => too_long(),
        },
        // A judge has its say in a step of its own.
        Check::SelfReport | Check::Auto | Check::Judge => match text(result) {
            Some(text) => reported(&text, settings.threshold),
            None => too_long(),
        },
    }
}

fn reported(text: &str, threshold: u8) -> Verdict {
    match confidence::split(text) {
        None => Verdict::Reject("the model did not say how sure it is".to_owned()),
        Some(("", _)) => Verdict::Reject("the answer is empty".to_owned()),
        Some((answer, sure)) if sure >= threshold => {
            Verdict::AcceptCut(answer.to_owned(), format!("the model is sure at {sure}, {threshold} asked"))
        }
        Some((_, sure)) => Verdict::Reject(format!("the model is sure at {sure}, {threshold} asked")),
    }
}

/// The verdict of a judge.
pub(crate) fn of_judge(judge: &TaskResult, least: f64) -> Verdict {
    if judge.status != TaskStatus::Done {
        return Verdict::Reject("the judge failed".to_owned());
    }
    let reply = outputs::text(judge.task, MOST_BYTES).unwrap_or_default();
    match grade::read(&reply) {
        None => Verdict::Reject("the judge gave no grade".to_owned()),
        Some(grade) if grade >= least => Verdict::Accept(format!("graded {grade}, {least} asked")),
        Some(grade) => Verdict::Reject(format!("graded {grade}, {least} asked")),
    }
}

fn incomplete(result: &TaskResult) -> &'static str {
    match result.status {
        TaskStatus::Failed => "the model failed",
        TaskStatus::Done if result.output_bytes == 0 => "the answer is empty",
        TaskStatus::Done => "the answer broke off",
    }
}

/// The whole output; `None` when it is longer than may be read.
fn text(result: &TaskResult) -> Option<String> {
    let fits = usize::try_from(result.output_bytes).is_ok_and(|bytes| bytes <= MOST_BYTES);
    fits.then(|| outputs::text(result.task, MOST_BYTES)).flatten()
}

fn too_long() -> Verdict {
    Verdict::Reject("the answer is too long to check".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(status: TaskStatus, finish_reason: &str, output_bytes: u32) -> TaskResult {
        TaskResult {
            task: 0,
            name: "level-1".to_owned(),
            status,
            candidate: Some(0),
            finish_reason: Some(finish_reason.to_owned()),
            output_bytes,
            input_tokens: 1,
            output_tokens: 1,
            cost: 0.0,
            latency_ms: 1.0,
            error: None,
        }
    }

    fn rejected(check: Check, result: &TaskResult) -> Option<String> {
        match of_rule(check, result, &Settings { min_bytes: 5, ..Settings::default() }) {
            Verdict::Reject(why) => Some(why),
            Verdict::Accept(_) | Verdict::AcceptCut(..) => None,
        }
    }

    #[test]
    fn an_answer_that_broke_off_is_never_accepted() {
        let broken = result(TaskStatus::Done, "length", 100);
        for check in [Check::Length, Check::Json, Check::Code, Check::SelfReport] {
            assert_eq!(rejected(check, &broken).as_deref(), Some("the answer broke off"), "{check:?}");
        }
        assert!(!is_complete(&broken), "and no judge is asked about it");
    }

    #[test]
    fn the_length_is_known_without_reading_the_answer() {
        assert_eq!(rejected(Check::Length, &result(TaskStatus::Done, "stop", 5)), None);
        assert_eq!(
            rejected(Check::Length, &result(TaskStatus::Done, "stop", 4)).as_deref(),
            Some("the answer is short")
        );
        assert_eq!(
            rejected(Check::Length, &result(TaskStatus::Done, "stop", 0)).as_deref(),
            Some("the answer is empty")
        );
        assert_eq!(
            rejected(Check::Length, &result(TaskStatus::Failed, "", 9)).as_deref(),
            Some("the model failed")
        );
    }

    #[test]
    fn an_answer_that_cannot_be_read_whole_is_not_accepted() {
        let long = result(TaskStatus::Done, "stop", 1 << 20);
        for check in [Check::Json, Check::Code, Check::SelfReport] {
            assert_eq!(
                rejected(check, &long).as_deref(),
                Some("the answer is too long to check"),
                "{check:?}"
            );
        }
    }
}
