//! Native code of functions, kept for the next version of a policy.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use wasmtime::CacheStore;

/// Most bytes of native code and keys. The largest honest policy has 60 MB.
const MAX_BYTES: usize = 256 << 20;

/// Reuse of the native code of functions that a policy has in common with an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FunctionReuse {
    /// Each policy is compiled as a whole.
    #[default]
    Off,
    /// Code that was compiled in this process is kept in memory by function. For tools that load one version of
    /// a policy after another; compilation of new functions is a little slower.
    On,
}

/// Functions compiled so far. When they exceed the bound, all are dropped: those of the next version come
/// back.
#[derive(Debug, Default)]
pub(crate) struct CompiledFunctions(Mutex<Functions>);

#[derive(Debug, Default)]
struct Functions {
    by_key: HashMap<Vec<u8>, Vec<u8>>,
    bytes: usize,
}

impl CacheStore for CompiledFunctions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let functions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        functions.by_key.get(key).map(|code| Cow::Owned(code.clone()))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let mut functions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let added = key.len() + value.len();
        if functions.bytes + added > MAX_BYTES {
            *functions = Functions::default();
        }
        functions.bytes += added;
        functions.by_key.insert(key.to_vec(), value);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_kept_up_to_a_bound() {
        let functions = CompiledFunctions::default();
        assert!(functions.insert(b"one", vec![1]));
        assert_eq!(functions.get(b"one").as_deref(), Some(&[1][..]));
        assert_eq!(functions.get(b"two"), None);
        assert!(functions.insert(b"two", vec![0; MAX_BYTES - 3]));
        assert_eq!(functions.get(b"one"), None, "the bound is exceeded");
        assert!(functions.get(b"two").is_some());
    }
}
