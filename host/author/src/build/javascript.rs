//! Policies in JavaScript and TypeScript, built by componentize-qjs.

use std::fs;
use std::path::{Path, PathBuf};

use pointsman_terminal::CommandError;

use super::declarations::declarations;
use super::tool::{Tool, absolute, command};
use super::world::World;
use super::{BuildInput, Language};

const COMPONENTIZE: Tool = Tool {
    name: "componentize-qjs",
    hint: "install Node.js, and run `npm install --save-dev componentize-qjs` in the policy's folder",
};
const TYPESCRIPT: Tool = Tool {
    name: "tsc",
    hint: "install Node.js, and run `npm install --save-dev typescript` in the policy's folder",
};
/// Name of the module that wraps the policy's own.
const WRAPPER: &str = "pointsman-entry.js";
/// Sources that are looked for.
const ENTRIES: [&str; 4] = ["policy.js", "src/policy.js", "build/policy.js", "index.js"];

/// Name of the file with the world's types, in the folder for generated files.
const DECLARATIONS: &str = "world.d.ts";

pub(super) fn build(input: &BuildInput<'_>) -> Result<PathBuf, CommandError> {
    let world = input.world()?;
    declare(input, &world)?;
    if input.manifest.language == Language::Typescript {
        let mut local = command(absolute(&input.folder.join("node_modules/.bin/tsc")), input.folder);
        local.args(["--project", "."]);
        let mut global = command("tsc", input.folder);
        global.args(["--project", "."]);
        TYPESCRIPT.run([local, global])?;
    }
    let entry = input.entry(&ENTRIES)?;
    let output = input.output()?;
    let source = match world.log() {
        Some(log) => wrapped(input, &entry, &log)?,
        None => entry,
    };
    let build = |program: &Path| {
        let mut command = command(program, input.folder);
        command.arg("--wit").arg(absolute(&input.wit()));
        if let Some(name) = world.name() {
            command.args(["--world", name]);
        }
        command.arg("--js").arg(&source).arg("--sync");
        command.args((!input.manifest.wasi).then_some("--stub-wasi"));
        command.arg("-o").arg(absolute(&output));
        command
    };
    let local = absolute(&input.folder.join("node_modules/.bin/componentize-qjs"));
    COMPONENTIZE.run([build(&local), build(Path::new("componentize-qjs"))])?;
    Ok(output)
}

/// Writes the world's types, for the compiler of TypeScript and for editors. A file that has them already
/// is left as it is.
pub(super) fn declare(input: &BuildInput<'_>, world: &World) -> Result<(), CommandError> {
    let path = input.build_folder()?.join(DECLARATIONS);
    let text = declarations(world);
    if fs::read_to_string(&path).is_ok_and(|written| written == text) {
        return Ok(());
    }
    fs::write(&path, text)
        .map_err(|error| CommandError::Run(format!("error: cannot write {}: {error}", path.display())))
}

/// Writes a module beside the policy's own that exports the same, and logs exceptions before they
/// become a trap: the runtime has nowhere else to report them.
fn wrapped(input: &BuildInput<'_>, entry: &Path, log: &str) -> Result<PathBuf, CommandError> {
    let path = entry.with_file_name(WRAPPER);
    let module = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let own = fs::read_to_string(input.folder.join(entry))
        .map_err(|error| CommandError::Input(format!("error: cannot read {}: {error}", entry.display())))?;
    let text = wrapper(&module, log, &own);
    fs::write(input.folder.join(&path), text)
        .map_err(|error| CommandError::Run(format!("error: cannot write {}: {error}", path.display())))?;
    Ok(path)
}

fn wrapper(module: &str, log: &str, own: &str) -> String {
    let mut text = format!(
        r#"// Written by `pointsman policy build`: reports exceptions of the policy in the gateway's log.
import * as policy from "./{module}";
import {{ write }} from "{log}";

const line = (error) => `${{error}} ${{error.stack ?? ""}}`.trim().replace(/\s*\n\s*/g, " ");

const reporting = (call) => (...values) => {{
  try {{
    return call(...values);
  }} catch (error) {{
    if (error instanceof Error) write("error", line(error));
    throw error;
  }}
}};

const all = (functions) =>
  Object.fromEntries(Object.entries(functions).map(([name, call]) => [name, reporting(call)]));

"#
    );
    for interface in ["router", "orchestrator", "configuration", "observer", "feedback"] {
        // The policy's own module states what it exports; a name in a comment costs an empty export.
        if own.contains(interface) {
            text += &format!("export const {interface} = policy.{interface} && all(policy.{interface});\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapper_exports_what_the_policy_does() {
        let text = wrapper("policy.js", "pointsman:policy/log@0.1.0", "export const router = {};");
        assert!(
            text.contains("from \"./policy.js\"") && text.contains("from \"pointsman:policy/log@0.1.0\"")
        );
        assert!(text.contains("export const router = policy.router && all(policy.router);"));
        assert!(!text.contains("observer"));
    }
}
