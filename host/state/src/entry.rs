//! Values with their time of expiry, and the rules for writing them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES};

/// A value of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateEntry {
    /// The value. That of a counter is its decimal digits.
    pub value: Bytes,
    /// Time at which the entry expires, in milliseconds since 1970; `None` if it does not.
    pub expires_ms: Option<u64>,
}

/// Reason why a write was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The key is empty or too long.
    #[error("the key is empty or longer than {MAX_KEY_BYTES} bytes")]
    InvalidKey,
    /// The value is too large.
    #[error("the value is larger than {MAX_VALUE_BYTES} bytes")]
    TooLarge,
    /// The policy has as many keys or bytes as it may have.
    #[error("the state is full")]
    Full,
    /// The call has written as often as it may.
    #[error("the call has written too often")]
    TooManyWrites,
    /// The value to add to is no whole number.
    #[error("the value is no whole number")]
    NotANumber,
}

impl StateEntry {
    /// Creates an entry that expires after a time to live.
    pub(crate) fn new(value: Bytes, time_to_live: Option<Duration>, now_ms: u64) -> Self {
        Self { value, expires_ms: expiry_ms(time_to_live, now_ms) }
    }

    /// Creates a counter.
    pub(crate) fn counter(number: i64, expires_ms: Option<u64>) -> Self {
        Self { value: number.to_string().into(), expires_ms }
    }

    /// Returns the entry if it has not expired.
    pub(crate) fn unexpired(&self, now_ms: u64) -> Option<&Self> {
        self.expires_ms.is_none_or(|expiry| expiry > now_ms).then_some(self)
    }

    /// Adds to the number that the entry holds. The sum is bounded by the smallest and the largest
    /// number of 64 bits.
    pub(crate) fn plus(&self, amount: i64) -> Result<(Self, i64), WriteError> {
        let text = std::str::from_utf8(&self.value).map_err(|_| WriteError::NotANumber)?;
        let sum = text.parse::<i64>().map_err(|_| WriteError::NotANumber)?.saturating_add(amount);
        Ok((Self::counter(sum, self.expires_ms), sum))
    }

    /// Returns the bytes that an entry with this key occupies.
    pub(crate) fn size(&self, key: &str) -> usize {
        key.len() + self.value.len()
    }
}

/// Returns the time of expiry of an entry with a time to live.
pub(crate) fn expiry_ms(time_to_live: Option<Duration>, now_ms: u64) -> Option<u64> {
    time_to_live.map(|time| now_ms.saturating_add(whole_ms(time)))
}

/// Fails if a key may not be written.
pub(crate) fn check_key(key: &str) -> Result<(), WriteError> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES { Err(WriteError::InvalidKey) } else { Ok(()) }
}

/// Fails if a value may not be written.
pub(crate) fn check_value(value: &[u8]) -> Result<(), WriteError> {
    if value.len() > MAX_VALUE_BYTES { Err(WriteError::TooLarge) } else { Ok(()) }
}

/// Returns the time in milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    whole_ms(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
