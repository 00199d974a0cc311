//! Simulated worlds, in which the truth is known.

use super::*;
use crate::random::Random;

/// Number of worlds of a test.
const WORLDS: u64 = 1_000;
/// Kinds of requests.
const KINDS: usize = 4;
/// Models.
const MODELS: usize = 3;

/// Means of an outcome by kind and model, and the policy that was logged.
struct World {
    random: Random,
    shares: [f64; KINDS],
    means: [[f64; MODELS]; KINDS],
    logging: [[f64; MODELS]; KINDS],
    /// Requests per session. All of a session have the same model and share a deviation.
    session: usize,
    /// True if the strata do not show the kinds.
    is_hidden: bool,
    /// True if the log states 1/n as each probability.
    states_uniform: bool,
}

/// Another policy: the probabilities of the models by kind.
type Target = [[f64; MODELS]; KINDS];

fn drawn(random: &mut Random, probability: impl Fn(usize) -> f64, count: usize) -> usize {
    let point = random.unit();
    let mut sum = 0.0;
    let found = (0..count).find(|choice| {
        sum += probability(*choice);
        point < sum
    });
    found.unwrap_or(count - 1)
}

impl World {
    /// Creates a world in which every model is chosen for every kind with a probability of at least 0.15.
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut shares = [0.0; KINDS].map(|_: f64| 0.2 + random.unit());
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= sum);
        let means =
            [[0.0; MODELS]; KINDS].map(|models: [f64; MODELS]| models.map(|_| 1.0 + 3.0 * random.unit()));
        let logging = [[0.0; MODELS]; KINDS].map(|models: [f64; MODELS]| {
            let weights = models.map(|_| random.unit());
            let sum: f64 = weights.iter().sum();
            weights.map(|weight| 0.15 + (1.0 - 0.15 * MODELS as f64) * weight / sum)
        });
        Self { random, shares, means, logging, session: 1, is_hidden: false, states_uniform: false }
    }

    /// Returns a policy that always chooses the model for which a function is least.
    fn least(&self, of: impl Fn(usize, usize) -> f64) -> Target {
        let mut target = [[0.0; MODELS]; KINDS];
        for (kind, models) in target.iter_mut().enumerate() {
            let order = |a: &usize, b: &usize| of(*a, kind).total_cmp(&of(*b, kind));
            models[(0..MODELS).min_by(order).unwrap()] = 1.0;
        }
        target
    }

    /// Returns a policy whose choices have nothing to do with the outcomes.
    fn arbitrary(&mut self) -> Target {
        let preferences =
            [[0.0; MODELS]; KINDS].map(|models: [f64; MODELS]| models.map(|_| self.random.unit()));
        self.least(|model, kind| preferences[kind][model])
    }

    fn value(&self, policy: &Target) -> f64 {
        let kind =
            |kind: usize| (0..MODELS).map(|model| policy[kind][model] * self.means[kind][model]).sum::<f64>();
        (0..KINDS).map(|it| self.shares[it] * kind(it)).sum()
    }

    /// Returns the true difference of the values.
    fn truth(&self, target: &Target) -> f64 {
        self.value(target) - self.value(&self.logging)
    }

    /// Serves a number of sessions, of which a part is logged with one request in two, and hands the records on.
    fn serve(&mut self, sessions: usize, target: &Target, mut record: impl FnMut(&Observation)) {
        for session in 0..sessions {
            let kind = drawn(&mut self.random, |kind| self.shares[kind], KINDS);
            let logged = drawn(&mut self.random, |model| self.logging[kind][model], MODELS);
            let choice = drawn(&mut self.random, |model| target[kind][model], MODELS);
            let deviation = if self.session > 1 { self.random.normal() * 0.5 } else { 0.0 };
            let is_sampled = session % 3 == 0;
            for _ in 0..self.session {
                let outcome = self.means[kind][logged] * self.random.exponential() + deviation;
                if is_sampled && self.random.unit() < 0.5 {
                    continue;
                }
                let stratum = if self.is_hidden { 0 } else { kind as u32 };
                let propensity =
                    if self.states_uniform { 1.0 / MODELS as f64 } else { self.logging[kind][logged] };
                let target = Choice::of(choice as u32);
                record(&Observation {
                    weight: if is_sampled { 2.0 } else { 1.0 },
                    cluster: session as u64,
                    stratum: Stratum { fine: stratum, coarse: stratum / 2 },
                    logged: Choice::of(logged as u32),
                    target,
                    redrawn: target,
                    propensity: Some(propensity),
                    outcome,
                });
            }
        }
    }

    fn estimates(&mut self, sessions: usize, target: &Target) -> Estimates {
        let mut sums = Accumulator::default();
        self.serve(sessions, target, |it| sums.add(it));
        sums.estimates()
    }
}

/// Shares of the worlds in which the intervals of the methods contain the truth, by name.
struct Coverage {
    covered: [(&'static str, u32, u32); 4],
}

impl Coverage {
    fn of(mut world: impl FnMut(u64) -> (Estimates, f64)) -> Self {
        let mut covered = [("direct", 0, 0), ("ips", 0, 0), ("snips", 0, 0), ("doubly robust", 0, 0)];
        for seed in 0..WORLDS {
            let (estimates, truth) = world(seed);
            let methods = [estimates.direct, estimates.ips, estimates.snips, estimates.doubly_robust];
            for ((_, made, covers), method) in covered.iter_mut().zip(methods) {
                if let Ok(Difference { difference, .. }) = method {
                    *made += 1;
                    *covers += u32::from(difference.low <= truth && truth <= difference.high);
                }
            }
        }
        Self { covered }
    }

    /// Checks that nearly every world had an estimate, and that 93 to 97 % of the intervals contain the truth.
    fn check(&self, methods: &[&str]) {
        for (name, made, covers) in self.covered.iter().filter(|(name, ..)| methods.contains(name)) {
            let share = f64::from(*covers) / f64::from(*made);
            assert!(f64::from(*made) >= 0.98 * WORLDS as f64, "{name}: {made} estimates");
            assert!((0.93..=0.97).contains(&share), "{name}: {share}");
        }
    }
}

const METHODS: [&str; 4] = ["direct", "ips", "snips", "doubly robust"];

#[test]
fn intervals_contain_the_truth_as_often_as_they_say() {
    let coverage = Coverage::of(|seed| {
        let mut world = World::new(seed);
        let target = world.arbitrary();
        (world.estimates(1_200, &target), world.truth(&target))
    });
    coverage.check(&METHODS);
}

#[test]
fn intervals_hold_for_a_policy_that_draws() {
    let coverage = Coverage::of(|seed| {
        let mut world = World::new(seed);
        let target = World::new(seed + WORLDS).logging;
        (world.estimates(1_200, &target), world.truth(&target))
    });
    coverage.check(&METHODS);
}

#[test]
fn intervals_hold_for_sessions_that_keep_their_model() {
    let coverage = Coverage::of(|seed| {
        let mut world = World { session: 5, ..World::new(seed) };
        let target = world.arbitrary();
        (world.estimates(1_200, &target), world.truth(&target))
    });
    coverage.check(&METHODS);
}

#[test]
fn weighted_methods_hold_where_the_direct_model_is_wrong() {
    let coverage = Coverage::of(|seed| {
        let mut world = World { is_hidden: true, ..World::new(seed) };
        let target = world.least(|model, kind| world.means[kind][model]);
        (world.estimates(1_200, &target), world.truth(&target))
    });
    coverage.check(&METHODS[1..]);
    let (_, made, covers) = coverage.covered[0];
    assert!(covers < made * 7 / 10, "the direct method needs strata that show the kinds: {covers} of {made}");
}

/// Returns how often one of three outcomes of a policy gets a verdict.
fn verdicts(world: impl Fn(u64) -> World, target: impl Fn(&mut World) -> Target, wanted: Verdict) -> usize {
    let found = |seed: &u64| {
        let mut any = world(*seed);
        let target = target(&mut any);
        let outcomes = (0..3).map(|_| {
            let (_, best) = any.estimates(1_000, &target).best().expect("there is overlap");
            verdict(&best, Better::Lower, 3)
        });
        outcomes.collect::<Vec<_>>().contains(&wanted)
    };
    (0..WORLDS).filter(found).count()
}

#[test]
fn an_equal_policy_is_rarely_accused() {
    let equal = |seed| World {
        means: [[2.0; MODELS], [1.0; MODELS], [3.0; MODELS], [2.5; MODELS]],
        ..World::new(seed)
    };
    let accused = verdicts(equal, World::arbitrary, Verdict::Worse);
    assert!(accused <= 30, "{accused} of 1000");
    let accused = verdicts(equal, |_| World::new(1).logging, Verdict::Worse);
    assert!(accused <= 30, "{accused} of 1000, with draws");
}

#[test]
fn a_policy_that_is_worse_on_purpose_is_caught() {
    // The last model is worse than the first for all requests, and the policy always chooses it.
    let world = |seed| {
        let mut world = World::new(seed);
        world.means.iter_mut().for_each(|models| models[MODELS - 1] = models[0] + 1.5);
        world
    };
    let worst = |world: &mut World| world.least(|model, _| -(model as f64));
    let caught = verdicts(world, worst, Verdict::Worse);
    assert!(caught >= 990, "{caught} of 1000");
    assert_eq!(verdicts(world, worst, Verdict::Better), 0);
}

#[test]
fn the_same_choices_are_known_to_make_no_difference() {
    let mut world = World::new(3);
    let target = world.arbitrary();
    let mut sums = Accumulator::default();
    world.serve(500, &target, |it| sums.add(&Observation { target: it.logged, ..*it }));
    let estimates = sums.estimates();
    let (method, difference) = estimates.best().unwrap();
    assert_eq!((method, estimates.known_share), (Method::Known, 1.0));
    assert_eq!((difference.difference.low, difference.difference.high), (0.0, 0.0));
    assert_eq!(verdict(&difference, Better::Higher, 1), Verdict::NoDifferenceShown);
    assert!((difference.value.estimate - estimates.logged_mean).abs() < 1e-12);
    assert!(difference.value.low < difference.value.estimate);
}

#[test]
fn known_parts_of_outcomes_need_no_data() {
    // The outcome is an amount for the request plus a price times a quantity; each model writes as much.
    let mut world = World { means: [[1.0; MODELS]; KINDS], ..World::new(4) };
    let prices = [2.0, 0.5, 0.0];
    let choice = |action: u32| Choice { action, offset: f64::from(action), scale: prices[action as usize] };
    let target = world.arbitrary();
    let mut sums = Accumulator::default();
    let (mut truth, mut weight) = (0.0, 0.0);
    world.serve(4_000, &target, |it| {
        let (logged, target) = (choice(it.logged.action), choice(it.target.action));
        let outcome = logged.offset + logged.scale * it.outcome;
        sums.add(&Observation { logged, target, redrawn: target, outcome, ..*it });
        weight += it.weight;
        truth += it.weight * (target.offset + target.scale - logged.offset - logged.scale);
    });
    let estimates = sums.estimates();
    for estimate in [estimates.direct, estimates.doubly_robust] {
        let difference = estimate.unwrap().difference;
        let deviation = (difference.estimate - truth / weight).abs();
        assert!(deviation < 3.5 * difference.standard_error, "{difference:?} {}", truth / weight);
        assert!(difference.standard_error < 0.1, "{difference:?}");
    }
}

#[test]
fn where_overlap_is_too_thin_there_is_no_estimate() {
    let mut world = World::new(5);
    let target = world.arbitrary();
    // A model that was never logged.
    let mut sums = Accumulator::default();
    world.serve(2_000, &target, |it| {
        sums.add(&Observation { target: Choice::of(9), redrawn: Choice::of(9), ..*it })
    });
    let estimates = sums.estimates();
    assert_eq!(estimates.direct, Err(Declined::NoExample { share: 1.0 }));
    assert_eq!(estimates.doubly_robust, Err(Declined::NoOverlap { share: 0.0 }));
    assert_eq!(estimates.best(), Err(Declined::NoExample { share: 1.0 }));
    // Too few requests, of which a third have the same choice.
    let estimates = world.estimates(150, &target);
    for estimate in [estimates.ips, estimates.snips, estimates.doubly_robust] {
        let Err(Declined::TooFew { effective }) = estimate else { panic!("{estimate:?}") };
        assert!(effective < 100.0 && estimates.weighted_effective == effective);
    }
    // Many requests of five sessions.
    let mut sums = Accumulator::default();
    world.serve(2_000, &target, |it| sums.add(&Observation { cluster: it.cluster % 5, ..*it }));
    assert!(matches!(sums.estimates().direct, Err(Declined::TooFewClusters { groups: 2..=5 })));
    let nothing = Accumulator::default().estimates();
    assert_eq!((nothing.direct, nothing.logged), (Err(Declined::NoObservations), None));
}

#[test]
fn without_propensities_the_direct_estimate_is_the_best() {
    let mut world = World::new(6);
    let target = world.arbitrary();
    let mut sums = Accumulator::default();
    world.serve(2_000, &target, |it| sums.add(&Observation { propensity: None, ..*it }));
    let estimates = sums.estimates();
    assert_eq!(estimates.ips, Err(Declined::NoPropensities));
    assert_eq!(estimates.best().unwrap().0, Method::Direct);
    let json = serde_json::to_value(&estimates).unwrap();
    assert_eq!(json["ips"]["declined"], "no propensities were logged");
    assert!(json["direct"]["difference"]["low"].is_number());
    // Invalid observations and propensities count as absent.
    let observation = Observation {
        weight: 1.0,
        cluster: 0,
        stratum: Stratum::default(),
        logged: Choice::of(0),
        target: Choice::of(0),
        redrawn: Choice::of(0),
        propensity: Some(1.5),
        outcome: 1.0,
    };
    let mut sums = Accumulator::default();
    for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        sums.add(&Observation { weight, ..observation });
    }
    sums.add(&Observation { outcome: f64::NAN, ..observation });
    assert_eq!(sums.records(), 0);
    sums.add(&observation);
    assert_eq!((sums.records(), sums.estimates().propensity_share), (1, 0.0));
}

#[test]
fn strata_beyond_the_bound_are_merged() {
    let mut world = World::new(7);
    let target = world.arbitrary();
    let mut sums = Accumulator::default();
    let mut number = 0;
    world.serve(8_000, &target, |it| {
        number += 1;
        sums.add(&Observation { stratum: Stratum { fine: number, ..it.stratum }, ..*it });
    });
    assert!(sums.cells.len() < 4_200, "{}", sums.cells.len());
    let (_, difference) = sums.estimates().best().unwrap();
    let truth = world.truth(&target);
    assert!((difference.difference.estimate - truth).abs() < 5.0 * difference.difference.standard_error);
}

/// Returns the faults that are found in the propensities of a world.
fn faults(world: &mut World) -> Vec<PropensityFault> {
    let target = world.arbitrary();
    let mut check = PropensityCheck::default();
    world.serve(1_500, &target, |it| {
        check.add(it.weight, it.cluster, (it.logged.action, it.propensity.unwrap()), 0..MODELS as u32);
    });
    assert_eq!(check.calibrations().len(), MODELS);
    check.calibrations().into_iter().filter_map(|calibration| calibration.fault).collect()
}

#[test]
fn propensities_that_cannot_be_true_are_found() {
    let skewed = |seed| {
        let logging = [[0.6, 0.25, 0.15]; KINDS];
        World { logging, states_uniform: true, ..World::new(seed) }
    };
    for seed in 0..100 {
        let mut world = skewed(seed);
        let faults = faults(&mut world);
        assert!(faults.contains(&PropensityFault::TooSmall), "{faults:?}");
        assert!(faults.contains(&PropensityFault::TooLargeOrNoChance), "{faults:?}");
        let chosen = World::new(0).least(|model, _| model as f64);
        let declined = world.estimates(1_500, &chosen).doubly_robust.unwrap_err();
        assert!(matches!(declined, Declined::WrongPropensities { .. }), "{declined:?}");
    }
}

#[test]
fn true_propensities_are_rarely_suspected() {
    let suspected = (0..WORLDS).filter(|seed| !faults(&mut World::new(*seed)).is_empty()).count();
    assert!(suspected <= 30, "{suspected} of 1000");
}
