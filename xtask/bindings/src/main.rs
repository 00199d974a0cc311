//! Regenerates `sdk/src/bindings/*.rs` from `wit/`: `bindings [--check]`; or makes
//! those that a policy in C is built with: `bindings --c WIT WORLD DIRECTORY`.
//!
//! The former are checked in, so that a policy's build needs neither the
//! generator nor its macro, which would cost more time than all the rest.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::{Opts, WithOption};

/// A world, the file it goes to, and the macro that exports an implementation.
struct Bindings {
    world: &'static str,
    file: &'static str,
    export_macro: &'static str,
    /// Interfaces that are taken from other bindings instead of made anew.
    taken: &'static [Taken],
}

/// Interfaces, and the module that has them.
struct Taken {
    interfaces: &'static [&'static str],
    module: &'static str,
}

const OF_ROUTING: Taken = Taken {
    interfaces: &["types", "settings", "log", "details", "prompt"],
    module: "crate::bindings::routing::pointsman::policy",
};
const ALL: [Bindings; 3] = [
    Bindings { world: "routing-policy", file: "routing.rs", export_macro: "export_routing", taken: &[] },
    Bindings {
        world: "observing-policy",
        file: "observing.rs",
        export_macro: "export_observing",
        taken: &[OF_ROUTING],
    },
    Bindings {
        world: "orchestration-policy",
        file: "orchestrating.rs",
        export_macro: "export_orchestrating",
        taken: &[OF_ROUTING],
    },
];

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root()?;
    let check = match arguments[..] {
        [] => false,
        ["--check"] => true,
        ["--c", wit, world, directory] => return for_c(world, Path::new(wit), Path::new(directory)),
        _ => bail!("the arguments are nothing, --check, or --c WIT WORLD DIRECTORY"),
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

#[expect(clippy::print_stderr, reason = "this is a command")]
fn report(stale: &[PathBuf]) -> ExitCode {
    for path in stale {
        eprintln!("{} does not match wit/; hint: run `cargo xtask bindings`", path.display());
    }
    if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.map(Path::to_owned).context("the package has left the workspace")
}

/// Writes what `wit-bindgen c` does: header, source, and the component's type.
fn for_c(world: &str, wit: &Path, directory: &Path) -> Result<ExitCode> {
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

fn generate(bindings: &Bindings, wit: &Path) -> Result<String> {
    let (mut resolve, world) = select(bindings.world, wit)?;
    let mut files = Files::default();
    options(bindings).build().generate(&mut resolve, world, &mut files)?;
    let (_, text) = files.iter().next().context("the generator made no file")?;
    // Exported macros share one namespace, and worlds export the same interfaces.
    let own = format!("__{}_interface_", bindings.export_macro);
    Ok(String::from_utf8(text.to_vec())?.replace("__export_pointsman_policy_", &own))
}

fn options(bindings: &Bindings) -> Opts {
    let path = |taken: &'static Taken| {
        taken.interfaces.iter().map(|name| {
            let path = WithOption::Path(format!("{}::{name}", taken.module));
            (format!("pointsman:policy/{name}@0.1.0"), path)
        })
    };
    Opts {
        format: true,
        // Policies compile `export!` in a crate that does not depend on wit-bindgen.
        runtime_path: Some("::pointsman_sdk::bindings::rt".to_owned()),
        bitflags_path: Some("::pointsman_sdk::bindings::rt::bitflags".to_owned()),
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        with: bindings.taken.iter().flat_map(path).collect(),
        generate_all: true,
        export_macro_name: Some(bindings.export_macro.to_owned()),
        pub_export_macro: true,
        // The section that describes the component belongs to `export!` alone:
        // linked with the library, it would ask every policy for an observer.
        disable_custom_section_link_helpers: true,
        ..Opts::default()
    }
}
