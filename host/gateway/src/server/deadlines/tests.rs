use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use futures_util::stream;

use super::*;

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A body that never ends, and fills a cell when it is dropped.
fn silent(dropped: &Arc<()>) -> Body {
    let held = Arc::clone(dropped);
    Body::from_stream(stream::unfold(held, |held| async move {
        std::future::pending::<()>().await;
        Some((Ok::<_, Infallible>(Bytes::new()), held))
    }))
}

fn poll(body: &mut LimitedBody, waker: &Waker) -> Poll<Option<Result<Bytes, String>>> {
    let polled = Pin::new(body).poll_frame(&mut Context::from_waker(waker));
    polled.map(|frame| {
        frame.map(|frame| match frame {
            Ok(frame) => Ok(frame.into_data().unwrap_or_default()),
            Err(error) => Err(error.to_string()),
        })
    })
}

#[test]
fn a_body_is_dropped_at_its_deadline_and_its_reader_gets_an_error() {
    let (deadlines, dropped, start) = (Arc::new(Deadlines::default()), Arc::new(()), Instant::now());
    let reader = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&reader));
    let mut body = deadlines.limit(silent(&dropped), Deadlines::end_of(start));
    assert!(poll(&mut body, &waker).is_pending());
    assert!(!deadlines.expire(start));
    assert_eq!((Arc::strong_count(&dropped), reader.get()), (2, 0), "it may end itself for a moment");

    assert!(deadlines.expire(start + GRACE));
    assert!(!deadlines.expire(start + GRACE), "it is dropped once");
    assert_eq!((Arc::strong_count(&dropped), reader.get()), (1, 1));
    let Poll::Ready(Some(Err(error))) = poll(&mut body, &waker) else { panic!("an error") };
    assert_eq!(error, "the time for the request ran out");
}

#[test]
fn a_body_that_is_never_polled_is_dropped_at_its_deadline_too() {
    let (deadlines, dropped, start) = (Arc::new(Deadlines::default()), Arc::new(()), Instant::now());
    let early = deadlines.limit(silent(&dropped), Deadlines::end_of(start));
    let late = Arc::new(());
    let other = deadlines.limit(silent(&late), Deadlines::end_of(start + Duration::from_secs(9)));
    assert!(deadlines.expire(start + GRACE));
    assert_eq!((Arc::strong_count(&dropped), Arc::strong_count(&late)), (1, 2), "the other goes on");
    drop((early, other));
}

#[test]
fn the_task_of_the_connection_is_woken_by_an_earlier_deadline_only() {
    let (deadlines, dropped, start) = (Arc::new(Deadlines::default()), Arc::new(()), Instant::now());
    let (task, later) = (Arc::new(Count::default()), start + Duration::from_secs(9));
    let waker = Waker::from(Arc::clone(&task));
    assert_eq!(deadlines.next(&waker), None);
    let first = deadlines.limit(silent(&dropped), Deadlines::end_of(later));
    assert_eq!((deadlines.next(&waker), task.get()), (Some(later + GRACE), 1));
    let second = deadlines.limit(silent(&dropped), Deadlines::end_of(later));
    assert_eq!(task.get(), 1);
    let third = deadlines.limit(silent(&dropped), Deadlines::end_of(start));
    assert_eq!((deadlines.next(&waker), task.get()), (Some(start + GRACE), 2));
    drop(third);
    assert_eq!(deadlines.next(&waker), Some(later + GRACE), "a body that ended has no deadline");
    drop((first, second));
    assert_eq!(deadlines.next(&waker), None);
}
