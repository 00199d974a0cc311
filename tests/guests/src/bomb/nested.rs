//! Bombs in the nesting of modules and components.

use std::iter::empty;

use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, CodeSection, Component, ComponentAliasSection,
    ComponentExportKind, ComponentExportSection, ComponentImportSection, ComponentInstanceSection,
    ComponentType, ComponentTypeRef, ComponentTypeSection, ComponentValType, ExportKind, ExportSection,
    Function, FunctionSection, InstanceSection, Instruction, MemorySection, MemoryType, Module, ModuleArg,
    ModuleSection, NestedComponentSection, PrimitiveValType, TypeSection, ValType,
};

const NO_ARGUMENTS: [(&str, ModuleArg); 0] = [];

/// A module that exports a function `f`.
fn module() -> Module {
    let (mut types, mut functions, mut code) =
        (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([], []);
    functions.function(0);
    let mut function = Function::new([]);
    function.instruction(&Instruction::End);
    code.function(&function);
    let mut exports = ExportSection::new();
    exports.export("f", ExportKind::Func, 0);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&exports).section(&code);
    module
}

pub(super) fn modules(count: usize) -> Vec<u8> {
    let mut component = Component::new();
    for _ in 0..count {
        component.section(&ModuleSection(&module()));
    }
    component.finish()
}

pub(super) fn components(count: usize) -> Vec<u8> {
    let mut component = Component::new();
    for _ in 0..count {
        component.section(&NestedComponentSection(&Component::new()));
    }
    component.finish()
}

pub(super) fn depth(depth: usize) -> Vec<u8> {
    let within = |inner: Component, _| {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&inner));
        outer
    };
    (0..depth).fold(Component::new(), within).finish()
}

fn with_instances(fill: impl FnOnce(&mut InstanceSection)) -> Component {
    let (mut component, mut instances) = (Component::new(), InstanceSection::new());
    component.section(&ModuleSection(&module()));
    fill(&mut instances);
    component.section(&instances);
    component
}

pub(super) fn instances(count: usize) -> Vec<u8> {
    with_instances(|instances| {
        for _ in 0..count {
            instances.instantiate(0, NO_ARGUMENTS);
        }
    })
    .finish()
}

pub(super) fn bags_of_exports(count: usize) -> Vec<u8> {
    let bag = |instances: &mut InstanceSection| {
        for _ in 0..count {
            instances.export_items(empty::<(&str, ExportKind, u32)>());
        }
    };
    with_instances(bag).finish()
}

pub(super) fn multiplied(times: usize) -> Vec<u8> {
    let once = with_instances(|instances| {
        instances.instantiate(0, NO_ARGUMENTS);
    });
    let again = |inner: Component, _| {
        let (mut outer, mut instances) = (Component::new(), ComponentInstanceSection::new());
        outer.section(&NestedComponentSection(&inner));
        for _ in 0..times {
            instances.instantiate(0, empty::<(&str, ComponentExportKind, u32)>());
        }
        outer.section(&instances);
        outer
    };
    (0..5).fold(once, again).finish()
}

/// The component that is passed comes after the one that instantiates it.
pub(super) fn passed_on(times: usize) -> Vec<u8> {
    let (mut inner, mut types) = (Component::new(), ComponentTypeSection::new());
    types.component(&ComponentType::new());
    inner.section(&types);
    let (mut imports, mut instances) = (ComponentImportSection::new(), ComponentInstanceSection::new());
    imports.import("c", ComponentTypeRef::Component(0));
    for _ in 0..times {
        instances.instantiate(0, empty::<(&str, ComponentExportKind, u32)>());
    }
    inner.section(&imports).section(&instances);
    let (mut outer, mut instances) = (Component::new(), ComponentInstanceSection::new());
    outer.section(&NestedComponentSection(&inner)).section(&NestedComponentSection(&Component::new()));
    instances.instantiate(0, [("c", ComponentExportKind::Component, 1)]);
    outer.section(&instances);
    outer.finish()
}

/// A component with one core instance, and aliases of its function.
fn with_aliases(count: usize) -> Component {
    let mut component = with_instances(|instances| {
        instances.instantiate(0, NO_ARGUMENTS);
    });
    let mut aliases = ComponentAliasSection::new();
    let alias = Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Func, name: "f" };
    for _ in 0..count {
        aliases.alias(alias);
    }
    component.section(&aliases);
    component
}

pub(super) fn aliases(count: usize) -> Vec<u8> {
    with_aliases(count).finish()
}

fn function_type(component: &mut Component) {
    let mut types = ComponentTypeSection::new();
    types.function().params(empty::<(&str, ComponentValType)>()).result(None);
    component.section(&types);
}

pub(super) fn lowered(count: usize) -> Vec<u8> {
    let (mut component, mut imports) = (Component::new(), ComponentImportSection::new());
    function_type(&mut component);
    imports.import("f", ComponentTypeRef::Func(0));
    component.section(&imports);
    let mut lowered = CanonicalFunctionSection::new();
    for _ in 0..count {
        lowered.lower(0, []);
    }
    component.section(&lowered);
    component.finish()
}

pub(super) fn imports(count: usize) -> Vec<u8> {
    let (mut component, mut imports) = (Component::new(), ComponentImportSection::new());
    function_type(&mut component);
    for number in 0..count {
        imports.import(&*format!("f{number}"), ComponentTypeRef::Func(0));
    }
    component.section(&imports);
    component.finish()
}

pub(super) fn exports(count: usize) -> Vec<u8> {
    let mut component = with_aliases(1);
    function_type(&mut component);
    let mut lifted = CanonicalFunctionSection::new();
    lifted.lift(0, 0, []);
    component.section(&lifted);
    let mut exports = ComponentExportSection::new();
    for number in 0..count {
        exports.export(&*format!("f{number}"), ComponentExportKind::Func, 0, None);
    }
    component.section(&exports);
    component.finish()
}

/// The inner component exports a function that takes a list of records; the
/// outer one lowers it many times, and each lowering needs adapter code.
pub(super) fn adapters(count: usize) -> Vec<u8> {
    let mut inner = with_memory();
    let mut lifted = CanonicalFunctionSection::new();
    lifted.lift(0, 2, OPTIONS);
    inner.section(&lifted);
    let mut exports = ComponentExportSection::new();
    exports.export("f", ComponentExportKind::Func, 0, None);
    inner.section(&exports);

    let mut outer = with_memory();
    outer.section(&NestedComponentSection(&inner));
    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(0, empty::<(&str, ComponentExportKind, u32)>());
    outer.section(&instances);
    let (mut aliases, mut lowered) = (ComponentAliasSection::new(), CanonicalFunctionSection::new());
    let (mut named, mut user) = (Vec::new(), ImportingModule::new());
    aliases.alias(Alias::InstanceExport { instance: 0, kind: ComponentExportKind::Func, name: "f" });
    for number in 0..count {
        lowered.lower(0, OPTIONS);
        // The functions before are those of the module that has the memory.
        named.push((format!("f{number}"), ExportKind::Func, number as u32 + 2));
        user.import(&format!("f{number}"));
    }
    outer.section(&aliases).section(&lowered);
    outer.section(&ModuleSection(&user.finish()));
    let mut instances = InstanceSection::new();
    instances.export_items(named.iter().map(|(name, kind, index)| (name.as_str(), *kind, *index)));
    instances.instantiate(1, [("m", ModuleArg::Instance(1))]);
    outer.section(&instances);
    outer.finish()
}

const OPTIONS: [CanonicalOption; 2] = [CanonicalOption::Memory(0), CanonicalOption::Realloc(1)];

/// A component with a function `f` of a list, `realloc` and memory, and the type
/// of a function over a list of records of 200 texts.
fn with_memory() -> Component {
    let (mut types, mut functions, mut code) =
        (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([ValType::I32, ValType::I32], []);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    functions.function(0).function(1);
    for _ in 0..2 {
        let mut function = Function::new([]);
        function.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
        code.function(&function);
    }
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("f", ExportKind::Func, 0).export("realloc", ExportKind::Func, 1);
    exports.export("memory", ExportKind::Memory, 0);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memories).section(&exports).section(&code);

    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    let mut instances = InstanceSection::new();
    instances.instantiate(0, NO_ARGUMENTS);
    component.section(&instances);
    let mut aliases = ComponentAliasSection::new();
    for (name, kind) in
        [("f", ExportKind::Func), ("realloc", ExportKind::Func), ("memory", ExportKind::Memory)]
    {
        aliases.alias(Alias::CoreInstanceExport { instance: 0, kind, name });
    }
    component.section(&aliases);
    let mut types = ComponentTypeSection::new();
    let fields: Vec<ComponentValType> = vec![PrimitiveValType::String.into(); 200];
    types.defined_type().tuple(fields);
    types.defined_type().list(ComponentValType::Type(0));
    types.function().params([("all", ComponentValType::Type(1))]).result(None);
    component.section(&types);
    component
}

/// A module that imports functions of a list.
struct ImportingModule {
    types: TypeSection,
    imports: wasm_encoder::ImportSection,
}

impl ImportingModule {
    fn new() -> Self {
        let mut types = TypeSection::new();
        types.ty().function([ValType::I32, ValType::I32], []);
        Self { types, imports: wasm_encoder::ImportSection::new() }
    }

    fn import(&mut self, name: &str) {
        self.imports.import("m", name, wasm_encoder::EntityType::Function(0));
    }

    fn finish(self) -> Module {
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports);
        module
    }
}
