//! A folder that goes away with its test, unless the test fails.

use std::path::{Path, PathBuf};

/// A new empty folder, mode 0755 so that daemons that drop their rights can enter it.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// Makes one whose name begins with `what`.
    pub fn new(what: &str) -> Self {
        let mut random = [0; 8];
        getrandom::fill(&mut random).unwrap();
        let path = std::env::temp_dir().join(format!("{what}-{:016x}", u64::from_ne_bytes(random)));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept for a look: {}", self.0.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
