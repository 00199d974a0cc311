use std::io;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use tokio::task::yield_now;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

fn lane() -> SlowLane {
    SlowLane::start().unwrap()
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_millis(2))
}

fn late() -> Deadline {
    Deadline::after(Duration::from_secs(3_600))
}

/// A call that yields once, and ends in the lane.
fn slow<T: Send + 'static>(last: impl FnOnce() -> T + Send + 'static) -> PolicyCall<T> {
    Box::pin(async move {
        yield_now().await;
        Ok(last())
    })
}

/// A call that never ends, and yields all the time.
fn endless() -> PolicyCall<()> {
    Box::pin(async {
        loop {
            yield_now().await;
        }
    })
}

/// A call that nothing wakes.
fn asleep() -> PolicyCall<()> {
    Box::pin(std::future::pending())
}

#[tokio::test]
async fn a_call_without_a_permit_ends_at_its_deadline() {
    let lane = lane();
    let limit = lane.limit(false);
    let all = u32::try_from(lane.threads).unwrap();
    let held = Arc::clone(&limit.permits).acquire_many_owned(all).await.unwrap();
    assert_eq!(lane.run(slow(|| ()), &limit, soon(), 20).await, Err(PolicyFailure::Starved));
    drop(held);
    assert_eq!(lane.run(slow(|| "done"), &limit, late(), 20).await, Ok("done"));
}

#[tokio::test]
async fn an_answer_after_the_deadline_does_not_count() {
    let (lane, passed) = (lane(), Deadline::after(Duration::ZERO));
    let limit = lane.limit(false);
    let quick = Box::pin(async { Ok(()) });
    assert_eq!(lane.run(quick, &limit, passed, 20).await, Err(PolicyFailure::Starved));
    assert!(lane.run(slow(|| ()), &limit, passed, 20).await.is_err());
    let failing: PolicyCall<()> = Box::pin(async { Err(PolicyFailure::Memory) });
    assert_eq!(
        lane.run(failing, &limit, passed, 20).await,
        Err(PolicyFailure::Memory),
        "the first failure is reported"
    );
}

#[tokio::test]
async fn a_late_call_is_the_policys_fault_only_if_it_had_the_processor() {
    let lane = lane();
    let (wakeful, sleeper) = (lane.limit(false), lane.limit(true));
    assert_eq!(lane.run(endless(), &wakeful, soon(), 4).await, Err(PolicyFailure::Deadline));
    assert_eq!(lane.run(endless(), &wakeful, soon(), u64::MAX).await, Err(PolicyFailure::Starved));
    assert_eq!(lane.run(asleep(), &wakeful, soon(), 20).await, Err(PolicyFailure::Starved));
    assert_eq!(lane.run(asleep(), &sleeper, soon(), 20).await, Err(PolicyFailure::Deadline));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Logs and sends a signal when it is dropped.
struct LogOnDrop(mpsc::Sender<()>);

impl Drop for LogOnDrop {
    fn drop(&mut self) {
        tracing::info!("dropped");
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn a_call_that_moves_keeps_the_log_and_the_span_of_its_request() {
    let (lane, log) = (lane(), Log::default());
    let limit = lane.limit(false);
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).without_time().with_ansi(false);
    let (dropped, was_dropped) = mpsc::channel();
    let here = tracing::subscriber::set_default(subscriber.finish());
    let span = tracing::info_span!("request").entered();
    lane.run(slow(|| tracing::info!("moved")), &limit, late(), 20).await.unwrap();
    let stopped: PolicyCall<()> = Box::pin(async move {
        let _log_on_drop = LogOnDrop(dropped);
        std::future::pending().await
    });
    lane.run(stopped, &limit, soon(), 20).await.unwrap_err();
    was_dropped.recv().unwrap();
    drop((span, here));
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for line in ["request: pointsman_policy::runtime::slow_lane::tests: moved", "tests: dropped"] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
}
