//! Further names of routes.

use std::collections::{HashMap, HashSet};

use pointsman_domain::names::NamePattern;

use super::super::document::Node;
use super::super::names;
use super::super::problem::Problems;

/// Checker of the aliases of all routes. A name or pattern belongs to one route, so that a request
/// never depends on which of two routes comes first.
pub(super) struct AliasChecker<'d> {
    routes: HashSet<&'d str>,
    models: HashSet<&'d str>,
    /// The route of each alias so far.
    taken: HashMap<NamePattern, &'d str>,
}

impl<'d> AliasChecker<'d> {
    pub(super) fn new(routes: Node<'d>, models: &[&'d str]) -> Self {
        Self {
            routes: routes.entries().map(|(name, _)| name).collect(),
            models: models.iter().copied().collect(),
            taken: HashMap::new(),
        }
    }

    /// Returns the aliases of a route, in the order of its list.
    pub(super) fn check(
        &mut self,
        route: &'d str,
        aliases: &[String],
        node: Node<'_>,
        problems: &mut Problems<'_>,
    ) -> Vec<NamePattern> {
        let mut checked = Vec::new();
        for (index, alias) in aliases.iter().enumerate() {
            let place = node.at(index).place();
            if !names::is_requestable(alias, true) {
                problems
                    .add(place, format!("{alias:?} cannot be an alias"))
                    .hint(names::requestable_rule("aliases"));
                continue;
            }
            let pattern = NamePattern::new(alias);
            if self.routes.contains(pattern.as_str()) {
                problems
                    .add(place, format!("alias `{alias}` is the name of a route"))
                    .hint("requests of that name go to that route: remove the alias");
            } else if self.models.contains(pattern.as_str()) {
                problems
                    .add(place, format!("alias `{alias}` is the name of a model"))
                    .hint("clients request both by name: remove the alias");
            } else if let Some(other) = self.taken.get(&pattern) {
                let message = match *other == route {
                    true => format!("alias `{alias}` is given twice"),
                    false => format!("alias `{alias}` is that of route `{other}` too"),
                };
                problems.add(place, message).hint("a name belongs to one route: keep one of them");
            } else {
                self.taken.insert(pattern.clone(), route);
                checked.push(pattern);
            }
        }
        checked
    }
}
