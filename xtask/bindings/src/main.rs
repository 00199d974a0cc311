//! Generates bindings from WIT.
//!
//! `bindings [--check]` writes or compares `sdk/src/bindings/*.rs`. They are in git, so that
//! building a policy needs neither the generator nor its macro, which take longer to compile
//! than everything else. `bindings --c WIT WORLD DIRECTORY` writes bindings for a policy in C.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::{Opts, WithOption};

/// Bindings of one world.
struct WorldBindings {
    world: &'static str,
    file: &'static str,
    export_macro: &'static str,
    /// Interfaces whose types come from other bindings.
    shared: &'static [SharedInterfaces],
}

/// Interfaces that another module already has.
struct SharedInterfaces {
    interfaces: &'static [&'static str],
    module: &'static str,
}

const FROM_ROUTING: SharedInterfaces = SharedInterfaces {
    interfaces: &["types", "settings", "log", "details", "prompt", "state"],
    module: "crate::bindings::routing::pointsman::policy",
};
const ALL: [WorldBindings; 4] = [
    WorldBindings {
        world: "stateful-policy",
        file: "routing.rs",
        export_macro: "export_routing",
        shared: &[],
    },
    WorldBindings {
        world: "stateful-observing-policy",
        file: "observing.rs",
        export_macro: "export_observing",
        shared: &[FROM_ROUTING],
    },
    WorldBindings {
        world: "learning-policy",
        file: "learning.rs",
        export_macro: "export_learning",
        shared: &[FROM_ROUTING],
    },
    WorldBindings {
        world: "stateful-orchestration-policy",
        file: "orchestrating.rs",
        export_macro: "export_orchestrating",
        shared: &[FROM_ROUTING],
    },
];

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root()?;
    let check = match arguments[..] {
        [] => false,
        ["--check"] => true,
        ["--c", wit, world, directory] => return generate_c(world, Path::new(wit), Path::new(directory)),
        _ => bail!("usage: bindings [--check | --c WIT WORLD DIRECTORY]"),
    };
    let mut stale = Vec::new();
    for bindings in &ALL {
        let path = root.join("sdk/src/bindings").join(bindings.file);
        let text = generate(bindings, &root.join("wit"))?;
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        if check {
            stale.push(path);
        } else {
            fs::write(&path, text).with_context(|| format!("{} could not be written", path.display()))?;
        }
    }
    Ok(report(&stale))
}

#[expect(clippy::print_stderr, reason = "a command reports on stderr")]
fn report(stale: &[PathBuf]) -> ExitCode {
    for path in stale {
        eprintln!("{} does not match wit/; hint: run `cargo xtask bindings`", path.display());
    }
    if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.map(Path::to_owned).context("the package is not in the workspace")
}

/// Writes the output of `wit-bindgen c`: header, source, and the component's type.
fn generate_c(world: &str, wit: &Path, directory: &Path) -> Result<ExitCode> {
    let (mut resolve, world) = select(world, wit)?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    fs::create_dir_all(directory)?;
    for (name, bytes) in files.iter() {
        let path = directory.join(name);
        fs::write(&path, bytes).with_context(|| format!("{} could not be written", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn select(world: &str, wit: &Path) -> Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
    Ok((resolve, world))
}

fn generate(bindings: &WorldBindings, wit: &Path) -> Result<String> {
    let (mut resolve, world) = select(bindings.world, wit)?;
    let mut files = Files::default();
    options(bindings).build().generate(&mut resolve, world, &mut files)?;
    let (_, text) = files.iter().next().context("the generator wrote no file")?;
    // Exported macros of a crate share one namespace, and the worlds export the same interfaces.
    let own = format!("__{}_interface_", bindings.export_macro);
    Ok(String::from_utf8(text.to_vec())?.replace("__export_pointsman_policy_", &own))
}

fn options(bindings: &WorldBindings) -> Opts {
    let path = |shared: &'static SharedInterfaces| {
        shared.interfaces.iter().map(|name| {
            let path = WithOption::Path(format!("{}::{name}", shared.module));
            (format!("pointsman:policy/{name}@0.1.0"), path)
        })
    };
    Opts {
        format: true,
        // Policies compile `export!` in a crate that does not depend on wit-bindgen.
        runtime_path: Some("::pointsman_sdk::bindings::rt".to_owned()),
        bitflags_path: Some("::pointsman_sdk::bindings::rt::bitflags".to_owned()),
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        with: bindings.shared.iter().flat_map(path).collect(),
        generate_all: true,
        export_macro_name: Some(bindings.export_macro.to_owned()),
        pub_export_macro: true,
        // Only `export!` may emit the section that describes the component: linked with the
        // library, it would require an observer of every policy.
        disable_custom_section_link_helpers: true,
        ..Opts::default()
    }
}
