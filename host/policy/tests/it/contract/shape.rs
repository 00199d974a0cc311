//! The shape of a package as text. It is equal for packages that mean the same in a component: the
//! structure of types counts, their names and docs do not.

use std::collections::BTreeMap;

use wit_parser::{PackageId, Resolve, Type, TypeDefKind, WorldItem};

/// Maps the name of each item of a package to its shape.
pub fn items(resolve: &Resolve, package: PackageId) -> BTreeMap<String, String> {
    let mut items = BTreeMap::new();
    let package = &resolve.packages[package];
    for (name, &interface) in &package.interfaces {
        let interface = &resolve.interfaces[interface];
        items.insert(format!("interface {name}"), String::new());
        for (inner, &id) in &interface.types {
            items.insert(format!("{name}.{inner}"), shape(resolve, Type::Id(id)));
        }
        for (inner, function) in &interface.functions {
            let parameters = function.params.iter().map(|parameter| (&parameter.name, Some(parameter.ty)));
            let result = optional(resolve, function.result);
            items.insert(
                format!("{name}.{inner}"),
                format!("func({}) -> {result}", list(resolve, parameters)),
            );
        }
    }
    for (name, &world) in &package.worlds {
        let world = &resolve.worlds[world];
        items.insert(format!("world {name}"), String::new());
        for (way, of_world) in [("imports", &world.imports), ("exports", &world.exports)] {
            for item in of_world.values() {
                let WorldItem::Interface { id, .. } = item else { panic!("worlds have interfaces only") };
                let interface = resolve.interfaces[*id].name.as_deref().unwrap();
                items.insert(format!("world {name} {way} {interface}"), String::new());
            }
        }
    }
    items
}

/// Formats a type without the names of the types in it.
fn shape(resolve: &Resolve, ty: Type) -> String {
    let Type::Id(id) = ty else { return format!("{ty:?}").to_lowercase() };
    let inner = |ty: &Type| shape(resolve, *ty);
    match &resolve.types[id].kind {
        TypeDefKind::Type(aliased) => inner(aliased),
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter().map(|field| (&field.name, Some(field.ty)));
            format!("record {{{}}}", list(resolve, fields))
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter().map(|case| (&case.name, case.ty));
            format!("variant {{{}}}", list(resolve, cases))
        }
        TypeDefKind::Enum(cases) => {
            let cases = cases.cases.iter().map(|case| (&case.name, None));
            format!("enum {{{}}}", list(resolve, cases))
        }
        TypeDefKind::Flags(flags) => {
            let flags = flags.flags.iter().map(|flag| (&flag.name, None));
            format!("flags {{{}}}", list(resolve, flags))
        }
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(inner).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::List(element) => format!("list<{}>", inner(element)),
        TypeDefKind::Option(some) => format!("option<{}>", inner(some)),
        TypeDefKind::Result(result) => {
            format!("result<{}, {}>", optional(resolve, result.ok), optional(resolve, result.err))
        }
        other => panic!("the contract has had no {} so far: add its shape here", other.as_str()),
    }
}

fn optional(resolve: &Resolve, ty: Option<Type>) -> String {
    ty.map_or_else(|| "_".to_owned(), |ty| shape(resolve, ty))
}

fn list<'n>(resolve: &Resolve, named: impl Iterator<Item = (&'n String, Option<Type>)>) -> String {
    let named = named.map(|(name, ty)| format!("{name}: {}", optional(resolve, ty)));
    named.collect::<Vec<_>>().join(", ")
}
