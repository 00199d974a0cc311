//! Conventions of commands: output, tables, foreign text on a terminal, colours, exit statuses.

mod colour;
mod error;
mod output;
pub mod printable;
mod progress;
mod text_table;

pub use colour::{Colour, Paint};
pub use error::CommandError;
pub use output::{print, write_stdout};
pub use progress::Progress;
pub use text_table::TextTable;
