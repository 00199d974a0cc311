//! Lowering of a candidate as one block of bytes.
//!
//! Candidates are most of the data that goes into the sandbox. The lowering that wasmtime derives
//! looks up the policy's memory for each of the 22 parts of a candidate, which took a quarter of a
//! warm decision. This one lays the record out in a buffer, by the rules of the canonical ABI, and
//! copies it once.

#![expect(unsafe_code, reason = "`Lower` is an unsafe trait; the implementation itself is safe Rust")]

use std::mem::MaybeUninit;

use wasmtime::component::__internal::{InterfaceType, LowerContext};
use wasmtime::component::{ComponentType, Lower};

use super::Candidate;

/// Bytes of a candidate in the policy's memory.
const SIZE: usize = 112;
/// Bytes of the `id` before the rest: pointer and length.
const STRING: usize = 8;

const _: () = assert!(Candidate::SIZE32 == SIZE, "the block's layout differs from the contract's");

// SAFETY: the layout is that of the derived `ComponentType`, which a test compares, and it is
// written to the policy's own memory only.
unsafe impl Lower for Candidate<'_> {
    /// Never called: a record of this size is passed in memory.
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
    /// Lays out all fields but the id, whose place stays empty.
    fn block(&self) -> RecordBlock {
        let mut block = RecordBlock { bytes: [0; SIZE], end: STRING };
        block.put_option(self.context_window.map(u32::to_le_bytes));
        block.put_option(self.max_output_tokens.map(u32::to_le_bytes));
        block.put([self.inputs.as_array()[0] as u8]);
        block.put([self.abilities.as_array()[0] as u8]);
        block.put(self.input_price.to_le_bytes());
        block.put(self.output_price.to_le_bytes());
        block.put_option(self.quality.map(f64::to_le_bytes));
        block.put([u8::from(self.healthy)]);
        block.put(self.in_flight.to_le_bytes());
        block.put_option(self.first_token_ms.map(f64::to_le_bytes));
        block.put_option(self.tokens_per_second.map(f64::to_le_bytes));
        block.put(self.error_rate.to_le_bytes());
        block
    }
}

/// A record under construction, laid out by the canonical ABI.
struct RecordBlock {
    bytes: [u8; SIZE],
    end: usize,
}

impl RecordBlock {
    /// Appends a number, aligned to its size.
    fn put<const N: usize>(&mut self, number: [u8; N]) {
        let at = self.end.next_multiple_of(N);
        self.bytes[at..at + N].copy_from_slice(&number);
        self.end = at + N;
    }

    /// Appends an optional number: a discriminant byte and the number, both aligned to the
    /// number's size.
    fn put_option<const N: usize>(&mut self, number: Option<[u8; N]>) {
        self.end = self.end.next_multiple_of(N);
        self.put([u8::from(number.is_some())]);
        self.put(number.unwrap_or([0; N]));
    }
}

#[cfg(test)]
mod tests;
