//! Ctrl-C, which ends long work with what it has found.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pointsman_terminal::CommandError;

/// Returns a flag that the first Ctrl-C sets. A second one ends the process.
///
/// # Errors
/// Fails when no thread can be started.
pub fn watch() -> Result<Arc<AtomicBool>, CommandError> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let executor = executor.map_err(CommandError::run)?;
    let wait = move || {
        executor.block_on(async {
            let is_watched = tokio::signal::ctrl_c().await.is_ok();
            flag.store(is_watched, Ordering::Relaxed);
            if is_watched && tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(EXIT_STATUS);
            }
        });
    };
    thread::Builder::new().name("interrupt".to_owned()).spawn(wait).map_err(CommandError::run)?;
    Ok(stop)
}

/// Exit status of a process that SIGINT ended.
const EXIT_STATUS: i32 = 130;
