//! Backends and models.

use pointsman_config::{catalogue, providers};

use super::deployment::{Deployment, Endpoint, KeyOrigin, StatedFacts};
use super::provider::ImportedProvider;
use super::settings::Settings;
use crate::report::{Place, Report};

/// The backends and models of all deployments.
pub(super) struct Fleet {
    pub(super) backends: Vec<BackendEntry>,
    pub(super) models: Vec<ModelEntry>,
    /// Index of the model of each deployment.
    of_deployments: Vec<usize>,
}

/// A backend.
pub(super) struct BackendEntry {
    pub(super) name: String,
    pub(super) provider: ImportedProvider,
    pub(super) endpoint: Endpoint,
    pub(super) key_variable: Option<String>,
}

/// A model.
pub(super) struct ModelEntry {
    pub(super) backend: usize,
    pub(super) upstream: String,
    pub(super) line: usize,
    pub(super) stated: StatedFacts,
    /// Entry of the catalogue, where that is not the default.
    pub(super) catalogue: Option<String>,
    /// Prices that are not stated and not known.
    pub(super) missing_prices: Vec<&'static str>,
    /// Operation, where that is not the default.
    pub(super) operation: Option<&'static str>,
}

impl Fleet {
    pub(super) fn new(deployments: &[Deployment], settings: &Settings, report: &mut Report) -> Self {
        let mut fleet = Self { backends: Vec::new(), models: Vec::new(), of_deployments: Vec::new() };
        for deployment in deployments {
            let backend = fleet.backend_of(deployment);
            let model = fleet.model_of(deployment, backend, report);
            fleet.of_deployments.push(model);
        }
        fleet.name_backends(deployments);
        fleet.name_keys(deployments, report);
        fleet.rename_conflicts(deployments, settings);
        fleet
    }

    /// Returns the id of a model.
    pub(super) fn id(&self, model: usize) -> String {
        let Some(model) = self.models.get(model) else { return String::new() };
        let backend = self.backends.get(model.backend).map_or("", |backend| backend.name.as_str());
        format!("{backend}/{}", model.upstream)
    }

    /// Returns the model of a deployment, by their indices.
    pub(super) fn model(&self, deployment: usize) -> usize {
        self.of_deployments.get(deployment).copied().unwrap_or_default()
    }

    fn backend_of(&mut self, deployment: &Deployment) -> usize {
        let is_same = |backend: &BackendEntry| backend.endpoint == deployment.endpoint;
        if let Some(index) = self.backends.iter().position(is_same) {
            return index;
        }
        self.backends.push(BackendEntry {
            name: String::new(),
            provider: deployment.provider,
            endpoint: deployment.endpoint.clone(),
            key_variable: None,
        });
        self.backends.len() - 1
    }

    fn model_of(&mut self, deployment: &Deployment, backend: usize, report: &mut Report) -> usize {
        let is_same = |model: &ModelEntry| model.backend == backend && model.upstream == deployment.upstream;
        if let Some(index) = self.models.iter().position(is_same) {
            if self.models.get(index).is_some_and(|model| model.stated != deployment.facts) {
                report.different(
                    &deployment.place,
                    "an earlier entry has the same model with other facts, which are used",
                    "a model has its facts once; give it another `upstream_name` to have it twice",
                );
            }
            return index;
        }
        self.models.push(ModelEntry::new(deployment, backend, report));
        self.models.len() - 1
    }

    /// Names the backends after their providers. Of several ones of a provider, that gets the plain name
    /// whose models clients request by it, else that at the provider's usual address, else the first.
    fn name_backends(&mut self, deployments: &[Deployment]) {
        let mut ranked: Vec<(usize, bool, usize)> = Vec::new();
        for (index, backend) in self.backends.iter().enumerate() {
            let is_direct = |deployment: &&Deployment| {
                let prefix = deployment.name.strip_suffix(&deployment.upstream);
                deployment.endpoint == backend.endpoint
                    && prefix.and_then(|prefix| prefix.strip_suffix('/')) == Some(backend.provider.prefix)
            };
            let direct = deployments.iter().filter(is_direct).count();
            ranked.push((usize::MAX - direct, backend.endpoint.is_custom, index));
        }
        ranked.sort_unstable();
        let mut named: Vec<&str> = Vec::new();
        for (.., index) in ranked {
            let Some(backend) = self.backends.get_mut(index) else { continue };
            let prefix = backend.provider.prefix;
            let others = named.iter().filter(|other| **other == prefix).count();
            backend.name = if others == 0 { prefix.to_owned() } else { format!("{prefix}-{}", others + 1) };
            named.push(prefix);
        }
    }

    /// Gives each key of the file an environment variable.
    fn name_keys(&mut self, deployments: &[Deployment], report: &mut Report) {
        let mut taken: Vec<String> = deployments
            .iter()
            .filter_map(|deployment| match &deployment.endpoint.key {
                KeyOrigin::Variable(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        let mut named: Vec<(String, String)> = Vec::new();
        for backend in &mut self.backends {
            backend.key_variable = match &backend.endpoint.key {
                KeyOrigin::None => None,
                KeyOrigin::Variable(name) => Some(name.clone()),
                KeyOrigin::File(key, place) => {
                    let known = named.iter().find(|(other, _)| other == key).map(|(_, name)| name.clone());
                    let name = known.unwrap_or_else(|| free_variable(&backend.provider, &taken));
                    report_key(place, &name, report);
                    taken.push(name.clone());
                    named.push((key.clone(), name.clone()));
                    Some(name)
                }
            };
        }
    }

    /// Renames backends with models whose id is the name of a route.
    fn rename_conflicts(&mut self, deployments: &[Deployment], settings: &Settings) {
        let routes: Vec<&str> = deployments
            .iter()
            .map(|deployment| deployment.name.as_str())
            .filter(|name| !self.is_direct(name, deployments, settings))
            .chain(settings.aliases.iter().map(|(alias, ..)| alias.as_str()))
            .collect();
        for backend in 0..self.backends.len() {
            let is_taken = |fleet: &Self| {
                let models = fleet.models.iter().enumerate().filter(|(_, model)| model.backend == backend);
                models.map(|(index, _)| fleet.id(index)).any(|id| routes.contains(&id.as_str()))
            };
            if is_taken(self)
                && let Some(backend) = self.backends.get_mut(backend)
            {
                backend.name.push_str("-api");
            }
        }
    }

    /// Returns whether a group is one model that has the group's name as its id, so that it needs no
    /// route.
    pub(super) fn is_direct(&self, group: &str, deployments: &[Deployment], settings: &Settings) -> bool {
        let members = deployments.iter().enumerate().filter(|(_, deployment)| deployment.name == group);
        let mut ids: Vec<String> = members.map(|(index, _)| self.id(self.model(index))).collect();
        ids.dedup();
        ids == [group]
            && settings.fallbacks_of(group).is_empty()
            && settings.aliases.iter().all(|(_, target, _)| target != group)
    }
}

impl ModelEntry {
    fn new(deployment: &Deployment, backend: usize, report: &mut Report) -> Self {
        let provider = &deployment.provider;
        let stated = deployment.facts.clone();
        let default = format!("{}/{}", provider.section, deployment.upstream);
        let found = deployment.catalogue_entry();
        let facts = found.as_deref().and_then(catalogue::lookup);
        // Without any price of tokens, a model that is charged by another unit is complete.
        let states_none = ["input_price", "output_price"].iter().all(|key| !stated.prices.contains_key(key));
        let is_priced =
            facts.as_ref().is_some_and(|facts| facts.price.is_some() || facts.unit.is_some() && states_none);
        let missing = ["input_price", "output_price"].into_iter();
        let missing_prices: Vec<&str> =
            missing.filter(|key| !is_priced && !stated.prices.contains_key(key)).collect();
        if !missing_prices.is_empty() && !provider.is_local && !deployment.endpoint.is_custom {
            report.task(
                &deployment.place,
                "the price of the model is not known, so its calls cost nothing",
                "set `input_price` and `output_price`, or `catalogue`: `pointsman models search WORDS`",
            );
        }
        let default_operation = facts.map_or(vec!["chat"], |facts| {
            facts.operations.iter().map(|operation| operation.name()).collect()
        });
        let operation = stated.operation.filter(|operation| !default_operation.contains(operation));
        Self {
            backend,
            upstream: deployment.upstream.clone(),
            line: deployment.place.line,
            operation,
            stated,
            catalogue: found.filter(|id| *id != default),
            missing_prices,
        }
    }
}

/// Returns a name for the variable of a key that no other key has.
fn free_variable(provider: &ImportedProvider, taken: &[String]) -> String {
    let usual = providers::find(provider.section).and_then(|known| known.key_variable);
    let usual = provider.key_variable.or(usual).map_or_else(
        || format!("{}_API_KEY", provider.prefix.to_ascii_uppercase().replace('-', "_")),
        str::to_owned,
    );
    let numbered = (2..).map(|number| format!("{usual}_{number}"));
    let mut names = std::iter::once(usual.clone()).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

fn report_key(place: &Place, variable: &str, report: &mut Report) {
    report.task(
        place,
        "the file holds a key, which the result does not",
        format!("set the environment variable `{variable}` to it, or use `api_key_file`"),
    );
}
