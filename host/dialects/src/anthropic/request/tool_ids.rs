//! Ids of calls, which have to match `^[a-zA-Z0-9_-]+$` here.

use std::borrow::Cow;

/// Returns the id as the API accepts it. Different ids stay different: one that changes gets a
/// number that is derived from all of it.
pub(super) fn valid_id(id: &str) -> Cow<'_, str> {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !id.is_empty() && id.bytes().all(is_valid) {
        return Cow::Borrowed(id);
    }
    let kept: String = id.chars().filter(|char| u8::try_from(*char).is_ok_and(is_valid)).collect();
    // FNV-1a, 64 bits.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Cow::Owned(format!("{kept}_{hash:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_id_stays_and_different_ids_stay_different() {
        assert_eq!(valid_id("toolu_01-aB"), "toolu_01-aB");
        let changed = ["call:1", "call.1", "call|1", "", "é"].map(valid_id);
        for (at, id) in changed.iter().enumerate() {
            assert_eq!(valid_id(id), *id, "the changed id is valid");
            assert!(!changed[..at].contains(id));
        }
    }
}
