//! The allocator of a policy's component.
//!
//! Most instances live for one decision. The system's allocator asks for a new
//! page at its first allocation, so that every decision grows a memory and the
//! gateway has to shrink it again. But a module's memory ends at a full page, and
//! behind its data there are some kilobytes that nobody uses: enough for a
//! decision. They are given out one after the other; once they are used up, and
//! for whatever is too large, the system's allocator takes over.
//!
//! A policy that wants another allocator turns off this crate's default feature
//! `allocator`.

#![expect(unsafe_code, reason = "an allocator deals in raw memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

unsafe extern "C" {
    /// Where the linker put the end of data and stack. Only its address counts.
    static __heap_base: u8;
}

const PAGE: usize = 64 * 1024;

#[global_allocator]
static ALLOCATOR: Tail = Tail { next: Cell::new(0), end: Cell::new(0), live: Cell::new(0) };

/// The unused end of the memory that the module starts with.
struct Tail {
    /// Where the next allocation may begin; 0 before the first.
    next: Cell<usize>,
    /// Where the memory ended at the first allocation.
    end: Cell<usize>,
    /// Allocations in the tail that were not freed.
    live: Cell<usize>,
}

// SAFETY: a component's instance has one thread.
unsafe impl Sync for Tail {}

impl Tail {
    fn start() -> usize {
        (&raw const __heap_base).addr()
    }

    /// Space in the tail; `None` if there is too little left.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
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

    fn holds(&self, block: *mut u8) -> bool {
        (Self::start()..self.end.get()).contains(&block.addr())
    }

    /// Makes space usable again: the newest block's, or all once none is in use.
    fn give_back(&self, block: *mut u8, layout: Layout) {
        self.live.set(self.live.get() - 1);
        if self.live.get() == 0 {
            self.next.set(Self::start());
        } else if block.addr() + layout.size() == self.next.get() {
            self.next.set(block.addr());
        }
    }

    /// Makes a block shorter, or the newest one longer, in its place.
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

// SAFETY: blocks of the tail do not overlap, since `next` only goes back over
// blocks that were freed; all others are the system's, and go back to it.
unsafe impl GlobalAlloc for Tail {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout).unwrap_or_else(|| {
            // SAFETY: the caller's promise about the layout is passed on.
            unsafe { System.alloc(layout) }
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if self.holds(block) {
            self.give_back(block, layout);
        } else {
            // SAFETY: what is not the tail's came from the system, with this layout.
            unsafe { System.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if !self.holds(block) {
            // SAFETY: what is not the tail's came from the system, with this layout.
            return unsafe { System.realloc(block, layout, new_size) };
        }
        if self.resize(block, layout.size(), new_size) {
            return block;
        }
        // SAFETY: the caller promises that the new size makes a valid layout; both
        // blocks are at least as long as what is copied, and do not overlap.
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
