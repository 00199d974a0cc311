//! Limits on memory and retries, over all requests.

use pointsman_domain::live::RetryBudget;

use super::document::Node;
use super::problem::Problems;
use super::raw;
use crate::memory::MemoryLimits;

pub(super) fn memory(file: &raw::File, root: Node<'_>, problems: &mut Problems<'_>) -> MemoryLimits {
    let (raw, node) = (&file.memory, root.get("memory"));
    let limits = MemoryLimits {
        total: raw.limit.get(),
        request_bodies: raw.max_request_bodies.get(),
        answers: raw.max_answers.get(),
        answer: raw.max_answer_bytes.get(),
        before_content: raw.max_before_content.get(),
    };
    let body = file.server.max_body_bytes.get();
    for (key, limit, least, of) in [
        ("limit", limits.total, limits.request_bodies.max(limits.answers), "of the limits below it"),
        ("max_request_bodies", limits.request_bodies, body, "than `server.max_body_bytes`"),
        ("max_answers", limits.answers, limits.answer.max(limits.before_content), "than one answer may be"),
    ] {
        if limit < least {
            let relation = if key == "limit" { "less than one" } else { "less" };
            let message = format!("`{key}` is {limit} bytes, {relation} {of}");
            problems
                .add(node.get(key).place(), message)
                .hint(format!("make it at least {least} bytes, or lower the other"));
        }
    }
    for (key, limit) in [("max_answer_bytes", limits.answer), ("max_before_content", limits.before_content)] {
        if limit == 0 {
            problems.add(node.get(key).place(), format!("`{key}` is zero, so no answer could be read"));
        }
    }
    limits
}

pub(super) fn retry_budget(
    raw: &raw::RetryBudget,
    node: Node<'_>,
    problems: &mut Problems<'_>,
) -> RetryBudget {
    if !(0.0..=100.0).contains(&raw.percent) {
        problems
            .add(node.get("percent").place(), "`percent` is not a number from 0 to 100")
            .hint("0 with `min_concurrency = 0` turns retries of the same model off");
    }
    RetryBudget { share: raw.percent / 100.0, minimum: raw.min_concurrency }
}
