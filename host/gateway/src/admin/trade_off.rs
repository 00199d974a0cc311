//! `GET /admin/trade-off`

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use pointsman_admin_api::{RouteTradeOff, TradeOff, TradeOffQuery};
use pointsman_domain::history::{History, PlanRun};
use pointsman_domain::outcome::RequestEnd;
use pointsman_evaluation::trade_off::{ComplexityFacts, Payback, PaybackInputs};
use pointsman_record::ms;

use super::Admin;
use super::error::{AdminError, AdminErrorKind};
use super::query::{ApiQuery, invalid_query};

/// Requests a month if none are stated.
const REQUESTS_PER_MONTH: f64 = 1e6;
/// Largest input.
const LARGEST: f64 = 1e15;

/// Returns the trade-offs between the routes that had requests recently.
pub(super) async fn trade_off(
    State(admin): State<Arc<Admin>>,
    ApiQuery(query): ApiQuery<TradeOffQuery>,
) -> Result<Json<TradeOff>, AdminError> {
    let inputs = inputs(&query)?;
    let histories = admin.app.recorder.telemetry.recent.newest(usize::MAX, |_| true);
    let snapshot = admin.app.snapshot();
    let names: Vec<&str> = snapshot.config.routes.iter().map(|route| route.name.as_str()).collect();
    let before = match &query.against {
        None => None,
        Some(against) if names.contains(&against.as_str()) => {
            Some(RouteFigures::of(&histories, against).mean_cost_usd())
        }
        Some(against) => {
            let message = format!("there is no route `{against}`: the routes are {}", names.join(", "));
            return Err(AdminError::new(AdminErrorKind::NotFound, message).code("unknown_route"));
        }
    };
    let figures = names.iter().map(|name| (*name, RouteFigures::of(&histories, name)));
    let routes = figures.filter(|(_, figures)| figures.requests > 0);
    Ok(Json(TradeOff {
        requests_per_month: inputs.requests_per_month,
        one_off_usd: inputs.one_off_usd,
        monthly_usd: inputs.monthly_usd,
        against: query.against.clone(),
        routes: routes.map(|(name, figures)| figures.describe(name, before, &inputs)).collect(),
    }))
}

fn inputs(query: &TradeOffQuery) -> Result<PaybackInputs, AdminError> {
    let amount = |name: &str, value: Option<f64>, usual: f64| match value {
        None => Ok(usual),
        Some(value) if (0.0..=LARGEST).contains(&value) => Ok(value),
        Some(value) => Err(invalid_query(format!("{name} is {value}; a number from 0 to 10^15 is expected"))),
    };
    Ok(PaybackInputs {
        requests_per_month: amount("requests_per_month", query.requests_per_month, REQUESTS_PER_MONTH)?,
        one_off_usd: amount("one_off_usd", query.one_off_usd, 0.0)?,
        monthly_usd: amount("monthly_usd", query.monthly_usd, 0.0)?,
    })
}

/// Sums over the requests of a route.
#[derive(Default)]
struct RouteFigures<'h> {
    requests: u64,
    answered: u64,
    cost_usd: f64,
    /// Cost of the requests with a baseline, and that of their baselines.
    compared: (f64, f64),
    compared_requests: u64,
    latencies: Vec<Duration>,
    calls: u64,
    depth: u64,
    largest_depth: u64,
    several_calls: u64,
    providers: BTreeSet<&'h str>,
}

impl<'h> RouteFigures<'h> {
    fn of(histories: &'h [Arc<History>], route: &str) -> Self {
        let mut figures = Self::default();
        for history in histories.iter().filter(|history| &*history.route == route) {
            figures.add(history);
        }
        figures.latencies.sort_unstable();
        figures
    }

    fn add(&mut self, history: &'h History) {
        self.requests += 1;
        if history.outcome.ending != RequestEnd::Answered {
            return;
        }
        self.answered += 1;
        let cost = history.outcome.cost.usd();
        self.cost_usd += cost;
        if let Some(baseline) = &history.baseline {
            self.compared_requests += 1;
            self.compared.0 += cost;
            self.compared.1 += baseline.cost.usd();
        }
        self.latencies.push(history.outcome.latency);
        let calls = history.calls.len() as u64;
        self.calls += calls;
        self.several_calls += u64::from(calls > 1);
        let depth = history.plan.as_ref().map_or(1, depth);
        self.depth += depth;
        self.largest_depth = self.largest_depth.max(depth);
        self.providers.extend(history.calls.iter().map(|call| call.model.backend.as_str()));
    }

    fn mean(&self, sum: f64) -> Option<f64> {
        (self.answered > 0).then(|| sum / self.answered as f64)
    }

    fn mean_cost_usd(&self) -> Option<f64> {
        self.mean(self.cost_usd)
    }

    fn quantile_ms(&self, percent: usize) -> Option<f64> {
        let rank = (self.latencies.len() * percent).div_ceil(100).max(1);
        self.latencies.get(rank - 1).copied().map(ms)
    }

    /// Describes the route. `before` is the cost of the route that it is compared with, if one was named.
    fn describe(&self, route: &str, before: Option<Option<f64>>, inputs: &PaybackInputs) -> RouteTradeOff {
        let facts = ComplexityFacts {
            calls: self.mean(self.calls as f64).unwrap_or(0.0),
            depth: self.mean(self.depth as f64).unwrap_or(0.0),
            several_calls: self.mean(self.several_calls as f64).unwrap_or(0.0),
            providers: self.providers.len() as u64,
            policy_lines: None,
            configuration_lines: None,
        };
        let mean_of_compared =
            |sum: f64| (self.compared_requests > 0).then(|| sum / self.compared_requests as f64);
        // With a baseline, only requests that it could have served count, on both sides.
        let (before, after) = match before {
            Some(before) => (before, self.mean_cost_usd()),
            None => (mean_of_compared(self.compared.1), mean_of_compared(self.compared.0)),
        };
        let payback = before.zip(after).map(|(before, after)| Payback::of(before, after, inputs));
        RouteTradeOff {
            route: route.to_owned(),
            requests: self.requests,
            answered: self.answered,
            mean_cost_usd: self.mean_cost_usd(),
            compared_cost_usd: before,
            latency_ms_p50: self.quantile_ms(50),
            latency_ms_p95: self.quantile_ms(95),
            calls: facts.calls,
            depth: facts.depth,
            largest_depth: self.largest_depth,
            several_calls: facts.several_calls,
            providers: facts.providers,
            points: facts.points().into(),
            rating: facts.rating().as_str().to_owned(),
            monthly_saving_usd: payback.map(|payback| payback.monthly_saving_usd),
            payback_months: payback.and_then(|payback| payback.months),
        }
    }
}

/// Returns the sum over the steps of a plan of the longest chain of tasks that wait for each other, at
/// least 1.
fn depth(plan: &PlanRun) -> u64 {
    let mut depths: Vec<u64> = Vec::with_capacity(plan.tasks.len());
    let mut of_steps = vec![0; plan.steps + 1];
    for task in &plan.tasks {
        // A plan may list a task before those that it waits for; such a task counts once.
        let before = task.after.iter().filter_map(|number| depths.get(*number)).max().copied().unwrap_or(0);
        depths.push(before + 1);
        if let Some(step) = of_steps.get_mut(task.step) {
            *step = (before + 1).max(*step);
        }
    }
    of_steps.iter().sum::<u64>().max(1)
}

#[cfg(test)]
mod tests {
    use pointsman_domain::history::TaskRun;
    use pointsman_domain::model::Operation;

    use super::*;

    fn task(step: usize, after: &[usize]) -> TaskRun {
        TaskRun {
            name: "task".to_owned(),
            operation: Operation::Chat,
            step,
            after: after.to_vec(),
            begun: None,
            ended: None,
            model: None,
            output_bytes: None,
            error: None,
        }
    }

    #[test]
    fn the_depth_of_a_plan_is_the_sum_of_the_longest_chains_of_its_steps() {
        let plan = |steps: usize, tasks: Vec<TaskRun>| PlanRun { steps, tasks, ..PlanRun::default() };
        assert_eq!(depth(&plan(1, vec![])), 1);
        assert_eq!(depth(&plan(1, vec![task(1, &[]), task(1, &[]), task(1, &[0, 1])])), 2);
        assert_eq!(depth(&plan(2, vec![task(1, &[]), task(1, &[0]), task(2, &[])])), 3);
    }

    #[test]
    fn inputs_have_defaults_and_bounds() {
        let query = TradeOffQuery { one_off_usd: Some(5.0), ..TradeOffQuery::default() };
        let inputs = inputs(&query).unwrap();
        assert_eq!((inputs.requests_per_month, inputs.one_off_usd, inputs.monthly_usd), (1e6, 5.0, 0.0));
        for nonsense in [-1.0, f64::NAN, 1e16] {
            let query = TradeOffQuery { monthly_usd: Some(nonsense), ..TradeOffQuery::default() };
            assert!(super::inputs(&query).is_err(), "{nonsense}");
        }
    }
}
