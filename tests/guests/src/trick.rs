//! Handwritten routing policies that do things a compiler does not allow: they break the
//! canonical ABI, or act at the moments when the ABI calls them.

use crate::described;

macro_rules! tricks {
    ($($(#[$doc:meta])* $trick:ident,)*) => {
        /// Something that only a policy in WebAssembly text would do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Trick {
            $($(#[$doc])* $trick,)*
        }

        impl Trick {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$trick),*];
        }
    };
}

tricks! {
    /// None. Decides for the first candidate, as all do on the load gate's request.
    Honest,
    /// Loops forever when the gateway allocates memory for a request.
    LoopInRealloc,
    /// Loops forever when the gateway allocates memory for the result of an import.
    LoopInReallocForImport,
    /// Loops forever when the gateway frees its answer.
    LoopInPostReturn,
    /// Traps when the gateway frees its answer.
    TrapInPostReturn,
    /// Calls the gateway during an allocation.
    CallInRealloc,
    /// Calls the gateway while its answer is freed.
    CallInPostReturn,
    /// Returns an allocation outside its memory.
    ReallocOutOfBounds,
    /// Returns an allocation at an odd address.
    ReallocUnaligned,
    /// Grows its memory with each allocation, until there is none left.
    ReallocGrows,
    /// Answers with an address past its memory.
    AnswerOutOfBounds,
    /// Answers with an odd address.
    AnswerUnaligned,
    /// Answers with a list that goes on past its memory.
    ListOutOfBounds,
    /// Answers with a label that goes on past its memory.
    LabelOutOfBounds,
    /// Answers with a label that is not UTF-8.
    LabelNotText,
    /// Answers with an invalid case of a result.
    UnknownCase,
    /// Answers with 255 as the case of an option.
    UnknownOption,
    /// Logs at an invalid level.
    UnknownLevel,
    /// Logs a line that goes on past its memory.
    LogOutOfBounds,
}

/// The changes of a trick to an honest policy, as WebAssembly text.
#[derive(Default)]
struct Change {
    /// Runs when memory is asked for, from the second time in a call.
    realloc: &'static str,
    /// Runs before it answers.
    route: &'static str,
    /// Runs after its answer was read.
    post_return: &'static str,
}

impl Trick {
    const fn change(self) -> Change {
        const NONE: Change = Change { realloc: "", route: "", post_return: "" };
        const LOOP: &str = "(loop $l (br $l))";
        const CALL: &str = "(call $json (i32.const 512))";
        match self {
            Self::Honest => NONE,
            Self::LoopInRealloc => Change { realloc: LOOP, ..NONE },
            Self::LoopInReallocForImport => Change {
                route: "(global.set $asked (i32.const 1)) (call $json (i32.const 512))",
                realloc: "(if (global.get $asked) (then (loop $l (br $l))))",
                ..NONE
            },
            Self::LoopInPostReturn => Change { post_return: LOOP, ..NONE },
            Self::TrapInPostReturn => Change { post_return: "unreachable", ..NONE },
            Self::CallInRealloc => Change { realloc: CALL, ..NONE },
            Self::CallInPostReturn => Change { post_return: CALL, ..NONE },
            Self::ReallocOutOfBounds => Change { realloc: "(return (i32.const 0x7ffffff0))", ..NONE },
            Self::ReallocUnaligned => Change {
                realloc: "(if (i32.gt_u (local.get 2) (i32.const 1)) (then (return (i32.const 1025))))",
                ..NONE
            },
            Self::ReallocGrows => Change {
                realloc: "(if (i32.eq (memory.grow (i32.const 64)) (i32.const -1)) (then unreachable)) (loop $l \
                          (br_if $l (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))) unreachable",
                ..NONE
            },
            Self::AnswerOutOfBounds => Change { route: "(return (i32.const 0x7ffffff0))", ..NONE },
            Self::AnswerUnaligned => Change { route: "(return (i32.const 513))", ..NONE },
            Self::ListOutOfBounds => Change { route: "(i32.store (i32.const 12) (i32.const 10000))", ..NONE },
            Self::LabelOutOfBounds => {
                Change { route: "(i32.store (i32.const 16) (i32.const 0x7ffffff0))", ..NONE }
            }
            Self::LabelNotText => Change { route: "(i32.store8 (i32.const 200) (i32.const 0xff))", ..NONE },
            Self::UnknownCase => Change { route: "(i32.store8 (i32.const 0) (i32.const 7))", ..NONE },
            Self::UnknownOption => Change { route: "(i32.store8 (i32.const 24) (i32.const 255))", ..NONE },
            Self::UnknownLevel => {
                Change { route: "(call $write (i32.const 99) (i32.const 200) (i32.const 4))", ..NONE }
            }
            Self::LogOutOfBounds => {
                Change { route: "(call $write (i32.const 1) (i32.const 200) (i32.const 100000))", ..NONE }
            }
        }
    }

    /// The policy: a core module with its description.
    pub fn bytes(self) -> Vec<u8> {
        let Change { realloc, route, post_return } = self.change();
        described(
            &module(realloc, route, post_return),
            include_str!("../../../wit/policy.wit"),
            "routing-policy",
        )
    }
}

/// At 0 is the answer: a decision with one target (at 128) and the label at 200.
/// The load gate's request has an id of 5 bytes, and no other has: that is how
/// it is known, when the id is handed over and when it is decided.
fn module(realloc: &str, route: &str, post_return: &str) -> String {
    format!(
        r#"(module
            (import "pointsman:policy/settings@0.1.0" "json" (func $json (param i32)))
            (import "pointsman:policy/log@0.1.0" "write" (func $write (param i32 i32 i32)))
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 1024))
            (global $calls (mut i32) (i32.const 0))
            (global $asked (mut i32) (i32.const 0))
            (global $trial (mut i32) (i32.const 0))
            (data (i32.const 8) "\80\00\00\00\01\00\00\00\c8\00\00\00\04\00\00\00")
            (data (i32.const 200) "hand")
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (local $at i32)
                (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                (if (i32.and (i32.eq (global.get $calls) (i32.const 2)) (i32.eq (local.get 3) (i32.const 5)))
                    (then (global.set $trial (i32.const 1))))
                (if (i32.and (i32.gt_u (global.get $calls) (i32.const 1)) (i32.eqz (global.get $trial)))
                    (then {realloc}))
                (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
                (global.set $next (i32.add (local.get $at) (local.get 3)))
                (if (i32.gt_u (global.get $next) (i32.const 65536)) (then unreachable))
                (local.get $at))
            (func (export "pointsman:policy/router@0.1.0#route") (param i32) (result i32)
                (if (i32.eqz (global.get $trial)) (then {route}))
                (i32.const 0))
            (func (export "cabi_post_pointsman:policy/router@0.1.0#route") (param i32)
                (if (i32.eqz (global.get $trial)) (then {post_return})))
            (func (export "pointsman:policy/configuration@0.1.0#validate") (result i32) (i32.const 768)))"#
    )
}
