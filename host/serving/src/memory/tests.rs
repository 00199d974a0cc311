use proptest::prelude::*;

use super::*;

const LIMITS: MemoryLimits = MemoryLimits {
    total: 10 * SMALL,
    request_bodies: 4 * SMALL,
    answers: 6 * SMALL,
    answer: 2 * SMALL,
    before_content: SMALL,
};

fn counts(held: &HeldMemory) -> [usize; 3] {
    [held.total(), held.large(HeldFor::RequestBodies), held.large(HeldFor::Answers)]
}

#[test]
fn a_lease_is_counted_until_it_is_dropped() {
    let held = Arc::new(HeldMemory::default());
    let mut lease = held.lease(HeldFor::Answers, LIMITS);
    lease.grow(SMALL + 10).unwrap();
    assert_eq!(counts(&held), [SMALL + 10, 0, 10]);
    lease.resize(SMALL + 3).unwrap();
    assert_eq!(counts(&held), [SMALL + 3, 0, 3]);
    drop(lease);
    assert_eq!(counts(&held), [0; 3]);
}

#[test]
fn bytes_beyond_a_limit_are_not_counted() {
    let held = Arc::new(HeldMemory::default());
    let mut lease = held.lease(HeldFor::RequestBodies, LIMITS);
    lease.grow(5 * SMALL).unwrap();
    assert_eq!(lease.grow(1), Err(OutOfMemory), "the bound of request bodies");
    let mut answer = held.lease(HeldFor::Answers, LIMITS);
    answer.grow(5 * SMALL).unwrap();
    assert_eq!(answer.grow(1), Err(OutOfMemory), "the total");
    assert_eq!(answer.grow(usize::MAX), Err(OutOfMemory));
    assert_eq!(counts(&held), [10 * SMALL, 4 * SMALL, 4 * SMALL]);
}

#[test]
fn large_bodies_do_not_keep_small_ones_out() {
    let held = Arc::new(HeldMemory::default());
    let mut large = held.lease(HeldFor::RequestBodies, LIMITS);
    large.grow(5 * SMALL).unwrap();
    let mut small = held.lease(HeldFor::RequestBodies, LIMITS);
    small.grow(SMALL).unwrap();
    assert_eq!(small.grow(1), Err(OutOfMemory));
}

#[test]
fn bytes_hold_their_lease_until_the_last_copy_is_dropped() {
    let held = Arc::new(HeldMemory::default());
    let mut lease = held.lease(HeldFor::Answers, LIMITS);
    lease.grow(5).unwrap();
    let bytes = lease.attach_to(Bytes::from_static(b"hello"));
    let part = bytes.slice(1..3);
    drop(bytes);
    assert_eq!((&part[..], held.total()), (&b"el"[..], 5));
    drop(part);
    assert_eq!(held.total(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Lease(bool),
    Grow(usize, usize),
    Resize(usize, usize),
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = 0..3 * SMALL;
    prop_oneof![
        any::<bool>().prop_map(Step::Lease),
        (any::<usize>(), bytes.clone()).prop_map(|(at, bytes)| Step::Grow(at, bytes)),
        (any::<usize>(), bytes).prop_map(|(at, bytes)| Step::Resize(at, bytes)),
        any::<usize>().prop_map(Step::Drop),
    ]
}

proptest! {
    #[test]
    fn no_order_of_events_exceeds_the_total_or_leaks(steps in proptest::collection::vec(step(), 0..64)) {
        let held = Arc::new(HeldMemory::default());
        let mut leases: Vec<MemoryLease> = Vec::new();
        for step in steps {
            let place = |at: usize| (!leases.is_empty()).then(|| at % leases.len().max(1));
            match step {
                Step::Lease(bodies) => {
                    let purpose = if bodies { HeldFor::RequestBodies } else { HeldFor::Answers };
                    leases.push(held.lease(purpose, LIMITS));
                }
                Step::Grow(at, bytes) => {
                    if let Some(at) = place(at) {
                        let _ = leases[at].grow(bytes);
                    }
                }
                Step::Resize(at, bytes) => {
                    if let Some(at) = place(at) {
                        let _ = leases[at].resize(bytes);
                    }
                }
                Step::Drop(at) => {
                    if let Some(at) = place(at) {
                        leases.remove(at);
                    }
                }
            }
            prop_assert!(held.total() <= LIMITS.total);
            prop_assert_eq!(held.total(), leases.iter().map(|lease| lease.bytes).sum::<usize>());
        }
        drop(leases);
        prop_assert_eq!(counts(&held), [0; 3]);
    }
}
