//! Cargo, the WebAssembly target, and builds of the gateway.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

const TARGET: &str = "wasm32-unknown-unknown";

/// A build of the gateway.
pub struct Gateway {
    /// The `pointsman` binary.
    pub binary: PathBuf,
    /// The directory of the built-in policies, as `NAME.wasm`.
    pub policies: PathBuf,
}

/// The workspace's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Cargo, at the workspace's root.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").as_deref().unwrap_or(OsStr::new("cargo")));
    command.current_dir(root());
    remove_package_variables(&mut command);
    command
}

/// Removes the variables by which the cargo that runs this program describes its package. Build
/// scripts that watch them (ring's does) would run again after each change between `cargo xtask` and
/// cargo itself, and everything above them would be compiled again.
pub fn remove_package_variables(command: &mut Command) {
    let describes_package =
        |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(describes_package) {
            command.env_remove(name);
        }
    }
}

/// Runs cargo, and fails if cargo fails.
pub fn run(args: &[&str]) -> Result<()> {
    println!("$ cargo {}", args.join(" "));
    let status = cargo().args(args).status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo {} failed", args.first().unwrap_or(&""));
    Ok(())
}

/// Adds the WebAssembly target, for which policies are built, if the toolchain lacks it.
pub fn ensure_wasm_target() -> Result<()> {
    ensure_target(TARGET, "policies need")
}

/// Adds a target if the toolchain lacks it.
pub fn ensure_target(target: &str, needed_by: &str) -> Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", target]).current_dir(root());
    let libdir = rustc.output().context("cannot run rustc")?;
    if libdir.status.success() && Path::new(String::from_utf8_lossy(&libdir.stdout).trim()).is_dir() {
        return Ok(());
    }
    println!("$ rustup target add {target}");
    let added = Command::new("rustup").args(["target", "add", target]).current_dir(root()).status();
    match added {
        Ok(status) if status.success() => Ok(()),
        _ => bail!("{needed_by} the Rust target {target}; hint: run `rustup target add {target}`"),
    }
}

/// The arguments that build the gateway. Cargo selects the features of dependencies by the packages it
/// builds. `cargo xtask lint` checks that it selects the same ones for the gateway alone as for the whole
/// workspace, so that the tests compile no dependency again.
const GATEWAY: [&str; 5] = ["build", "--package", "pointsman-gateway", "--bin", "pointsman"];

/// Builds the gateway, showing cargo's progress.
pub fn build_gateway() -> Result<Gateway> {
    ensure_wasm_target()?;
    let messages = ["--message-format", "json-render-diagnostics"];
    let output =
        cargo().args(GATEWAY).args(messages).stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    ensure!(output.status.success(), "the gateway does not build");
    let messages = String::from_utf8(output.stdout).context("cargo's messages are not text")?;
    let messages: Vec<Value> = messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let find = |key: &str| {
        let of_gateway =
            |message: &&Value| message["package_id"].as_str().is_some_and(|id| id.contains("host/gateway"));
        messages.iter().filter(of_gateway).find_map(|message| message[key].as_str().map(PathBuf::from))
    };
    Ok(Gateway {
        binary: find("executable").context("cargo reported no binary of the gateway")?,
        policies: find("out_dir").context("cargo reported no directory of the built-in policies")?,
    })
}
