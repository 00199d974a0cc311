//! Names as clients request them: those of routes and models, and the aliases of routes.

use std::collections::HashMap;
use std::sync::Arc;

use pointsman_config::{self as config, Key};
use pointsman_domain::names::{PatternIndex, nearest_name};

use super::{Route, Snapshot};

/// Names of routes by their aliases.
#[derive(Debug, Default)]
pub(super) struct RouteAliases {
    exact: HashMap<Box<str>, Arc<str>>,
    patterns: PatternIndex<Arc<str>>,
}

/// Name that a client can request.
#[derive(Clone, Copy)]
pub struct RequestableName<'a> {
    /// The name.
    pub name: &'a str,
    /// The route or model that it stands for, under this name or another one.
    pub route: &'a Route,
}

impl RouteAliases {
    pub(super) fn new(routes: &[config::Route]) -> Self {
        let (mut exact, mut patterns) = (HashMap::new(), Vec::new());
        for route in routes {
            let name: Arc<str> = route.name.as_str().into();
            for alias in &route.aliases {
                match alias.is_exact() {
                    true => _ = exact.insert(alias.as_str().into(), Arc::clone(&name)),
                    false => patterns.push((alias.clone(), Arc::clone(&name))),
                }
            }
        }
        Self { exact, patterns: PatternIndex::new(patterns) }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.exact.get(name).or_else(|| self.patterns.get(name)).map(AsRef::as_ref)
    }
}

impl Snapshot {
    /// Returns the route or model that a client requests by a name: the one of this name, or else the
    /// route with this alias, or else the one with the most specific pattern that matches.
    pub fn requested(&self, name: &str) -> Option<&Route> {
        self.served.get(name).or_else(|| self.served.get(self.aliases.get(name)?))
    }

    /// Iterates over the names that a key may request: routes, each with its exact aliases, then
    /// models, in the order of the configuration.
    pub fn requestable<'a>(&'a self, key: Option<&'a Key>) -> impl Iterator<Item = RequestableName<'a>> {
        let routes = self.config.routes.iter().flat_map(|configured| {
            let name = configured.name.as_str();
            let aliases = configured.aliases.iter().filter(|alias| alias.is_exact());
            std::iter::once(name).chain(aliases.map(|alias| alias.as_str())).map(move |alias| (alias, name))
        });
        let models = self.config.models.iter().map(|model| (model.id.as_str(), model.id.as_str()));
        let names = routes.chain(models);
        let names =
            names.filter_map(|(name, of)| Some(RequestableName { name, route: self.served.get(of)? }));
        names.filter(move |requestable| requestable.route.is_allowed(requestable.name, key))
    }

    /// Returns the name that a client most likely meant by one that there is not, among those that its
    /// key may request.
    pub fn did_you_mean<'a>(&'a self, name: &str, key: Option<&'a Key>) -> Option<&'a str> {
        nearest_name(name, self.requestable(key).map(|requestable| requestable.name))
    }
}

impl Route {
    /// Returns whether a key may request the route by a name: if this name or the route's own one is
    /// allowed.
    pub fn is_allowed(&self, requested: &str, key: Option<&Key>) -> bool {
        key.is_none_or(|key| key.may_ask_for(&self.name) || key.may_ask_for(requested))
    }
}
