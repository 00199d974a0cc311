//! Conversions to the units and words of the record.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pointsman_domain::model::{Abilities, Modalities};

/// Returns a time in milliseconds, to the microsecond.
pub fn ms(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}

/// Returns a time in milliseconds since 1970; 0 for earlier ones.
pub fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Words for kinds of content, as in the configuration.
const MODALITIES: [(Modalities, &str); 5] = [
    (Modalities::TEXT, "text"),
    (Modalities::IMAGE, "image"),
    (Modalities::AUDIO, "audio"),
    (Modalities::VIDEO, "video"),
    (Modalities::DOCUMENT, "document"),
];
/// Words for abilities, as in the configuration.
const ABILITIES: [(Abilities, &str); 5] = [
    (Abilities::TOOLS, "tools"),
    (Abilities::STRUCTURED_OUTPUT, "structured-output"),
    (Abilities::REASONING, "reasoning"),
    (Abilities::STREAMING, "streaming"),
    (Abilities::LOG_PROBABILITIES, "log-probabilities"),
];

/// Returns the words for kinds of content.
pub(crate) fn modalities(inputs: Modalities) -> Vec<Cow<'static, str>> {
    let words = MODALITIES.iter().filter(|(flag, _)| inputs.contains(*flag));
    words.map(|(_, word)| Cow::Borrowed(*word)).collect()
}

/// Returns the words for abilities.
pub(crate) fn abilities(abilities: Abilities) -> Vec<Cow<'static, str>> {
    let words = ABILITIES.iter().filter(|(flag, _)| abilities.contains(*flag));
    words.map(|(_, word)| Cow::Borrowed(*word)).collect()
}

/// Returns whether a member is left out because it is zero.
pub(crate) fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_a_word() {
        let name = |constant: &str| constant.to_ascii_lowercase().replace('_', "-");
        let flags = Modalities::all().iter_names().map(|(constant, _)| name(constant));
        assert!(flags.eq(modalities(Modalities::all())));
        let flags = Abilities::all().iter_names().map(|(constant, _)| name(constant));
        assert!(flags.eq(abilities(Abilities::all())));
    }
}
