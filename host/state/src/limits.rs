//! Bounds on the state of one policy.

/// Most keys.
pub const MAX_KEYS: usize = 10_000;
/// Most bytes of all keys and values.
pub const MAX_BYTES: usize = 16 << 20;
/// Most bytes of a key.
pub const MAX_KEY_BYTES: usize = 256;
/// Most bytes of a value.
pub const MAX_VALUE_BYTES: usize = 64 << 10;
/// Most writes of one call.
pub const MAX_WRITES: u32 = 64;
/// Most entries of one list.
pub const MAX_LISTED: usize = 1_000;
/// Most bytes of the keys and values of one list.
pub const MAX_LISTED_BYTES: usize = 256 << 10;
