//! Writes the page of all metrics.

use std::collections::BTreeMap;
use std::fmt::Result;
use std::sync::Arc;

use pointsman_domain::ids::ModelId;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::definition::{self as the, MetricDefinition, MetricKind};
use super::durations::{GATEWAY_BUCKETS, HistogramSnapshot};
use super::series::{RouteModelSeries, RouteSeries, RouteTotals, SPECIAL_KINDS, Series, get};
use super::state::{MetricsState, PolicyMetrics};

/// All metrics at one moment.
#[derive(Debug)]
pub(super) struct MetricsPage {
    pub(super) series: Arc<Series>,
    pub(super) rejected: BTreeMap<&'static str, u64>,
    pub(super) dropped: Vec<(&'static str, u64)>,
    pub(super) feedback: u64,
    pub(super) state: MetricsState,
}

impl Collector for MetricsPage {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result {
        let page = &mut PageWriter(&mut encoder);
        self.process(page)?;
        self.memory(page)?;
        self.requests(page)?;
        self.money(page)?;
        self.decisions(page)?;
        self.plans(page)?;
        self.policies(page)?;
        self.policies_use(page)?;
        self.policies_state(page)?;
        self.calls(page)
    }
}

impl MetricsPage {
    fn process(&self, page: &mut PageWriter<'_, '_>) -> Result {
        let reloads = &self.state.reloads;
        page.metric(the::BUILD, |metric| metric.info(&[self.state.version]))?;
        page.metric(the::START, |metric| metric.gauge(&[], self.state.started.as_secs_f64()))?;
        page.metric(the::RELOADS, |metric| {
            metric.count(&["applied"], reloads.applied)?;
            metric.count(&["partial"], reloads.partial)?;
            metric.count(&["rejected"], reloads.rejected)
        })?;
        let last_is_clean = f64::from(u8::from(reloads.last_is_clean));
        page.metric(the::LAST_RELOAD_OK, |metric| metric.gauge(&[], last_is_clean))?;
        page.metric(the::LAST_RELOAD, |metric| metric.gauge(&[], reloads.last_applied as f64))?;
        let not_loaded = self.state.policies_not_loaded as f64;
        page.metric(the::NOT_LOADED, |metric| metric.gauge(&[], not_loaded))?;
        page.metric(the::DROPPED, |metric| {
            self.dropped.iter().try_for_each(|(queue, count)| metric.count(&[queue], *count))
        })?;
        page.metric(the::PANICS, |metric| metric.count(&[], self.state.panics))?;
        page.metric(the::HANDSHAKE_FAILURES, |metric| {
            let counts = &self.state.handshake_failures;
            counts.iter().try_for_each(|(listener, count)| metric.count(&[listener], *count))
        })?;
        page.metric(the::RESTARTS, |metric| {
            self.state.restarts.iter().try_for_each(|(task, count)| metric.count(&[task], *count))
        })
    }

    fn memory(&self, page: &mut PageWriter<'_, '_>) -> Result {
        let memory = &self.state.memory;
        page.metric(the::HELD, |metric| metric.gauge(&[], memory.held as f64))?;
        page.metric(the::HELD_LARGE, |metric| {
            memory.large.iter().try_for_each(|of| metric.gauge(&[of.kind], of.held as f64))
        })?;
        page.metric(the::HELD_LIMIT, |metric| {
            metric.gauge(&["all"], memory.limit as f64)?;
            memory.large.iter().try_for_each(|of| metric.gauge(&[of.kind], of.limit as f64))
        })?;
        page.metric(the::STORED, |metric| metric.gauge(&[], memory.stored_uploads as f64))?;
        page.metric(the::STORED_LIMIT, |metric| metric.gauge(&[], memory.stored_uploads_limit as f64))
    }

    fn requests(&self, page: &mut PageWriter<'_, '_>) -> Result {
        page.metric(the::REQUESTS, |metric| {
            self.each_route(|route, totals| {
                let mut counts = totals.ends.iter();
                counts.try_for_each(|(end, count)| metric.count(&[route, end], get(count)))
            })
        })?;
        page.metric(the::ERRORS, |metric| {
            self.each_route(|route, totals| {
                let mut counts = totals.faults.iter();
                counts.try_for_each(|(fault, count)| metric.count(&[route, fault], get(count)))
            })
        })?;
        page.metric(the::FAILED, |metric| {
            self.each_route(|route, totals| {
                let mut counts = totals.causes.iter();
                counts.try_for_each(|(cause, count)| metric.count(&[route, cause], get(count)))
            })
        })?;
        page.metric(the::REJECTED, |metric| {
            self.rejected.iter().try_for_each(|(code, count)| metric.count(&[code], *count))
        })?;
        page.metric(the::ANSWERS, |metric| {
            self.each_answering(|route, model, on| metric.count(&[route, model], get(&on.answers)))
        })?;
        page.metric(the::LATENCY, |metric| {
            self.each_answering(|route, model, on| metric.histogram(&[route, model], &on.latency.snapshot()))
        })?;
        page.metric(the::FIRST_TOKEN, |metric| {
            self.each_answering(|route, model, on| {
                metric.histogram(&[route, model], &on.first_token.snapshot())
            })
        })?;
        page.metric(the::ADDED, |metric| {
            self.each_route(|route, totals| metric.histogram(&[route], &totals.added.snapshot()))
        })
    }

    fn money(&self, page: &mut PageWriter<'_, '_>) -> Result {
        page.metric(the::TOKENS, |metric| {
            self.each_model(|route, model, on| {
                metric.count(&[route, model, "input"], get(&on.input_tokens))?;
                metric.count(&[route, model, "output"], get(&on.output_tokens))
            })
        })?;
        page.metric(the::SPECIAL_TOKENS, |metric| {
            self.each_model(|route, model, on| {
                let mut kinds = SPECIAL_KINDS.iter().zip(&on.special_tokens);
                kinds.try_for_each(|((kind, _), count)| metric.count(&[route, model, kind], get(count)))
            })
        })?;
        page.metric(the::COST, |metric| {
            self.each_model(|route, model, on| metric.sum(&[route, model], on.cost.usd()))
        })?;
        page.metric(the::COMPARED, |metric| {
            self.each_route(|route, totals| metric.sum(&[route], totals.compared.usd()))
        })?;
        page.metric(the::BASELINE, |metric| {
            self.each_route(|route, totals| metric.sum(&[route], totals.baseline.usd()))
        })
    }

    fn decisions(&self, page: &mut PageWriter<'_, '_>) -> Result {
        page.metric(the::DECISIONS, |metric| {
            self.each_route(|route, totals| {
                let mut counts = totals.answers.iter();
                counts.try_for_each(|(answer, count)| metric.count(&[route, answer], get(count)))
            })
        })?;
        page.metric(the::POLICY_FALLBACKS, |metric| {
            self.each_route(|route, totals| metric.count(&[route], get(&totals.policy_fallbacks)))
        })?;
        page.metric(the::FALLBACK_CALLS, |metric| {
            self.each_route(|route, totals| metric.count(&[route], get(&totals.fallback_calls)))
        })
    }

    fn plans(&self, page: &mut PageWriter<'_, '_>) -> Result {
        page.metric(the::PLANS, |metric| {
            self.each_planned(|route, totals| {
                let mut counts = totals.plans.ends.iter();
                counts.try_for_each(|(end, count)| metric.count(&[route, end], get(count)))
            })
        })?;
        page.metric(the::TASKS, |metric| {
            self.each_planned(|route, totals| {
                totals.plans.tasks.iter().try_for_each(|(operation, ends)| {
                    let mut counts = ends.iter();
                    counts.try_for_each(|(end, count)| metric.count(&[route, operation, end], get(count)))
                })
            })
        })?;
        page.metric(the::CRITICAL_PATH, |metric| {
            self.each_planned(|route, totals| {
                metric.histogram(&[route], &totals.plans.critical_path.snapshot())
            })
        })
    }

    fn policies(&self, page: &mut PageWriter<'_, '_>) -> Result {
        page.metric(the::ROUTE, |metric| {
            self.state.routes.iter().try_for_each(|route| metric.info(&[&route.name, &route.policy]))
        })?;
        page.metric(the::POLICY, |metric| self.each_policy(|it| metric.info(&[&it.name, &it.digest])))?;
        page.metric(the::LOADED, |metric| {
            self.each_policy(|it| metric.gauge(&[&it.name], it.loaded_at as f64))
        })?;
        page.metric(the::SWAPS, |metric| self.each_policy(|it| metric.count(&[&it.name], it.swaps)))?;
        page.metric(the::NOT_LET_IN, |metric| self.each_policy(|it| metric.count(&[&it.name], it.rejected)))?;
        page.metric(the::ROLLBACKS, |metric| {
            self.each_policy(|it| {
                let mut rollbacks = it.rollbacks.iter();
                rollbacks.try_for_each(|rollbacks| {
                    metric.count(&[&it.name, rollbacks.action, rollbacks.by], rollbacks.count)
                })
            })
        })?;
        page.metric(the::FAILURES, |metric| {
            self.each_policy(|it| {
                let mut failures = it.failures.iter();
                failures.try_for_each(|(reason, count)| metric.count(&[&it.name, reason], *count))
            })
        })?;
        page.metric(the::LOG_LINES_DROPPED, |metric| {
            self.each_policy(|it| metric.count(&[&it.name], it.log_lines_dropped))
        })?;
        page.metric(the::DECISION, |metric| {
            self.each_policy(|it| {
                metric.histogram(
                    &[&it.name],
                    &HistogramSnapshot::rebucketed(GATEWAY_BUCKETS, &it.decision_times, it.decision_time),
                )
            })
        })
    }

    fn policies_use(&self, page: &mut PageWriter<'_, '_>) -> Result {
        type Read = fn(&PolicyMetrics) -> usize;
        let gauges: [(MetricDefinition, Read); 5] = [
            (the::POLICY_CALLS, |it| it.calls),
            (the::POLICY_CALLS_LIMIT, |it| it.calls_limit),
            (the::IDLE, |it| it.idle_instances),
            (the::MEMORY, |it| it.peak_memory),
            (the::MEMORY_LIMIT, |it| it.memory_limit),
        ];
        for (definition, value) in gauges {
            page.metric(definition, |metric| {
                self.each_policy(|it| metric.gauge(&[&it.name], value(it) as f64))
            })?;
        }
        page.metric(the::POOL_CALLS, |metric| metric.gauge(&[], self.state.pool.calls as f64))?;
        page.metric(the::POOL_PLACES, |metric| metric.gauge(&[], self.state.pool.places as f64))
    }

    fn policies_state(&self, page: &mut PageWriter<'_, '_>) -> Result {
        page.metric(the::FEEDBACK, |metric| metric.count(&[], self.feedback))?;
        let stateful = || self.state.policies.iter().filter_map(|it| Some((&it.name, it.state?)));
        page.metric(the::STATE_KEYS, |metric| {
            stateful().try_for_each(|(name, state)| metric.gauge(&[name], state.keys as f64))
        })?;
        page.metric(the::STATE_SIZE, |metric| {
            stateful().try_for_each(|(name, state)| metric.gauge(&[name], state.bytes as f64))
        })?;
        page.metric(the::STATE_UNSTORED, |metric| {
            stateful().try_for_each(|(name, state)| metric.gauge(&[name], state.unstored as f64))
        })?;
        page.metric(the::STATE_REJECTED, |metric| {
            stateful().try_for_each(|(name, state)| metric.count(&[name], state.rejected_writes))
        })?;
        page.metric(the::STATE_FAILURES, |metric| metric.count(&[], self.state.state_failures))?;
        page.metric(the::HISTORY_FAILURES, |metric| metric.count(&[], self.state.history_failures))
    }

    fn calls(&self, page: &mut PageWriter<'_, '_>) -> Result {
        let models: BTreeMap<_, _> = self.series.models.iter().collect();
        page.metric(the::CALLS, |metric| {
            models.iter().try_for_each(|(model, totals)| {
                let (backend, model) = (totals.backend.as_str(), model.as_str());
                let mut counts = totals.calls.iter();
                counts.try_for_each(|(result, count)| metric.count(&[backend, model, result], get(count)))
            })
        })?;
        page.metric(the::RETRIES, |metric| {
            models.iter().try_for_each(|(model, totals)| {
                metric.count(&[totals.backend.as_str(), model.as_str()], get(&totals.retries))
            })
        })?;
        let states = self.state.models.iter();
        page.metric(the::RETRIES_DENIED, |metric| {
            states.clone().try_for_each(|it| metric.count(&[&it.backend, &it.id], it.retries_denied))
        })?;
        page.metric(the::IN_FLIGHT, |metric| {
            states.clone().try_for_each(|it| metric.gauge(&[&it.backend, &it.id], it.in_flight.into()))
        })?;
        page.metric(the::HEALTHY, |metric| {
            states
                .clone()
                .try_for_each(|it| metric.gauge(&[&it.backend, &it.id], f64::from(u8::from(it.healthy))))
        })?;
        page.metric(the::RESTING, |metric| {
            states
                .clone()
                .try_for_each(|it| metric.gauge(&[&it.backend, &it.id], f64::from(u8::from(it.resting))))
        })
    }

    /// Visits routes, and models that were addressed directly.
    fn each_route(&self, mut visit: impl FnMut(&str, &RouteTotals) -> Result) -> Result {
        self.routes().try_for_each(|(name, route)| visit(name, &route.totals))
    }

    /// Visits those that had requests with plans.
    fn each_planned(&self, mut visit: impl FnMut(&str, &RouteTotals) -> Result) -> Result {
        self.each_route(|name, totals| if totals.plans.is_used() { visit(name, totals) } else { Ok(()) })
    }

    /// Visits the models that were called, by route.
    fn each_model(&self, mut visit: impl FnMut(&str, &str, &RouteModelSeries) -> Result) -> Result {
        self.routes().try_for_each(|(name, route)| {
            let models: BTreeMap<&ModelId, _> = route.models.iter().filter(|(_, on)| on.is_used()).collect();
            models.into_iter().try_for_each(|(model, on)| visit(name, model.as_str(), on))
        })
    }

    /// Visits the models that were called, and the answers that the gateway composed.
    fn each_answering(&self, mut visit: impl FnMut(&str, &str, &RouteModelSeries) -> Result) -> Result {
        self.each_model(&mut visit)?;
        let composed = self.routes().filter(|(_, route)| route.composed.is_used());
        composed.into_iter().try_for_each(|(name, route)| visit(name, "", &route.composed))
    }

    /// Returns routes and used models by name. Most models are never addressed directly.
    fn routes(&self) -> impl Iterator<Item = (&str, &RouteSeries)> {
        let is_route = |name: &str| self.state.routes.iter().any(|route| route.name == name);
        let is_used = |totals: &RouteTotals| totals.ends.iter().any(|(_, count)| get(count) > 0);
        let routes = self.series.routes.iter().map(|(name, route)| (&**name, route));
        let shown = routes.filter(|(name, route)| is_route(name) || is_used(&route.totals));
        shown.collect::<BTreeMap<_, _>>().into_iter()
    }

    fn each_policy(&self, visit: impl FnMut(&PolicyMetrics) -> Result) -> Result {
        self.state.policies.iter().try_for_each(visit)
    }
}

/// Writer of metrics.
struct PageWriter<'e, 'p>(&'e mut DescriptorEncoder<'p>);

/// Writer of the samples of one metric.
struct SampleWriter<'m> {
    encoder: MetricEncoder<'m>,
    names: &'static [&'static str],
}

impl PageWriter<'_, '_> {
    fn metric(
        &mut self,
        definition: MetricDefinition,
        write: impl FnOnce(&mut SampleWriter<'_>) -> Result,
    ) -> Result {
        let unit = definition.unit.map(|unit| Unit::Other(unit.to_owned()));
        let kind = match definition.kind {
            MetricKind::Counter => MetricType::Counter,
            MetricKind::Gauge => MetricType::Gauge,
            MetricKind::Histogram => MetricType::Histogram,
            MetricKind::Info => MetricType::Info,
        };
        let encoder = self.0.encode_descriptor(definition.base, definition.meaning, unit.as_ref(), kind)?;
        write(&mut SampleWriter { encoder, names: definition.labels })
    }
}

impl SampleWriter<'_> {
    fn count(&mut self, values: &[&str], count: u64) -> Result {
        let labels = Labels { names: self.names, values };
        self.encoder.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)
    }

    fn sum(&mut self, values: &[&str], sum: f64) -> Result {
        let labels = Labels { names: self.names, values };
        self.encoder.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&sum, None)
    }

    fn gauge(&mut self, values: &[&str], value: f64) -> Result {
        let labels = Labels { names: self.names, values };
        self.encoder.encode_family(&labels)?.encode_gauge(&value)
    }

    fn info(&mut self, values: &[&str]) -> Result {
        self.encoder.encode_info(&Labels { names: self.names, values })
    }

    fn histogram(&mut self, values: &[&str], snapshot: &HistogramSnapshot) -> Result {
        let labels = Labels { names: self.names, values };
        let mut encoder = self.encoder.encode_family(&labels)?;
        encoder.encode_histogram::<NoLabelSet>(snapshot.sum, snapshot.count, &snapshot.buckets, None)
    }
}

/// Labels of a sample: as many values as names.
struct Labels<'v> {
    names: &'static [&'static str],
    values: &'v [&'v str],
}

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result {
        let mut labels = self.names.iter().zip(self.values);
        labels.try_for_each(|(name, value)| (*name, *value).encode(encoder.encode_label()))
    }
}
