//! Each tenant has a number of requests an hour on the expensive models; above it, the cheapest
//! serves. Needs the grant `state`, in which the counts are shared by all instances.

use std::time::Duration;

use pointsman_sdk::prelude::*;
use pointsman_sdk::state;
use serde::Deserialize;

const HOUR: Duration = Duration::from_secs(3_600);

/// Requests an hour of each tenant.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    hourly: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { hourly: 100 }
    }
}

/// Counts requests by tenant for an hour from the first.
pub struct TenantLimit(Settings);

impl Policy for TenantLimit {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let key = format!("hour/{}", request.tenant.as_deref().unwrap_or_default());
        // A count that cannot be written is treated as exhausted.
        let count = state::add_within(&key, 1, HOUR).unwrap_or(i64::MAX);
        if count > self.0.hourly {
            let order = order::ascending(candidates, |_, model| estimate::request_cost_usd(model, request));
            return Ok(Decision::of(order, "over-limit"));
        }
        let order = order::descending(candidates, |_, model| model.quality.unwrap_or(0.0));
        Ok(Decision::of(order, "within-limit").because(format_args!("request {count} of {}", self.0.hourly)))
    }
}
