//! docs/first-policy.md: its commands in order, with the outputs that it shows.
//!
//! Ports are those that the system picks, packages are the installed ones, and the SDK is that of this
//! repository; everything else is run word for word.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pointsman_tests::{Gateway, client, command, fresh_directory, installed};
use serde_json::json;

use crate::author_builds::repository;
use crate::author_new::{keep_builds, link_packages};
use crate::command_line::texts;
use crate::readmes::block::{CodeBlock, code_blocks};

/// Most commands of the guide.
const MAX_COMMANDS: usize = 10;
/// Addresses in the guide.
const CLIENTS: &str = "http://127.0.0.1:8080";
/// Commands that talk to the gateway's admin listener.
const OPERATIONS: [&str; 2] = ["pointsman policy trial", "pointsman policy promote"];

/// A reader of the guide who has chosen a language.
struct Reader {
    /// Folder with the program `pointsman`, and at first the working directory.
    start: PathBuf,
    folder: PathBuf,
    sdk: Option<PathBuf>,
    modules: Option<String>,
    gateway: Option<Gateway>,
    /// Output of the last commands.
    output: String,
    commands: usize,
}

impl Reader {
    fn new(sdk: Option<PathBuf>, modules: Option<String>) -> Self {
        let start = fresh_directory();
        let program = fs::canonicalize(command().get_program()).expect("the gateway's binary");
        std::os::unix::fs::symlink(program, start.join("pointsman")).expect("a link");
        let folder = start.clone();
        Self { start, folder, sdk, modules, gateway: None, output: String::new(), commands: 0 }
    }

    /// Does what a block says.
    async fn follow(&mut self, block: &CodeBlock<'_>) {
        match (block.language, block.variant) {
            ("sh", "serve") => self.serve(block.code).await,
            ("sh", _) => self.run(block.code),
            ("diff", _) => self.edit(block.code),
            ("text", _) => {
                for line in block.code.lines() {
                    assert!(self.output.contains(line), "`{line}` is not in:\n{}", self.output);
                }
            }
            (other, _) => panic!("a block in `{other}` below {}", block.heading),
        }
    }

    fn run(&mut self, code: &str) {
        self.commands +=
            code.lines().filter(|line| !line.starts_with([' ', '#']) && !line.starts_with("done")).count();
        let lines: Vec<String> = code.lines().map(|line| self.here(line)).collect();
        let script = format!("set -eu\n{}\necho\npwd\n", lines.join("\n"));
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("bash");
        shell.current_dir(&self.folder).arg("-c").arg(&script).env("CARGO_NET_OFFLINE", "true");
        let run = shell.env("PATH", format!("{}:{path}", self.start.display())).output();
        let run = run.expect("bash can be run");
        let (out, err) = texts(&run);
        assert!(run.status.success(), "{script}\n{out}{err}");
        let (output, folder) = out.trim_end().rsplit_once('\n').expect("the working directory");
        let (output, folder) = (output.to_owned(), PathBuf::from(folder));
        if folder != self.folder {
            self.folder = folder;
            self.enter();
        }
        self.output = output;
    }

    /// Returns a line of a script as it runs here.
    fn here(&self, line: &str) -> String {
        let mut line = line.replace("npm install", "true");
        if let Some(sdk) = self.sdk.as_ref().filter(|_| line.starts_with("pointsman policy new")) {
            line += &format!(" --sdk '{}'", sdk.display());
        }
        if let Some(gateway) = &self.gateway {
            line = line.replace(CLIENTS, &gateway.base_url);
            if OPERATIONS.iter().any(|operation| line.starts_with(operation)) {
                line += &format!(" --admin {}", gateway.admin_url);
            }
        }
        line
    }

    /// Prepares the new folder of the policy for this machine.
    fn enter(&self) {
        match &self.modules {
            Some(modules) => link_packages(modules, &self.folder),
            None => keep_builds(&self.folder),
        }
        // A busy machine would make a version fail or look slow.
        let path = self.folder.join("pointsman.toml");
        let config = fs::read_to_string(&path).expect("the configuration");
        let table = "[policies.by-length]\n";
        assert!(config.contains(table));
        let config = config.replace(table, &format!("{table}limits.deadline = \"60s\"\n"));
        fs::write(&path, format!("{config}\n[rollback]\nenabled = false\n")).expect("the configuration");
    }

    async fn serve(&mut self, code: &str) {
        self.commands += 1;
        assert_eq!(code, "pointsman serve --config pointsman.toml\n");
        self.gateway = Some(Gateway::start_in(self.folder.clone()).await);
    }

    /// Replaces the lines of a difference: a file's name after `---`, then what was there and what is.
    fn edit(&self, difference: &str) {
        let mut file = Path::new("");
        let mut old = None;
        for line in difference.lines() {
            if let Some(name) = line.strip_prefix("--- ") {
                file = Path::new(name);
            } else if let Some(text) = line.strip_prefix('-') {
                old = Some(text);
            } else if let (Some(new), Some(old)) = (line.strip_prefix('+'), old.take()) {
                let path = self.folder.join(file);
                let text = fs::read_to_string(&path).expect("the file");
                assert!(text.contains(old), "{} has no line {old}", file.display());
                fs::write(&path, text.replacen(old, new, 1)).expect("the file can be written");
            }
        }
        assert_eq!(old, None, "a line is only removed");
    }

    fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().expect("the guide serves")
    }

    /// Returns the number of sessions in the last output that each policy decided.
    fn sessions(&self) -> (u32, u32) {
        let of = |name: &str| {
            let lines = self.output.lines().filter(|line| line.contains(&format!(": {name}@")));
            lines
                .map(|line| line.split_whitespace().next().and_then(|it| it.parse::<u32>().ok()).unwrap_or(0))
                .sum()
        };
        (of("by-length"), of("cost"))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.gateway = None;
        let _ = fs::remove_dir_all(&self.start);
    }
}

/// Reads the guide from its beginning to its end.
async fn read(language: &str, mut reader: Reader) {
    let path = repository().join("docs/first-policy.md");
    let guide = fs::read_to_string(path).expect("the guide");
    let blocks = code_blocks(&guide);
    let others: Vec<&str> = ["rust", "javascript"].into_iter().filter(|other| *other != language).collect();
    let mut requests = None;
    for block in blocks.iter().filter(|block| !others.contains(&block.variant)) {
        reader.follow(block).await;
        if block.code.contains("curl") {
            let (new, old) = reader.sessions();
            assert!(new > 0 && old > 0 && new + old == 20, "{}", reader.output);
            requests = Some(block);
        }
        if block.language == "sh" && block.heading.starts_with("## 6") {
            reader.gateway().logged(r#""message":"policy swapped","policy":"by-length""#).await;
        }
    }
    assert!(reader.commands <= MAX_COMMANDS, "{} commands", reader.commands);
    reader.follow(requests.expect("the guide sends requests")).await;
    assert_eq!(reader.sessions(), (20, 0), "{}", reader.output);
    let long = json!({ "model": "auto", "messages": [{ "role": "user", "content": "word ".repeat(4000) }] });
    let answer = client::post(&reader.gateway().url("/v1/chat/completions"), &long).await;
    assert_eq!(answer.header("x-pointsman-route"), Some("strongest"));
    assert_eq!(answer.header("x-pointsman-model"), Some("fleet/large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_policy_guide_leads_to_a_promoted_policy_in_rust() {
    read("rust", Reader::new(Some(repository().to_owned()), None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_policy_guide_leads_to_a_promoted_policy_in_javascript() {
    let Some(modules) = installed("POINTSMAN_TEST_NODE_MODULES") else { return };
    read("javascript", Reader::new(None, Some(modules))).await;
}
