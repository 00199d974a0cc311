//! Settings of the decision log.

use std::path::Path;

use pointsman_telemetry::decision_log::DecisionLogSettings;

use super::document::Node;
use super::problem::Problems;
use super::raw;

/// Smallest `rotate_size`, in bytes: the overhead of smaller files would exceed their content.
const LEAST_FILE: usize = 16 << 10;
/// Least ratio of `max_size` to `rotate_size`. There must be room for the current file, a file
/// being compressed, and the compressed copy.
const LEAST_FILES: usize = 4;

/// Reads `[decision_log]`. Returns `None` without a directory.
pub(super) fn compile(
    raw: &raw::DecisionLog,
    node: Node<'_>,
    base_dir: &Path,
    problems: &mut Problems<'_>,
) -> Option<DecisionLogSettings> {
    let (rotate_size, max_size) = (raw.rotate_size.get(), raw.max_size.get());
    if raw.dir.as_deref() == Some("") {
        problems
            .add(node.get("dir").place(), "`dir` is empty")
            .hint("name a directory, or leave it out to log no decisions");
    }
    if raw.dir.is_none() && node.entries().next().is_some() {
        problems
            .add(node.key(), "[decision_log] has no `dir`, so no decision would be logged")
            .hint("name a directory with `dir`, or leave out the table");
    }
    if rotate_size < LEAST_FILE {
        problems.add(node.get("rotate_size").place(), "`rotate_size` is below 16 KiB");
    }
    if max_size / LEAST_FILES < rotate_size {
        let place = if node.get("max_size").is_there() { "max_size" } else { "rotate_size" };
        problems
            .add(node.get(place).place(), "`max_size` is less than four times `rotate_size`")
            .hint("there must be room for the current file, a file being compressed and the compressed copy");
    }
    if raw.rotate_after.get().is_zero() {
        problems.add(node.get("rotate_after").place(), "`rotate_after` is zero");
    }
    if !(raw.sample > 0.0 && raw.sample <= 1.0) {
        problems
            .add(node.get("sample").place(), "`sample` is not a number above 0 and up to 1")
            .hint("leave out `dir` to log no decisions");
    }
    if raw.content && raw.content_size.get() == 0 {
        problems
            .add(node.get("content_size").place(), "`content_size` is zero, so there would be no content");
    }
    if raw.outputs && !raw.content {
        problems
            .add(node.get("outputs").place(), "`outputs` is on, but `content` is off")
            .hint("set `content = true`, or leave out `outputs`");
    }
    Some(DecisionLogSettings {
        dir: base_dir.join(raw.dir.as_ref()?),
        rotate_size: rotate_size as u64,
        rotate_after: raw.rotate_after.get(),
        max_size: max_size as u64,
        sample: raw.sample,
        content: raw.content.then_some(raw.content_size.get()),
        outputs: raw.outputs,
    })
}
