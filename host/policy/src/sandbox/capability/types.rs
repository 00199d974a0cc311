//! `types` and `plans`: types without functions.

use super::{Capability, OfferedInterface};
use crate::contract::interface;

pub(super) const CAPABILITY: Capability = Capability {
    interfaces: &[
        OfferedInterface {
            name: "pointsman:policy/types",
            functions: Some(&[]),
            allows: "name types of requests, models and decisions",
        },
        OfferedInterface {
            name: "pointsman:policy/plans",
            functions: Some(&[]),
            allows: "name types of plans and tasks",
        },
    ],
    version_line: interface::VERSION_LINE,
    grant: None,
    // Types are resolved without the linker.
    link: |_, _| Ok(()),
};
