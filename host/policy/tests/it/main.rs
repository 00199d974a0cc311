//! Policies as WebAssembly, from the load gate to the decision.

mod gate;
mod grants;
mod isolation;
mod limits;
mod misdeeds;
mod slot;
mod support;
