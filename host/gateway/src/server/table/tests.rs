use std::net::IpAddr;

use super::*;

const LATER: Duration = Duration::from_secs(5);

fn table(per_peer: usize, counts_loopback: bool) -> Arc<ConnectionTable> {
    Arc::new(ConnectionTable::new(ConnectionLimits { total: 4, per_peer, counts_loopback }))
}

fn peer(address: &str) -> Peer {
    Peer::at(address.parse::<IpAddr>().expect("an address"))
}

/// A connection that has been idle for some seconds.
fn idle_for(seconds: u64) -> Arc<Activity> {
    Arc::new(Activity::new(Instant::now() - Duration::from_secs(seconds)))
}

async fn is_evicted(registration: &Registration) -> bool {
    tokio::time::timeout(Duration::ZERO, registration.evicted()).await.is_ok()
}

#[tokio::test]
async fn the_connections_that_have_been_idle_longest_are_evicted_first_and_once() {
    let table = table(9, true);
    let connect = |activity| table.register(None, activity).expect("no share");
    let (young, old, older) = (connect(idle_for(0)), connect(idle_for(10)), connect(idle_for(20)));
    let busy = idle_for(30);
    busy.begin(Instant::now() - LATER);
    let busy = connect(busy);
    assert_eq!(table.evict(1, Instant::now(), |_| true), 1);
    assert!(is_evicted(&older).await && !is_evicted(&old).await);
    assert_eq!(table.evict(5, Instant::now(), |_| true), 1, "the others are young or busy");
    assert!(is_evicted(&old).await && !is_evicted(&young).await && !is_evicted(&busy).await);
}

#[tokio::test]
async fn a_peer_over_its_share_loses_its_own_idle_connection_or_is_refused() {
    let table = table(2, true);
    let stranger = table.register(Some(peer("192.0.2.9")), idle_for(60)).expect("a share");
    let crowd = peer("2001:db8::1");
    let idle = table.register(Some(crowd), idle_for(30)).expect("a share");
    let young = table.register(Some(peer("2001:db8::2")), idle_for(0)).expect("a share");
    let next = table.register(Some(peer("2001:db8::3")), idle_for(0)).expect("another one's share");
    assert!(is_evicted(&idle).await && !is_evicted(&stranger).await && !is_evicted(&young).await);
    assert_eq!(table.register(Some(crowd), idle_for(0)).err(), Some(OverShare));
    drop(next);
    drop(table.register(Some(crowd), idle_for(0)).expect("a share that was given back"));
    drop((young, idle, stranger));
    assert!(table.shares.counts().is_empty() && table.entries().by_id.is_empty());
}

#[test]
fn this_machine_has_no_share_unless_one_is_configured() {
    for (address, counts_loopback, is_limited) in [
        ("127.0.0.1", false, false),
        ("::1", false, false),
        ("127.0.0.1", true, true),
        ("192.0.2.1", false, true),
    ] {
        let table = table(1, counts_loopback);
        let _first = table.share(peer(address)).expect("within the share");
        assert_eq!(table.share(peer(address)).is_err(), is_limited, "{address} {counts_loopback}");
    }
}

#[tokio::test]
async fn a_slot_is_made_by_closing_an_idle_connection() {
    let table = table(9, true);
    let mut slots = Vec::new();
    for _ in 0..4 {
        slots.push(table.slot().await.expect("a slot"));
    }
    let idle = table.register(None, idle_for(10)).expect("no share");
    let leaves = async {
        idle.evicted().await;
        slots.pop();
    };
    let (slot, ()) = tokio::join!(table.slot(), leaves);
    assert!(slot.is_some());
}
