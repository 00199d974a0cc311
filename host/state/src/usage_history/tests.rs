use super::file::FileSummary;
use super::sample::{answered, subject};
use super::*;

/// Start of a step.
const START: u64 = 1_700_000_100;

/// Sums that grow, as those of a gateway.
#[derive(Default)]
struct Sums(HashMap<UsageSubject, UsageTotals>);

impl Sums {
    fn grow(&mut self, key: &str, requests: u64) {
        *self.0.entry(subject("auto", "a/chat", key)).or_default() += answered(requests);
    }

    fn collect(&self, history: &UsageHistory, now: u64) {
        history.collect(|| self.0.clone(), now).unwrap();
    }
}

/// Returns the answered requests of each step, relative to the start.
fn steps(history: &UsageHistory) -> Vec<(i64, u64)> {
    let mut steps = BTreeMap::new();
    let add = |at: u64, step: UsageStep| {
        let answered: u64 = step.lines.values().map(|totals| totals.answered).sum();
        *steps.entry(at as i64 - START as i64).or_default() += answered + step.folded.answered;
    };
    history.read(0, u64::MAX, add).unwrap();
    steps.into_iter().collect()
}

fn opened(directory: &tempfile::TempDir, now: u64) -> UsageHistory {
    let history = UsageHistory::open(&directory.path().join("history.redb"), now);
    assert_eq!(history.status(), HistoryStatus { is_durable: true, ..HistoryStatus::default() });
    history
}

#[test]
fn each_step_has_what_the_sums_grew_by() {
    let (history, mut sums) = (UsageHistory::in_memory(START), Sums::default());
    assert_eq!(START % HISTORY_STEP, 0);
    sums.grow("a", 1);
    sums.collect(&history, START + 60);
    sums.grow("b", 10);
    sums.grow("a", 2);
    sums.collect(&history, START + 120);
    assert_eq!(steps(&history), [(0, 13)]);
    // A collection without growth changes nothing.
    sums.collect(&history, START + 150);
    sums.grow("a", 100);
    // The interval began in the first step.
    sums.collect(&history, START + 240);
    sums.grow("a", 1_000);
    sums.collect(&history, START + 300);
    sums.grow("a", 5);
    sums.collect(&history, START + 301);
    assert_eq!(steps(&history), [(0, 1_113), (300, 5)]);
    let mut oldest = None;
    for (from, to) in [(0, START), (START, START + 300), (START + 301, u64::MAX)] {
        oldest = history.read(from, to, |at, _| assert_eq!((from, at), (START, START))).unwrap();
    }
    assert_eq!(oldest, Some(START));
}

#[test]
fn after_a_restart_within_a_step_the_step_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (history, mut sums) = (opened(&directory, START), Sums::default());
    sums.grow("a", 1);
    sums.collect(&history, START + 60);
    assert_eq!((steps(&history), history.status().unstored_steps), (vec![(0, 1)], 1));
    history.store(START + 60).unwrap();
    sums.grow("a", 2);
    sums.collect(&history, START + 90);
    history.store(START + 90).unwrap();
    assert_eq!((steps(&history), history.status().unstored_steps), (vec![(0, 3)], 0));
    drop(history);
    // The sums of another process begin at zero.
    let (history, mut sums) = (opened(&directory, START + 100), Sums::default());
    sums.grow("a", 10);
    sums.collect(&history, START + 160);
    assert_eq!(steps(&history), [(0, 13)]);
    history.store(START + 160).unwrap();
    assert_eq!(steps(&history), [(0, 13)]);
}

#[test]
fn a_clock_that_jumps_loses_nothing_and_counts_nothing_twice() {
    let directory = tempfile::tempdir().unwrap();
    let (history, mut sums) = (opened(&directory, START), Sums::default());
    let day = 86_400;
    // Forward by a day, back by two, by minutes within a step, and to the past of 1970.
    let times = [
        START + 60,
        START + day,
        START + day + 60,
        START - day,
        START - day + 60,
        START - day,
        START + 61,
        0,
    ];
    for (requests, now) in (0..).zip(times) {
        sums.grow("a", 1 << requests);
        sums.collect(&history, now);
        if requests % 2 == 0 {
            history.store(now).unwrap();
        }
    }
    let by_step = steps(&history);
    let all: u64 = by_step.iter().map(|(_, answered)| answered).sum();
    assert_eq!(all, (1 << times.len()) - 1, "{by_step:?}");
    let day = day as i64;
    let expected = [(-(START as i64), 128), (-day, 8 | 16 | 32), (0, 1 | 64), (day, 2 | 4)];
    assert_eq!(by_step, expected);
}

#[test]
fn a_history_in_memory_has_the_last_day() {
    let (history, mut sums) = (UsageHistory::in_memory(START), Sums::default());
    let last = MAX_STEPS_IN_MEMORY as u64 + 9;
    for step in 0..=last {
        sums.grow("a", 1);
        sums.collect(&history, START + step * HISTORY_STEP);
    }
    let steps = steps(&history);
    assert_eq!(
        (steps.len(), steps.last().copied()),
        (MAX_STEPS_IN_MEMORY, Some(((last * HISTORY_STEP) as i64, 1)))
    );
    assert_eq!(history.status(), HistoryStatus::default());
    history.store(START).unwrap();
}

#[test]
fn a_file_that_cannot_be_used_leaves_a_history_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.redb");
    std::fs::write(&path, "a text of somebody").unwrap();
    let (history, mut sums) = (UsageHistory::open(&path, START), Sums::default());
    sums.grow("a", 1);
    sums.collect(&history, START + 60);
    history.store(START + 60).unwrap();
    assert_eq!(steps(&history), [(0, 1)]);
    let status = history.status();
    assert!(status.error.is_some_and(|error| error.contains("history.redb")));
    assert!(!status.is_durable);
    assert_eq!(std::fs::read(&path).unwrap(), b"a text of somebody");
}

/// Storage that reports failures as it is set to.
#[derive(Debug, Default)]
struct Unreliable {
    steps: Arc<Mutex<(Failure, EncodedSteps)>>,
    last_batch: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Failure {
    #[default]
    None,
    /// Nothing is stored.
    Before,
    /// Everything is stored.
    After,
}

impl StepStorage for Unreliable {
    fn add(&mut self, batch: &Batch, _: u64) -> Result<Vec<u64>, DurableError> {
        let mut guard = self.steps.lock().unwrap();
        let (failure, steps) = &mut *guard;
        let error = || DurableError("the disk is full".to_owned());
        if *failure == Failure::Before {
            return Err(error());
        }
        if self.last_batch != Some(batch.id) {
            self.last_batch = Some(batch.id);
            for (at, bytes) in &batch.steps {
                let mut step = steps.get(at).map(|bytes| decode(bytes).unwrap()).unwrap_or_default();
                step.add(decode(bytes).unwrap());
                steps.insert(*at, encode(&step).unwrap());
            }
        }
        if *failure == Failure::After { Err(error()) } else { Ok(Vec::new()) }
    }

    fn read(
        &mut self,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<FileSummary, DurableError> {
        let guard = self.steps.lock().unwrap();
        guard.1.range(from..to).for_each(|(at, bytes)| visit(*at, bytes));
        Ok(FileSummary { last_batch: self.last_batch, oldest: guard.1.keys().next().copied() })
    }
}

#[test]
fn steps_that_cannot_be_stored_are_kept_and_stored_once() {
    let storage = Unreliable::default();
    let disk = Arc::clone(&storage.steps);
    let set = |failure| disk.lock().unwrap().0 = failure;
    let status = HistoryStatus { is_durable: true, ..HistoryStatus::default() };
    let (history, mut sums) = (UsageHistory::new(Some(Box::new(storage)), status, START), Sums::default());
    let mut now = START;
    let mut grow = |requests, failure| {
        now += 60;
        sums.grow("a", requests);
        sums.collect(&history, now);
        set(failure);
        let stored = history.store(now);
        assert_eq!(stored.is_ok(), failure == Failure::None, "{stored:?}");
        steps(&history).iter().map(|(_, answered)| answered).sum::<u64>()
    };
    let seen = [
        grow(1, Failure::None),
        grow(2, Failure::Before),
        grow(4, Failure::Before),
        grow(8, Failure::After),
        grow(16, Failure::After),
        grow(32, Failure::None),
    ];
    assert_eq!(seen, [1, 3, 7, 15, 31, 63]);
    let status = history.status();
    assert_eq!((status.failures, status.unstored_steps, status.lost_steps), (4, 0, 0));
    assert_eq!(steps(&history), [(0, 31), (300, 32)]);
}

#[test]
fn a_disk_that_is_full_for_days_costs_bounded_memory_and_the_loss_is_counted() {
    let storage =
        Unreliable { steps: Arc::new(Mutex::new((Failure::Before, EncodedSteps::new()))), last_batch: None };
    let disk = Arc::clone(&storage.steps);
    let status = HistoryStatus { is_durable: true, ..HistoryStatus::default() };
    let (history, mut sums) = (UsageHistory::new(Some(Box::new(storage)), status, START), Sums::default());
    let all = 2 * MAX_STEPS_IN_MEMORY as u64;
    for step in 0..all {
        sums.grow("a", 1);
        let now = START + step * HISTORY_STEP;
        sums.collect(&history, now);
        history.store(now).unwrap_err();
    }
    let status = history.status();
    // The batch that failed first has one step.
    assert_eq!(status.unstored_steps, MAX_STEPS_IN_MEMORY + 1);
    assert_eq!((status.lost_steps, status.failures), (all - MAX_STEPS_IN_MEMORY as u64 - 1, all));
    disk.lock().unwrap().0 = Failure::None;
    history.store(START + all * HISTORY_STEP).unwrap();
    assert_eq!((history.status().unstored_steps, steps(&history).len()), (0, MAX_STEPS_IN_MEMORY + 1));
}

#[test]
fn a_damaged_step_is_left_out_and_counted_once() {
    let storage = Unreliable::default();
    storage.steps.lock().unwrap().1.insert(START, vec![1, 2, 3]);
    let status = HistoryStatus { is_durable: true, ..HistoryStatus::default() };
    let (history, mut sums) = (UsageHistory::new(Some(Box::new(storage)), status, START), Sums::default());
    sums.grow("a", 1);
    sums.collect(&history, START + 60);
    sums.grow("a", 2);
    sums.collect(&history, START + 400);
    for _ in 0..2 {
        assert_eq!(steps(&history), [(0, 1), (300, 2)]);
        assert_eq!(history.status().unreadable_steps, 1);
    }
}
