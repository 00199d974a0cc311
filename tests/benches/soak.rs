//! Growth of the gateway: resident memory, mappings and threads when idle, after a number of
//! swaps, and after a number of requests. The first swaps compile, later ones return to versions
//! that were compiled before.
//!
//! `cargo bench --workspace --bench soak`, with `POINTSMAN_BIN` naming a release build.
//! `SOAK_REQUESTS` and `SOAK_SWAPS` set the numbers.
#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench that cannot run has nothing to measure"
)]

use std::fs;
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use pointsman_guests::{version, version_label};
use pointsman_tests::{Connection, FakeModel, Gateway, Step, client};
use serde_json::Value;

mod process;

const CLIENTS: usize = 16;
const VERSIONS: usize = 200;
/// Number of versions whose swap is timed.
const NOTICED: usize = 11;
const BODY: &str = r#"{"model":"main","messages":[{"role":"user","content":"hello"}]}"#;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn print_usage(what: &str, gateway: &Gateway) {
    let (mib, threads) = process::memory(gateway.process());
    let mappings = process::mappings(gateway.process());
    println!("{what:<28} {mib:>6.1} MiB   {mappings:>5} mappings   {threads} threads");
}

async fn requests(gateway: &Gateway, count: usize) {
    let client = |_| {
        let base = gateway.base_url.clone();
        tokio::spawn(async move {
            let mut connection = Connection::open(&base).await;
            for _ in 0..count / CLIENTS {
                assert_eq!(connection.ask(&Bytes::from_static(BODY.as_bytes())).await.status, 200);
            }
        })
    };
    let clients: Vec<_> = (0..CLIENTS).map(client).collect();
    for client in clients {
        client.await.expect("all requests are answered");
    }
}

fn replace(file: &Path, version: &[u8]) {
    let incoming = file.with_extension("incoming");
    fs::write(&incoming, version).expect("the policy can be written");
    fs::rename(&incoming, file).expect("the policy can be renamed");
}

/// Measures the time from a renamed file, of a version that was never compiled before, to its
/// first decision: the median of several.
async fn noticed(gateway: &Gateway, file: &Path) {
    let mut connection = Connection::open(&gateway.base_url).await;
    let mut times = Vec::new();
    for number in (1_000_000..).take(NOTICED) {
        replace(file, &version(number));
        let renamed = Instant::now();
        let label = version_label(number);
        while connection.ask(&Bytes::from_static(BODY.as_bytes())).await.header("x-pointsman-route")
            != Some(&label)
        {}
        times.push(renamed.elapsed());
    }
    times.sort();
    let bytes = version(0).len();
    println!("a file of {bytes} bytes decides after {:.0?} (median of {NOTICED})", times[NOTICED / 2]);
}

async fn swap(gateway: &Gateway, file: &Path, number: usize) {
    replace(file, &version((number % VERSIONS) as u32));
    let report = client::post(&gateway.admin("/admin/reload"), &Value::Null).await;
    assert_eq!(report.status, 200);
}

#[tokio::main]
async fn main() {
    let (swaps, count) = (number("SOAK_SWAPS", 1_000), number("SOAK_REQUESTS", 1_000_000));
    let model = FakeModel::builder().forgetful().otherwise(|_| Step::answer("hello there")).start().await;
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("soak.wasm");
    fs::write(&file, version(0)).expect("the policy can be written");
    let state = file.with_file_name("soak-state");
    // The directory may be left over from an earlier run.
    let _ = fs::remove_dir_all(&state);
    let config = format!(
        "[state]\ndir = \"{}\"\n[log]\nlevel = \"warn\"\n[backends.mock]\nbase_url = \"{}\"\n[models.\"mock/one\"]\ninput_price = 1\n\
         output_price = 1\n[policies.main]\nsource = \"{}\"\n[routes.main]\npolicy = \"main\"\n",
        state.display(),
        model.base_url(),
        file.display()
    );
    let gateway = Gateway::start(&config).await;
    print_usage("idle", &gateway);
    noticed(&gateway, &file).await;
    requests(&gateway, count / 10).await;
    print_usage(&format!("{} requests", count / 10), &gateway);
    for number in 1..=swaps / 10 {
        swap(&gateway, &file, number).await;
    }
    print_usage(&format!("{} swaps", swaps / 10), &gateway);
    for number in swaps / 10 + 1..=swaps {
        swap(&gateway, &file, number).await;
    }
    print_usage(&format!("{swaps} swaps"), &gateway);
    requests(&gateway, count - count / 10).await;
    print_usage(&format!("{count} requests"), &gateway);
}
