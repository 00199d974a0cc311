//! Each tenant has models of its own; all others get the cheapest.

use std::collections::BTreeMap;

use pointsman_sdk::Pattern;
use pointsman_sdk::prelude::*;
use serde::Deserialize;

/// `models.research = "*large*"`: the models of the key `research`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    models: BTreeMap<String, Pattern>,
}

/// Routes by the name of the client's key.
pub struct ByTenant(Settings);

impl Policy for ByTenant {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let cheapest = order::ascending(candidates, |_, model| estimate::request_cost_usd(model, request));
        let tenant = request.tenant.as_deref().unwrap_or_default();
        let Some(pattern) = self.0.models.get(tenant) else {
            return Ok(Decision::of(cheapest, "cheapest"));
        };
        let fits = |index: &usize| candidates.get(*index).is_some_and(|model| pattern.fits(&model.id));
        let own: Vec<usize> = cheapest.into_iter().filter(fits).collect();
        if own.is_empty() {
            return Err(Refusal::NoCandidate(format!("no model of {tenant} is available")));
        }
        Ok(Decision::of(own, "tenant"))
    }
}
