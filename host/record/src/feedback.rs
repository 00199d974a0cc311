//! Ratings of answers in a log.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::SystemTime;

use pointsman_domain::ids::KeyName;
use pointsman_domain::rating::Rating;
use serde::{Deserialize, Serialize};

use crate::record::{DecisionRecord, SCHEMA};
use crate::units::unix_ms;

/// Rating of an answer, on a line of its own: usually after the record of the decision, often much
/// later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedbackRecord<'a> {
    /// `feedback`, which distinguishes the line from a decision record.
    pub kind: FeedbackKind,
    /// Version of this format: 1.
    pub schema: u32,
    /// Id of the decision.
    pub decision: Cow<'a, str>,
    /// Time of the rating, in milliseconds since 1970.
    pub at_ms: u64,
    /// Name of the client's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'a, str>>,
    /// Label of the decision.
    pub label: Cow<'a, str>,
    /// Model that answered.
    pub model: Cow<'a, str>,
    /// Score from 0 (worst) to 1 (best).
    pub score: f64,
    /// Subject of the score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
}

/// Kind of a [`FeedbackRecord`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedbackKind {
    /// The only one.
    Feedback,
}

impl<'a> FeedbackRecord<'a> {
    /// Creates the record of a rating.
    pub fn new(rating: &'a Rating, key: Option<&'a KeyName>, at: SystemTime) -> Self {
        Self {
            kind: FeedbackKind::Feedback,
            schema: SCHEMA,
            decision: rating.decision.as_str().into(),
            at_ms: unix_ms(at),
            key: key.map(|key| key.as_str().into()),
            label: rating.label.as_str().into(),
            model: rating.model.as_str().into(),
            score: rating.score,
            name: rating.name.as_deref().map(Cow::from),
        }
    }

    /// Renders the line of a log.
    pub fn to_line(&self) -> Vec<u8> {
        // Strings and numbers into a vector: this cannot fail.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// Ratings by the decisions that they belong to.
#[derive(Clone, Debug, Default)]
pub struct FeedbackByDecision(HashMap<Box<str>, Vec<FeedbackRecord<'static>>>);

impl FeedbackByDecision {
    /// Adds a rating.
    pub fn add(&mut self, feedback: FeedbackRecord<'static>) {
        self.0.entry(feedback.decision.as_ref().into()).or_default().push(feedback);
    }

    /// Returns the ratings of a decision, in their order.
    pub fn of(&self, record: &DecisionRecord<'_>) -> &[FeedbackRecord<'static>] {
        self.0.get(&*record.id).map_or(&[], Vec::as_slice)
    }
}

impl Extend<FeedbackRecord<'static>> for FeedbackByDecision {
    fn extend<I: IntoIterator<Item = FeedbackRecord<'static>>>(&mut self, feedback: I) {
        feedback.into_iter().for_each(|feedback| self.add(feedback));
    }
}
