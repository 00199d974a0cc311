//! The component types that build tools embed in a core module, checked before they are used.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind, ComponentType, ComponentTypeDeclaration,
    ComponentTypeRef, InstanceTypeDeclaration, Parser, Payload, TypeBounds,
};

/// Beginning of the names of custom sections with a component type.
const SECTION: &str = "component-type";
/// First bytes of a component. Other data are of tools of years ago.
const MAGIC: &[u8] = b"\0asm";
/// Most WIT packages in a component type. An honest policy uses some ten, most of them WASI's.
const MAX_PACKAGES: usize = 200;

/// Checks that the packages of each component type in a core module can be put in an order in which
/// none depends on a later one. The encoder takes that for granted, and recurses without end otherwise.
/// It does so while it decodes the types, so that they are read here as they are written.
///
/// # Errors
/// The error is the reason in one sentence.
pub(super) fn check_component_types(module: &[u8]) -> Result<(), String> {
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload.map_err(|error| error.to_string())? else { continue };
        if section.name().starts_with(SECTION) {
            check(section.data())?;
        }
    }
    Ok(())
}

fn check(section: &[u8]) -> Result<(), String> {
    if !section.starts_with(MAGIC) {
        return Err("its component type is in a format that is not supported".to_owned());
    }
    let mut packages = Packages::default();
    for payload in Parser::new(0).parse_all(section) {
        let Payload::ComponentTypeSection(types) = payload.map_err(|error| error.to_string())? else {
            continue;
        };
        for component_type in types {
            if let ComponentType::Component(declarations) =
                component_type.map_err(|error| error.to_string())?
            {
                packages.add(&declarations);
            }
        }
    }
    packages.check()
}

/// A WIT package: `namespace:name`, and the version.
type Package<'a> = (&'a str, &'a str);

/// The packages of a component type, each with those that it depends on.
#[derive(Default)]
struct Packages<'a>(BTreeMap<Package<'a>, BTreeSet<Package<'a>>>);

/// The index spaces of a component type, as far as packages are concerned.
#[derive(Default)]
struct Indices<'a> {
    /// Packages that each type depends on.
    types: Vec<BTreeSet<Package<'a>>>,
    /// Package of each instance, unless it is one of the world alone.
    instances: Vec<Option<Package<'a>>>,
}

impl<'a> Packages<'a> {
    /// Adds the dependencies in a component type. Returns the packages that it uses.
    fn add(&mut self, declarations: &[ComponentTypeDeclaration<'a>]) -> BTreeSet<Package<'a>> {
        let mut indices = Indices::default();
        let mut used = BTreeSet::new();
        for declaration in declarations {
            match declaration {
                ComponentTypeDeclaration::Type(ComponentType::Instance(inner)) => {
                    let packages = indices.packages_of_instance(inner);
                    indices.types.push(packages);
                }
                ComponentTypeDeclaration::Type(ComponentType::Component(inner)) => {
                    let packages = self.add(inner);
                    indices.types.push(packages);
                }
                ComponentTypeDeclaration::Type(_) => indices.types.push(BTreeSet::new()),
                ComponentTypeDeclaration::CoreType(_) => {}
                ComponentTypeDeclaration::Alias(alias) => indices.add_alias(alias),
                ComponentTypeDeclaration::Import(import) => {
                    used.extend(self.add_item(import.name.name, import.ty, &mut indices));
                }
                ComponentTypeDeclaration::Export { name, ty } => {
                    used.extend(self.add_item(name.name, *ty, &mut indices));
                }
            }
        }
        used
    }

    /// Adds an import or an export. Returns the packages that it uses.
    fn add_item(
        &mut self,
        name: &'a str,
        ty: ComponentTypeRef,
        indices: &mut Indices<'a>,
    ) -> BTreeSet<Package<'a>> {
        let dependencies = match ty {
            ComponentTypeRef::Instance(index)
            | ComponentTypeRef::Component(index)
            | ComponentTypeRef::Type(TypeBounds::Eq(index)) => indices.type_at(index),
            _ => BTreeSet::new(),
        };
        let package = package_of(name);
        match ty {
            ComponentTypeRef::Instance(_) => indices.instances.push(package),
            ComponentTypeRef::Type(_) => indices.types.push(dependencies.clone()),
            _ => {}
        }
        let Some(package) = package else { return dependencies };
        let others = dependencies.into_iter().filter(|other| *other != package);
        self.0.entry(package).or_default().extend(others);
        [package].into()
    }

    fn check(&self) -> Result<(), String> {
        if self.0.len() > MAX_PACKAGES {
            return Err(format!("its component type has more than {MAX_PACKAGES} packages"));
        }
        let mut open: BTreeSet<Package<'a>> = self.0.keys().copied().collect();
        while !open.is_empty() {
            let before = open.clone();
            open.retain(|package| self.0.get(package).is_some_and(|used| !used.is_disjoint(&before)));
            if open.len() == before.len() {
                return Err("packages of its component type depend on each other in a circle".to_owned());
            }
        }
        Ok(())
    }
}

impl<'a> Indices<'a> {
    fn type_at(&self, index: u32) -> BTreeSet<Package<'a>> {
        self.types.get(index as usize).cloned().unwrap_or_default()
    }

    /// Returns the packages whose types an instance type refers to.
    fn packages_of_instance(&self, declarations: &[InstanceTypeDeclaration<'a>]) -> BTreeSet<Package<'a>> {
        let outer = declarations.iter().filter_map(|declaration| match declaration {
            InstanceTypeDeclaration::Alias(ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::Type,
                count: 1,
                index,
            }) => Some(self.type_at(*index)),
            _ => None,
        });
        outer.flatten().collect()
    }

    fn add_alias(&mut self, alias: &ComponentAlias<'a>) {
        match alias {
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Type, instance_index, .. } => {
                let package = self.instances.get(*instance_index as usize).copied().flatten();
                self.types.push(package.into_iter().collect());
            }
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Instance, .. } => {
                self.instances.push(None);
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Type, .. } => {
                self.types.push(BTreeSet::new())
            }
            _ => {}
        }
    }
}

/// Returns the package in the name of an interface or a world: `a:b/c@1.0.0`.
fn package_of(name: &str) -> Option<Package<'_>> {
    let (package, rest) = name.split_once('/')?;
    Some((package, rest.split_once('@').map_or("", |(_, version)| version)))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use wasm_encoder::{CustomSection, Module};
    use wit_component::{StringEncoding, metadata};
    use wit_parser::Resolve;

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
