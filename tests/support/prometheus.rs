//! Real Prometheus and its tool from Debian's package, if it is installed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use crate::installed::installed;

/// Text before the address in its log.
const LISTENING: &str = "msg=\"Listening on\" address=";

/// Prometheus process on a port that the system picks, with its own directory. Killed when
/// dropped.
#[derive(Debug)]
pub struct Prometheus {
    /// Address: `http://127.0.0.1:PORT`.
    pub url: String,
    directory: PathBuf,
    child: Child,
}

impl Prometheus {
    /// Starts Prometheus with a configuration and further files; returns `None`, and prints a
    /// line, if it is not installed.
    pub fn start(config: &str, files: &[(&str, &str)]) -> Option<Self> {
        let binary = Path::new(&installed("POINTSMAN_TEST_PROMTOOL")?).with_file_name("prometheus");
        let directory = directory(files);
        let file = directory.join("prometheus.yml");
        fs::write(&file, config).expect("the config can be written");
        let mut child = Command::new(binary)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Prometheus can be run");
        let mut log = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let listening = log
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once(LISTENING)?.1.to_owned()));
        let url = format!("http://{}", listening.expect("it tells where it listens").trim());
        // Read on, so that it never waits for a full pipe.
        thread::spawn(move || log.map_while(Result::ok).for_each(drop));
        Some(Self { url, directory, child })
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Runs `promtool` beside some files; returns `None`, and prints a line, if it is not installed.
/// The last file is its standard input.
pub fn promtool(arguments: &[&str], files: &[(&str, &str)]) -> Option<Output> {
    let binary = installed("POINTSMAN_TEST_PROMTOOL")?;
    let directory = directory(files);
    let mut tool = Command::new(binary);
    tool.args(arguments).current_dir(&directory);
    if let Some((last, _)) = files.last() {
        tool.stdin(fs::File::open(directory.join(last)).expect("it was written"));
    }
    let output = tool.output().expect("promtool can be run");
    let _ = fs::remove_dir_all(&directory);
    Some(output)
}

fn directory(files: &[(&str, &str)]) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("pointsman-prometheus-{}-{count}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory for Prometheus");
    for (name, text) in files {
        fs::write(directory.join(name), text).expect("a file can be written");
    }
    directory
}
