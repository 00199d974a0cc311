//! Declarations in TypeScript of a policy's world, with types as componentize-qjs has them: an absent value
//! is `null`, and every number is a `number`.

use std::collections::BTreeMap;
use std::fmt::Write;

use wit_bindgen_core::wit_parser::{
    Case, Docs, Field, Function, InterfaceId, Param, Resolve, Type, TypeDefKind, TypeId, WorldItem,
};

use super::world::World;

/// Words that no function or parameter can be named in a declaration.
const RESERVED: [&str; 12] = [
    "case", "class", "default", "delete", "enum", "export", "function", "import", "in", "new", "return",
    "var",
];

/// Uses of an interface by a world.
#[derive(Clone, Copy, Default)]
struct Uses {
    is_imported: bool,
    is_exported: bool,
}

/// Returns a module for each interface that the world imports or exports. What a policy exports is the
/// module's interface of the same name, such as `Router`.
pub(super) fn declarations(world: &World) -> String {
    let mut interfaces: BTreeMap<String, (InterfaceId, Uses)> = BTreeMap::new();
    let resolve = &world.resolve;
    let Some(definition) = resolve.worlds.get(world.id) else { return String::new() };
    for (items, is_exported) in [(&definition.imports, false), (&definition.exports, true)] {
        for item in items.values() {
            let WorldItem::Interface { id, .. } = item else { continue };
            let Some(name) = resolve.id_of(*id) else { continue };
            let (_, uses) = interfaces.entry(name).or_insert((*id, Uses::default()));
            uses.is_exported |= is_exported;
            uses.is_imported |= !is_exported;
        }
    }
    let mut text =
        format!("// Types of the world `{}`, written by `pointsman policy build`.\n", definition.name);
    for (name, (id, uses)) in &interfaces {
        let mut module = Module { resolve, interface: *id, lines: Vec::new() };
        module.declare(*uses);
        let Some(interface) = resolve.interfaces.get(*id) else { continue };
        text.push('\n');
        text += &comment(&interface.docs, None, "");
        let _ = writeln!(text, "declare module \"{name}\" {{\n{}}}", module.lines.concat());
    }
    text
}

/// Declarations of an interface.
struct Module<'a> {
    resolve: &'a Resolve,
    interface: InterfaceId,
    lines: Vec<String>,
}

impl Module<'_> {
    fn declare(&mut self, uses: Uses) {
        let Some(interface) = self.resolve.interfaces.get(self.interface) else { return };
        for (name, id) in &interface.types {
            self.declare_type(name, *id);
        }
        if uses.is_imported {
            for function in interface.functions.values() {
                let name = camel_case(&function.name);
                let signature = self.signature(function);
                // What a policy throws is the error itself; what it catches is an exception with it.
                let thrown = self.thrown(function).map(|error| format!("Error & {{ payload: {error} }}"));
                let docs = comment(&function.docs, thrown, "  ");
                self.lines.push(if RESERVED.contains(&&*name) {
                    format!("{docs}  function _{name}{signature};\n  export {{ _{name} as {name} }};\n")
                } else {
                    format!("{docs}  export function {name}{signature};\n")
                });
            }
        }
        if uses.is_exported {
            let name = pascal_case(interface.name.as_deref().unwrap_or_default());
            let mut text = format!("  export interface {name} {{\n");
            for function in interface.functions.values() {
                text += &comment(&function.docs, self.thrown(function), "    ");
                let _ = writeln!(text, "    {}{};", camel_case(&function.name), self.signature(function));
            }
            self.lines.push(text + "  }\n");
        }
    }

    fn declare_type(&mut self, name: &str, id: TypeId) {
        let Some(definition) = self.resolve.types.get(id) else { return };
        let docs = comment(&definition.docs, None, "  ");
        let name = pascal_case(name);
        let text = match &definition.kind {
            TypeDefKind::Record(record) => {
                let fields: String = record.fields.iter().map(|field| self.field(field)).collect();
                format!("  export interface {name} {{\n{fields}  }}\n")
            }
            TypeDefKind::Flags(flags) => {
                let flag = |(name, docs): (&String, &Docs)| {
                    format!("{}    {}: boolean;\n", comment(docs, None, "    "), camel_case(name))
                };
                let flags: String =
                    flags.flags.iter().map(|flag| (&flag.name, &flag.docs)).map(flag).collect();
                format!("  export interface {name} {{\n{flags}  }}\n")
            }
            TypeDefKind::Variant(variant) => {
                let cases: String = variant.cases.iter().map(|case| self.case(case)).collect();
                format!("  export type {name} =\n{};\n", cases.trim_end())
            }
            TypeDefKind::Enum(names) => {
                let case = |(name, docs): (&String, &Docs)| {
                    format!("{}    | \"{name}\"\n", comment(docs, None, "    "))
                };
                let cases: String =
                    names.cases.iter().map(|case| (&case.name, &case.docs)).map(case).collect();
                format!("  export type {name} =\n{};\n", cases.trim_end())
            }
            kind => format!("  export type {name} = {};\n", self.kind(kind)),
        };
        self.lines.push(docs + &text);
    }

    fn field(&self, field: &Field) -> String {
        let mark = if self.is_option(&field.ty) { "?" } else { "" };
        let docs = comment(&field.docs, None, "    ");
        format!("{docs}    {}{mark}: {};\n", camel_case(&field.name), self.named(&field.ty))
    }

    fn case(&self, case: &Case) -> String {
        let value = case.ty.map_or_else(String::new, |value| format!("; val: {}", self.named(&value)));
        format!("{}    | {{ tag: \"{}\"{value} }}\n", comment(&case.docs, None, "    "), case.name)
    }

    fn signature(&self, function: &Function) -> String {
        let parameter = |parameter: &Param| {
            let name = camel_case(&parameter.name);
            let mark = if RESERVED.contains(&&*name) { "_" } else { "" };
            format!("{name}{mark}: {}", self.named(&parameter.ty))
        };
        let parameters: Vec<String> = function.params.iter().map(parameter).collect();
        let result = match function.result {
            None => "void".to_owned(),
            Some(result) => match self.result(&result) {
                Some((ok, _)) => ok.map_or_else(|| "void".to_owned(), |ok| self.named(&ok)),
                None => self.named(&result),
            },
        };
        format!("({}): {result}", parameters.join(", "))
    }

    /// Returns the type of the errors that a function throws.
    fn thrown(&self, function: &Function) -> Option<String> {
        let (_, error) = self.result(&function.result?)?;
        Some(error.map_or_else(|| "undefined".to_owned(), |error| self.named(&error)))
    }

    /// Returns the types of a result, if a type is one.
    fn result(&self, it: &Type) -> Option<(Option<Type>, Option<Type>)> {
        let Type::Id(id) = it else { return None };
        match &self.resolve.types.get(*id)?.kind {
            TypeDefKind::Result(result) => Some((result.ok, result.err)),
            _ => None,
        }
    }

    fn is_option(&self, it: &Type) -> bool {
        let Type::Id(id) = it else { return false };
        self.resolve.types.get(*id).is_some_and(|it| matches!(it.kind, TypeDefKind::Option(_)))
    }

    /// Returns a type where it is used.
    fn named(&self, it: &Type) -> String {
        let id = match it {
            Type::Bool => return "boolean".to_owned(),
            Type::Char | Type::String => return "string".to_owned(),
            Type::ErrorContext => return "unknown".to_owned(),
            Type::Id(id) => id,
            _ => return "number".to_owned(),
        };
        let Some(definition) = self.resolve.types.get(*id) else { return "unknown".to_owned() };
        match &definition.name {
            Some(name) => pascal_case(name),
            None => self.kind(&definition.kind),
        }
    }

    fn kind(&self, kind: &TypeDefKind) -> String {
        let optional = |it: &Option<Type>| it.as_ref().map_or_else(|| "void".to_owned(), |it| self.named(it));
        match kind {
            TypeDefKind::Type(Type::Id(id)) => self.alias(*id),
            TypeDefKind::Type(it) => self.named(it),
            TypeDefKind::Option(it) if self.is_option(it) => {
                format!("{{ tag: \"some\"; val: {} }} | {{ tag: \"none\" }}", self.named(it))
            }
            TypeDefKind::Option(it) => format!("{} | null", self.named(it)),
            TypeDefKind::List(Type::U8) => "Uint8Array".to_owned(),
            TypeDefKind::List(it) if self.is_option(it) => format!("({})[]", self.named(it)),
            TypeDefKind::List(it) | TypeDefKind::FixedLengthList(it, _) => format!("{}[]", self.named(it)),
            TypeDefKind::Map(key, value) => format!("Map<{}, {}>", self.named(key), self.named(value)),
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<String> = tuple.types.iter().map(|it| self.named(it)).collect();
                format!("[{}]", types.join(", "))
            }
            TypeDefKind::Result(result) => format!(
                "{{ tag: \"ok\"; val: {} }} | {{ tag: \"err\"; val: {} }}",
                optional(&result.ok),
                optional(&result.err)
            ),
            // The contract has no resources, streams or futures.
            _ => "unknown".to_owned(),
        }
    }

    /// Returns a type of another interface, which `use` makes one of this.
    fn alias(&self, id: TypeId) -> String {
        use wit_bindgen_core::wit_parser::TypeOwner;
        let Some(definition) = self.resolve.types.get(id) else { return "unknown".to_owned() };
        let module = match definition.owner {
            TypeOwner::Interface(id) if id != self.interface => self.resolve.id_of(id),
            _ => None,
        };
        let name = definition.name.as_deref().map(pascal_case);
        match (module, name) {
            (Some(module), Some(name)) => format!("import(\"{module}\").{name}"),
            _ => self.named(&Type::Id(id)),
        }
    }
}

/// Returns documentation as a comment.
fn comment(docs: &Docs, thrown: Option<String>, indent: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let text = docs.contents.as_deref().unwrap_or_default().trim();
    lines.extend(text.lines().map(|line| line.trim().replace("*/", "* /")));
    lines.extend(thrown.map(|it| format!("@throws {{{it}}}")));
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let line = |line: &String| format!("{indent} * {line}").trim_end().to_owned() + "\n";
            format!("{indent}/**\n{}{indent} */\n", lines.iter().map(line).collect::<String>())
        }
    }
}

/// `input-tokens` as `InputTokens`.
fn pascal_case(name: &str) -> String {
    let word = |word: &str| {
        let mut characters = word.chars();
        characters
            .next()
            .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + characters.as_str())
    };
    name.split('-').map(word).collect()
}

/// `input-tokens` as `inputTokens`.
fn camel_case(name: &str) -> String {
    match name.split_once('-') {
        Some((first, rest)) => first.to_owned() + &pascal_case(rest),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
