//! Progress of long work on standard error.

use std::io::{self, IsTerminal, Write};

/// Shows how much of a work is done, on a terminal only. The line is removed when it is dropped.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    total: usize,
    done: usize,
    is_shown: bool,
}

impl Progress {
    /// Starts work on a number of items.
    pub fn stderr(what: &'static str, total: usize) -> Self {
        let progress = Self { what, total, done: 0, is_shown: io::stderr().is_terminal() };
        progress.draw();
        progress
    }

    /// Shows what is being done, as long as the value lives.
    pub fn step(what: &str) -> Self {
        let progress = Self { what: "", total: 0, done: 0, is_shown: io::stderr().is_terminal() };
        if progress.is_shown {
            progress.write(&format!("\r{what} …"));
        }
        progress
    }

    /// Replaces what is shown by another line.
    pub fn show(&self, line: &str) {
        if self.is_shown {
            self.write(&format!("\r{line}\x1b[K"));
        }
    }

    /// Counts one item as done.
    pub fn advance(&mut self) {
        self.done += 1;
        self.draw();
    }

    fn draw(&self) {
        if self.is_shown {
            self.write(&format!("\r{} {}/{}", self.what, self.done, self.total));
        }
    }

    fn write(&self, text: &str) {
        let mut error = io::stderr().lock();
        // Nobody reads it if standard error is closed.
        let _ = error.write_all(text.as_bytes()).and_then(|()| error.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            self.write("\r\x1b[K");
        }
    }
}
