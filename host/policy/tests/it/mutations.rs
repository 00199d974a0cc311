//! Honest policies with bytes changed, removed, copied and inserted: the load gate returns a result for
//! each of them, in bounded time. Failing cases are kept in `proptest-regressions`. `PROPTEST_CASES`
//! sets the number of cases.

use std::sync::LazyLock;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use pointsman_guests::{FIRST, Trick};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use wit_component::ComponentEncoder;

use crate::support::{decide, label, load, spec};

/// Time limit far above any honest load: a load that exceeds it would not end.
const PATIENCE: Duration = Duration::from_secs(120);

/// A core module and components, all small, so that many cases can be run.
static HONEST: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let component = |module: &[u8]| ComponentEncoder::default().module(module).unwrap().encode().unwrap();
    let by_hand = Trick::Honest.bytes();
    [component(&by_hand), by_hand, component(FIRST)]
});

/// One change of a file.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    /// Removes bytes.
    Take(Index, usize),
    /// Copies bytes to another position.
    Splice(Index, usize, Index),
    /// Inserts random bytes.
    Put(Index, Vec<u8>),
    /// Swaps two sections of the outermost level.
    Exchange(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        8 => (at(), any::<u8>()).prop_map(|(at, bits)| Change::Flip(at, bits)),
        1 => at().prop_map(Change::Cut),
        2 => (at(), 1_usize..64).prop_map(|(at, bytes)| Change::Take(at, bytes)),
        3 => (at(), 1_usize..256, at()).prop_map(|(from, bytes, to)| Change::Splice(from, bytes, to)),
        2 => (at(), vec(any::<u8>(), 1..16)).prop_map(|(at, bytes)| Change::Put(at, bytes)),
        3 => (at(), at()).prop_map(|(one, two)| Change::Exchange(one, two)),
    ]
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let end = bytes.len();
        match self {
            _ if bytes.is_empty() => {}
            Self::Flip(at, bits) => bytes[at.index(end)] ^= bits,
            Self::Cut(at) => bytes.truncate(at.index(end)),
            Self::Take(at, count) => {
                let at = at.index(end);
                bytes.drain(at..end.min(at + count));
            }
            Self::Splice(from, count, to) => {
                let from = from.index(end);
                let piece = bytes[from..end.min(from + count)].to_vec();
                let to = to.index(end);
                bytes.splice(to..to, piece);
            }
            Self::Put(at, more) => {
                let at = at.index(end);
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Exchange(one, two) => exchange(bytes, one, two),
        }
    }
}

/// Splits a file into sections. After a header of eight bytes, each has an id, a length and content.
fn exchange(bytes: &mut Vec<u8>, one: &Index, two: &Index) {
    let mut sections = Vec::new();
    let mut at = 8;
    while let Some(size) = bytes.get(at + 1..).and_then(section_size) {
        let end = at + 1 + size;
        let Some(section) = bytes.get(at..end) else { break };
        sections.push(section.to_vec());
        at = end;
    }
    if sections.is_empty() {
        return;
    }
    let (one, two) = (one.index(sections.len()), two.index(sections.len()));
    sections.swap(one, two);
    bytes.truncate(8);
    bytes.extend(sections.concat());
}

/// Returns the size of a section's length in LEB128 together with its content.
fn section_size(bytes: &[u8]) -> Option<usize> {
    let mut size = 0;
    for (place, byte) in bytes.iter().take(4).enumerate() {
        size |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(place + 1 + size);
        }
    }
    None
}

/// Loads on a thread with the stack size of server threads, and fails if that panics or does not end.
fn is_answered(bytes: Vec<u8>) -> Result<(), TestCaseError> {
    let (done, ended) = mpsc::channel();
    let gate = thread::spawn(move || {
        let _ = load(spec(), &bytes);
        let _ = done.send(());
    });
    prop_assert_ne!(ended.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Timeout), "it does not end");
    prop_assert!(gate.join().is_ok(), "it panics");
    Ok(())
}

fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases / 4, max_shrink_iters: 200, ..usual }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_changed_policy_gets_a_result(
        honest in any::<Index>(),
        changes in vec(change(), 1..6),
    ) {
        let mut bytes = honest.get(&*HONEST).clone();
        changes.iter().for_each(|change| change.apply(&mut bytes));
        is_answered(bytes)?;
    }

    #[test]
    fn random_bytes_after_an_honest_beginning_get_a_result(
        component in any::<bool>(),
        bytes in vec(any::<u8>(), 0..512),
    ) {
        let head: &[u8] = if component { b"\0asm\x0d\0\x01\0" } else { b"\0asm\x01\0\0\0" };
        is_answered([head, &bytes].concat())?;
    }

    /// The component type is parsed by a tool that was not made for hostile input.
    #[test]
    fn a_changed_component_type_gets_a_result(flips in vec((any::<Index>(), any::<u8>()), 1..8)) {
        let mut bytes = Trick::Honest.bytes();
        let start = bytes.windows(14).position(|window| window == b"component-type").unwrap();
        for (at, bits) in flips {
            let at = start + at.index(bytes.len() - start);
            bytes[at] ^= bits;
        }
        is_answered(bytes)?;
    }
}

/// A policy without the custom sections at its end is still complete.
#[tokio::test]
async fn every_prefix_of_an_honest_policy_is_refused_or_complete() {
    let [component, module, _] = &*HONEST;
    for whole in [component, module] {
        for end in 0..whole.len() {
            match load(spec(), &whole[..end]) {
                Ok(policy) => assert_eq!(label(decide(&policy).await), "hand", "{end} bytes"),
                Err(error) => assert!(error.to_string().len() < 2_000, "{error}"),
            }
        }
    }
}
