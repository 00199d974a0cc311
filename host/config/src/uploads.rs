//! Storage of uploaded files.

use std::path::{Path, PathBuf};

use super::document::Node;
use super::problem::Problems;
use super::raw;

/// Limits on uploaded files, and their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploads {
    /// Directory of files that do not fit into the memory; `None` for the system's.
    pub dir: Option<PathBuf>,
    /// Longest form of one request.
    pub max_bytes: u64,
    /// Most bytes of all requests together that are stored in files.
    pub limit: u64,
}

pub(super) fn compile(
    raw: &raw::Uploads,
    node: Node<'_>,
    base_dir: &Path,
    problems: &mut Problems<'_>,
) -> Uploads {
    let uploads = Uploads {
        dir: raw.dir.as_ref().map(|dir| base_dir.join(dir)),
        max_bytes: raw.max_bytes.get() as u64,
        limit: raw.limit.get() as u64,
    };
    if uploads.max_bytes == 0 {
        problems
            .add(node.get("max_bytes").place(), "`max_bytes` is zero, so no file could be uploaded")
            .hint("leave it out, or name a size such as \"25 MiB\"");
    } else if uploads.limit < uploads.max_bytes {
        problems
            .add(node.get("limit").place(), "`limit` is less than one upload may be")
            .hint(format!("make it at least {} bytes, or lower `max_bytes`", uploads.max_bytes));
    }
    if let Some(dir) = uploads.dir.as_ref().filter(|dir| !dir.is_dir()) {
        problems
            .add(node.get("dir").place(), format!("{} is not a directory", dir.display()))
            .hint("make the directory, or leave `dir` out to use the system's for temporary files");
    }
    uploads
}
