//! Bombs in the code of functions.

use std::iter::repeat_n;

use wasm_encoder::{
    BlockType, CodeSection, Function, FunctionSection, Instruction, InstructionSink, MemArg, MemorySection,
    MemoryType, Module, RefType, TableSection, TableType, TypeSection, ValType,
};

/// A component with one function.
fn function(locals: &[(u32, ValType)], body: impl FnOnce(&mut InstructionSink<'_>)) -> Vec<u8> {
    let mut function = Function::new(locals.iter().copied());
    body(&mut function.instructions());
    module(&[], repeat_n(&function, 1))
}

/// A component with functions of one type.
fn module<'a>(parameters: &[ValType], functions: impl ExactSizeIterator<Item = &'a Function>) -> Vec<u8> {
    let (mut types, mut declared) = (TypeSection::new(), FunctionSection::new());
    let (mut memories, mut code) = (MemorySection::new(), CodeSection::new());
    types.ty().function(parameters.iter().copied(), []);
    for function in functions {
        declared.function(0);
        code.function(function);
    }
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        minimum: 10,
        maximum: None,
        table64: false,
        shared: false,
    });
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&tables).section(&memories).section(&code);
    super::around(&module)
}

fn empty_function(locals: u32) -> Function {
    let mut function = Function::new([(locals, ValType::I64)]);
    function.instruction(&Instruction::End);
    function
}

pub(super) fn branches(count: usize) -> Vec<u8> {
    function(&[(2, ValType::I32)], |code| {
        for _ in 0..count {
            code.block(BlockType::Empty).local_get(0).br_if(0).end();
        }
        code.end();
    })
}

pub(super) fn loops(count: usize) -> Vec<u8> {
    function(&[(2, ValType::I32)], |code| {
        for _ in 0..count {
            code.loop_(BlockType::Empty).end();
        }
        code.end();
    })
}

pub(super) fn functions(count: usize) -> Vec<u8> {
    module(&[], repeat_n(&empty_function(0), count))
}

pub(super) fn large_functions(count: usize) -> Vec<u8> {
    let mut function = Function::new([(8, ValType::I32)]);
    let mut code = function.instructions();
    for number in 0..400_000 / 12 {
        let (from, to) = (number % 7, number % 5);
        code.local_get(from).i32_const(7).i32_mul().local_get(to).i32_add().local_set(to);
        if number % 10 == 0 {
            code.block(BlockType::Empty).local_get(from).br_if(0).i32_const(1).local_set(7).end();
        }
    }
    code.end();
    module(&[], repeat_n(&function, count))
}

pub(super) fn nested_blocks(depth: usize) -> Vec<u8> {
    function(&[], |code| {
        for _ in 0..depth {
            code.block(BlockType::Empty);
        }
        for _ in 0..depth {
            code.end();
        }
        code.end();
    })
}

pub(super) fn nested_branches(depth: usize) -> Vec<u8> {
    function(&[(4, ValType::I32)], |code| {
        for _ in 0..depth {
            code.loop_(BlockType::Empty).local_get(0).local_set(1);
        }
        for outer in 0..depth as u32 {
            code.local_get(1).br_if(outer * 7919 % (depth as u32 - outer)).end();
        }
        code.end();
    })
}

pub(super) fn long_br_table(targets: usize) -> Vec<u8> {
    function(&[(1, ValType::I32)], |code| {
        code.block(BlockType::Empty).local_get(0).br_table((0..targets).map(|_| 0), 0).end().end();
    })
}

pub(super) fn many_br_tables(count: usize) -> Vec<u8> {
    function(&[(2, ValType::I32)], |code| {
        for _ in 0..1_000 {
            code.block(BlockType::Empty);
        }
        for _ in 0..count {
            code.block(BlockType::Empty).local_get(0).br_table(0..1_000, 0).end();
        }
        for _ in 0..1_000 {
            code.local_get(0).local_set(1).end();
        }
        code.end();
    })
}

pub(super) fn calls(bytes: usize) -> Vec<u8> {
    function(&[], |code| {
        for _ in 0..bytes / 2 {
            code.call(0);
        }
        code.end();
    })
}

pub(super) fn indirect_calls(count: usize) -> Vec<u8> {
    function(&[(1, ValType::I32)], |code| {
        for _ in 0..count {
            code.local_get(0).call_indirect(0, 0);
        }
        code.end();
    })
}

pub(super) fn loads(bytes: usize) -> Vec<u8> {
    let at = |offset| MemArg { offset, align: 2, memory_index: 0 };
    function(&[(2, ValType::I32)], |code| {
        for _ in 0..bytes / 12 {
            code.local_get(0).local_get(1).i32_load(at(4)).i32_store(at(8)).local_get(0).local_set(1);
        }
        code.end();
    })
}

pub(super) fn locals(count: usize) -> Vec<u8> {
    function(&[(count as u32, ValType::I64)], |code| {
        code.end();
    })
}

/// Every local is written and read again in a loop, so all are alive at once.
pub(super) fn live_locals(count: usize) -> Vec<u8> {
    let count = count as u32;
    function(&[(count, ValType::I32)], |code| {
        code.loop_(BlockType::Empty);
        for local in 0..count {
            code.local_get(local).local_get((local + 1) % count).i32_add().local_set(local);
            code.block(BlockType::Empty).local_get(local).br_if(0).end();
        }
        code.local_get(0).br_if(0).end().end();
    })
}

pub(super) fn locals_everywhere(functions: usize) -> Vec<u8> {
    module(&[], repeat_n(&empty_function(1_000), functions))
}

pub(super) fn parameters(functions: usize) -> Vec<u8> {
    module(&[ValType::I64; 1_000], repeat_n(&empty_function(0), functions))
}
