//! Packages that users install without a compiler: the archive, the wheel and those for npm.
//!
//! `cargo xtask test` builds them around a static program and sets their directory. Without it these tests
//! are skipped, except on CI.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use pointsman_tests::{fresh_directory, installed};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::command_line::texts;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The built packages.
struct Packages(PathBuf);

impl Packages {
    fn built() -> Option<Self> {
        Some(Self(installed("POINTSMAN_TEST_PACKAGES")?.into()))
    }

    /// Returns the only file whose name begins and ends like this.
    fn file(&self, begin: &str, end: &str) -> PathBuf {
        let entries =
            fs::read_dir(&self.0).expect("the packages").map(|entry| entry.expect("an entry").path());
        let is_meant = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(begin) && name.ends_with(end)
        };
        let found: Vec<PathBuf> = entries.filter(is_meant).collect();
        assert_eq!(found.len(), 1, "{begin}*{end} in {}: {found:?}", self.0.display());
        found.into_iter().next().expect("one file")
    }
}

/// A directory that is removed with everything in it.
struct CleanDirectory(PathBuf);

impl CleanDirectory {
    fn new() -> Self {
        Self(fresh_directory())
    }
}

impl Drop for CleanDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a command, which has to succeed. Returns its standard output.
fn succeed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the command can be run");
    let (out, err) = texts(&output);
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out
}

/// Checks that an installed command is of this version and runs the demonstration.
fn runs_the_demo(pointsman: impl Fn() -> Command) {
    assert_eq!(succeed(pointsman().arg("--version")).trim(), format!("pointsman {VERSION}"));
    let out = succeed(pointsman().args(["demo", "--once"]));
    for expected in ["1. Routing", "2. Orchestration", "3. A hot swap", "without a restart."] {
        assert!(out.contains(expected), "{expected:?} is not in:\n{out}");
    }
}

#[test]
fn the_archive_holds_a_static_program_and_matches_its_checksum() {
    let Some(packages) = Packages::built() else { return };
    let directory = CleanDirectory::new();
    let archive = packages.file("pointsman-", ".tar.gz");
    let name = archive.file_name().expect("a name").to_string_lossy().into_owned();
    let digest = Sha256::digest(fs::read(&archive).expect("the archive"));
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let checksum = fs::read_to_string(packages.file(&name, ".sha256")).expect("the checksum");
    assert_eq!(checksum.split_whitespace().collect::<Vec<_>>(), [digest.as_str(), name.as_str()]);

    succeed(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&directory.0));
    let folder = directory.0.join(name.trim_end_matches(".tar.gz"));
    let mut files: Vec<String> = fs::read_dir(&folder)
        .expect("a folder of the archive's name")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(files, ["CHANGELOG.md", "LICENSE", "README.md", "pointsman", "pointsman.service"]);
    let program = folder.join("pointsman");
    if cfg!(target_os = "linux") {
        assert!(!has_interpreter(&fs::read(&program).expect("the program")), "it needs a dynamic linker");
    }
    runs_the_demo(|| Command::new(&program));
    compiles_no_builtin_policy(&program);
}

/// Checks that the built-in policies are loaded from native code in the program.
fn compiles_no_builtin_policy(program: &Path) {
    let directory = CleanDirectory::new();
    let config = directory.0.join("pointsman.toml");
    let text = "[log]\nlevel = \"debug\"\n[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
                [backends.fleet]\nkind = \"simulated\"\n[models.\"fleet/a\"]\n[routes.auto]\npolicy = \"builtin:cost\"\n";
    fs::write(&config, text).expect("the configuration");
    let mut serve = Command::new(program);
    serve.args(["serve", "--config"]).arg(&config).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut serve = serve.spawn().expect("the program can be run");
    let mut addresses = BufReader::new(serve.stdout.take().expect("standard output")).lines();
    assert!(addresses.next().is_some_and(|line| line.is_ok()), "it listens");
    let process = Pid::from_raw(serve.id().cast_signed()).expect("a process id");
    kill_process(process, Signal::TERM).expect("the program can be signalled");
    let (_, log) = texts(&serve.wait_with_output().expect("it ends"));
    assert!(log.contains("loaded a policy that was compiled with this program"), "{log}");
    assert!(!log.contains("compiled a policy\""), "{log}");
}

/// Returns whether a 64-bit little-endian ELF file names a dynamic linker, in a segment `PT_INTERP`.
fn has_interpreter(elf: &[u8]) -> bool {
    const PT_INTERP: u32 = 3;
    assert_eq!(elf.get(..6), Some(&b"\x7fELF\x02\x01"[..]), "a 64-bit little-endian ELF file");
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([elf[at], elf[at + 1]]));
    let headers = u64::from_le_bytes(elf[0x20..0x28].try_into().expect("eight bytes")) as usize;
    let (size, count) = (u16_at(0x36), u16_at(0x38));
    let types = (0..count).map(|index| headers + index * size).map(|at| &elf[at..at + 4]);
    types.map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes"))).any(|it| it == PT_INTERP)
}

#[test]
fn the_wheel_runs_the_demo_in_a_new_environment() {
    let (Some(packages), Some(python)) = (Packages::built(), installed("POINTSMAN_TEST_PYTHON")) else {
        return;
    };
    let directory = CleanDirectory::new();
    let environment = directory.0.join("venv");
    succeed(Command::new(python).args(["-m", "venv"]).arg(&environment));
    let mut install = Command::new(environment.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check"]);
    let wheel = packages.file("pointsman-", ".whl");
    let name = wheel.to_string_lossy();
    assert!(
        !cfg!(target_os = "linux") || (name.contains("manylinux") && name.contains("musllinux")),
        "{name}"
    );
    succeed(install.arg(wheel));
    runs_the_demo(|| Command::new(environment.join("bin/pointsman")));
}

#[test]
fn the_packages_for_npm_run_the_demo_in_a_new_folder() {
    let Some(packages) = Packages::built() else { return };
    let npm = NpmFolder::install(&packages);
    runs_the_demo(|| npm.npx());
}

#[test]
fn the_npm_command_passes_on_signals_and_exit_statuses() {
    let Some(packages) = Packages::built() else { return };
    let npm = NpmFolder::install(&packages);
    let mut serve = npm.command();
    serve.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    let mut serve = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("node can be run");
    let mut lines = BufReader::new(serve.stdout.take().expect("standard output")).lines();
    let address = lines.next().expect("a line with the address").expect("text");
    let address =
        address.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address");
    let address: SocketAddr = address.trim().parse().expect("an address with a port");
    drop(TcpStream::connect(address).expect("the gateway accepts connections"));
    let node = Pid::from_raw(serve.id().cast_signed()).expect("a process id");
    kill_process(node, Signal::TERM).expect("node can be signalled");
    assert_eq!(serve.wait().expect("node ends").code(), Some(0), "the gateway ends as for SIGTERM");
    // Its standard output is closed only when the program has ended too.
    assert!(lines.all(|line| line.is_ok()));

    let missing = npm.command().args(["check", "missing.toml"]).output().expect("node can be run");
    assert_eq!(missing.status.code(), Some(2), "{}", texts(&missing).1);
}

#[test]
fn the_npm_command_names_the_package_that_is_missing() {
    let Some(packages) = Packages::built() else { return };
    let npm = NpmFolder::install(&packages);
    fs::remove_dir_all(npm.directory.0.join("node_modules/@pointsman")).expect("the package of the program");
    let output: Output = npm.command().arg("--version").output().expect("node can be run");
    let (out, err) = texts(&output);
    assert_eq!((output.status.code(), out.as_str()), (Some(1), ""));
    assert!(err.starts_with("error: the package @pointsman/linux-"), "{err}");
    assert!(err.contains("hint: install again without `--omit=optional`"), "{err}");
}

/// A folder in which the packages are installed from a registry of their own.
struct NpmFolder {
    directory: CleanDirectory,
    registry: String,
}

impl NpmFolder {
    fn install(packages: &Packages) -> Self {
        let directory = CleanDirectory::new();
        let registry = serve_registry(packages);
        fs::write(directory.0.join("package.json"), "{}").expect("the folder is new");
        let folder = Self { directory, registry };
        succeed(folder.npm("npm").args(["install", "--no-audit", "--no-fund", "pointsman"]));
        folder
    }

    /// Returns a command of npm that uses the registry, and no cache of the user.
    fn npm(&self, program: &str) -> Command {
        let mut npm = Command::new(program);
        npm.current_dir(&self.directory.0)
            .env("npm_config_registry", &self.registry)
            .env("npm_config_cache", self.directory.0.join("cache"))
            .env("npm_config_update_notifier", "false");
        npm
    }

    fn npx(&self) -> Command {
        let mut npx = self.npm("npx");
        npx.args(["--no", "--", "pointsman"]);
        npx
    }

    /// Returns the command without npx around it, so that its process id is known.
    fn command(&self) -> Command {
        let mut node = Command::new("node");
        node.arg("node_modules/.bin/pointsman").current_dir(&self.directory.0);
        node
    }
}

/// Serves the packages as a registry does, on a thread that lasts as long as the tests. Returns its URL.
fn serve_registry(packages: &Packages) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut responses = HashMap::new();
    let cpu = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    for (name, file) in [
        ("pointsman".to_owned(), format!("pointsman-{VERSION}.tgz")),
        (format!("@pointsman/linux-{cpu}"), format!("pointsman-linux-{cpu}-{VERSION}.tgz")),
    ] {
        let tarball = packages.file(&file, "");
        let manifest = manifest_in(&tarball);
        assert_eq!((&manifest["name"], &manifest["version"]), (&json!(name), &json!(VERSION)));
        let mut version = manifest;
        version["dist"] = json!({ "tarball": format!("{url}/files/{file}") });
        let document =
            json!({ "name": name, "dist-tags": { "latest": VERSION }, "versions": { VERSION: version } });
        responses.insert(format!("/{}", name.replace('/', "%2f")), document.to_string().into_bytes());
        responses.insert(format!("/files/{file}"), fs::read(&tarball).expect("the package"));
    }
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = respond(&stream, &responses);
        }
    });
    url
}

/// Returns the manifest in a package.
fn manifest_in(tarball: &Path) -> Value {
    let manifest = succeed(Command::new("tar").arg("-xzOf").arg(tarball).arg("package/package.json"));
    serde_json::from_str(&manifest).expect("the manifest is JSON")
}

/// Responds to one request and closes the connection.
fn respond(mut stream: &TcpStream, responses: &HashMap<String, Vec<u8>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match responses.get(path) {
        Some(body) => ("200 OK", body.as_slice()),
        None => ("404 Not Found", &b"{}"[..]),
    };
    write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)
}
