//! Cost of many policies: memory of each, and time of a start with and without code that was
//! compiled before.
//!
//! `cargo bench --workspace --bench fleet`, with `POINTSMAN_BIN` naming a release build.
//! `FLEET_POLICIES` sets the number.
#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench that cannot run has nothing to measure"
)]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Instant;

use pointsman_guests::version;
use pointsman_tests::{FakeModel, Gateway, Step, client};
use serde_json::json;

mod process;

/// Returns a configuration with the first `policies` policies, each with a route of its own.
fn config(model: &FakeModel, directory: &Path, policies: usize) -> String {
    let mut config = format!(
        "[state]\ndir = \"{}/state\"\n[log]\nlevel = \"warn\"\n[backends.mock]\nbase_url = \"{}\"\n\
         [models.\"mock/one\"]\ninput_price = 1\noutput_price = 1\n",
        directory.display(),
        model.base_url(),
    );
    for number in 0..policies {
        let file = file(directory, number);
        write!(
            config,
            "[policies.p{number}]\nsource = \"{file}\"\n[routes.r{number}]\npolicy = \"p{number}\"\n"
        )
        .expect("text can be added");
    }
    config
}

fn file(directory: &Path, number: usize) -> String {
    format!("{}/{number}.wasm", directory.display())
}

/// Starts a gateway, sends a request to every route, and prints the figures. Returns the resident
/// MiB.
async fn start(what: &str, config: &str, policies: usize) -> f64 {
    let began = Instant::now();
    let gateway = Gateway::start(config).await;
    let seconds = began.elapsed().as_secs_f64();
    let (idle, threads) = process::memory(gateway.process());
    for number in 0..policies {
        let body =
            json!({ "model": format!("r{number}"), "messages": [{ "role": "user", "content": "hi" }] });
        assert_eq!(client::post(&gateway.url("/v1/chat/completions"), &body).await.status, 200);
    }
    let (asked, _) = process::memory(gateway.process());
    let mappings = process::mappings(gateway.process());
    println!("{what:<26} {seconds:>8.2} {idle:>10.1} {asked:>12.1} {mappings:>10} {threads:>8}");
    gateway.stop().await;
    idle
}

#[tokio::main]
async fn main() {
    let policies = std::env::var("FLEET_POLICIES").ok().and_then(|text| text.parse().ok()).unwrap_or(500);
    let model = FakeModel::builder().forgetful().otherwise(|_| Step::answer("hello there")).start().await;
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fleet");
    // Of an earlier run, if there was one.
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory for the policies");
    for number in 0..policies {
        fs::write(file(&directory, number), version(number as u32)).expect("the policy can be written");
    }
    println!("                            seconds  MiB at rest  MiB when asked  mappings  threads");
    let one = start("1 policy, compiled", &config(&model, &directory, 1), 1).await;
    let all = config(&model, &directory, policies);
    start(&format!("{policies}, compiled"), &all, policies).await;
    let many = start(&format!("{policies}, kept from before"), &all, policies).await;
    println!("KiB for each more: {:.1}", (many - one) * 1024.0 / (policies - 1) as f64);
    let _ = fs::remove_dir_all(&directory);
}
