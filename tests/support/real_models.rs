//! Small real models behind real servers, and providers that need Python, if they are installed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Server process; killed when dropped.
#[derive(Debug)]
pub struct Server(Child);

/// Server of `tests/support/servers`.
#[derive(Debug)]
pub struct SmallServer {
    _process: Server,
    /// Base address of its API.
    pub base_url: String,
}

/// Returns an address that was free a moment ago.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    listener.local_addr().expect("a bound listener has an address")
}

/// Returns a file of `tests/fixtures/media` in base64.
pub fn medium(file: &str) -> String {
    let path = format!("{}/fixtures/media/{file}", env!("CARGO_MANIFEST_DIR"));
    STANDARD.encode(fs::read(path).expect("the fixture is there"))
}

impl Server {
    /// Starts `dasllama-server`, which is installed beside Python, with the weights of a language
    /// model. It listens once they are loaded.
    pub fn language(python: &Path, weights: &Path, address: SocketAddr) -> Self {
        let server = Command::new(python.with_file_name("dasllama-server"))
            .arg("-m")
            .arg(weights)
            .args(["--host", "127.0.0.1", "-p", &address.port().to_string()])
            .args(["-t", "2", "--ctx", "2048", "--gpu", "off", "--models-dir"])
            .arg(weights.parent().expect("the weights are in a directory"))
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(server.expect("dasllama-server can be run"))
    }
}

impl SmallServer {
    /// Starts a server that reads text in pictures: chat completions.
    pub async fn vision(python: &str) -> Self {
        Self::start(python, "vision.py", &[]).await
    }

    /// Starts a server of transcriptions. `whisper` is the directory of the model.
    pub async fn speech(python: &str, whisper: &str) -> Self {
        Self::start(python, "transcriptions.py", &[whisper]).await
    }

    /// Starts the scripted provider, which speaks each dialect below a path of its own, and validates
    /// what it receives.
    pub async fn provider(python: &str) -> Self {
        Self::start(python, "provider/provider.py", &[]).await
    }

    /// Starts a script and waits until its model is loaded and it listens.
    async fn start(python: &str, script: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(python);
        command
            .arg(format!("{}/support/servers/{script}", env!("CARGO_MANIFEST_DIR")))
            .args(arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let started = tokio::task::spawn_blocking(move || {
            let mut process = command.spawn().expect("python can be run");
            let stdout = process.stdout.take().expect("stdout is piped");
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            let base_url = lines.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
            (process, base_url)
        });
        let (process, base_url) = started.await.expect("starting does not panic");
        let base_url = base_url.unwrap_or_else(|| panic!("{script} ended instead of listening"));
        Self { _process: Server(process), base_url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
