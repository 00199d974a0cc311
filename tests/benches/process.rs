//! Resource usage of a process, from /proc.

use std::fs;

/// Clock ticks a second in /proc, on Linux.
const TICKS: f64 = 100.0;

/// Returns the CPU seconds that a process has used.
#[allow(dead_code, reason = "not every bench uses it")]
pub fn cpu_seconds(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process runs");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("a stat line").split(' ').collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number of ticks");
    (ticks(11) + ticks(12)) / TICKS
}

/// Returns the CPU seconds that the threads of a process with this name have used, and those of
/// all others.
#[allow(dead_code, reason = "not every bench uses it")]
pub fn cpu_seconds_by_thread(process: u32, name: &str) -> (f64, f64) {
    let (mut named, mut others) = (0.0, 0.0);
    for task in fs::read_dir(format!("/proc/{process}/task")).expect("the process runs") {
        let task = task.expect("a thread").path();
        // A thread may end while this is read.
        let read = |file: &str| fs::read_to_string(task.join(file)).unwrap_or_default();
        let nanoseconds: f64 =
            read("schedstat").split(' ').next().and_then(|used| used.parse().ok()).unwrap_or(0.0);
        let sum = if read("comm").trim() == name { &mut named } else { &mut others };
        *sum += nanoseconds / 1e9;
    }
    (named, others)
}

/// Returns the resident memory in MiB, and the number of threads.
#[allow(dead_code, reason = "not every bench uses it")]
pub fn memory(process: u32) -> (f64, usize) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let field = |name: &str| -> usize {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field of status");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    };
    (field("VmRSS:") as f64 / 1024.0, field("Threads:"))
}

/// Returns the number of mappings of the address space.
#[allow(dead_code, reason = "not every bench uses it")]
pub fn mappings(process: u32) -> usize {
    fs::read_to_string(format!("/proc/{process}/maps")).expect("the process runs").lines().count()
}

/// Returns the median.
#[allow(dead_code, reason = "not every bench uses it")]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
