//! Differences of two policies' files.

use std::collections::BTreeSet;

use pointsman_policy::Inspection;
use pointsman_policy::inspect::{Role, Sdk};
use serde::Serialize;

use crate::subject::PolicyFile;

/// Differences of the imports, exports and sizes of two files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileComparison {
    /// True if the bytes are the same.
    pub is_same_file: bool,
    /// Sizes in bytes.
    pub bytes: OldAndNew<usize>,
    /// Roles.
    pub role: OldAndNew<String>,
    /// Contracts that they were built against.
    pub contract: OldAndNew<String>,
    /// Kits that they were built with, if recorded.
    pub sdk: OldAndNew<Option<String>>,
    /// Initial bytes of all memories.
    pub memory_bytes: OldAndNew<u64>,
    /// Grants that imports need.
    pub grants: AddedAndRemoved,
    /// Imported functions.
    pub imports: AddedAndRemoved,
    /// Exported functions.
    pub exports: AddedAndRemoved,
}

/// A value of the old policy, and that of the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OldAndNew<T> {
    /// Value of the old policy.
    pub old: T,
    /// Value of the new policy.
    pub new: T,
}

/// Names that only one of the policies has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AddedAndRemoved {
    /// Names that only the new policy has.
    pub added: Vec<String>,
    /// Names that only the old policy has.
    pub removed: Vec<String>,
}

impl FileComparison {
    /// Compares two files.
    pub fn of(old: &PolicyFile, new: &PolicyFile) -> Self {
        let (a, b) = (&old.inspection, &new.inspection);
        let functions = |all: &mut dyn Iterator<Item = (&str, &[String])>| -> BTreeSet<String> {
            all.flat_map(|(name, functions)| {
                let name = short(name);
                // A function that is imported or exported alone has none.
                let alone = functions.is_empty().then(|| name.to_owned());
                functions.iter().map(move |function| format!("{name}.{function}")).chain(alone)
            })
            .collect()
        };
        let imports = |it: &Inspection| {
            functions(&mut it.imports.iter().map(|import| (import.name.as_str(), &*import.functions)))
        };
        let exports = |it: &Inspection| {
            functions(&mut it.exports.iter().map(|export| (export.name.as_str(), &*export.functions)))
        };
        let grants = |it: &Inspection| it.gate.grants.iter().map(|grant| (*grant).to_owned()).collect();
        Self {
            is_same_file: a.sha256 == b.sha256,
            bytes: OldAndNew { old: a.bytes, new: b.bytes },
            role: OldAndNew { old: role(a.role), new: role(b.role) },
            contract: OldAndNew { old: a.contract.clone(), new: b.contract.clone() },
            sdk: OldAndNew { old: a.sdk.as_ref().map(sdk), new: b.sdk.as_ref().map(sdk) },
            memory_bytes: OldAndNew { old: a.counts.memory_bytes, new: b.counts.memory_bytes },
            grants: AddedAndRemoved::of(&grants(a), &grants(b)),
            imports: AddedAndRemoved::of(&imports(a), &imports(b)),
            exports: AddedAndRemoved::of(&exports(a), &exports(b)),
        }
    }

    /// Returns whether the policies need or offer something different.
    pub fn has_changes(&self) -> bool {
        let changed = [&self.grants, &self.imports, &self.exports].into_iter().any(|it| !it.is_empty());
        changed || self.role.old != self.role.new || self.contract.old != self.contract.new
    }
}

impl AddedAndRemoved {
    fn of(old: &BTreeSet<String>, new: &BTreeSet<String>) -> Self {
        Self {
            added: new.difference(old).cloned().collect(),
            removed: old.difference(new).cloned().collect(),
        }
    }

    /// Returns whether both have the same names.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// Returns the name of an interface of the contract without package and version; another one as it is.
fn short(interface: &str) -> &str {
    match interface.strip_prefix("pointsman:policy/") {
        Some(name) => name.split_once('@').map_or(name, |(name, _)| name),
        None => interface,
    }
}

fn role(role: Role) -> String {
    match role {
        Role::Router => "router".to_owned(),
        Role::Orchestrator => "orchestrator".to_owned(),
    }
}

fn sdk(sdk: &Sdk) -> String {
    sdk.version.as_ref().map_or_else(|| sdk.language.clone(), |version| format!("{} {version}", sdk.language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_policy_alone_are_added_or_removed() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let compared = AddedAndRemoved::of(&names(&["a", "b"]), &names(&["b", "c", "d"]));
        assert_eq!((compared.added, compared.removed), (vec!["c".into(), "d".into()], vec!["a".into()]));
        assert!(AddedAndRemoved::of(&names(&["a"]), &names(&["a"])).is_empty());
        assert_eq!(short("pointsman:policy/prompt@0.1.3"), "prompt");
        assert_eq!(short("wasi:cli/stderr@0.2.0"), "wasi:cli/stderr@0.2.0");
    }
}
