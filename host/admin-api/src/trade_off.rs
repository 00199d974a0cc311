//! Trade-offs between the routes of a running gateway.

use serde::{Deserialize, Serialize};

/// The query of `GET /admin/trade-off`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TradeOffQuery {
    /// Requests a month; 1,000,000 if absent.
    pub requests_per_month: Option<f64>,
    /// Cost of the work until a route serves, in US dollars; 0 if absent.
    pub one_off_usd: Option<f64>,
    /// Cost of running a route, in US dollars a month; 0 if absent.
    pub monthly_usd: Option<f64>,
    /// Route whose cost is the one before; if absent, the cost of the same answers from each route's
    /// baseline model.
    pub against: Option<String>,
}

/// Trade-offs between routes: the response to `GET /admin/trade-off`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TradeOff {
    /// Requests a month.
    pub requests_per_month: f64,
    /// Cost of the work, in US dollars.
    pub one_off_usd: f64,
    /// Running cost in US dollars a month.
    pub monthly_usd: f64,
    /// Route whose cost is the one before, if one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// Routes with recent requests, in the order of the configuration.
    pub routes: Vec<RouteTradeOff>,
}

/// Measured facts about a route, over its requests among the recent ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RouteTradeOff {
    /// The route.
    pub route: String,
    /// Requests that have ended.
    pub requests: u64,
    /// Requests that were answered, which the other members are about.
    pub answered: u64,
    /// Mean cost of a request in US dollars.
    pub mean_cost_usd: Option<f64>,
    /// Mean cost that it is compared with.
    pub compared_cost_usd: Option<f64>,
    /// Median of the latency in milliseconds.
    pub latency_ms_p50: Option<f64>,
    /// 95th percentile of the latency in milliseconds.
    pub latency_ms_p95: Option<f64>,
    /// Mean number of calls of models.
    pub calls: f64,
    /// Mean length of the longest chain of tasks that wait for each other; 1 where one model answers.
    pub depth: f64,
    /// Longest chain of any request.
    pub largest_depth: u64,
    /// Share of requests with more than one call, 0 to 1.
    pub several_calls: f64,
    /// Backends that were called.
    pub providers: u64,
    /// Points of complexity, 0 to 10: lines of policies and configuration do not count here.
    pub points: u64,
    /// Rating of complexity: `low`, `medium` or `high`.
    pub rating: String,
    /// Saving in US dollars a month, the running cost subtracted.
    pub monthly_saving_usd: Option<f64>,
    /// Months until the savings equal the one-off cost; absent if they never do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payback_months: Option<f64>,
}
