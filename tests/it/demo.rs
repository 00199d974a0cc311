//! `pointsman demo`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pointsman_tests::{command, fresh_directory};
use rustix::process::{Pid, Signal, kill_process};

use crate::command_line::texts;

/// A folder for temporary files, which the demonstration has to leave empty.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Self {
        Self(fresh_directory())
    }

    fn demo(&self) -> Command {
        let mut demo = command();
        // A proxy of the environment is not used for loopback.
        demo.arg("demo").env("TMPDIR", &self.0).env("HTTP_PROXY", "http://127.0.0.1:1");
        demo
    }

    fn is_empty(&self) -> bool {
        fs::read_dir(&self.0).expect("the folder").next().is_none()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_demonstration_runs_to_its_end_and_leaves_nothing() {
    let temporary = Temporary::new();
    let output = temporary.demo().arg("--once").output().expect("the gateway's binary can be run");
    let (out, err) = texts(&output);
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{out}");
    for expected in [
        "1. Routing: one model for each request",
        "sent to fleet/llama-70b, the largest model: that is the baseline",
        "  ROUTE        REQUEST ",
        "% (cheaper)",
        "cannot serve it",
        "The 10 requests with text alone cost $",
        "If fleet/llama-70b answers all of them, they cost $",
        " saved, -",
        "The calls to the baseline were made for this comparison only.",
        "2. Orchestration: several models for one request",
        "collaborate:aggregated",
        "3. A hot swap: another policy without a restart",
        "  before  live@",
        "  after   live@",
        "without a restart.",
        "pointsman init ",
        "pointsman policy new mine",
    ] {
        assert!(out.contains(expected), "{expected:?} is not in:\n{out}");
    }
    let mut addresses = out.split("http://").skip(1).map(|rest| rest.split(':').next().unwrap_or(rest));
    assert!(addresses.all(|host| host == "127.0.0.1"), "{out}");
    assert!(temporary.is_empty(), "files are left");
}

#[test]
fn the_gateway_of_the_demonstration_runs_until_it_is_interrupted() {
    let temporary = Temporary::new();
    let mut demo =
        temporary.demo().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be run");
    let mut output = BufReader::new(demo.stdout.take().expect("its output"));
    let mut url = None;
    loop {
        let mut line = String::new();
        assert_ne!(output.read_line(&mut line).expect("a line"), 0, "the demonstration ended");
        if let Some((_, rest)) = line.split_once("curl -si ") {
            url = rest.split('/').nth(2).map(str::to_owned);
        }
        if line.contains("pointsman policy new") {
            break;
        }
    }
    let address = url.expect("a command to try");
    std::net::TcpStream::connect(&address).expect("the gateway listens");
    let process = Pid::from_child(&demo);
    kill_process(process, Signal::INT).expect("it runs");
    assert_eq!(demo.wait().expect("it ends").code(), Some(0));
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("the end of its output");
    assert!(temporary.is_empty(), "files are left");
    assert!(std::net::TcpStream::connect(&address).is_err(), "the gateway ended with it");
}
