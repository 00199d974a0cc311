//! Ratings of answers, which join their decisions within a window.

use std::collections::{HashMap, VecDeque};

use pointsman_evaluation::off_policy::{Accumulator, Observation};

/// Decisions that wait for ratings. A rating that comes later is counted, and has no effect.
const WINDOW: usize = 100_000;
/// Ratings that wait for their decisions: a client can rate a stream before it has ended.
const MAX_EARLY: usize = 10_000;

/// Decisions and ratings that have not met, by a number of the decision's id.
#[derive(Debug, Default)]
pub(super) struct Ratings {
    window: VecDeque<u64>,
    decisions: HashMap<u64, Rated>,
    early: HashMap<u64, Vec<f64>>,
    early_order: VecDeque<u64>,
    /// Ratings that joined a decision.
    pub(super) joined: u64,
    /// Ratings whose decision is not among the replayed ones, or too long ago.
    pub(super) unmatched: u64,
}

/// A decision with the sum of its ratings.
#[derive(Debug)]
struct Rated {
    observation: Observation,
    sum: f64,
    count: u32,
}

impl Ratings {
    /// Adds a decision. `scores` gets the mean of the ratings of the one that leaves the window.
    pub(super) fn decision(&mut self, id: u64, observation: Observation, scores: &mut Accumulator) {
        let mut rated = Rated { observation, sum: 0.0, count: 0 };
        for score in self.early.remove(&id).into_iter().flatten() {
            rated.add(score);
            self.joined += 1;
        }
        if self.window.len() >= WINDOW
            && let Some(oldest) = self.window.pop_front()
            && let Some(oldest) = self.decisions.remove(&oldest)
        {
            oldest.finish(scores);
        }
        self.window.push_back(id);
        self.decisions.insert(id, rated);
    }

    /// Adds a rating of a decision.
    pub(super) fn rating(&mut self, decision: u64, score: f64) {
        if let Some(rated) = self.decisions.get_mut(&decision) {
            rated.add(score);
            self.joined += 1;
            return;
        }
        if !self.early.contains_key(&decision) {
            if self.early_order.len() >= MAX_EARLY
                && let Some(oldest) = self.early_order.pop_front()
            {
                self.unmatched += self.early.remove(&oldest).map_or(0, |scores| scores.len() as u64);
            }
            self.early_order.push_back(decision);
        }
        self.early.entry(decision).or_default().push(score);
    }

    /// Hands over the ratings of all decisions in the window.
    pub(super) fn finish(&mut self, scores: &mut Accumulator) {
        self.unmatched += self.early.drain().map(|(_, scores)| scores.len() as u64).sum::<u64>();
        for id in self.window.drain(..) {
            if let Some(rated) = self.decisions.remove(&id) {
                rated.finish(scores);
            }
        }
    }
}

impl Rated {
    fn add(&mut self, score: f64) {
        self.sum += score;
        self.count += 1;
    }

    fn finish(self, scores: &mut Accumulator) {
        if self.count > 0 {
            scores.add(&Observation { outcome: self.sum / f64::from(self.count), ..self.observation });
        }
    }
}

#[cfg(test)]
mod tests {
    use pointsman_evaluation::off_policy::{Choice, Stratum};

    use super::*;

    fn observation() -> Observation {
        Observation {
            weight: 1.0,
            cluster: 1,
            stratum: Stratum::default(),
            logged: Choice::of(0),
            target: Choice::of(0),
            redrawn: Choice::of(0),
            propensity: None,
            outcome: 0.0,
        }
    }

    #[test]
    fn ratings_join_before_and_after_the_decision_within_the_window() {
        let (mut ratings, mut scores) = (Ratings::default(), Accumulator::default());
        ratings.rating(2, 1.0);
        ratings.decision(1, observation(), &mut scores);
        ratings.decision(2, observation(), &mut scores);
        ratings.rating(1, 0.0);
        ratings.rating(2, 0.5);
        ratings.rating(3, 0.5);
        for number in 10..10 + WINDOW as u64 {
            ratings.decision(number, observation(), &mut scores);
        }
        assert_eq!(scores.records(), 2, "both have left the window");
        ratings.rating(1, 1.0);
        ratings.finish(&mut scores);
        assert_eq!((ratings.joined, ratings.unmatched), (3, 2));
        assert_eq!((scores.records(), scores.estimates().logged_mean), (2, 0.375));
    }

    #[test]
    fn ratings_without_decisions_are_bounded() {
        let (mut ratings, mut scores) = (Ratings::default(), Accumulator::default());
        for number in 0..3 * MAX_EARLY as u64 {
            ratings.rating(number, 1.0);
        }
        assert!(ratings.early.len() <= MAX_EARLY && ratings.early_order.len() <= MAX_EARLY);
        ratings.finish(&mut scores);
        assert_eq!(ratings.unmatched, 3 * MAX_EARLY as u64);
    }
}
