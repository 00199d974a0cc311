//! Reports of a publication.

use pointsman_supply::{PushSpec, PushedPolicy, ReferenceVersion};
use pointsman_terminal::{CommandError, TextTable, print};
use serde_json::json;

use crate::subject::PolicyFile;

/// Prints what was published, and how a configuration pins it. `signature` is the path or the key of
/// the signature that was published.
pub(super) fn print_report(
    spec: &PushSpec,
    pushed: &PushedPolicy,
    file: &PolicyFile,
    signature: Option<&str>,
    is_verified: bool,
    is_json: bool,
) -> Result<(), CommandError> {
    let pinned = spec.reference.with_version(ReferenceVersion::Digest(pushed.manifest)).to_string();
    if is_json {
        let report = json!({
            "reference": spec.reference.to_string(),
            "also": spec.more_tags,
            "pinned": pinned,
            "manifest": format!("sha256:{}", pushed.manifest),
            "sha256": pushed.policy.to_string(),
            "bytes": file.code.bytes().len(),
            "sent": pushed.sent_policy,
            "signed": signature.is_some(),
            "signature_verified": is_verified,
            "grants": file.inspection.gate.grants,
        });
        return print(serde_json::to_string_pretty(&report).map_err(CommandError::run)?);
    }
    let mut table = TextTable::new(&["published", &spec.reference.to_string()]);
    if !spec.more_tags.is_empty() {
        table.add(vec!["also".to_owned(), spec.more_tags.join(", ")]);
    }
    let known = if pushed.sent_policy { "" } else { ", which the repository had" };
    table.add(vec!["bytes".to_owned(), format!("{}{known}", file.code.bytes().len())]);
    table.add(vec!["sha-256".to_owned(), pushed.policy.to_string()]);
    table.add(vec!["manifest".to_owned(), format!("sha256:{}", pushed.manifest)]);
    table.add(vec!["signature".to_owned(), signature.unwrap_or("none").to_owned()]);
    file.add_grants(&mut table);
    table.add(vec!["in pointsman.toml".to_owned(), format!("source = \"{pinned}\"")]);
    print(table.render(Vec::new()))
}
