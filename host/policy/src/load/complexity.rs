//! Bounds on what the compiler is given.
//!
//! Compile time does not follow from a file's size: an honest Python policy has
//! 18 MB and compiles in seconds, while 160 KB can keep the compiler busy for a
//! minute and take gigabytes, because its passes are not linear. So whatever it
//! works on is counted first, in one pass over the bytes that takes 100 ms for
//! such a policy, and milliseconds until a bomb is found.
//!
//! The most that honest components have, in brackets below, was counted in those
//! that componentize-py (CPython 3.14), componentize-js (SpiderMonkey) and rustc
//! make. What one costs that is as large as a bound allows: `cargo bench --bench
//! complexity`; figures below are for a build that is not optimised for speed,
//! in which the Python policy takes 19 s and 310 MB.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentTypeRef, ElementItems, Instance,
    Parser, Payload,
};

use self::code::Module;
use self::count::{Count, at_most};
use super::LoadError;
use super::format::malformed;

mod code;
mod count;
mod told;

pub(crate) use code::{MAX_FUNCTION_BYTES, MAX_LOCALS};
pub(crate) use count::{MAX_FUNCTIONS, MAX_INSTANCES, MAX_MODULES};
pub(crate) use told::{Counts, count};

/// Components and modules within one another; toolchains make one level, and
/// each tool that composes components another.
const MAX_DEPTH: usize = 10;
/// Instances once those of components that are instantiated several times are
/// multiplied [6]. The compiler puts every one of them in place.
const MAX_EXPANDED: u64 = 1_000;
/// Component and instance types within one another. wasmparser reads them by
/// recursion, and a thread of 2 MB has stack for 500 of them, but not for 1,000.
/// Counted is what could begin one: honest components have 108 in a section.
const MAX_NESTED_TYPES: usize = 250;

/// Refuses a component that could keep the compiler busy for long.
pub(crate) fn check(component: &[u8]) -> Result<(), LoadError> {
    let mut walk = Walk::default();
    walk.through(component)
}

#[derive(Default)]
struct Walk {
    count: Count,
    /// What is open, the innermost last.
    open: Vec<Open>,
    /// Instances that the largest component so far comes to.
    largest: u64,
}

enum Open {
    Module(Module),
    Component {
        /// Components that it instantiates.
        instantiated: u64,
    },
}

impl Walk {
    fn through(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        for payload in Parser::new(0).parse_all(bytes) {
            self.payload(payload.map_err(malformed)?, bytes)?;
        }
        Ok(())
    }

    fn payload(&mut self, payload: Payload<'_>, bytes: &[u8]) -> Result<(), LoadError> {
        match payload {
            Payload::Version { encoding, .. } => {
                self.open.push(match encoding {
                    wasmparser::Encoding::Module => Open::Module(Module::default()),
                    wasmparser::Encoding::Component => Open::Component { instantiated: 0 },
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
            section => self.core(section),
        }
    }

    /// A component's own instances, times those of the largest component that
    /// it could instantiate: one that ends before it.
    fn close(&mut self) -> Result<(), LoadError> {
        if let Some(Open::Component { instantiated }) = self.open.pop() {
            let expanded = instantiated.saturating_mul(self.largest.max(1)).saturating_add(1);
            if expanded > MAX_EXPANDED {
                return Err(LoadError::TooComplex(format!(
                    "instances of components within components come to {expanded}, at most {MAX_EXPANDED}"
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
                    if let Some(Open::Component { instantiated }) = self.open.last_mut() {
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
                return Err(passed_on());
            }
        }
        Ok(())
    }

    fn imports(&mut self, imports: wasmparser::ComponentImportSectionReader<'_>) -> Result<(), LoadError> {
        self.count.imports(imports.count())?;
        for import in imports {
            if matches!(import.map_err(malformed)?.ty, ComponentTypeRef::Component(_)) {
                return Err(passed_on());
            }
        }
        Ok(())
    }

    /// The description of a core module is a component too, and read like one.
    fn custom(&mut self, custom: &wasmparser::CustomSectionReader<'_>) -> Result<(), LoadError> {
        self.count.custom_sections(1)?;
        let described = custom.name().starts_with("component-type");
        if !described || self.open.len() > 1 || !matches!(self.open.last(), Some(Open::Module(_))) {
            return Ok(());
        }
        let module = std::mem::take(&mut self.open);
        let walked = self.through(custom.data());
        self.open = module;
        match walked {
            // What it is instead is for wit-component to say.
            Err(LoadError::NotWebAssembly(_)) => Ok(()),
            other => other,
        }
    }

    /// Sections of a core module.
    fn core(&mut self, section: Payload<'_>) -> Result<(), LoadError> {
        let Some(Open::Module(module)) = self.open.last_mut() else { return Ok(()) };
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

/// No toolchain makes these, and what they come to cannot be counted in one pass.
fn passed_on() -> LoadError {
    LoadError::TooComplex("a component is passed to another".to_owned())
}

/// A type in a component or instance type begins with 1, and one that nests
/// further goes on with 0x41 or 0x42: there are at most as many levels as such
/// pairs. Reading the types to find out would be the recursion to be avoided.
fn check_nesting(types: &[u8]) -> Result<(), LoadError> {
    let begins = |pair: &&[u8]| matches!(pair, [1, 0x41 | 0x42]);
    let levels = types.windows(2).filter(begins).count();
    at_most("component and instance types within others", levels, MAX_NESTED_TYPES)
}
