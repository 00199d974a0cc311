//! Policies in Python, built by componentize-py.

use std::fs;
use std::path::{Path, PathBuf};

use pointsman_terminal::CommandError;

use super::BuildInput;
use super::tool::{Tool, absolute, command};

const COMPONENTIZE: Tool = Tool {
    name: "componentize-py",
    hint: "run `python3 -m venv .venv && .venv/bin/pip install componentize-py` in the policy's folder",
};
/// Name of the module that wraps the policy's own.
const WRAPPER: &str = "pointsman_entry";
/// Folder of the world's types for editors, in the folder for generated files.
const BINDINGS: &str = "bindings";
/// Sources that are looked for.
const ENTRIES: [&str; 3] = ["policy.py", "src/policy.py", "app.py"];

pub(super) fn build(input: &BuildInput<'_>) -> Result<PathBuf, CommandError> {
    let entry = input.entry(&ENTRIES)?;
    let world = input.world()?;
    let output = input.output()?;
    let sources = input.folder.join(entry.parent().unwrap_or(Path::new("")));
    let module = entry.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut paths = vec![absolute(&sources)];
    let module = match world.log() {
        Some(_) => {
            let folder = input.build_folder()?;
            let path = folder.join(WRAPPER).with_extension("py");
            fs::write(&path, wrapper(&module)).map_err(|error| {
                CommandError::Run(format!("error: cannot write {}: {error}", path.display()))
            })?;
            paths.push(absolute(&folder));
            WRAPPER.to_owned()
        }
        None => module,
    };
    let tool = |program: &Path| {
        let mut command = command(program, input.folder);
        command.arg("--wit-path").arg(absolute(&input.wit()));
        if let Some(name) = world.name() {
            command.args(["--world", name]);
        }
        command
    };
    let local = absolute(&input.folder.join(".venv/bin/componentize-py"));
    let bindings = input.build_folder()?.join(BINDINGS);
    if is_older(&bindings, &input.wit()) {
        let generate = |program: &Path| {
            let mut command = tool(program);
            command.arg("bindings").arg(absolute(&bindings));
            command
        };
        let _ = fs::remove_dir_all(&bindings);
        COMPONENTIZE.run([generate(&local), generate(Path::new("componentize-py"))])?;
    }
    let build = |program: &Path| {
        let mut command = tool(program);
        command.arg("componentize");
        for path in &paths {
            command.arg("--python-path").arg(path);
        }
        command.args((!input.manifest.wasi).then_some("--stub-wasi"));
        command.arg("-o").arg(absolute(&output)).arg(&module);
        command
    };
    COMPONENTIZE.run([build(&local), build(Path::new("componentize-py"))])?;
    Ok(output)
}

/// Returns whether a folder was made before the last change below another one, or is not there.
fn is_older(folder: &Path, source: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let Some(made) = modified(folder) else { return true };
    let mut open = vec![source.to_owned()];
    while let Some(path) = open.pop() {
        if modified(&path).is_none_or(|changed| changed > made) {
            return true;
        }
        open.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    false
}

/// Returns a module that exports the same classes as the policy's own, and logs exceptions before they
/// become a trap.
fn wrapper(module: &str) -> String {
    format!(
        r#"# Written by `pointsman policy build`: reports exceptions of the policy in the gateway's log.
import {module} as policy
from componentize_py_types import Err
from wit_world.imports import log


def reporting(call):
    def wrapped(*values):
        try:
            return call(*values)
        except Err:
            raise
        except Exception as error:
            # The module traceback would open source files, of which there are none.
            place = error.__traceback__
            while place.tb_next is not None:
                place = place.tb_next
            file = place.tb_frame.f_code.co_filename
            log.write(log.Level.ERROR, f"{{type(error).__name__}}: {{error}} ({{file}}:{{place.tb_lineno}})")
            raise

    return wrapped


for name in ("Router", "Orchestrator", "Configuration", "Observer", "Feedback"):
    own = getattr(policy, name, None)
    if own is not None:
        calls = {{
            key: reporting(value)
            for key, value in vars(own).items()
            if callable(value) and not key.startswith("_")
        }}
        globals()[name] = type(name, (own,), calls)
"#
    )
}
