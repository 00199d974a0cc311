//! Builds the guests from source, and passes their paths to the crate.

use std::path::PathBuf;
use std::{env, error};

use pointsman_build::Build;

const GUESTS: [&str; 12] = [
    "pointsman-policy-cost",
    "pointsman-guest-faulty",
    "pointsman-guest-first",
    "pointsman-guest-flooder",
    "pointsman-guest-hostile",
    "pointsman-guest-keeper",
    "pointsman-guest-planner",
    "pointsman-guest-prober",
    "pointsman-guest-reader",
    "pointsman-guest-recorder",
    "pointsman-guest-scanner",
    "pointsman-guest-sleeper",
];

fn main() -> Result<(), Box<dyn error::Error>> {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    // Not the usual target directory: the outer cargo holds its lock.
    let modules = Build::new().packages(GUESTS).target_dir(out_dir.join("guests")).run()?;
    for module in &modules {
        let guest = module.package();
        let name = guest.rsplit('-').next().unwrap_or(guest).to_uppercase();
        println!("cargo::rustc-env=GUEST_{name}={}", module.path().display());
    }
    pointsman_build::rerun_if_changed(&modules)?;
    Ok(())
}
