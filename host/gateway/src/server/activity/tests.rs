use super::*;

const TIMEOUTS: Timeouts =
    Timeouts { head: Duration::from_secs(10), idle: Duration::from_secs(75), write: Duration::from_secs(40) };

fn after(start: Instant, seconds: u64) -> Instant {
    start + Duration::from_secs(seconds)
}

/// Seconds from the start to the deadline.
fn deadline(activity: &Activity, start: Instant) -> Option<u64> {
    activity.idle_deadline(TIMEOUTS, Waker::noop()).map(|deadline| (deadline - start).as_secs())
}

#[test]
fn a_new_connection_has_the_time_of_a_head_whatever_it_speaks() {
    for protocol in [Protocol::Unknown, Protocol::Http1, Protocol::Http2] {
        let start = Instant::now();
        let activity = Activity::new(start);
        activity.speaks(protocol);
        for second in 1..9 {
            activity.received(after(start, second));
            activity.wrote(17, after(start, second));
        }
        assert_eq!(deadline(&activity, start), Some(10), "{protocol:?}");
        assert_eq!(activity.idle_since(), Some(start), "{protocol:?}");
    }
}

#[test]
fn a_connection_on_which_the_gateway_works_is_never_idle() {
    let start = Instant::now();
    let activity = Activity::new(start);
    activity.begin(after(start, 1));
    activity.begin(after(start, 2));
    activity.end(true, after(start, 3));
    assert_eq!((deadline(&activity, start), activity.idle_since()), (None, None));
    activity.end(true, after(start, 4));
    assert_eq!(deadline(&activity, start), Some(79));
}

#[test]
fn pings_do_not_keep_an_idle_connection() {
    let start = Instant::now();
    let activity = Activity::new(start);
    activity.speaks(Protocol::Http2);
    activity.begin(start);
    activity.end(true, start);
    for second in 1..70 {
        activity.received(after(start, second));
        activity.wrote(17, after(start, second));
    }
    assert_eq!(deadline(&activity, start), Some(75));
}

#[test]
fn a_further_head_has_its_own_time_from_its_first_byte() {
    let start = Instant::now();
    let activity = Activity::new(start);
    activity.speaks(Protocol::Http1);
    activity.begin(start);
    activity.end(true, start);
    activity.received(after(start, 30));
    activity.received(after(start, 39));
    assert_eq!(deadline(&activity, start), Some(40));
    activity.begin(after(start, 39));
    activity.end(true, after(start, 40));
    assert_eq!(deadline(&activity, start), Some(115));
    activity.received(after(start, 110));
    assert_eq!(deadline(&activity, start), Some(115), "a late head does not add time");
}

#[test]
fn a_client_that_does_not_take_its_response_is_idle_from_its_last_progress() {
    let start = Instant::now();
    let activity = Activity::new(start);
    activity.begin(start);
    activity.progress(true, false, 0, after(start, 1));
    assert_eq!(deadline(&activity, start), Some(41), "the body was not even asked for");
    activity.progress(false, true, 0, after(start, 2));
    assert_eq!(deadline(&activity, start), None, "the gateway waits for a model");
    activity.progress(true, false, 1000, after(start, 3));
    assert_eq!(deadline(&activity, start), Some(43));
    activity.end(false, after(start, 4));
    activity.wrote(900, after(start, 50));
    assert_eq!(deadline(&activity, start), Some(90), "the rest is being sent");
    activity.wrote(900, after(start, 60));
    activity.wrote(900, after(start, 61));
    assert_eq!(deadline(&activity, start), Some(135), "nothing was left to send");
}

#[test]
fn a_connection_that_was_asked_to_close_gets_longer_while_its_client_takes_a_response() {
    let start = Instant::now();
    let activity = Activity::new(start);
    let closing = Closing {
        asked_at: after(start, 5),
        grace: Duration::from_secs(1),
        stalled: Duration::from_secs(75),
    };
    let cut_off = || {
        let deadline = activity.closing_deadline(closing, Waker::noop());
        deadline.map(|deadline| (deadline - start).as_secs())
    };
    assert_eq!(cut_off(), Some(6));
    activity.begin(after(start, 6));
    assert_eq!(cut_off(), None);
    activity.progress(true, false, 10, after(start, 7));
    assert_eq!(cut_off(), Some(82));
    activity.end(false, after(start, 8));
    assert_eq!(cut_off(), Some(83), "ten bytes are not written");
    activity.wrote(20, after(start, 9));
    assert_eq!(cut_off(), Some(10));
}

#[test]
fn the_rest_of_a_refused_request_is_read_while_it_comes_but_not_for_ever() {
    let start = Instant::now();
    let activity = Activity::new(start);
    activity.speaks(Protocol::Http1);
    activity.begin(start);
    assert!(!activity.has_unread());
    activity.leave_unread();
    activity.end(true, start);
    assert!(activity.has_unread());
    activity.linger(after(start, 1));
    assert_eq!(deadline(&activity, start), Some(6));
    activity.linger(after(start, 2));
    assert_eq!(deadline(&activity, start), Some(6), "nothing came");
    for second in 3..29 {
        activity.discarded(after(start, second));
        assert_eq!(deadline(&activity, start), Some((second + 5).min(31)));
    }
}

#[test]
fn a_head_that_hyper_refuses_is_read_on_and_one_that_is_late_is_not() {
    let start = Instant::now();
    let activity = Activity::new(start);
    activity.speaks(Protocol::Http1);
    activity.received(start);
    assert!(activity.has_unread());
    activity.begin_closing();
    assert!(!activity.has_unread());
}

#[test]
fn a_response_of_http1_is_written_by_its_deadline_or_the_connection_closes() {
    for (protocol, expected) in [(Protocol::Http1, 20), (Protocol::Http2, 44)] {
        let start = Instant::now();
        let activity = Activity::new(start);
        activity.speaks(protocol);
        activity.begin(start);
        activity.progress(true, false, 1000, after(start, 1));
        assert_eq!(deadline(&activity, start), Some(41), "{protocol:?}");
        activity.limit_writing(after(start, 20));
        activity.end(false, after(start, 3));
        activity.wrote(500, after(start, 4));
        assert_eq!(deadline(&activity, start), Some(expected), "{protocol:?}");
        activity.wrote(500, after(start, 5));
        assert_eq!(deadline(&activity, start), Some(80), "{protocol:?}: all is written");
    }
}
