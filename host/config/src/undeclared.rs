//! Built-in policies that are used without a declaration, as `policy = "builtin:cost"`.

use std::collections::BTreeSet;

use pointsman_policy::Grants;

use super::document::Span;
use super::problem::Problems;
use super::raw;
use super::sources::{BUILTIN, BUILTIN_POLICIES};

/// Names of the built-in policies that routes and fallbacks name by their sources, as they are written.
pub(super) struct UndeclaredBuiltins {
    names: BTreeSet<String>,
}

/// Grants of such a policy: everything of the contract, since its code is the gateway's own. WASI is not part of
/// it.
pub(super) const GRANTS: Grants = Grants::PROMPT.union(Grants::OUTPUTS).union(Grants::STATE);

impl UndeclaredBuiltins {
    /// Finds the names in a file.
    pub(super) fn find(file: &raw::File) -> Self {
        let fallback = |on_failure: &raw::WordOr<raw::OnFailureWord, raw::OnFailureTable>| match on_failure {
            raw::WordOr::Table(raw::OnFailureTable { fallback }) => Some(fallback.clone()),
            raw::WordOr::Word(_) => None,
        };
        let of_routes = file.routes.values().flat_map(|route| {
            let canary = route.canary.as_ref().map(|canary| canary.policy.clone());
            let fallback = route.on_failure.as_ref().and_then(fallback);
            [route.policy.clone(), route.shadow.clone(), canary, fallback]
        });
        let of_policies = file.policies.values().map(|policy| fallback(&policy.on_failure));
        let names = of_routes.chain(of_policies).flatten().filter(|name| source(name).is_some());
        Self { names: names.collect() }
    }

    /// Returns the names, each with that of the built-in policy.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.names.iter().filter_map(|name| Some((name.as_str(), source(name)?)))
    }
}

/// Returns the built-in policy of a name such as `builtin:cost`.
fn source(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix(BUILTIN)?;
    BUILTIN_POLICIES.iter().find(|known| **known == name).copied()
}

/// Adds the problem of a policy that does not exist, with the name that was likely meant.
pub(super) fn unknown_policy(name: &str, known: &[&str], place: Span, problems: &mut Problems<'_>) {
    let problem = problems.add(place, format!("unknown policy `{name}`"));
    if let Some(builtin) = name.strip_prefix(BUILTIN) {
        problem.did_you_mean(builtin, BUILTIN_POLICIES, "built-in policies");
    } else if BUILTIN_POLICIES.contains(&name) && !known.contains(&name) {
        problem.hint(format!("the built-in policy is \"{BUILTIN}{name}\""));
    } else {
        problem.did_you_mean(name, known, "policies");
    }
}
