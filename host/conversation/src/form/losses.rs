//! Members of a request that a translation cannot express.

use std::collections::HashMap;

/// Effect of leaving out a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossWeight {
    /// The answer means the same without it: the member is a hint, a label, or for accounting.
    Advisory,
    /// The answer would be of another kind: the request is rejected unless its route drops such
    /// members.
    Binding,
}

/// Member of the client's request that the provider's dialect cannot express.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Path of the member in the request: `tools[0].function.strict`.
    pub member: String,
    /// Effect of leaving it out.
    pub weight: LossWeight,
}

/// Losses of one translation, in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    losses: Vec<Loss>,
    /// Positions by member: a long conversation may have a loss in each message.
    positions: HashMap<String, usize>,
}

impl Losses {
    /// Records a member that is left out. A member is recorded once, with its greater weight.
    pub fn record(&mut self, member: impl Into<String>, weight: LossWeight) {
        let member = member.into();
        match self.positions.get(&member).and_then(|at| self.losses.get_mut(*at)) {
            Some(known) => known.weight = known.weight.max(weight),
            None => {
                self.positions.insert(member.clone(), self.losses.len());
                self.losses.push(Loss { member, weight });
            }
        }
    }

    /// Records a member without which the answer means the same.
    pub fn advisory(&mut self, member: impl Into<String>) {
        self.record(member, LossWeight::Advisory);
    }

    /// Records a member without which the answer would be of another kind.
    pub fn binding(&mut self, member: impl Into<String>) {
        self.record(member, LossWeight::Binding);
    }

    /// Returns the first member without which the answer would be of another kind.
    pub fn first_binding(&self) -> Option<&str> {
        self.losses.iter().find(|loss| loss.weight == LossWeight::Binding).map(|loss| &*loss.member)
    }

    /// Returns the losses in order.
    pub fn iter(&self) -> impl Iterator<Item = &Loss> {
        self.losses.iter()
    }

    /// Returns whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.losses.is_empty()
    }

    /// Adds the losses of another step of the translation.
    pub fn extend(&mut self, others: Self) {
        for Loss { member, weight } in others.losses {
            self.record(member, weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_recorded_once_with_its_greater_weight() {
        let mut losses = Losses::default();
        losses.advisory("b");
        losses.advisory("a");
        let mut later = Losses::default();
        later.binding("b");
        later.advisory("c");
        losses.extend(later);
        losses.advisory("b");
        let members: Vec<_> = losses.iter().map(|loss| &*loss.member).collect();
        assert_eq!(members, ["b", "a", "c"]);
        assert_eq!(losses.first_binding(), Some("b"));
    }
}
