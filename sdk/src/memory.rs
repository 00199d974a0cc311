//! The allocator of a policy's component.
//!
//! Most instances live for one decision. The system's allocator requests a new page for its
//! first allocation, so every decision would grow a memory that the gateway has to shrink
//! again. But a module's memory ends at a page boundary, and the space between its data and
//! that boundary, some kilobytes, is unused: enough for a decision. This is a bump allocator
//! for that space. Once it is full, and for larger allocations, the system's allocator is used.
//!
//! A policy with another allocator disables this crate's default feature `allocator`.

#![expect(unsafe_code, reason = "an allocator returns raw memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

unsafe extern "C" {
    /// The end of data and stack, set by the linker. Only its address is meaningful.
    static __heap_base: u8;
}

const PAGE: usize = 64 * 1024;

#[global_allocator]
static ALLOCATOR: Tail = Tail { next: Cell::new(0), end: Cell::new(0), live: Cell::new(0) };

/// The unused end of the memory that the module starts with.
struct Tail {
    /// The address of the next allocation; 0 before the first.
    next: Cell<usize>,
    /// The end of the memory at the first allocation.
    end: Cell<usize>,
    /// The number of allocations in the tail that are in use.
    live: Cell<usize>,
}

// SAFETY: a component's instance has one thread.
unsafe impl Sync for Tail {}

impl Tail {
    fn start() -> usize {
        (&raw const __heap_base).addr()
    }

    /// Allocates in the tail; `None` if there is too little space left.
    fn allocate(&self, layout: Layout) -> Option<*mut u8> {
        if self.next.get() == 0 {
            self.next.set(Self::start());
            self.end.set(Self::start().next_multiple_of(PAGE));
        }
        let at = self.next.get().next_multiple_of(layout.align());
        let end = at.checked_add(layout.size()).filter(|end| *end <= self.end.get())?;
        self.next.set(end);
        self.live.set(self.live.get() + 1);
        Some(ptr::with_exposed_provenance_mut(at))
    }

    fn contains(&self, block: *mut u8) -> bool {
        (Self::start()..self.end.get()).contains(&block.addr())
    }

    /// Frees a block. The space is reused if the block is the newest, or once no block is in use.
    fn free(&self, block: *mut u8, layout: Layout) {
        self.live.set(self.live.get() - 1);
        if self.live.get() == 0 {
            self.next.set(Self::start());
        } else if block.addr() + layout.size() == self.next.get() {
            self.next.set(block.addr());
        }
    }

    /// Shrinks a block in place, or grows the newest one. Returns false if it has to move.
    fn resize(&self, block: *mut u8, old: usize, new: usize) -> bool {
        if new <= old {
            return true;
        }
        let newest = block.addr() + old == self.next.get();
        let end = block.addr().checked_add(new).filter(|end| newest && *end <= self.end.get());
        if let Some(end) = end {
            self.next.set(end);
        }
        end.is_some()
    }
}

// SAFETY: blocks of the tail do not overlap, since `next` only moves back over freed blocks.
// All other blocks are the system's and are returned to it.
unsafe impl GlobalAlloc for Tail {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.allocate(layout).unwrap_or_else(|| {
            // SAFETY: the caller guarantees a valid layout.
            unsafe { System.alloc(layout) }
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if self.contains(block) {
            self.free(block, layout);
        } else {
            // SAFETY: a block outside the tail was allocated by the system with this layout.
            unsafe { System.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if !self.contains(block) {
            // SAFETY: a block outside the tail was allocated by the system with this layout.
            return unsafe { System.realloc(block, layout, new_size) };
        }
        if self.resize(block, layout.size(), new_size) {
            return block;
        }
        // SAFETY: the caller guarantees that the new size makes a valid layout. Both blocks are
        // at least as long as the copied range, and do not overlap.
        unsafe {
            let new_layout = Layout::from_size_align_unchecked(new_size, layout.align());
            let new = self.alloc(new_layout);
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}
