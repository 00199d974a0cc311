//! Builds of the example policies in other languages, with the commands of their READMEs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo::{cargo, root};
use crate::tools::{run, unless_done};

/// The world of sdk/examples/wit that the examples implement.
const WORLD: &str = "promptless-policy";

/// The tools that build the examples, and the directory to build them in.
pub struct Workshop<'a> {
    /// The Python interpreter with the packages of tests/clients/requirements.txt.
    pub python: &'a Path,
    /// The packages of tests/clients/package.json.
    pub node_modules: &'a Path,
    /// The directory for the results, and for caches of the tools.
    pub directory: &'a Path,
}

impl Workshop<'_> {
    /// Builds the examples whose sources, contract or tools have changed. Returns the
    /// directory with `LANGUAGE.wasm`, and with `LANGUAGE-wasi.wasm` where the toolchain
    /// imports WASI unless it is stubbed.
    pub fn build(&self) -> Result<PathBuf> {
        let built = self.directory.join("policies");
        std::fs::create_dir_all(&built)?;
        for (language, tools, build) in [
            ("c", "requirements.txt", Self::c as fn(&Self, &Path, &Path) -> Result<()>),
            ("javascript", "package.json", Self::javascript),
            ("python", "requirements.txt", Self::python),
        ] {
            let source = root().join("sdk/examples").join(language);
            let inputs =
                [source.clone(), wit(), root().join("wit"), root().join("tests/clients").join(tools)];
            let done = built.join(format!("{language}.done"));
            unless_done(&contents(&inputs)?, &done, || build(self, &source, &built))?;
        }
        Ok(built)
    }

    fn c(&self, source: &Path, built: &Path) -> Result<()> {
        let bindings = self.directory.join("c-bindings");
        let core = bindings.join("core.wasm");
        let mut generate = cargo();
        generate
            .args(["run", "--quiet", "--package", "bindings", "--", "--c"])
            .arg(wit())
            .arg(WORLD)
            .arg(&bindings);
        run(&mut generate, "bindings for C")?;
        let generated = |end: &str| bindings.join(format!("{}{end}", WORLD.replace('-', "_")));
        let mut compile = Command::new(self.python);
        compile
            .args(["-m", "ziglang", "cc", "-target", "wasm32-wasi", "-mexec-model=reactor"])
            .args(["-std=c17", "-Wall", "-Wextra", "-Werror", "-Oz", "-s", "-Wl,-z,stack-size=65536", "-I"])
            .arg(&bindings)
            .arg("-o")
            .arg(&core)
            .arg(source.join("policy.c"))
            .args([generated(".c"), generated("_component_type.o")])
            .env("ZIG_GLOBAL_CACHE_DIR", self.directory.join("zig"))
            .env("ZIG_LOCAL_CACHE_DIR", self.directory.join("zig"));
        run(&mut compile, "a C compiler (zig)")?;
        let mut encode = self.beside_python("wasm-tools");
        encode.args(["component", "new"]).arg(&core).arg("-o").arg(built.join("c.wasm"));
        run(&mut encode, "wasm-tools")
    }

    fn javascript(&self, source: &Path, built: &Path) -> Result<()> {
        for (file, stub) in [("javascript.wasm", Some("--stub-wasi")), ("javascript-wasi.wasm", None)] {
            let mut build = Command::new("node");
            build
                .arg(self.node_modules.join("componentize-qjs/bin/componentize-qjs"))
                .arg("--wit")
                .arg(wit())
                .args(["--world", WORLD, "--js"])
                .arg(source.join("policy.js"))
                .arg("--sync")
                .args(stub)
                .arg("-o")
                .arg(built.join(file));
            run(&mut build, "componentize-qjs")?;
        }
        Ok(())
    }

    fn python(&self, source: &Path, built: &Path) -> Result<()> {
        for (file, stub) in [("python.wasm", Some("--stub-wasi")), ("python-wasi.wasm", None)] {
            let mut build = self.beside_python("componentize-py");
            build
                .arg("--wit-path")
                .arg(wit())
                .args(["--world", WORLD, "componentize", "--python-path"])
                .arg(source)
                .args(stub)
                .arg("-o")
                .arg(built.join(file))
                .arg("policy");
            run(&mut build, "componentize-py")?;
        }
        Ok(())
    }

    /// Returns a command that a Python package installed.
    fn beside_python(&self, name: &str) -> Command {
        Command::new(self.python.with_file_name(name))
    }
}

/// The WIT package of the examples, which has the contract as a dependency.
fn wit() -> PathBuf {
    root().join("sdk/examples/wit")
}

/// Concatenates the names and contents of files, and of the files in directories.
fn contents(paths: &[PathBuf]) -> Result<Vec<u8>> {
    let mut files = BTreeSet::new();
    for path in paths {
        if path.is_dir() {
            for entry in std::fs::read_dir(path)? {
                files.insert(entry?.path());
            }
        } else {
            files.insert(path.clone());
        }
    }
    let mut contents = Vec::new();
    for file in files.iter().filter(|file| file.is_file()) {
        contents.extend_from_slice(file.as_os_str().as_encoded_bytes());
        contents.push(0);
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        contents.extend_from_slice(&bytes);
    }
    Ok(contents)
}
