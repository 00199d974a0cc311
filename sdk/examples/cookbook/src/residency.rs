//! Requests of some tenants stay in a region. Models state theirs in the configuration:
//! `attributes = { region = "eu" }`.

use std::collections::BTreeMap;

use pointsman_sdk::prelude::*;
use serde::Deserialize;

/// `regions.acme = "eu"`: requests of the key `acme` stay there.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    regions: BTreeMap<String, String>,
}

/// Refuses rather than sends a request to another region.
pub struct Residency(Settings);

impl Policy for Residency {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let cheapest = order::ascending(candidates, |_, model| estimate::request_cost_usd(model, request));
        let Some(region) = request.tenant.as_ref().and_then(|tenant| self.0.regions.get(tenant)) else {
            return Ok(Decision::of(cheapest, "anywhere"));
        };
        // A model that states no region is in none.
        let is_there =
            |&index: &usize| details::candidate_attribute(index, "region").as_ref() == Some(region);
        let there: Vec<usize> = cheapest.into_iter().filter(is_there).collect();
        if there.is_empty() {
            return Err(Refusal::NoCandidate(format!(
                "no model in the region {region} can serve this request"
            )));
        }
        Ok(Decision::of(there, format!("region:{region}")))
    }
}
