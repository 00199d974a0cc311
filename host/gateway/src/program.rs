//! The running program, which starts itself for work in processes of their own.

use std::io;
use std::path::PathBuf;

/// Returns the running program; on Linux even if its file was replaced.
pub(crate) fn this_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}
