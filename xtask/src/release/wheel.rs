//! The wheel, which maturin builds around the program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{Program, VERSION, empty, run_tool};
use crate::cargo::{remove_package_variables, root};
use crate::tools::unless_done;

/// The packages that build the wheel, for pip.
const TOOLS: &str = "maturin==1.16.0\n";

/// Builds the wheel. The program is fresh, so maturin does not compile it again.
pub fn build(program: &Program, dist: &Path) -> Result<PathBuf> {
    let maturin = maturin()?;
    let out = dist.join("wheel");
    empty(&out)?;
    let mut build = Command::new(maturin);
    build.args(["build", "--profile", program.profile, "--target", &program.target]);
    if program.target.ends_with("-linux-musl") {
        // A static program runs with every C library. pip takes a wheel for the names of its own one.
        build.args(["--compatibility", "manylinux2014", "--compatibility", "musllinux_1_1"]);
    }
    build.arg("--out").arg(&out).current_dir(root().join("packaging/python"));
    build.env("CARGO_TARGET_DIR", root().join("target"));
    remove_package_variables(&mut build);
    program.set_variables(&mut build);
    run_tool(&mut build)?;
    let wheels = std::fs::read_dir(&out)?.collect::<Result<Vec<_>, _>>()?;
    ensure!(wheels.len() == 1, "maturin left {} files in {}", wheels.len(), out.display());
    let wheel = wheels.first().context("maturin left a wheel")?.path();
    let name = wheel.file_name().context("the wheel has a name")?.to_owned();
    let is_ours = name.to_string_lossy().starts_with(&format!("pointsman-{VERSION}-"));
    ensure!(is_ours, "maturin built {}, which is not version {VERSION}", wheel.display());
    let wheel_in_dist = dist.join(name);
    std::fs::rename(&wheel, &wheel_in_dist)?;
    std::fs::remove_dir(&out)?;
    Ok(wheel_in_dist)
}

/// Installs maturin in an environment of its own.
fn maturin() -> Result<PathBuf> {
    let tools = root().join("target/release-tools");
    std::fs::create_dir_all(&tools)?;
    let environment = tools.join("python");
    unless_done(TOOLS.as_bytes(), &tools.join("python.done"), || {
        run_tool(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        let mut install = Command::new(environment.join("bin/python"));
        run_tool(install.args(["-m", "pip", "install", "--quiet"]).args(TOOLS.split_whitespace()))?;
        Ok(())
    })?;
    Ok(environment.join("bin/maturin"))
}
