//! Figures of policies, as text and as JSON.

use std::time::Duration;

use pointsman_terminal::TextTable;
use serde_json::{Value, json};

/// Figures of one policy.
#[derive(Clone, Debug)]
pub(super) struct PolicyFigures {
    pub(super) source: String,
    /// Size of the file.
    pub(super) bytes: usize,
    /// Time to load it, with compilation unless it was compiled before.
    pub(super) load: Duration,
    /// Decisions in a fresh instance each.
    pub(super) fresh: Distribution,
    /// Decisions in an instance that is kept.
    pub(super) kept: Distribution,
    /// Largest linear memory of an instance.
    pub(super) memory_bytes: usize,
    /// Executed instructions of one decision in a fresh instance.
    pub(super) fuel: Option<u64>,
    /// Those of its start.
    pub(super) start_fuel: Option<u64>,
}

/// Times in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Distribution {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

impl Distribution {
    pub(super) fn of(times: &[Duration]) -> Self {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
            sorted.get(index).copied().unwrap_or_default()
        };
        Self { p50: at(50), p99: at(99) }
    }
}

/// Describes the figures, and their ratio to those of the baseline.
pub(super) fn text(figures: &[PolicyFigures], rounds: u32) -> String {
    let titles = [
        "POLICY",
        "KB",
        "LOAD ms",
        "FRESH µs p50",
        "p99",
        "KEPT µs p50",
        "p99",
        "MEMORY KiB",
        "FUEL",
        "OF START",
    ];
    let mut table = TextTable::new(&titles);
    for it in figures {
        let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        table.add(vec![
            it.source.clone(),
            it.bytes.div_ceil(1000).to_string(),
            format!("{:.0}", it.load.as_secs_f64() * 1e3),
            microseconds(it.fresh.p50),
            microseconds(it.fresh.p99),
            microseconds(it.kept.p50),
            microseconds(it.kept.p99),
            it.memory_bytes.div_ceil(1024).to_string(),
            number(it.fuel),
            number(it.start_fuel),
        ]);
    }
    if let Some(ratios) = Ratios::of(figures) {
        table.add(vec![
            "ratio".to_owned(),
            ratio(ratios.bytes),
            String::new(),
            ratio(ratios.fresh),
            String::new(),
            ratio(ratios.kept),
            String::new(),
            ratio(ratios.memory),
            ratio(ratios.fuel),
        ]);
    }
    table.render(vec![format!(
        "{rounds} rounds; fuel is the number of executed instructions of a fresh decision"
    )])
}

/// Describes the figures for programs.
pub(super) fn json(figures: &[PolicyFigures], rounds: u32) -> Value {
    let us = |time: Duration| (time.as_secs_f64() * 1e7).round() / 10.0;
    let one = |it: &PolicyFigures| {
        json!({
            "policy": it.source,
            "bytes": it.bytes,
            "load_ms": (it.load.as_secs_f64() * 1e4).round() / 10.0,
            "fresh_us": { "p50": us(it.fresh.p50), "p99": us(it.fresh.p99) },
            "kept_us": { "p50": us(it.kept.p50), "p99": us(it.kept.p99) },
            "memory_bytes": it.memory_bytes,
            "fuel": it.fuel,
            "start_fuel": it.start_fuel,
        })
    };
    let ratios = Ratios::of(figures).map(|ratios| {
        json!({
            "bytes": ratios.bytes, "fresh": ratios.fresh, "kept": ratios.kept,
            "memory": ratios.memory, "fuel": ratios.fuel,
        })
    });
    json!({
        "rounds": rounds,
        "policies": figures.iter().map(one).collect::<Vec<_>>(),
        "ratio_to_baseline": ratios,
    })
}

/// Ratios of the first policy to the second.
struct Ratios {
    bytes: Option<f64>,
    fresh: Option<f64>,
    kept: Option<f64>,
    memory: Option<f64>,
    fuel: Option<f64>,
}

impl Ratios {
    fn of(figures: &[PolicyFigures]) -> Option<Self> {
        let [policy, baseline] = figures else { return None };
        let divide = |a: f64, b: f64| (b > 0.0).then(|| (a / b * 1e3).round() / 1e3);
        Some(Self {
            bytes: divide(policy.bytes as f64, baseline.bytes as f64),
            fresh: divide(policy.fresh.p50.as_secs_f64(), baseline.fresh.p50.as_secs_f64()),
            kept: divide(policy.kept.p50.as_secs_f64(), baseline.kept.p50.as_secs_f64()),
            memory: divide(policy.memory_bytes as f64, baseline.memory_bytes as f64),
            fuel: policy.fuel.zip(baseline.fuel).and_then(|(a, b)| divide(a as f64, b as f64)),
        })
    }
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

fn microseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(factor: u64) -> PolicyFigures {
        let time = Duration::from_micros(10 * factor);
        PolicyFigures {
            source: format!("policy-{factor}"),
            bytes: 2_000 * factor as usize,
            load: Duration::from_millis(25),
            fresh: Distribution { p50: time, p99: time * 2 },
            kept: Distribution { p50: time / 2, p99: time },
            memory_bytes: 65_536,
            fuel: Some(1_000 * factor),
            start_fuel: Some(10),
        }
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let times: Vec<Duration> = (0..200).rev().map(Duration::from_micros).collect();
        let expected = Distribution { p50: Duration::from_micros(100), p99: Duration::from_micros(198) };
        assert_eq!(Distribution::of(&times), expected);
        assert_eq!(Distribution::of(&[]), Distribution::default());
        assert_eq!(Distribution::of(&times[..1]).p99, times[0]);
    }

    #[test]
    fn a_baseline_gives_ratios() {
        let report = json(&[figures(3), figures(2)], 7);
        assert_eq!(report["ratio_to_baseline"]["fuel"], 1.5);
        assert_eq!(report["policies"][0]["fresh_us"]["p99"], 60.0);
        assert_eq!(json(&[figures(1)], 7)["ratio_to_baseline"], Value::Null);
        let text = text(&[figures(3), figures(2)], 7);
        assert!(text.contains("\nratio     1.50") && text.contains("7 rounds"), "{text}");
    }
}
