//! `docs/contract.md`, written from the WIT files and the list of capabilities.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use wit_parser::{
    Docs, Function, Interface, InterfaceId, Package, Resolve, Stability, Type, TypeDef, TypeDefKind, World,
    WorldItem,
};

use super::super::find;

const HEAD: &str = "\
<!-- Generated from wit/: UPDATE_EXPECT=1 cargo test --workspace --lib -- contract -->
# The contract

";
const INTRODUCTION: &str = "\
Everything that a policy can import or export, from [policy.wit](../wit/policy.wit),
[orchestration.wit](../wit/orchestration.wit) and [state.wit](../wit/state.wit).
[writing-policies.md](writing-policies.md) describes how policies are inspected and stay compatible,
[policy-builds.md](policy-builds.md) how they are built, and [cookbook.md](cookbook.md) has examples.

";

#[test]
fn the_reference_of_the_contract_is_up_to_date() {
    let path = root().join("docs/contract.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, reference()).unwrap();
        return;
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == reference(),
        "docs/contract.md is out of date; write it again with \
         UPDATE_EXPECT=1 cargo test --workspace --lib -- contract"
    );
}

#[test]
fn every_item_of_the_contract_has_a_comment() {
    let (resolve, package) = contract();
    let mut bare = Vec::new();
    let mut expect = |docs: &Docs, name: String| {
        if docs.contents.as_deref().is_none_or(|text| text.trim().is_empty()) {
            bare.push(name);
        }
    };
    for (name, id) in &package.interfaces {
        let interface = &resolve.interfaces[*id];
        expect(&interface.docs, name.clone());
        for function in interface.functions.values() {
            expect(&function.docs, format!("{name}.{}", function.name));
        }
        for definition in own_types(&resolve, interface) {
            let type_name = format!("{name}.{}", definition.name.as_deref().unwrap_or_default());
            expect(&definition.docs, type_name.clone());
            for member in members(&resolve, definition) {
                expect(member.docs, format!("{type_name}.{}", member.name));
            }
        }
    }
    for (name, id) in &package.worlds {
        expect(&resolve.worlds[*id].docs, name.clone());
    }
    assert_eq!(bare, Vec::<String>::new());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn contract() -> (Resolve, Package) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(root().join("wit")).unwrap();
    let package = resolve.packages[package].clone();
    (resolve, package)
}

fn reference() -> String {
    let (resolve, package) = contract();
    let mut text = HEAD.to_owned();
    writeln!(text, "`{}`\n", package.name).unwrap();
    text += &paragraphs(&package.docs);
    text += INTRODUCTION;
    text += &overview(&resolve, &package);
    text += &worlds(&resolve, &package);
    for (name, id) in &package.interfaces {
        text += &interface(&resolve, &package, name, *id);
    }
    text.trim_end().to_owned() + "\n"
}

/// The direction, the grant and the effect of each interface.
fn overview(resolve: &Resolve, package: &Package) -> String {
    let mut text =
        "## Interfaces\n\n| interface | policies | needs the grant | lets a policy | since |\n|---|---|---|---|---|\n"
            .to_owned();
    for (name, id) in &package.interfaces {
        let interface = &resolve.interfaces[*id];
        let offer = find(&full_name(package, name));
        let is_exported = uses(resolve, package, *id, Direction::Export).next().is_some();
        let (direction, grant, allows) = match &offer {
            _ if is_exported => ("export it", "", String::new()),
            None => ("share its types", "", String::new()),
            Some(offer) => {
                let grant = offer.grant.map_or("", |grant| grant.name);
                ("import it", grant, offer.interface.allows.to_owned())
            }
        };
        let grant = if grant.is_empty() { String::new() } else { format!("`{grant}`") };
        let since = since(&interface.stability);
        writeln!(text, "| [`{name}`](#{name}) | {direction} | {grant} | {allows} | {since} |").unwrap();
    }
    text + "\n"
}

fn worlds(resolve: &Resolve, package: &Package) -> String {
    let mut text =
        "## Worlds\n\nA policy is built for one of these, or for a world of its own with fewer imports.\n\n\
                    | world | imports | exports | |\n|---|---|---|---|\n"
            .to_owned();
    for (name, id) in &package.worlds {
        let world = &resolve.worlds[*id];
        let imports = names(resolve, world, Direction::Import);
        let exports = names(resolve, world, Direction::Export);
        let docs = cell(&world.docs);
        writeln!(text, "| `{name}` | {imports} | {exports} | {docs} |").unwrap();
    }
    text + "\n"
}

#[derive(Clone, Copy)]
enum Direction {
    Import,
    Export,
}

fn items(world: &World, direction: Direction) -> impl Iterator<Item = InterfaceId> {
    let items = match direction {
        Direction::Import => &world.imports,
        Direction::Export => &world.exports,
    };
    items.values().filter_map(|item| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        _ => None,
    })
}

fn names(resolve: &Resolve, world: &World, direction: Direction) -> String {
    let names = items(world, direction).filter_map(|id| resolve.interfaces[id].name.as_deref());
    names.map(|name| format!("[`{name}`](#{name})")).collect::<Vec<_>>().join(", ")
}

/// The worlds that import or export an interface.
fn uses<'a>(
    resolve: &'a Resolve,
    package: &'a Package,
    interface: InterfaceId,
    direction: Direction,
) -> impl Iterator<Item = &'a str> {
    let worlds = package.worlds.iter();
    let worlds =
        worlds.filter(move |(_, id)| items(&resolve.worlds[**id], direction).any(|it| it == interface));
    worlds.map(|(name, _)| name.as_str())
}

fn interface(resolve: &Resolve, package: &Package, name: &str, id: InterfaceId) -> String {
    let interface = &resolve.interfaces[id];
    let mut text = format!("## {name}\n\n{}", paragraphs(&interface.docs));
    let worlds = |direction| {
        uses(resolve, package, id, direction).map(|world| format!("`{world}`")).collect::<Vec<_>>().join(", ")
    };
    let (importers, exporters) = (worlds(Direction::Import), worlds(Direction::Export));
    let grant = find(&full_name(package, name)).and_then(|offer| offer.grant);
    let since = since(&interface.stability);
    write!(text, "Since {since}.").unwrap();
    match (exporters.is_empty(), importers.is_empty()) {
        (false, _) => write!(text, " Exported by the worlds {exporters}.").unwrap(),
        (true, false) => {
            let needs = grant.map_or("no grant".to_owned(), |grant| format!("the grant `{}`", grant.name));
            write!(text, " Imported by the worlds {importers}; needs {needs}.").unwrap();
        }
        (true, true) => {}
    }
    text += "\n\n";
    for function in interface.functions.values() {
        text += &function_text(resolve, name, function, &interface.stability);
    }
    for definition in own_types(resolve, interface) {
        text += &type_text(resolve, name, definition, &interface.stability);
    }
    text
}

fn function_text(resolve: &Resolve, interface: &str, function: &Function, whole: &Stability) -> String {
    let params: Vec<String> = function
        .params
        .iter()
        .map(|param| format!("{}: {}", param.name, type_name(resolve, &param.ty)))
        .collect();
    let result = function.result.map_or(String::new(), |ty| format!(" -> {}", type_name(resolve, &ty)));
    let added = added(&function.stability, whole);
    let params = params.join(", ");
    let docs = paragraphs(&function.docs);
    format!(
        "### `{interface}.{}`\n\n```wit\n{0}: func({params}){result}\n```\n\n{added}{docs}",
        function.name
    )
}

fn type_text(resolve: &Resolve, interface: &str, definition: &TypeDef, whole: &Stability) -> String {
    let name = definition.name.as_deref().unwrap_or_default();
    let kind = definition.kind.as_str();
    let mut text = format!(
        "### {kind} `{interface}.{name}`\n\n{}{}",
        added(&definition.stability, whole),
        paragraphs(&definition.docs)
    );
    if let TypeDefKind::Type(ty) = &definition.kind {
        writeln!(text, "The same as `{}`.\n", type_name(resolve, ty)).unwrap();
    }
    let members = members(resolve, definition);
    if members.iter().any(|member| !member.type_name.is_empty()) {
        text += "| name | type | |\n|---|---|---|\n";
        for member in &members {
            let ty =
                if member.type_name.is_empty() { String::new() } else { format!("`{}`", member.type_name) };
            writeln!(text, "| `{}` | {ty} | {} |", member.name, cell(member.docs)).unwrap();
        }
    } else if !members.is_empty() {
        text += "| name | |\n|---|---|\n";
        for member in &members {
            writeln!(text, "| `{}` | {} |", member.name, cell(member.docs)).unwrap();
        }
    }
    text + "\n"
}

/// A field, flag or case.
struct Member<'a> {
    name: &'a str,
    type_name: String,
    docs: &'a Docs,
}

fn members<'a>(resolve: &Resolve, definition: &'a TypeDef) -> Vec<Member<'a>> {
    let plain = |name: &'a str, docs: &'a Docs| Member { name, type_name: String::new(), docs };
    match &definition.kind {
        TypeDefKind::Record(record) => record
            .fields
            .iter()
            .map(|it| Member { name: &it.name, type_name: type_name(resolve, &it.ty), docs: &it.docs })
            .collect(),
        TypeDefKind::Variant(variant) => variant
            .cases
            .iter()
            .map(|it| {
                let type_name = it.ty.map(|ty| type_name(resolve, &ty)).unwrap_or_default();
                Member { name: &it.name, type_name, docs: &it.docs }
            })
            .collect(),
        TypeDefKind::Flags(flags) => flags.flags.iter().map(|it| plain(&it.name, &it.docs)).collect(),
        TypeDefKind::Enum(cases) => cases.cases.iter().map(|it| plain(&it.name, &it.docs)).collect(),
        _ => Vec::new(),
    }
}

/// The types that an interface defines, without those that it uses.
fn own_types<'a>(resolve: &'a Resolve, interface: &'a Interface) -> impl Iterator<Item = &'a TypeDef> {
    let types = interface.types.values().map(|id| &resolve.types[*id]);
    types.filter(|definition| {
        let TypeDefKind::Type(Type::Id(other)) = &definition.kind else { return true };
        resolve.types[*other].name != definition.name
    })
}

fn type_name(resolve: &Resolve, ty: &Type) -> String {
    let of = |ty: &Type| type_name(resolve, ty);
    let id = match ty {
        Type::Id(id) => *id,
        Type::Bool => return "bool".to_owned(),
        Type::String => return "string".to_owned(),
        other => return format!("{other:?}").to_lowercase(),
    };
    let definition = &resolve.types[id];
    if let Some(name) = &definition.name {
        return name.clone();
    }
    match &definition.kind {
        TypeDefKind::Option(ty) => format!("option<{}>", of(ty)),
        TypeDefKind::List(ty) => format!("list<{}>", of(ty)),
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(of).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Result(result) => {
            let (ok, err) = (result.ok.as_ref().map(of), result.err.as_ref().map(of));
            format!("result<{}, {}>", ok.as_deref().unwrap_or("_"), err.as_deref().unwrap_or("_"))
        }
        other => panic!("the contract has a type that the reference does not describe: {}", other.as_str()),
    }
}

fn full_name(package: &Package, interface: &str) -> String {
    package.name.interface_id(interface)
}

fn since(stability: &Stability) -> String {
    match stability {
        Stability::Stable { since, .. } => since.to_string(),
        other => panic!("an interface of the contract is not dated: {other:?}"),
    }
}

/// Says when an item came, if it came later than its interface.
fn added(stability: &Stability, whole: &Stability) -> String {
    match stability {
        Stability::Stable { since, .. } if stability != whole => format!("Since {since}.\n\n"),
        _ => String::new(),
    }
}

/// A comment as it stands, followed by an empty line.
fn paragraphs(docs: &Docs) -> String {
    match docs.contents.as_deref().map(str::trim) {
        None | Some("") => String::new(),
        Some(text) => format!("{text}\n\n"),
    }
}

/// A comment in a cell of a table.
fn cell(docs: &Docs) -> String {
    let text = docs.contents.as_deref().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
