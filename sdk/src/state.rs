//! Values that the policy keeps between its calls. Using them makes the component import `state`,
//! which the configuration has to grant.
//!
//! All versions and instances of a policy share its values, so `isolation = "warm"` is not needed to
//! remember something. Use [`add`] for what many calls change: additions of concurrent calls are never
//! lost, while a value that is read and set again may be.
//!
//! A policy has at most 10,000 keys of 256 bytes, and 16 MiB; a value has at most 64 KiB, and a call
//! writes at most 64 times. A write that exceeds a bound fails with a [`WriteError`] and
//! changes nothing; a policy should decide all the same.

use std::time::Duration;

pub use crate::bindings::routing::pointsman::policy::state::{Entry, WriteError};
use crate::imports::state as gateway;

/// Entries that one call of the gateway returns at most.
const PAGE: u32 = 1_000;

/// Returns the value of a key.
pub fn get(key: &str) -> Option<Vec<u8>> {
    gateway::get(key)
}

/// Returns the number that the value of a key is, such as that of [`add`]; 0 if there is none.
pub fn number(key: &str) -> i64 {
    get(key).and_then(|value| std::str::from_utf8(&value).ok()?.parse().ok()).unwrap_or(0)
}

/// Sets the value of a key.
///
/// # Errors
/// Fails if the write exceeds a bound.
pub fn set(key: &str, value: impl AsRef<[u8]>) -> Result<(), WriteError> {
    gateway::set(key, value.as_ref(), None)
}

/// Sets the value of a key for some time, after which the key has none.
///
/// # Errors
/// Fails if the write exceeds a bound.
pub fn set_for(key: &str, value: impl AsRef<[u8]>, time: Duration) -> Result<(), WriteError> {
    gateway::set(key, value.as_ref(), Some(whole_ms(time)))
}

/// Deletes a key. One that does not exist is deleted already.
///
/// # Errors
/// Fails if the call has written too often.
pub fn delete(key: &str) -> Result<(), WriteError> {
    gateway::delete(key)
}

/// Adds to the number that the value of a key is, and returns the sum. A key without a value counts
/// as 0.
///
/// # Errors
/// Fails if the value is no whole number, or the write exceeds a bound.
pub fn add(key: &str, amount: i64) -> Result<i64, WriteError> {
    gateway::add(key, amount, None)
}

/// Adds to a counter that starts over some time after its first addition.
///
/// # Errors
/// Fails as [`add`] does.
pub fn add_within(key: &str, amount: i64, time: Duration) -> Result<i64, WriteError> {
    gateway::add(key, amount, Some(whole_ms(time)))
}

/// Returns the entries whose keys begin with a prefix, ordered by the bytes of the keys.
pub fn list(prefix: &str) -> Vec<Entry> {
    let mut all = gateway::list(prefix, None, PAGE);
    loop {
        let last = all.last().map(|entry| entry.key.clone());
        let Some(last) = last else { return all };
        let page = gateway::list(prefix, Some(&last), PAGE);
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
