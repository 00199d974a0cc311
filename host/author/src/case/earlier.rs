//! Outcomes and ratings that cases describe, as the gateway reports them.

use std::time::Duration;

use pointsman_domain::ids::ModelId;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Outcome, RequestEnd};
use pointsman_domain::rating::Rating;
use pointsman_domain::usage::Usage;

use super::format::{OutcomeFormat, RatingFormat};

/// Decision id, label and model of events that state none.
const UNSTATED: &str = "case";

/// Returns the outcome that a case describes.
pub fn outcome(stated: &OutcomeFormat) -> Outcome {
    let tokens = |number: Option<u32>| u64::from(number.unwrap_or(0));
    Outcome {
        id: text(stated.id.as_ref()),
        label: text(stated.label.as_ref()),
        ending: stated.status.map_or(RequestEnd::Answered, |name| name.value()),
        model: stated.model.as_deref().map(ModelId::new),
        attempts: stated.attempts.unwrap_or(1),
        usage: Usage::counted(tokens(stated.input_tokens), tokens(stated.output_tokens)),
        cost: Picodollars::from_usd(stated.cost.unwrap_or(0.0)),
        first_token: stated.first_token_ms.map(milliseconds),
        latency: milliseconds(stated.latency_ms.unwrap_or(0.0)),
        error: stated.error.clone(),
        fault: None,
    }
}

/// Returns the rating that a case describes.
pub fn rating(stated: &RatingFormat) -> Rating {
    Rating {
        decision: text(stated.decision.as_ref()),
        label: text(stated.label.as_ref()),
        model: ModelId::new(stated.model.as_deref().unwrap_or(UNSTATED)),
        score: stated.score.unwrap_or(1.0).clamp(0.0, 1.0),
        name: stated.name.clone(),
    }
}

fn text(stated: Option<&String>) -> String {
    stated.cloned().unwrap_or_else(|| UNSTATED.to_owned())
}

fn milliseconds(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::words::StatusName;

    #[test]
    fn what_an_event_does_not_state_is_a_stand_in() {
        let failed = OutcomeFormat {
            status: Some(StatusName::Failed),
            latency_ms: Some(-1.0),
            first_token_ms: Some(1.5),
            ..OutcomeFormat::default()
        };
        let outcome = outcome(&failed);
        assert_eq!((outcome.id.as_str(), outcome.attempts, outcome.model), (UNSTATED, 1, None));
        assert_eq!((outcome.ending, outcome.latency), (RequestEnd::Failed, Duration::ZERO));
        assert_eq!(outcome.first_token, Some(Duration::from_micros(1_500)));
        let rating = rating(&RatingFormat { score: Some(7.0), ..RatingFormat::default() });
        assert_eq!((rating.score, rating.model.as_str()), (1.0, UNSTATED));
    }
}
