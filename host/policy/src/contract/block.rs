//! Lowers a candidate as one block.
//!
//! Candidates are most of what goes into the sandbox. The lowering that
//! wasmtime derives finds the policy's memory again for each of the 22 parts of
//! one, which was a quarter of a warm decision. This one lays the record out on
//! the side, by the rules of the canonical ABI, and copies it once.

#![expect(unsafe_code, reason = "implementing Lower is; everything in it is checked Rust")]

use std::mem::MaybeUninit;

use wasmtime::component::__internal::{InterfaceType, LowerContext};
use wasmtime::component::{ComponentType, Lower};

use super::Candidate;

/// Bytes of a candidate in the policy's memory.
const SIZE: usize = 112;
/// Bytes of the `id` before the rest: pointer and length.
const STRING: usize = 8;

const _: () = assert!(Candidate::SIZE32 == SIZE, "the block has the layout of an older contract");

// SAFETY: the layout written here is that of the derived `ComponentType`, which a
// test compares; and it is written to the policy's own memory only.
unsafe impl Lower for Candidate<'_> {
    /// Never called: a record this long travels in memory.
    fn linear_lower_to_flat<T>(
        &self,
        _: &mut LowerContext<'_, T>,
        _: InterfaceType,
        _: &mut MaybeUninit<Self::Lower>,
    ) -> wasmtime::Result<()> {
        Err(wasmtime::Error::msg("candidates are lowered as a list"))
    }

    fn linear_lower_to_memory<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        _: InterfaceType,
        offset: usize,
    ) -> wasmtime::Result<()> {
        self.id.linear_lower_to_memory(cx, InterfaceType::String, offset)?;
        let block = self.block();
        cx.as_slice_mut()[offset..][STRING..SIZE].copy_from_slice(&block.bytes[STRING..]);
        Ok(())
    }
}

impl Candidate<'_> {
    /// All but the id, which stays empty.
    fn block(&self) -> Block {
        let mut block = Block { bytes: [0; SIZE], end: STRING };
        block.option(self.context_window.map(u32::to_le_bytes));
        block.option(self.max_output_tokens.map(u32::to_le_bytes));
        block.put([self.inputs.as_array()[0] as u8]);
        block.put([self.abilities.as_array()[0] as u8]);
        block.put(self.input_price.to_le_bytes());
        block.put(self.output_price.to_le_bytes());
        block.option(self.quality.map(f64::to_le_bytes));
        block.put([u8::from(self.healthy)]);
        block.put(self.in_flight.to_le_bytes());
        block.option(self.first_token_ms.map(f64::to_le_bytes));
        block.option(self.tokens_per_second.map(f64::to_le_bytes));
        block.put(self.error_rate.to_le_bytes());
        block
    }
}

/// A record under construction.
struct Block {
    bytes: [u8; SIZE],
    end: usize,
}

impl Block {
    /// The next field: a number is aligned to its size.
    fn put<const N: usize>(&mut self, number: [u8; N]) {
        let at = self.end.next_multiple_of(N);
        self.bytes[at..at + N].copy_from_slice(&number);
        self.end = at + N;
    }

    /// The next field if it may be absent: a byte that tells, and the number,
    /// both aligned to the number's size.
    fn option<const N: usize>(&mut self, number: Option<[u8; N]>) {
        self.end = self.end.next_multiple_of(N);
        self.put([u8::from(number.is_some())]);
        self.put(number.unwrap_or([0; N]));
    }
}

#[cfg(test)]
mod tests;
