//! File of a policy in a directory of its own, for tests that replace it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// File of a policy; removed with its directory when dropped.
#[derive(Debug)]
pub struct PolicyFile {
    path: PathBuf,
}

impl PolicyFile {
    pub fn new(bytes: &[u8]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("policy-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).expect("a directory for the policy");
        let path = directory.join("policy.wasm");
        fs::write(&path, bytes).expect("the policy can be written");
        Self { path }
    }

    /// Returns the path for a `source` in the configuration.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file atomically.
    pub fn rename_over(&self, bytes: &[u8]) {
        let incoming = self.path.with_extension("incoming");
        fs::write(&incoming, bytes).expect("the policy can be written");
        fs::rename(&incoming, &self.path).expect("the policy can be renamed");
    }
}

/// Appends a description to a policy.
pub fn described(wasm: &[u8], json: &str) -> Vec<u8> {
    let name = "pointsman:description";
    let length = |number: usize| -> Vec<u8> {
        let number = u32::try_from(number).expect("a short section");
        let mut bytes = Vec::new();
        let mut rest = number;
        while rest >= 0x80 {
            bytes.push(0x80 | (rest & 0x7f) as u8);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        bytes
    };
    let content = [&length(name.len()), name.as_bytes(), json.as_bytes()].concat();
    [wasm, &[0], &length(content.len()), &content].concat()
}

impl Drop for PolicyFile {
    fn drop(&mut self) {
        if let Some(directory) = self.path.parent() {
            let _ = fs::remove_dir_all(directory);
        }
    }
}
