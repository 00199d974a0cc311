//! Throughput and memory of `pointsman replay` over a long synthetic log with three candidates a request, plain and
//! compressed, by one thread and by all.
//!
//! `cargo bench --workspace --bench replay`, with `POINTSMAN_BIN` naming a release build. `POINTSMAN_RECORDS` sets the
//! number of records; without it, 200,000.
#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench that cannot run has nothing to measure"
)]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use pointsman_tests::synthetic_log::SyntheticLog;
use pointsman_tests::{command, fresh_directory};

/// Records that are written at once.
const BLOCK: u64 = 1_000;

fn main() {
    let records =
        std::env::var("POINTSMAN_RECORDS").ok().and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let folder = fresh_directory();
    let (plain, compressed) = (folder.join("decisions-1.jsonl"), folder.join("decisions-1.jsonl.zst"));
    let log = SyntheticLog { rated: 0.05, ..SyntheticLog::default() };
    let mut plain_file = BufWriter::new(File::create(&plain).expect("a file"));
    let zstd_file = File::create(&compressed).expect("a file");
    let mut zstd_file = zstd::Encoder::new(zstd_file, 1).expect("an encoder");
    let mut text = String::new();
    for number in 0..records {
        log.append(number, &mut text);
        if number % BLOCK == BLOCK - 1 || number == records - 1 {
            plain_file.write_all(text.as_bytes()).expect("room on the disk");
            zstd_file.write_all(text.as_bytes()).expect("room on the disk");
            text.clear();
        }
    }
    plain_file.flush().expect("room on the disk");
    zstd_file.finish().expect("room on the disk");
    let size =
        |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len()) as f64 / f64::from(1 << 20);
    println!("{records} records, {:.0} MiB, {:.0} MiB compressed", size(&plain), size(&compressed));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    for (name, path) in [("plain", &plain), ("compressed", &compressed)] {
        for policy in ["builtin:cost", "builtin:weighted"] {
            for threads in if cores > 1 { vec![1, cores] } else { vec![1] } {
                let (seconds, cpu, peak) = measure(path, policy, threads);
                println!(
                    "{name:10}  {policy:16}  {threads} threads  {:7.0} records/s  {:7.0} records per CPU second  peak {peak:.0} MiB",
                    records as f64 / seconds,
                    records as f64 / cpu
                );
            }
        }
    }
    fs::remove_dir_all(folder).expect("the folder can be removed");
}

/// Returns the seconds of a replay, the CPU seconds of the process, and its largest resident memory in MiB.
fn measure(log: &Path, policy: &str, threads: usize) -> (f64, f64, f64) {
    let mut replay = command();
    replay.arg("replay").arg(log).args(["--policy", policy, "--threads", &threads.to_string()]);
    let begun = Instant::now();
    let mut replay = replay.stdout(Stdio::null()).spawn().expect("the gateway's binary can be run");
    let (mut peak, mut cpu) = (0.0, 0.0);
    let status = loop {
        // A process that has ended has neither.
        let read =
            |file: &str| fs::read_to_string(format!("/proc/{}/{file}", replay.id())).unwrap_or_default();
        let kib = read("status")
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().trim_end_matches(" kB").parse::<f64>().ok());
        if let Some(kib) = kib {
            peak = kib / 1024.0;
            let stat = read("stat");
            let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
            let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
            cpu = (ticks(11) + ticks(12)) / 100.0;
        }
        if let Some(status) = replay.try_wait().expect("it is a child process") {
            break status;
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success());
    (begun.elapsed().as_secs_f64(), cpu, peak)
}
