//! Transient I/O errors.

use std::io;

/// Returns whether the same operation may succeed later without a change on disk.
pub fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind::{
        Interrupted, OutOfMemory, QuotaExceeded, ResourceBusy, StaleNetworkFileHandle, StorageFull, TimedOut,
        WouldBlock,
    };
    /// Linux error codes without an `ErrorKind`: `EMFILE`, `ENFILE` and `EIO`.
    const OTHERS: [i32; 3] = [24, 23, 5];
    matches!(
        error.kind(),
        Interrupted
            | OutOfMemory
            | QuotaExceeded
            | ResourceBusy
            | StaleNetworkFileHandle
            | StorageFull
            | TimedOut
            | WouldBlock
    ) || error.raw_os_error().is_some_and(|code| OTHERS.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lack_of_descriptors_passes_and_a_missing_file_does_not() {
        for (code, passes) in
            [(24, true), (23, true), (5, true), (12, true), (28, true), (2, false), (13, false)]
        {
            assert_eq!(is_transient(&io::Error::from_raw_os_error(code)), passes, "{code}");
        }
    }
}
