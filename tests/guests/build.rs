//! Builds the guests from source.

use std::env;
use std::path::PathBuf;

const GUESTS: [&str; 10] = [
    "pointsman-policy-cost",
    "pointsman-guest-first",
    "pointsman-guest-flooder",
    "pointsman-guest-hostile",
    "pointsman-guest-planner",
    "pointsman-guest-prober",
    "pointsman-guest-reader",
    "pointsman-guest-recorder",
    "pointsman-guest-scanner",
    "pointsman-guest-sleeper",
];

#[expect(clippy::disallowed_methods, reason = "this is where cargo tells the directory")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    let modules = build_guest::build_all(&GUESTS, &out_dir)?;
    for (guest, module) in GUESTS.iter().zip(&modules) {
        let name = guest.rsplit('-').next().unwrap_or(guest).to_uppercase();
        println!("cargo::rustc-env=GUEST_{name}={}", module.display());
    }
    build_guest::rerun_if_changed(&modules)?;
    Ok(())
}
