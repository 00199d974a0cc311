//! Runs of code blocks as programs of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pointsman_tests::Gateway;

use super::Expected;
use super::block::CodeBlock;
use crate::fleet::usage;

/// Key of the clients, which the embedded default does not check.
const KEY: &str = "any-key";
/// Picture for blocks that read one.
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/media/notice.png");
/// Name of the package with the Python program below, which allows `await` outside functions, as
/// notebooks do: some READMEs have such blocks.
const PYTHON_MAIN: &str = "import ast, asyncio, inspect, sys\n\
    source = open(sys.argv[1], encoding='utf-8').read()\n\
    code = compile(source, sys.argv[1], 'exec', flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)\n\
    result = eval(code, {'__name__': '__main__'})\n\
    if inspect.iscoroutine(result):\n    asyncio.run(result)\n";

/// Gateway with the embedded default configuration, and a way to run programs of a language.
pub struct Runner {
    gateway: Gateway,
    program: String,
    /// Arguments before the file.
    arguments: &'static [&'static str],
    file_name: &'static str,
    /// Directory of the programs, within that of the gateway.
    directory: PathBuf,
}

impl Runner {
    /// Returns a runner for Python.
    pub async fn python(python: String) -> Self {
        Self::new(python, &["-c", PYTHON_MAIN], "block.py").await
    }

    /// Returns a runner for Node with these packages.
    pub async fn node(modules: &str) -> Self {
        let runner = Self::new("node".to_owned(), &[], "block.mjs").await;
        let modules = Path::new(modules).canonicalize().expect("the packages are installed");
        std::os::unix::fs::symlink(modules, runner.directory.join("node_modules")).expect("a link");
        runner
    }

    async fn new(program: String, arguments: &'static [&'static str], file_name: &'static str) -> Self {
        let gateway = Gateway::start_embedded().await;
        let directory = gateway.directory().join("programs");
        fs::create_dir_all(directory.join("path/to")).expect("a directory");
        fs::copy(PICTURE, directory.join("path/to/image.png")).expect("a picture");
        Self { gateway, program, arguments, file_name, directory }
    }

    /// Runs a block after a preamble.
    ///
    /// # Errors
    /// Fails with the output if it has another effect than expected.
    pub async fn run(&self, block: &CodeBlock<'_>, preamble: &str, expected: Expected) -> Result<(), String> {
        fs::write(self.directory.join(self.file_name), format!("{preamble}{}", block.code)).expect("a file");
        let before = self.answers().await;
        let mut command = self.command();
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let Output { status, stdout, stderr } =
            output.expect("waiting does not panic").expect("the program can be run");
        let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        let answers = self.answers().await - before;
        let Expected { output, no_output, answers: expected } = expected;
        let lacks = output.iter().find(|text| !out.contains(**text));
        let has = no_output.iter().find(|text| out.contains(**text));
        if status.success() && lacks.is_none() && has.is_none() && answers == expected {
            return Ok(());
        }
        Err(format!(
            "{status}; {answers} answers, expected {expected}; lacks {lacks:?}, has {has:?}\n{out}\n{err}"
        ))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.arguments).arg(self.file_name).current_dir(&self.directory).stdin(Stdio::null());
        command
            .env("OPENAI_BASE_URL", self.gateway.url("/v1"))
            .env("OPENAI_API_KEY", KEY)
            .env("ANTHROPIC_BASE_URL", &self.gateway.base_url)
            .env("ANTHROPIC_API_KEY", KEY)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(variable).env_remove(variable.to_lowercase());
        }
        command
    }

    /// Returns the number of requests that the gateway has answered.
    async fn answers(&self) -> u64 {
        usage(&self.gateway).await.iter().filter_map(|line| line["answered"].as_u64()).sum()
    }
}
