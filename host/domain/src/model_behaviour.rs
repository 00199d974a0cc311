//! Behaviour of a simulated model.

use std::time::Duration;

/// Longest time for a token or to the first one, whatever the configured speed.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Behaviour of a simulated model under load. The default answers at once, works on any number of calls and
/// never fails.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ModelBehaviour {
    /// Time to the first token, from the moment that the model begins to work on a call.
    pub first_token: Duration,
    /// Tokens per second after the first; `None` for all at once.
    pub tokens_per_second: Option<f64>,
    /// Input tokens per second that the model reads before the first token, those in its prompt cache
    /// excluded; `None` for all at once.
    pub input_tokens_per_second: Option<f64>,
    /// Share of calls, 0..1, that fail at the time of their first token with a server error.
    pub failure_rate: f64,
    /// Calls that it works on at once; `None` for any number.
    pub capacity: Option<u32>,
    /// Calls that wait for a place before further ones are rejected with status 429; `None` for any
    /// number.
    pub queue: Option<u32>,
}

impl ModelBehaviour {
    /// Returns the time from the start of the work to the first token.
    pub fn time_to_first_token(&self, uncached_tokens: u64) -> Duration {
        self.first_token + time_for(uncached_tokens, self.input_tokens_per_second)
    }

    /// Returns the time from one token to the next; at most an hour.
    pub fn time_per_token(&self) -> Duration {
        time_for(1, self.tokens_per_second)
    }

    /// Returns the time from the first token to the end. A whole answer is sent when the last token's
    /// time is over, a stream ends with the last token.
    pub fn generation_time(&self, output_tokens: u32, streaming: bool) -> Duration {
        time_for(output_tokens.saturating_sub(u32::from(streaming)).into(), self.tokens_per_second)
    }
}

fn time_for(tokens: u64, per_second: Option<f64>) -> Duration {
    per_second.filter(|speed| *speed > 0.0).map_or(Duration::ZERO, |speed| {
        Duration::try_from_secs_f64(tokens as f64 / speed).map_or(LONGEST_WAIT, |time| time.min(LONGEST_WAIT))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_from_speeds() {
        let behaviour = ModelBehaviour {
            first_token: Duration::from_millis(25),
            tokens_per_second: Some(100.0),
            input_tokens_per_second: Some(1_000.0),
            ..ModelBehaviour::default()
        };
        assert_eq!(behaviour.time_to_first_token(500), Duration::from_millis(525));
        assert_eq!(behaviour.generation_time(10, false), Duration::from_millis(100));
        assert_eq!(behaviour.generation_time(10, true), Duration::from_millis(90));
        assert_eq!(behaviour.generation_time(0, true), Duration::ZERO);
        assert_eq!(behaviour.time_per_token(), Duration::from_millis(10));
        assert_eq!(time_for(1, Some(1e-300)), LONGEST_WAIT);
        assert_eq!(time_for(1_000, None), Duration::ZERO);
        for nonsense in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(time_for(1, Some(nonsense)), Duration::ZERO, "{nonsense}");
        }
    }
}
