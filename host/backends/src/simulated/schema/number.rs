//! Numbers within the bounds of a schema.

use fastrand::Rng;
use serde_json::{Number, Value};

use super::hints::Hints;
use super::shape::Shape;

/// Span of values where a schema has no bound on one or both sides.
const TYPICAL_SPAN: f64 = 9.0;
/// Largest integer whose neighbours are f64 values too.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

pub(super) fn integer(shape: &Shape<'_>, hints: &mut Hints, choices: &mut Rng) -> Value {
    let step = shape.multiple_of.filter(|step| *step >= 1.0).unwrap_or(1.0);
    let value = pick(shape, step, hints, choices);
    to_json(value.round())
}

pub(super) fn number(shape: &Shape<'_>, hints: &mut Hints, choices: &mut Rng) -> Value {
    // Halves are numbers that are no integers, and exact in binary.
    let value = pick(shape, shape.multiple_of.unwrap_or(0.5), hints, choices);
    to_json(value)
}

/// Returns a multiple of `step` within the bounds; the nearest bound if there is none.
fn pick(shape: &Shape<'_>, step: f64, hints: &mut Hints, choices: &mut Rng) -> f64 {
    let above = |value: f64| {
        shape.minimum.is_none_or(|least| value >= least) && shape.above.is_none_or(|least| value > least)
    };
    let below = |value: f64| {
        shape.maximum.is_none_or(|most| value <= most) && shape.below.is_none_or(|most| value < most)
    };
    let is_multiple = |value: f64| {
        let quotient = value / step;
        (quotient - quotient.round()).abs() < 1e-9
    };
    let fits = |value: f64| above(value) && below(value) && is_multiple(value);
    if let Some(number) = hints.number(fits) {
        return number;
    }
    let least = shape.minimum.into_iter().chain(shape.above).reduce(f64::max);
    let most = shape.maximum.into_iter().chain(shape.below).reduce(f64::min);
    let span = TYPICAL_SPAN * step;
    let (least, most) = match (least, most) {
        (Some(least), Some(most)) => (least, most),
        (Some(least), None) => (least, least + span),
        (None, Some(most)) => (if most > step { step } else { most - span }, most),
        (None, None) => (step, step + span),
    };
    let drawn = ((least + (most - least) * choices.f64()) / step).floor() * step;
    let first = (least / step).ceil() * step;
    let last = (most / step).floor() * step;
    let middle = f64::midpoint(least, most);
    let candidates = [drawn, first, first + step, last, last - step, middle];
    let within = |value: &f64| above(*value) && below(*value);
    let found = candidates.into_iter().find(|value| fits(*value));
    found.or_else(|| [least, most, middle].into_iter().find(within)).unwrap_or(least)
}

/// Returns a number in JSON, without a fraction if it is whole.
fn to_json(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= MAX_EXACT {
        return Value::Number(Number::from(value as i64));
    }
    Number::from_f64(value).map_or(Value::from(0), Value::Number)
}
