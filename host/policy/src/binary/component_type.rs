//! The component types that build tools embed in a core module, checked before they are used.

use wasmparser::{Parser, Payload};
use wit_parser::decoding::decode_world;
use wit_parser::{PackageId, Resolve};

/// Beginning of the names of custom sections with a component type.
const SECTION: &str = "component-type";
/// Most WIT packages in a component type. An honest policy uses some ten, most of them WASI's.
const MAX_PACKAGES: usize = 200;

/// Checks that the packages of each component type in a core module can be put in an order in which
/// none depends on a later one. The encoder takes that for granted, and recurses without end otherwise.
///
/// # Errors
/// The error is the reason in one sentence.
pub(super) fn check_component_types(module: &[u8]) -> Result<(), String> {
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload.map_err(|error| error.to_string())? else { continue };
        if section.name().starts_with(SECTION) {
            let (resolve, _) = decode_world(section.data()).map_err(|error| format!("{error:#}"))?;
            check_packages(&resolve)?;
        }
    }
    Ok(())
}

fn check_packages(resolve: &Resolve) -> Result<(), String> {
    if resolve.packages.len() > MAX_PACKAGES {
        return Err(format!("its component type has more than {MAX_PACKAGES} packages"));
    }
    let mut open: Vec<PackageId> = resolve.packages.iter().map(|(id, _)| id).collect();
    while !open.is_empty() {
        let before = open.clone();
        open.retain(|id| resolve.package_direct_deps(*id).any(|dependency| before.contains(&dependency)));
        if open.len() == before.len() {
            return Err("packages of its component type depend on each other in a circle".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use wasm_encoder::{CustomSection, Module};
    use wit_component::{StringEncoding, metadata};

    use super::*;

    /// Each package uses a type of the one before it.
    const CHAIN: [&str; 4] = [
        "package a:a; interface one { type t = u32; }",
        "package b:b; interface two { use a:a/one.{t}; type u = t; }",
        "package c:c; interface three { use b:b/two.{u}; type v = u; }",
        "package test:policy; world policy { import c:c/three; }",
    ];

    fn module_of(packages: &[String]) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let mut last = None;
        for package in packages {
            last = Some(resolve.push_str("test.wit", package).unwrap());
        }
        let world = resolve.select_world(&[last.unwrap()], None).unwrap();
        let data = metadata::encode(&resolve, world, StringEncoding::UTF8, None).unwrap();
        let mut module = Module::new();
        module.section(&CustomSection { name: Cow::Borrowed("component-type:test"), data: Cow::Owned(data) });
        module.finish()
    }

    #[test]
    fn packages_in_a_circle_are_refused() {
        let mut module = module_of(&CHAIN.map(str::to_owned));
        assert_eq!(check_component_types(&module), Ok(()));
        // The third package becomes a part of the first one, which the second one uses.
        let name = b"c:c/three";
        let places: Vec<usize> = (0..module.len()).filter(|at| module[*at..].starts_with(name)).collect();
        assert!(!places.is_empty());
        for at in places {
            module[at..at + 3].copy_from_slice(b"a:a");
        }
        let reason = check_component_types(&module).unwrap_err();
        assert_eq!(reason, "packages of its component type depend on each other in a circle");
    }

    #[test]
    fn a_component_type_of_many_packages_is_refused() {
        let packages = |count: usize| -> Vec<String> {
            let one = |number| format!("package p:p{number}; interface i {{ type t = u32; }}");
            let imports: String = (0..count).map(|number| format!("import p:p{number}/i; ")).collect();
            let world = format!("package test:policy; world policy {{ {imports}}}");
            (0..count).map(one).chain([world]).collect()
        };
        assert_eq!(check_component_types(&module_of(&packages(MAX_PACKAGES - 1))), Ok(()));
        let reason = check_component_types(&module_of(&packages(MAX_PACKAGES))).unwrap_err();
        assert_eq!(reason, "its component type has more than 200 packages");
    }
}
