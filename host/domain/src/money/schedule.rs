use super::Price;
use crate::date::Date;

/// Prices of one model over time. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceSchedule {
    /// Prices before the first change; `None` if they are not known.
    pub initial: Option<Price>,
    /// Changes, in ascending order of their dates.
    pub changes: Vec<PriceChange>,
}

/// Prices from a date on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceChange {
    /// First day of the prices.
    pub from: Date,
    /// The prices.
    pub price: Price,
}

/// Time during which prices do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricePeriod<'s> {
    /// First day; `None` if it is not known.
    pub from: Option<Date>,
    /// First day of the next prices; `None` if no change is known.
    pub until: Option<Date>,
    /// The prices.
    pub price: &'s Price,
}

impl PriceSchedule {
    /// Returns the prices in force at a time; `None` if they are not known.
    pub fn at(&self, unix_seconds: u64) -> Option<&Price> {
        let changed = self.changes.iter().rev().find(|change| change.from.start() <= unix_seconds);
        changed.map(|change| &change.price).or(self.initial.as_ref())
    }

    /// Returns the time of the first change after a time.
    pub fn next_change(&self, unix_seconds: u64) -> Option<u64> {
        self.changes.iter().map(|change| change.from.start()).find(|start| *start > unix_seconds)
    }

    /// Returns the times during which prices do not change, in their order.
    pub fn periods(&self) -> impl Iterator<Item = PricePeriod<'_>> {
        let initial = self.initial.iter().map(|price| (None, price));
        let changed = self.changes.iter().map(|change| (Some(change.from), &change.price));
        let ends =
            self.changes.iter().map(|change| Some(change.from)).skip(usize::from(self.initial.is_none()));
        let ends = ends.chain([None]);
        initial.chain(changed).zip(ends).map(|((from, price), until)| PricePeriod { from, until, price })
    }
}

impl PricePeriod<'_> {
    /// Returns whether the prices are in force at a time.
    pub fn contains(&self, unix_seconds: u64) -> bool {
        self.has_begun(unix_seconds) && self.until.is_none_or(|until| unix_seconds < until.start())
    }

    /// Returns whether the prices are or were in force at a time.
    pub fn has_begun(&self, unix_seconds: u64) -> bool {
        self.from.is_none_or(|from| from.start() <= unix_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn schedule(initial: Option<f64>, changes: &[(&str, f64)]) -> PriceSchedule {
        let price = |usd| Price::per_million(usd, usd);
        let changes = changes.iter().map(|(from, usd)| PriceChange { from: date(from), price: price(*usd) });
        PriceSchedule { initial: initial.map(price), changes: changes.collect() }
    }

    #[test]
    fn a_change_is_in_force_from_the_first_second_of_its_date() {
        let schedule = schedule(Some(1.0), &[("2026-12-01", 2.0), ("2027-01-01", 3.0)]);
        let usd_at = |time| schedule.at(time).map(Price::input_per_million);
        let (first, second) = (date("2026-12-01").start(), date("2027-01-01").start());
        assert_eq!((usd_at(0), usd_at(first - 1)), (Some(1.0), Some(1.0)));
        assert_eq!((usd_at(first), usd_at(second - 1)), (Some(2.0), Some(2.0)));
        assert_eq!((usd_at(second), usd_at(u64::MAX)), (Some(3.0), Some(3.0)));
        let next = [0, first - 1, first, second - 1, second].map(|time| schedule.next_change(time));
        assert_eq!(next, [Some(first), Some(first), Some(second), Some(second), None]);
    }

    #[test]
    fn without_initial_prices_none_are_known_before_the_first_change() {
        let schedule = schedule(None, &[("2026-12-01", 2.0)]);
        let first = date("2026-12-01").start();
        assert_eq!((schedule.at(first - 1), schedule.at(first).is_some()), (None, true));
        assert_eq!(PriceSchedule::default().at(0), None);
    }

    #[test]
    fn periods_follow_each_other_and_one_contains_each_time() {
        for (initial, first) in [(Some(1.0), None), (None, Some(date("2026-12-01")))] {
            let schedule = schedule(initial, &[("2026-12-01", 2.0), ("2027-01-01", 3.0)]);
            let periods: Vec<PricePeriod<'_>> = schedule.periods().collect();
            assert_eq!(periods[0].from, first);
            assert!(periods.windows(2).all(|pair| pair[0].until == pair[1].from));
            assert_eq!(periods.last().unwrap().until, None);
            for time in [date("2026-12-01"), date("2027-01-01")].map(Date::start) {
                for time in [time - 1, time] {
                    let current: Vec<&Price> = periods
                        .iter()
                        .filter(|period| period.contains(time))
                        .map(|period| period.price)
                        .collect();
                    assert_eq!(current, Vec::from_iter(schedule.at(time)));
                }
            }
        }
        assert_eq!(PriceSchedule::default().periods().count(), 0);
    }
}
