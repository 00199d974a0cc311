//! The reference policies, called natively as the gateway calls their components.

use anyhow::{Result, anyhow};
use pointsman_policy_cost::Cost;
use pointsman_policy_dynamic::Dynamic;
use pointsman_policy_performance::Performance;
use pointsman_policy_task_type::TaskType;
use pointsman_sdk::Policy;
use pointsman_sdk::testkit::Gateway;
use serde_json::json;

use crate::baseline::Strategy;
use crate::data::OutcomeRow;
use crate::fleet::Fleet;

/// Runs policies over rows.
#[derive(Clone, Copy, Debug)]
pub struct PolicyRunner<'a> {
    /// Models with the facts derived from training rows.
    pub fleet: &'a Fleet,
    /// Rows to be routed.
    pub rows: &'a [OutcomeRow],
}

impl PolicyRunner<'_> {
    /// Runs all policies with the settings that their documents report; `performance` only if
    /// speeds are known.
    pub fn all(self) -> Result<Vec<Strategy>> {
        let best = self.fleet.candidates[self.fleet.best()].quality.unwrap_or_default();
        let quality = &self.fleet.quality;
        let mut strategies = vec![
            self.run::<Cost>("cost", &json!({}))?,
            self.run::<Cost>("cost, floor 95 % of best", &json!({"quality_floor": best * 0.95}))?,
            self.run::<TaskType>("task-type", &json!({ "quality": quality }))?,
            self.run::<Dynamic>("dynamic, general quality only", &json!({}))?,
            self.dynamic("dynamic", &json!({}))?,
        ];
        if self.fleet.candidates.iter().any(|model| model.first_token_ms.is_some()) {
            strategies.push(self.run::<Performance>("performance", &json!({}))?);
            let settings = json!({"quality_floor": best * 0.95});
            strategies.push(self.run::<Performance>("performance, floor 95 % of best", &settings)?);
        }
        Ok(strategies)
    }

    /// Runs `dynamic` with these settings besides the quality table.
    pub fn dynamic(self, name: &str, settings: &serde_json::Value) -> Result<Strategy> {
        let mut settings = settings.clone();
        settings["quality"] = json!(self.fleet.quality);
        self.run::<Dynamic>(name, &settings)
    }

    fn run<P: Policy>(self, name: &str, settings: &serde_json::Value) -> Result<Strategy> {
        let gateway = Gateway::new().settings(settings.to_string());
        let mut choices = Vec::new();
        for row in self.rows {
            let mut gateway = gateway.clone().user(&row.text);
            for tool in &row.tools {
                gateway = gateway.tool(tool);
            }
            let decision = gateway
                .route::<P>(&row.request, &self.fleet.candidates)
                .map_err(|refusal| anyhow!("{name} refused {}: {refusal:?}", row.id))?;
            choices.push(decision.targets.first().map_or(0, |target| target.candidate as usize));
        }
        Ok(Strategy::of(name, self.fleet.candidates.len(), choices.into_iter()))
    }
}
