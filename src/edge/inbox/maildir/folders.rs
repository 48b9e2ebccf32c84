//! Which folders of a Maildir are read: itself, and those where junk goes.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::super::{junk_names, mutf7};
use crate::config::MaildirSettings;
use crate::model::Placement;

/// More junk folders than these are not read.
const JUNK_MAX: usize = 8;
/// Entries of the Maildir that are looked at for folders.
const ENTRIES_MAX: usize = 10_000;

/// A folder that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    /// What it is called.
    pub(super) name: String,
    /// Where it is.
    pub(super) path: PathBuf,
    /// What a canary in it is said to be in.
    pub(super) placement: Placement,
}

/// The Maildir itself, and its junk folders that are there: those that are named, or those that are called so in any language.
///
/// A folder `Lists/Junk` is `.Lists.Junk` in a Maildir++, and `Lists/Junk` where folders lie in one another (Dovecot's `LAYOUT=fs`), of which
/// only the first level is looked at.
pub(super) fn folders(settings: &MaildirSettings) -> io::Result<Vec<Folder>> {
    let root = &settings.path;
    let mut found = vec![Folder { name: "INBOX".to_owned(), path: root.clone(), placement: Placement::Inbox }];
    let junk = |name: String, path: PathBuf| Folder { name, path, placement: Placement::Junk };
    if let Some(names) = &settings.junk {
        for name in names.iter().filter(|name| !name.contains("..")).take(JUNK_MAX) {
            let flat = root.join(format!(".{}", mutf7::encode(name).replace('/', ".")));
            let path = if is_maildir(&flat)? { flat } else { root.join(mutf7::encode(name)) };
            if is_maildir(&path)? {
                found.push(junk(name.clone(), path));
            }
        }
        return Ok(found);
    }
    let mut others = Vec::new();
    for entry in fs::read_dir(root)?.take(ENTRIES_MAX) {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let decoded = mutf7::decode(name.trim_start_matches('.'));
        let last = if name.starts_with('.') { decoded.rsplit('.').next().unwrap_or_default() } else { &decoded };
        if junk_names::is_junk(last) && is_maildir(&entry.path())? {
            others.push(junk(decoded, entry.path()));
        }
    }
    others.sort_by(|a, b| a.path.cmp(&b.path));
    others.truncate(JUNK_MAX);
    found.extend(others);
    Ok(found)
}

/// Whether mail can lie there.
fn is_maildir(path: &Path) -> io::Result<bool> {
    match fs::metadata(path.join("new")) {
        Ok(there) => Ok(there.is_dir()),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(e) => Err(e),
    }
}
