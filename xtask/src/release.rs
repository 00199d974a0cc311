//! `cargo xtask release`: everything that users install without a compiler, in `target/dist`.

mod archive;
mod npm;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::cargo::{self, cargo, root};
use crate::clients;

/// Version of the packages, which is that of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(clap::Args)]
pub struct Args {
    /// Target triple; by default a static program for this machine on Linux, and the host elsewhere
    #[arg(long)]
    target: Option<String>,
    /// Build without optimisation, to try the packages quickly
    #[arg(long)]
    debug: bool,
}

/// The program for one target.
pub struct Program {
    /// Path of the built `pointsman`.
    pub path: PathBuf,
    /// Target triple.
    pub target: String,
    /// Profile of cargo.
    pub profile: &'static str,
    /// Directory of the compiled policies that are part of the program, if this machine can run it.
    compiled: Option<PathBuf>,
}

impl Program {
    /// Sets the variables of the build for cargo.
    pub fn set_variables(&self, build: &mut Command) {
        if let Some(compiled) = &self.compiled {
            build.env("POINTSMAN_COMPILED_POLICIES", compiled);
        }
    }
}

/// Builds the program, and puts it into an archive, a wheel and packages for npm.
pub fn run(args: Args) -> Result<()> {
    let target = match args.target {
        Some(target) => target,
        None => default_target()?,
    };
    for file in build(target, if args.debug { "dev" } else { "release" }, &root().join("target/dist"))? {
        println!("built {}", file.display());
    }
    Ok(())
}

/// Builds the packages of one target in a directory. Returns their files.
fn build(target: String, profile: &'static str, dist: &Path) -> Result<Vec<PathBuf>> {
    let program = program(target, profile)?;
    fs::create_dir_all(dist).with_context(|| format!("cannot create {}", dist.display()))?;
    let mut files = archive::write(&program, dist)?;
    files.push(wheel::build(&program, dist)?);
    files.extend(npm::pack(&program, dist)?);
    Ok(files)
}

/// Builds the packages of the default target without optimisation, in a directory of their own. Returns it.
pub fn build_for_tests() -> Result<PathBuf> {
    let directory = root().join("target/test-packages");
    empty(&directory)?;
    build(default_target()?, "dev", &directory)?;
    Ok(directory)
}

/// Returns the target of a static program for this machine if it runs Linux, else the host.
fn default_target() -> Result<String> {
    if cfg!(target_os = "linux") {
        return Ok(format!("{}-unknown-linux-musl", std::env::consts::ARCH));
    }
    let output = Command::new("rustc").arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("`rustc -vV` reports no host")
}

/// Builds the program.
fn program(target: String, profile: &'static str) -> Result<Program> {
    cargo::ensure_wasm_target()?;
    cargo::ensure_target(&target, "the program needs")?;
    if target.ends_with("-linux-musl") {
        // ring, zstd and mimalloc have parts in C.
        clients::debian("musl-tools", "/usr/bin/musl-gcc")?;
    }
    let mut program = Program { path: PathBuf::new(), target, profile, compiled: None };
    program.path = build_program(&program)?;
    if program.target.starts_with(std::env::consts::ARCH) {
        // Policies are compiled by the finished program, whose compiler is optimised, so that users do not
        // wait for it at each start. Then they become part of the program.
        let directory = root().join("target/compiled-policies").join(&program.target);
        empty(&directory)?;
        run_tool(Command::new(&program.path).arg("compile-builtin").arg(&program.target).arg(&directory))?;
        program.compiled = Some(directory);
        program.path = build_program(&program)?;
    } else {
        println!(
            "{} does not run here: the gateway will compile its policies when it starts",
            program.target
        );
    }
    Ok(program)
}

/// Runs cargo. Returns the path of the program.
fn build_program(program: &Program) -> Result<PathBuf> {
    let Program { target, profile, .. } = program;
    let mut build = cargo();
    program.set_variables(&mut build);
    build.args(["build", "--package", "pointsman-gateway", "--bin", "pointsman", "--target", target]);
    build.args(["--profile", profile, "--message-format", "json-render-diagnostics"]);
    println!("$ cargo build --bin pointsman --target {target} --profile {profile}");
    let output = build.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    ensure!(output.status.success(), "the gateway does not build for {target}");
    let messages = String::from_utf8(output.stdout).context("cargo's messages are not text")?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let path = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    path.context("cargo reported no program")
}

/// Creates an empty directory.
fn empty(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

/// Runs a tool that makes packages. Returns its standard output.
fn run_tool(command: &mut Command) -> Result<String> {
    println!("$ {command:?}");
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{} failed:\n{}", command.get_program().display(), String::from_utf8_lossy(&output.stdout));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
