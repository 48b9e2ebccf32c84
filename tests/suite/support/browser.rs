//! A real Chromium that looks at pages, driven by tests/pages/look.cjs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::rooted::unpacked;

/// Where pictures of the pages are put, to be looked at.
pub fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Looks as it is told to, and fails with all that is to be complained of.
pub async fn look(wanted: Value) {
    let complaints = tokio::task::spawn_blocking(move || {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pages/look.cjs");
        let mut node = Command::new("node");
        node.arg(script).env("MODULES", unpacked("pages").join("node_modules")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut looking = node.spawn().expect("node");
        looking.stdin.take().unwrap().write_all(wanted.to_string().as_bytes()).unwrap();
        let ended = looking.wait_with_output().unwrap();
        assert!(ended.status.success(), "the browser failed");
        serde_json::from_slice::<Vec<String>>(&ended.stdout).unwrap()
    });
    let complaints = complaints.await.unwrap();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
