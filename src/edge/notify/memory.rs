//! What a sink remembers over restarts: of each incident the number of the message that is to be changed, and what its queue must know.
//!
//! A small file beside the ledger, replaced as a whole. What is lost with it is that a message is changed in place: the next one is a new
//! message, and nobody is told less.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Incidents that are remembered; the oldest is forgotten first.
const MOST: usize = 500;
/// A larger file is not ours.
const FILE_LIMIT: u64 = 1 << 20;

/// What is remembered, the newest last.
#[derive(Debug)]
pub(super) struct Memory {
    path: Option<PathBuf>,
    known: Mutex<VecDeque<(String, String)>>,
}

impl Memory {
    /// What is in the file `name` of `folder`; without a folder nothing outlives the process.
    pub(super) fn open(folder: Option<&Path>, name: &str) -> Self {
        let path = folder.map(|folder| folder.join(name));
        let known = path.as_deref().map(read).unwrap_or_default();
        Self { path, known: Mutex::new(known) }
    }

    /// What is remembered of `key`.
    pub(super) fn get(&self, key: &str) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().rfind(|(other, _)| other == key).map(|(_, value)| value.clone())
    }

    /// Remembers `value` of `key`.
    pub(super) fn set(&self, key: &str, value: &str) {
        self.set_all(&[(key, value.to_owned())]);
    }

    /// Remembers all of them, in one write.
    pub(super) fn set_all(&self, new: &[(&str, String)]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in new {
            known.retain(|(other, _)| other != key);
            known.push_back(((*key).to_owned(), value.clone()));
        }
        while known.len() > MOST {
            known.pop_front();
        }
        let Some(path) = &self.path else { return };
        if let Err(error) = write(path, &known) {
            tracing::warn!(%error, path = %path.display(), "what a sink remembers over restarts could not be kept");
        }
    }
}

fn read(path: &Path) -> VecDeque<(String, String)> {
    let mut text = String::new();
    let whole = File::open(path).and_then(|file| file.take(FILE_LIMIT).read_to_string(&mut text));
    let mut known: VecDeque<_> = whole.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default();
    while known.len() > MOST {
        known.pop_front();
    }
    known
}

/// Written beside and put in place, so that there is always a whole one.
fn write(path: &Path, known: &VecDeque<(String, String)>) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(&serde_json::to_vec(known).unwrap_or_default())?;
    file.sync_data()?;
    fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_over_restarts() {
        let folder = std::env::temp_dir().join(format!("mailcanary-memory-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let memory = Memory::open(Some(&folder), "sink.json");
        for n in 0..=MOST {
            memory.set(&format!("incident/{n}"), &n.to_string());
        }
        memory.set("incident/1", "changed");
        let again = Memory::open(Some(&folder), "sink.json");
        assert_eq!(again.get("incident/0"), None);
        assert_eq!(again.get("incident/1").as_deref(), Some("changed"));
        assert_eq!(again.get(&format!("incident/{MOST}")), Some(MOST.to_string()));
        File::create(folder.join("sink.json")).unwrap().write_all(b"[[\"cut").unwrap();
        assert_eq!(Memory::open(Some(&folder), "sink.json").get("incident/1"), None);
        fs::remove_dir_all(&folder).unwrap();
        again.set("a", "b");
        assert_eq!(again.get("a").as_deref(), Some("b"), "a full disk keeps nothing from working");
    }
}
