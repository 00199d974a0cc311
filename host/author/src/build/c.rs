//! Policies in C. The bindings are generated here, so only a compiler is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pointsman_terminal::CommandError;
use wit_bindgen_core::Files;

use super::BuildInput;
use super::tool::{Tool, absolute, command};
use super::world::World;

const COMPILER: Tool = Tool {
    name: "a C compiler for WebAssembly",
    hint: "run `python3 -m venv .venv && .venv/bin/pip install ziglang` in the policy's folder, or install clang, lld, \
           wasi-libc and libclang-rt-dev-wasm32",
};
/// Flags of every compiler: small code, a small stack, no `main`.
const FLAGS: [&str; 6] =
    ["-mexec-model=reactor", "-std=c17", "-Oz", "-s", "-Wall", "-Wl,-z,stack-size=65536"];

pub(super) fn build(input: &BuildInput<'_>) -> Result<PathBuf, CommandError> {
    let entry = input.entry(&["policy.c", "src/policy.c"])?;
    let mut world = input.world()?;
    let bindings = input.build_folder()?;
    let generated = generate(&mut world, &bindings)?;
    let output = input.output()?;
    let arguments = |command: &mut Command| {
        command.args(FLAGS).arg("-I").arg(absolute(&bindings)).arg("-o").arg(absolute(&output));
        command.arg(absolute(&input.folder.join(&entry))).args(generated.iter().map(|path| absolute(path)));
    };
    let zig = |program: &Path, through_python: bool| {
        let mut zig = command(program, input.folder);
        if through_python {
            zig.args(["-m", "ziglang"]);
        }
        zig.args(["cc", "-target", "wasm32-wasi"]);
        arguments(&mut zig);
        zig
    };
    let mut clang = command("clang", input.folder);
    clang.arg("--target=wasm32-wasi");
    arguments(&mut clang);
    let local = absolute(&input.folder.join(".venv/bin/python"));
    COMPILER.run([
        zig(&local, true),
        zig(Path::new("zig"), false),
        zig(Path::new("python3"), true),
        clang,
    ])?;
    Ok(output)
}

/// Writes the bindings of a world. Returns the files to compile and link.
pub(super) fn generate(world: &mut World, folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Files::default();
    wit_bindgen_c::Opts::default()
        .build()
        .generate(&mut world.resolve, world.id, &mut files)
        .map_err(|error| CommandError::Run(format!("error: cannot generate bindings for C: {error:#}")))?;
    let mut linked = Vec::new();
    for (name, bytes) in files.iter() {
        let path = folder.join(name);
        fs::write(&path, bytes)
            .map_err(|error| CommandError::Run(format!("error: cannot write {}: {error}", path.display())))?;
        if path.extension().is_some_and(|extension| extension == "c" || extension == "o") {
            linked.push(path);
        }
    }
    Ok(linked)
}
