use std::time::Duration;

/// When a task ran, from the beginning of its request, and what it waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSpan {
    /// When it began.
    pub begun: Duration,
    /// When it ended.
    pub ended: Duration,
    /// The tasks that it waited for, by place in the list.
    pub after: Vec<usize>,
}

/// The tasks that decided how long everything took, in order: from the one that
/// ended last back through the one that each waited for longest. A task without
/// others to wait for is taken to have waited for the latest that ended before
/// it began in an earlier step, which is where its step came from.
pub fn critical_path(spans: &[TaskSpan]) -> Vec<usize> {
    let latest = |of: &mut dyn Iterator<Item = usize>| of.max_by_key(|&at| (spans[at].ended, at));
    let mut path = Vec::new();
    let mut next = latest(&mut (0..spans.len()));
    while let Some(at) = next {
        path.push(at);
        let waited = spans[at].after.iter().copied().filter(|&it| it < spans.len() && !path.contains(&it));
        let before = latest(&mut waited.into_iter());
        next = before.or_else(|| {
            let earlier = (0..at).filter(|it| !path.contains(it) && spans[*it].ended <= spans[at].begun);
            latest(&mut earlier.into_iter())
        });
    }
    path.reverse();
    path
}
