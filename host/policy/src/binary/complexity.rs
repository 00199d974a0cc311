//! Bounds on the compiler's work.
//!
//! Compile time does not follow from the size of a file: an honest Python policy has 18 MB and
//! compiles in seconds, while 160 KB can keep the compiler busy for a minute and take gigabytes,
//! because its passes are not linear. So everything it works on is counted first, in one pass over
//! the bytes. That takes 100 ms for the Python policy, and milliseconds until a bomb is found.
//!
//! Numbers in brackets below are the maxima of honest components, made by componentize-py
//! (CPython 3.14), componentize-js (SpiderMonkey) and rustc. `cargo bench --bench complexity`
//! measures the cost of a component as large as a bound allows; figures below are for a build that
//! is not optimised for speed, in which the Python policy takes 19 s and 310 MB.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentTypeRef, ElementItems, Instance,
    Parser, Payload,
};

use self::code::ModuleCode;
use self::count::{ComplexityCount, at_most};
use super::format::malformed;
use crate::load_error::LoadError;

mod code;
mod count;
mod summary;

pub(crate) use code::{MAX_FUNCTION_BYTES, MAX_LOCALS};
pub(crate) use count::{MAX_FUNCTIONS, MAX_INSTANCES, MAX_MODULES};
pub(crate) use summary::{ComplexitySummary, summarize};

/// Nesting depth of components and modules. Toolchains make one level, and each tool that composes
/// components adds another.
const MAX_DEPTH: usize = 10;
/// Instances after expanding components that are instantiated several times [6]. The compiler
/// inlines every one of them.
const MAX_EXPANDED_INSTANCES: u64 = 1_000;
/// Nesting depth of component and instance types. wasmparser reads them by recursion, and a thread
/// of 2 MB has stack for 500 of them, but not for 1,000. Counts the bytes that could begin one:
/// honest components have 108 in a section.
const MAX_NESTED_TYPES: usize = 250;

/// Refuses a component that could keep the compiler busy for long.
pub(crate) fn check(component: &[u8]) -> Result<(), LoadError> {
    let mut visitor = ComplexityVisitor::default();
    visitor.visit(component)
}

#[derive(Default)]
struct ComplexityVisitor {
    count: ComplexityCount,
    /// Open modules and components, the innermost last.
    open: Vec<OpenScope>,
    /// Expanded instances of the largest component so far.
    largest: u64,
}

enum OpenScope {
    Module(ModuleCode),
    Component {
        /// Number of components that it instantiates.
        instantiated: u64,
    },
}

impl ComplexityVisitor {
    fn visit(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        for payload in Parser::new(0).parse_all(bytes) {
            self.visit_payload(payload.map_err(malformed)?, bytes)?;
        }
        Ok(())
    }

    fn visit_payload(&mut self, payload: Payload<'_>, bytes: &[u8]) -> Result<(), LoadError> {
        match payload {
            Payload::Version { encoding, .. } => {
                self.open.push(match encoding {
                    wasmparser::Encoding::Module => OpenScope::Module(ModuleCode::default()),
                    wasmparser::Encoding::Component => OpenScope::Component { instantiated: 0 },
                });
                at_most("components within one another", self.open.len(), MAX_DEPTH)
            }
            Payload::End(_) => self.close(),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => self.count.modules(1),
            Payload::InstanceSection(instances) => self.instances(instances),
            Payload::ComponentInstanceSection(instances) => self.component_instances(instances),
            Payload::ComponentTypeSection(types) => {
                self.count.types(types.count())?;
                check_nesting(bytes.get(types.range()).unwrap_or_default())
            }
            Payload::CoreTypeSection(types) => self.count.types(types.count()),
            Payload::ComponentAliasSection(aliases) => self.aliases(aliases),
            Payload::ComponentCanonicalSection(functions) => self.count.adapters(functions.count()),
            Payload::ComponentImportSection(imports) => self.imports(imports),
            Payload::ComponentExportSection(exports) => self.count.exports(exports.count()),
            Payload::CustomSection(custom) => self.custom(&custom),
            section => self.core_section(section),
        }
    }

    /// Bounds the expanded instances of a component that ends here: its own instances times those
    /// of the largest component that it could instantiate, which is one that ended before it.
    fn close(&mut self) -> Result<(), LoadError> {
        if let Some(OpenScope::Component { instantiated }) = self.open.pop() {
            let expanded = instantiated.saturating_mul(self.largest.max(1)).saturating_add(1);
            if expanded > MAX_EXPANDED_INSTANCES {
                return Err(LoadError::TooComplex(format!(
                    "instances of components within components come to {expanded}, at most {MAX_EXPANDED_INSTANCES}"
                )));
            }
            self.largest = self.largest.max(expanded);
        }
        Ok(())
    }

    fn instances(&mut self, instances: wasmparser::InstanceSectionReader<'_>) -> Result<(), LoadError> {
        self.count.instances(instances.count())?;
        for instance in instances {
            match instance.map_err(malformed)? {
                Instance::Instantiate { args, .. } => self.count.core_exports(args.len())?,
                Instance::FromExports(exports) => self.count.core_exports(exports.len())?,
            }
        }
        Ok(())
    }

    fn component_instances(
        &mut self,
        instances: wasmparser::ComponentInstanceSectionReader<'_>,
    ) -> Result<(), LoadError> {
        self.count.instances(instances.count())?;
        for instance in instances {
            let arguments = match instance.map_err(malformed)? {
                ComponentInstance::Instantiate { args, .. } => {
                    if let Some(OpenScope::Component { instantiated }) = self.open.last_mut() {
                        *instantiated += 1;
                    }
                    args.len()
                }
                ComponentInstance::FromExports(exports) => exports.len(),
            };
            self.count.core_exports(arguments)?;
        }
        Ok(())
    }

    fn aliases(
        &mut self,
        aliases: wasmparser::SectionLimited<'_, ComponentAlias<'_>>,
    ) -> Result<(), LoadError> {
        self.count.aliases(aliases.count())?;
        for alias in aliases {
            let kind = ComponentExternalKind::Component;
            if matches!(alias.map_err(malformed)?, ComponentAlias::InstanceExport { kind: it, .. } if it == kind)
            {
                return Err(component_as_value());
            }
        }
        Ok(())
    }

    fn imports(&mut self, imports: wasmparser::ComponentImportSectionReader<'_>) -> Result<(), LoadError> {
        self.count.imports(imports.count())?;
        for import in imports {
            if matches!(import.map_err(malformed)?.ty, ComponentTypeRef::Component(_)) {
                return Err(component_as_value());
            }
        }
        Ok(())
    }

    /// Visits the component type that is embedded in a core module: it is encoded as a component,
    /// and parsed like one.
    fn custom(&mut self, custom: &wasmparser::CustomSectionReader<'_>) -> Result<(), LoadError> {
        self.count.custom_sections(1)?;
        let described = custom.name().starts_with("component-type");
        if !described || self.open.len() > 1 || !matches!(self.open.last(), Some(OpenScope::Module(_))) {
            return Ok(());
        }
        let module = std::mem::take(&mut self.open);
        let visited = self.visit(custom.data());
        self.open = module;
        match visited {
            // wit-component reports what is wrong with it.
            Err(LoadError::NotWebAssembly(_)) => Ok(()),
            other => other,
        }
    }

    /// Counts a section of a core module.
    fn core_section(&mut self, section: Payload<'_>) -> Result<(), LoadError> {
        let Some(OpenScope::Module(module)) = self.open.last_mut() else { return Ok(()) };
        let count = &mut self.count;
        match section {
            Payload::TypeSection(types) => module.types(types, count),
            Payload::FunctionSection(functions) => module.functions(functions, count),
            Payload::CodeSectionEntry(body) => module.code(&body, count),
            Payload::ImportSection(imports) => count.core_imports(imports.count()),
            Payload::ExportSection(exports) => count.core_exports(exports.count() as usize),
            Payload::GlobalSection(globals) => count.globals(globals.count()),
            Payload::TableSection(tables) => {
                count.tables(tables.count())?;
                for table in tables {
                    count.table_elements(table.map_err(malformed)?.ty.initial)?;
                }
                Ok(())
            }
            Payload::MemorySection(memories) => count.memories(memories.count()),
            Payload::DataSection(data) => count.data_segments(data.count()),
            Payload::ElementSection(segments) => {
                count.element_segments(segments.count())?;
                for segment in segments {
                    count.elements(match segment.map_err(malformed)?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    })?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Refuses components that are passed to others as values. No toolchain makes these, and their
/// instances cannot be counted in one pass.
fn component_as_value() -> LoadError {
    LoadError::TooComplex("a component is passed to another".to_owned())
}

/// Bounds the nesting of types without parsing them, since parsing would recurse.
///
/// A type inside a component or instance type begins with 1, and one that nests further continues
/// with 0x41 or 0x42, so there are at most as many levels as such pairs of bytes.
fn check_nesting(types: &[u8]) -> Result<(), LoadError> {
    let begins = |pair: &&[u8]| matches!(pair, [1, 0x41 | 0x42]);
    let levels = types.windows(2).filter(begins).count();
    at_most("component and instance types within others", levels, MAX_NESTED_TYPES)
}
