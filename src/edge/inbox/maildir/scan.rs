//! What is new in a Maildir. Blocks: it is called where that is allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::super::gist::{Gist, Seen};
use super::folders::{Folder, folders};
use super::names;
use crate::config::MaildirSettings;
use crate::model::{At, Placement, Span};

/// A directory that changed within this time before it was read may have changed again unseen: file systems keep time in steps.
const STEP: Span = Span::from_secs(2);
/// Bytes of new messages that one look takes; what is more is found by the next.
const MUCH: usize = 16 * 1024 * 1024;
/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;

/// A message that was not there before.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) folder: String,
    pub(super) base: String,
    pub(super) placement: Placement,
    pub(super) arrived_at: At,
    /// When the file came to lie where it lies.
    pub(super) changed_at: At,
    /// The message.
    pub(super) seen: Seen,
}

/// What one look found.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) fresh: Vec<Fresh>,
    bytes: usize,
    /// A message went away under our hands: it will be somewhere else, so not all was read.
    pub(super) withheld: bool,
    /// Why an own canary could not be deleted.
    pub(super) undeleted: Option<io::Error>,
    /// Why not all could be read.
    pub(super) failed: Option<io::Error>,
}

/// What is known of one folder.
#[derive(Debug, Default)]
struct Known {
    /// Messages that are done with, by the part of their name that stays.
    done: BTreeSet<String>,
    /// When `new` and `cur` changed last, by the look that read both; nothing if they may have changed since.
    unchanged: Option<[At; 2]>,
}

/// What is known of the Maildir.
#[derive(Debug)]
pub(super) struct Scan {
    settings: MaildirSettings,
    since: At,
    known: BTreeMap<PathBuf, Known>,
    delete_after: Option<Span>,
    /// Own canaries, and when they were told of, if they are to be deleted.
    own: BTreeMap<(String, String), At>,
}

impl Scan {
    /// Nothing is known yet; what came before `since` is not of interest.
    pub(super) const fn new(settings: MaildirSettings, since: At, delete_after: Option<Span>) -> Self {
        Self { settings, since, known: BTreeMap::new(), delete_after, own: BTreeMap::new() }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.settings.path
    }

    /// A message was told of as ours.
    pub(super) fn note_own(&mut self, folder: &str, base: &str, at: At) {
        if self.delete_after.is_some() {
            self.own.insert((folder.to_owned(), base.to_owned()), at);
        }
    }

    /// Looks at everything. What is found counts as done with.
    pub(super) fn look(&mut self, now: At) -> Looked {
        let mut looked = Looked::default();
        looked.failed = self.all(now, &mut looked).err();
        looked
    }

    fn all(&mut self, now: At, looked: &mut Looked) -> io::Result<()> {
        let folders = folders(&self.settings)?;
        self.known.retain(|path, _| folders.iter().any(|folder| folder.path == *path));
        folders.iter().try_for_each(|folder| self.folder(folder, now, looked))
    }

    fn folder(&mut self, folder: &Folder, now: At, looked: &mut Looked) -> io::Result<()> {
        let changed = [changed(&folder.path.join("new"))?, changed(&folder.path.join("cur"))?];
        let until = self.delete_after.map(|after| now.minus(after));
        let ripe =
            |name: &String| until.is_some_and(|until| self.own.get(&(folder.name.clone(), name.clone())).is_some_and(|at| *at <= until));
        let any_ripe = self.own.keys().any(|(name, base)| *name == folder.name && ripe(base));
        let known = self.known.entry(folder.path.clone()).or_default();
        if known.unchanged == Some(changed) && !any_ripe {
            return Ok(());
        }
        let there = names(folder)?;
        let mut complete = true;
        for (base, (path, name)) in &there {
            if ripe(base) {
                if let Err(error) = fs::remove_file(path) {
                    looked.undeleted = Some(error).filter(|e| e.kind() != ErrorKind::NotFound);
                }
            } else if !known.done.contains(base) && looked.bytes >= MUCH {
                complete = false;
            } else if !known.done.contains(base) {
                match read(path, name, self.since) {
                    Ok(read) => {
                        known.done.insert(base.clone());
                        let (name, placement) = (folder.name.clone(), folder.placement);
                        let fresh = |(seen, arrived_at, changed_at)| Fresh {
                            folder: name,
                            base: base.clone(),
                            placement,
                            arrived_at,
                            changed_at,
                            seen,
                        };
                        let read = read.map(fresh);
                        looked.bytes = looked.bytes.saturating_add(read.as_ref().map_or(0, |fresh| fresh.seen.raw.len()));
                        looked.fresh.extend(read);
                    }
                    Err(e) if e.kind() == ErrorKind::NotFound => complete = false,
                    Err(e) => return Err(e),
                }
            }
        }
        known.done.retain(|base| there.contains_key(base));
        let settled = changed.iter().all(|at| now.since(*at) > STEP);
        known.unchanged = (complete && settled).then_some(changed);
        let gone = |(name, base): &(String, String)| *name == folder.name && (ripe(base) || !there.contains_key(base));
        let gone: Vec<_> = self.own.keys().filter(|key| gone(key)).cloned().collect();
        self.own.retain(|key, _| !gone.contains(key));
        looked.withheld |= !complete;
        Ok(())
    }
}

/// The messages of a folder by the part of their names that stays: where each is, and its whole name. `new` goes first: what moves on to `cur`
/// meanwhile is found there.
pub(super) fn names(folder: &Folder) -> io::Result<BTreeMap<String, (PathBuf, String)>> {
    let mut found = BTreeMap::new();
    for part in ["new", "cur"] {
        for entry in fs::read_dir(folder.path.join(part))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if !name.starts_with('.') {
                found.insert(names::base(&name).to_owned(), (entry.path(), name));
            }
        }
    }
    Ok(found)
}

/// A message, when it came and when it came to lie there; nothing if that was before `since`.
fn read(path: &Path, name: &str, since: At) -> io::Result<Option<(Seen, At, At)>> {
    let there = fs::symlink_metadata(path)?;
    let written = At::from_ms(there.mtime().saturating_mul(1000).saturating_add(there.mtime_nsec() / 1_000_000));
    let moved = At::from_ms(there.ctime().saturating_mul(1000).saturating_add(there.ctime_nsec() / 1_000_000));
    let changed_at = written.max(moved);
    // A link leads somewhere else, and a pipe would hold us.
    if changed_at < since || !there.is_file() {
        return Ok(None);
    }
    let (mut file, mut piece, mut gist) = (File::open(path)?, vec![0; PIECE], Gist::default());
    while !gist.is_full() {
        let length = file.read(&mut piece)?;
        if length == 0 {
            break;
        }
        gist.push(piece.get(..length).unwrap_or_default());
    }
    Ok(Some((gist.end(), names::delivered(name, written), changed_at)))
}

/// When a directory changed last.
fn changed(path: &Path) -> io::Result<At> {
    let there = fs::metadata(path)?;
    Ok(At::from_ms(there.mtime().saturating_mul(1000).saturating_add(there.mtime_nsec() / 1_000_000)))
}
