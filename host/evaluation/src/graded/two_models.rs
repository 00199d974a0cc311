//! Measures of RouteLLM (Ong et al., 2024, arXiv 2406.18665) for a router between a strong and a weak model.
//!
//! The *performance gap recovered* of a router is `PGR = (r − weak)/(strong − weak)`, where `r` is its mean score. The
//! *average PGR* is the area under PGR over the share of requests that the strong model answers, from none to all:
//! `APGR = ∫₀¹ PGR(c) dc`. The *call-performance threshold* `CPT(x)` is the least share of strong answers at which
//! PGR reaches `x`. A random router has an APGR of 0.5 and a CPT of `x`.

use serde::Serialize;

use super::{GradedData, mean};

/// A router between two models at several settings of how much the strong one may be used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DecisionCurve {
    /// For each setting, whether the strong model answers a row.
    pub settings: Vec<Vec<bool>>,
}

/// Area and thresholds of a router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TwoModelResult {
    /// Average performance gap recovered.
    pub apgr: f64,
    /// Share of strong answers for half of the gap; `None` if it is not reached.
    pub cpt_50: Option<f64>,
    /// Share of strong answers for four fifths of the gap; `None` if it is not reached.
    pub cpt_80: Option<f64>,
    /// Number of different shares of strong answers that the settings have; between them the router is a
    /// random mixture.
    pub points: usize,
}

/// Measures a router between two models, numbers of which are given. `None` if the strong model is not better.
pub fn two_models(
    data: &GradedData,
    strong: usize,
    weak: usize,
    curve: &DecisionCurve,
) -> Option<TwoModelResult> {
    let score = |model: usize| mean(data.rows.iter().map(|row| row.outcome(model).score));
    let (high, low) = (score(strong), score(weak));
    if high <= low || data.rows.is_empty() {
        return None;
    }
    let point = |setting: &Vec<bool>| {
        let chosen = data
            .rows
            .iter()
            .zip(setting)
            .map(|(row, is_strong)| row.outcome(if *is_strong { strong } else { weak }).score);
        let share = mean(setting.iter().map(|is_strong| f64::from(u8::from(*is_strong))));
        (share, (mean(chosen) - low) / (high - low))
    };
    let mut points: Vec<(f64, f64)> = curve.settings.iter().map(point).collect();
    points.extend([(0.0, 0.0), (1.0, 1.0)]);
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    // Of settings with the same share, their mean counts.
    let mut merged: Vec<(f64, f64, f64)> = Vec::new();
    for (share, gap) in points {
        match merged.last_mut() {
            Some(last) if (last.0 - share).abs() < 1e-12 => {
                last.1 = (last.1 * last.2 + gap) / (last.2 + 1.0);
                last.2 += 1.0;
            }
            _ => merged.push((share, gap, 1.0)),
        }
    }
    let segments = || merged.iter().zip(merged.iter().skip(1));
    let apgr = segments().map(|(a, b)| (b.0 - a.0) * (a.1 + b.1) / 2.0).sum();
    let threshold = |gap: f64| {
        segments()
            .find(|(_, b)| b.1 >= gap)
            .map(|(a, b)| if a.1 >= gap { a.0 } else { a.0 + (gap - a.1) / (b.1 - a.1) * (b.0 - a.0) })
    };
    Some(TwoModelResult { apgr, cpt_50: threshold(0.5), cpt_80: threshold(0.8), points: merged.len() })
}
