//! Ctrl-C handling that ends long work with the results so far.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pointsman_terminal::CommandError;
use tokio::signal::unix::{SignalKind, signal};

/// Returns a flag that the first Ctrl-C (SIGINT) sets from now on. A second one ends the process.
///
/// # Errors
/// Fails when the signal cannot be watched, or no thread can be started.
pub fn watch() -> Result<Arc<AtomicBool>, CommandError> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let executor = executor.map_err(CommandError::run)?;
    // Registered here rather than on the thread, so that a signal right after the return sets the flag.
    let mut interrupts = {
        let _context = executor.enter();
        signal(SignalKind::interrupt()).map_err(CommandError::run)?
    };
    let wait = move || {
        executor.block_on(async {
            interrupts.recv().await;
            flag.store(true, Ordering::Relaxed);
            interrupts.recv().await;
            std::process::exit(EXIT_STATUS);
        });
    };
    thread::Builder::new().name("interrupt".to_owned()).spawn(wait).map_err(CommandError::run)?;
    Ok(stop)
}

/// Exit status of a process that SIGINT ended.
const EXIT_STATUS: i32 = 130;
