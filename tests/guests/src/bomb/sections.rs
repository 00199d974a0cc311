//! Bombs in the other sections of a core module.

use std::borrow::Cow;
use std::iter::repeat_n;

use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction,
    MemorySection, MemoryType, Module, RefType, TableSection, TableType, TypeSection, ValType,
};

use super::around;

fn memory(minimum: usize) -> MemoryType {
    MemoryType {
        minimum: minimum as u64,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    }
}

fn table(minimum: usize) -> TableType {
    TableType {
        element_type: RefType::FUNCREF,
        minimum: minimum as u64,
        maximum: None,
        table64: false,
        shared: false,
    }
}

/// Types, one function, what the bomb adds before the exports, and its code.
fn with_function(bomb: impl FnOnce(&mut Module, &CodeSection)) -> Vec<u8> {
    let (mut types, mut functions, mut code) =
        (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([], []);
    functions.function(0);
    let mut function = Function::new([]);
    function.instruction(&Instruction::End);
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&functions);
    bomb(&mut module, &code);
    around(&module)
}

pub(super) fn core_types(count: usize) -> Vec<u8> {
    let mut types = TypeSection::new();
    for number in 0..count {
        // A type for each number in base 4, so that no two are equal.
        let of = |digit| [ValType::I32, ValType::I64, ValType::F32, ValType::F64][digit];
        types.ty().function((0..10).map(|place| of(number >> (2 * place) & 3)), []);
    }
    around(Module::new().section(&types))
}

pub(super) fn core_imports(count: usize) -> Vec<u8> {
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    types.ty().function([], []);
    for number in 0..count {
        imports.import("m", &format!("{number:x}"), EntityType::Function(0));
    }
    let mut component = wasm_encoder::Component::new();
    let mut module = Module::new();
    module.section(&types).section(&imports);
    component.section(&wasm_encoder::ModuleSection(&module));
    component.finish()
}

pub(super) fn core_exports(count: usize) -> Vec<u8> {
    with_function(|module, code| {
        let mut exports = ExportSection::new();
        for number in 0..count {
            exports.export(&format!("{number:x}"), ExportKind::Func, 0);
        }
        module.section(&exports).section(code);
    })
}

pub(super) fn globals(count: usize) -> Vec<u8> {
    let mut globals = GlobalSection::new();
    let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    for _ in 0..count {
        globals.global(ty, &ConstExpr::i32_const(7));
    }
    around(Module::new().section(&globals))
}

fn data(pages: usize, fill: impl FnOnce(&mut DataSection)) -> Vec<u8> {
    let (mut memories, mut data) = (MemorySection::new(), DataSection::new());
    memories.memory(memory(pages));
    fill(&mut data);
    around(Module::new().section(&memories).section(&data))
}

pub(super) fn data_segments(count: usize) -> Vec<u8> {
    data(16, |data| {
        // In disorder, and each over the one before.
        for at in 0..count {
            data.active(0, &ConstExpr::i32_const(at as i32 * 7919 % 1_000_000), [1]);
        }
    })
}

pub(super) fn data_bytes(count: usize) -> Vec<u8> {
    data(count / 65_536 + 1, |data| {
        data.active(0, &ConstExpr::i32_const(0), repeat_n(1, count));
    })
}

pub(super) fn data_far_apart(pages: usize) -> Vec<u8> {
    data(pages + 1, |data| {
        data.active(0, &ConstExpr::i32_const(0), [1]);
        data.active(0, &ConstExpr::i32_const((pages as u32 * 65_536).cast_signed()), [1]);
    })
}

fn elements_in(count: usize, fill: impl FnOnce(&mut ElementSection)) -> Vec<u8> {
    with_function(|module, code| {
        let (mut tables, mut elements) = (TableSection::new(), ElementSection::new());
        tables.table(table(count));
        fill(&mut elements);
        module.section(&tables).section(&elements).section(code);
    })
}

pub(super) fn element_segments(count: usize) -> Vec<u8> {
    elements_in(10, |elements| {
        let at = ConstExpr::i32_const(1);
        for _ in 0..count {
            elements.active(None, &at, Elements::Functions(Cow::Borrowed(&[0])));
        }
    })
}

pub(super) fn elements(count: usize) -> Vec<u8> {
    elements_in(10, |elements| {
        elements.passive(Elements::Functions(Cow::Owned(vec![0; count])));
    })
}

pub(super) fn memory_pages(count: usize) -> Vec<u8> {
    data(count, |_| ())
}

pub(super) fn memories(count: usize) -> Vec<u8> {
    let mut memories = MemorySection::new();
    for _ in 0..count {
        memories.memory(memory(1));
    }
    around(Module::new().section(&memories))
}

pub(super) fn table_elements(count: usize) -> Vec<u8> {
    let mut tables = TableSection::new();
    tables.table(table(count));
    around(Module::new().section(&tables))
}

pub(super) fn tables(count: usize) -> Vec<u8> {
    let mut tables = TableSection::new();
    for _ in 0..count {
        tables.table(table(1));
    }
    around(Module::new().section(&tables))
}

pub(super) fn custom_sections(count: usize) -> Vec<u8> {
    let mut module = Module::new();
    let custom = CustomSection { name: Cow::Borrowed("x"), data: Cow::Borrowed(&[]) };
    for _ in 0..count {
        module.section(&custom);
    }
    around(&module)
}
