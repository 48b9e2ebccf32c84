//! What is new in a Maildir. Blocks: it is called where that is allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::super::whole::{LOOKED_AT, OWN, header_of};
use super::folders::{Folder, folders};
use super::names;
use crate::config::MaildirSettings;
use crate::model::{At, Placement, Span};

/// A directory that changed within this time before it was read may have changed again unseen: file systems keep time in steps.
const STEP: Span = Span::from_secs(2);
/// Bytes of new messages that one look takes; what is more is found by the next.
const MUCH: usize = 16 * 1024 * 1024;
/// Where a header goes on behind what is looked at, our own field is looked for up to here, in lines of at most so much.
const FAR: u64 = 32 * 1024 * 1024;
const LINE: u64 = 16 * 1024;

/// A message that was not there before.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) folder: String,
    pub(super) base: String,
    pub(super) placement: Placement,
    pub(super) arrived_at: At,
    /// When the file came to lie where it lies.
    pub(super) changed_at: At,
    /// The message, cut.
    pub(super) raw: Vec<u8>,
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
                        let fresh = |(raw, arrived_at, changed_at)| Fresh {
                            folder: name,
                            base: base.clone(),
                            placement,
                            arrived_at,
                            changed_at,
                            raw,
                        };
                        let read = read.map(fresh);
                        looked.bytes = looked.bytes.saturating_add(read.as_ref().map_or(0, |fresh| fresh.raw.len()));
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
fn read(path: &Path, name: &str, since: At) -> io::Result<Option<(Vec<u8>, At, At)>> {
    let there = fs::symlink_metadata(path)?;
    let written = At::from_ms(there.mtime().saturating_mul(1000).saturating_add(there.mtime_nsec() / 1_000_000));
    let moved = At::from_ms(there.ctime().saturating_mul(1000).saturating_add(there.ctime_nsec() / 1_000_000));
    let changed_at = written.max(moved);
    // A link leads somewhere else, and a pipe would hold us.
    if changed_at < since || !there.is_file() {
        return Ok(None);
    }
    let mut raw = Vec::new();
    let mut file = BufReader::new(File::open(path)?);
    file.by_ref().take(u64::try_from(LOOKED_AT).unwrap_or(u64::MAX)).read_to_end(&mut raw)?;
    if raw.len() == LOOKED_AT && header_of(&raw).len() == raw.len() {
        let mut own = own_field(file.take(FAR), raw.ends_with(b"\n"))?;
        own.truncate(LOOKED_AT);
        raw.truncate(LOOKED_AT.saturating_sub(own.len()));
        raw.splice(0..0, own);
    }
    Ok(Some((raw, names::delivered(name, written), changed_at)))
}

/// Our own field in what is left of a header, with its folds; empty where there is none. `fresh`: a line begins here.
fn own_field(mut rest: impl io::BufRead, mut fresh: bool) -> io::Result<Vec<u8>> {
    let (mut own, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        rest.by_ref().take(LINE).read_until(b'\n', &mut line)?;
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        if line.is_empty() || fresh && (line.trim_ascii().is_empty() || !own.is_empty() && !folded) || own.len() >= LOOKED_AT {
            return Ok(own);
        }
        let named =
            line.get(..OWN.len()).is_some_and(|name| name.eq_ignore_ascii_case(OWN.as_bytes())) && line.get(OWN.len()) == Some(&b':');
        if !own.is_empty() || fresh && named {
            own.extend_from_slice(&line);
        }
        fresh = line.ends_with(b"\n");
    }
}

/// When a directory changed last.
fn changed(path: &Path) -> io::Result<At> {
    let there = fs::metadata(path)?;
    Ok(At::from_ms(there.mtime().saturating_mul(1000).saturating_add(there.mtime_nsec() / 1_000_000)))
}
