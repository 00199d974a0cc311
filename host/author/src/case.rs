//! Cases: requests with the decision that a policy is expected to make.
//!
//! [`format`] has the shape of the files, [`document`] parses them, [`folder`] finds them and applies
//! what they share, and [`input`] turns a case into a policy's input. [`recorded`] makes cases from a
//! decision log.

pub mod content;
pub mod document;
pub mod earlier;
pub mod folder;
pub mod format;
pub mod input;
pub mod recorded;
pub mod words;

pub use folder::{CaseError, LoadedCase, load};
pub use format::{Case, CaseFile};
