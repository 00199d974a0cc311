use std::time::Duration;

/// Time span of a task, relative to the start of its request, and its dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSpan {
    /// Start.
    pub begun: Duration,
    /// End.
    pub ended: Duration,
    /// Indices of the tasks that it waited for.
    pub after: Vec<usize>,
}

/// Returns the indices of the tasks that determined the total duration, in order: from the one that
/// ended last back through the last dependency of each. A task without dependencies is taken to
/// have waited for the latest task that ended before its start, since that task ended the previous
/// step.
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
