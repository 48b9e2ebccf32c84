//! Where the reader stands in each folder, and how it begins where it stands nowhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::session::Opened;
use crate::model::{At, Span};

/// A folder whose UIDs changed their meaning, or that appeared late, is read again from this many messages before its end.
pub(super) const RESCAN: u32 = 200;
/// A cursor that says nothing of cleaning, for that was not asked for so far: so many messages before its end are cleaned.
const CLEAN_BACK: u32 = 2000;
/// A message that the parser or the server chokes on alone this often is stepped over.
const STRIKES_GARBLED: u32 = 2;
/// The same for a message that the server does not hand out. A few complete reads: some servers announce mail before it is there.
const STRIKES_WITHHELD: u32 = 5;
/// The same for one during which the connection died: that may be the network's fault, so it takes more.
const STRIKES_LOST: u32 = 5;

/// Folders that are gone of which is kept when they were read.
const GONE: usize = 256;
/// A folder that is numbered anew twice within this time is so each time that it is opened. Ours are opened anew every few minutes.
const OFTEN: Span = Span::from_secs(3600);

/// What is wrong with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// What came cannot be parsed or is too large.
    Garbled,
    /// The server does not hand it out.
    Withheld,
    /// The connection died.
    Lost,
}

/// How a folder that was just opened is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Go on behind the last UID.
    Continue,
    /// First start: begin with what arrived since then.
    FromNow,
    /// Read the last [`RESCAN`] messages again.
    Rescan,
}

/// Where the reader stands in one folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The `UIDVALIDITY` under which `last` holds.
    pub(super) uid_validity: u32,
    /// All UIDs up to this one are done with.
    pub(super) last: u32,
    /// Up to this UID messages are fetched one by one, since a batch among them failed.
    pub(super) careful_to: u32,
    /// Up to this UID mail was there when the folder was opened: it may have been reported already.
    pub(super) seen_to: u32,
    /// What of it came before then has been; nothing: all of it.
    pub(super) seen_before: Option<At>,
    /// When the last complete read of the folder began, by this run.
    pub(super) read_at: Option<At>,
    /// When the UIDs changed their meaning last, and whether something was done about it.
    renewed: (Option<At>, bool),
    /// Up to this UID own canaries have been deleted, if that is asked for.
    pub(super) cleaned: u32,
    /// The message that failed, and how often.
    strikes: (u32, u32),
    /// A `UIDNEXT` that went down, and was answered with a rescan: once is enough.
    odd_next: Option<u32>,
}

impl Position {
    /// Whether a message lay there when the folder was opened and numbered anew.
    pub(super) const fn is_old(&self, uid: u32) -> bool {
        uid <= self.seen_to
    }

    /// Whether such a message, which came then by its server's clock, was reported in its time.
    pub(super) fn was_told(&self, uid: u32, arrived_at: Option<At>) -> bool {
        self.is_old(uid) && self.seen_before.zip(arrived_at).is_none_or(|(before, at)| at < before)
    }
}

/// Where the reader stands in all folders.
#[derive(Debug, Default)]
pub(super) struct Positions {
    folders: BTreeMap<String, Position>,
    /// When folders that are gone were read last: they may come back.
    gone: BTreeMap<String, At>,
    /// No folder can be new by our being new: the first complete read is through, or an earlier run left a cursor.
    settled: bool,
    /// Own canaries are deleted, so that it has to be kept how far.
    cleans: bool,
}

/// How it is kept: `{"v":1,"folders":{"INBOX":[UIDVALIDITY,LAST]},"clean":{"INBOX":CLEANED}}`.
#[derive(Serialize, Deserialize)]
struct Written {
    v: u8,
    folders: BTreeMap<String, (u32, u32)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    clean: BTreeMap<String, u32>,
}

impl Positions {
    /// From what an earlier run left. What cannot be read counts as an unknown place, not as a first start: each folder is rescanned.
    pub(super) fn parse(cursor: Option<&str>, cleans: bool) -> Self {
        let Some(text) = cursor else { return Self { cleans, ..Self::default() } };
        let written: Option<Written> = serde_json::from_str(text).ok().filter(|w: &Written| w.v == 1);
        if written.is_none() {
            tracing::warn!("the reader's place in an inbox cannot be read; its latest mail is read again");
        }
        let Written { folders, clean, .. } = written.unwrap_or(Written { v: 1, folders: BTreeMap::new(), clean: BTreeMap::new() });
        let place = |(folder, (uid_validity, last)): (String, (u32, u32))| {
            let cleaned = clean.get(&folder).copied().unwrap_or_else(|| last.saturating_sub(CLEAN_BACK)).min(last);
            (folder, Position { uid_validity, last, cleaned, ..Position::default() })
        };
        Self { folders: folders.into_iter().map(place).collect(), settled: true, cleans, ..Self::default() }
    }

    /// For a later run.
    pub(super) fn cursor(&self) -> String {
        let folders = self.folders.iter().map(|(folder, p)| (folder.clone(), (p.uid_validity, p.last))).collect();
        let clean = self.folders.iter().filter(|_| self.cleans).map(|(folder, p)| (folder.clone(), p.cleaned)).collect();
        serde_json::to_string(&Written { v: 1, folders, clean }).unwrap_or_default()
    }

    /// Every folder with its place.
    pub(super) fn places(&self) -> Vec<(String, Position)> {
        self.folders.iter().map(|(folder, place)| (folder.clone(), *place)).collect()
    }

    /// Own canaries up to `uid` are deleted from `folder`, as it was under `uid_validity`.
    pub(super) fn clean_up_to(&mut self, folder: &str, uid_validity: u32, uid: u32) {
        if let Some(place) = self.folders.get_mut(folder).filter(|place| place.uid_validity == uid_validity) {
            place.cleaned = place.cleaned.max(uid);
        }
    }

    /// From now on a folder without a place is one that came later.
    pub(super) const fn settle(&mut self) {
        self.settled = true;
    }

    /// Forgets folders that are gone, so that the cursor does not grow; not when they were read, for a server may leave one out once.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        for (folder, place) in self.folders.extract_if(.., |folder, _| !keep(folder)) {
            if let Some(at) = place.read_at.filter(|_| self.gone.len() < GONE) {
                self.gone.insert(folder, at);
            }
        }
    }

    /// When the last complete read of `folder` began, by this run, also before it was gone for a while.
    pub(super) fn read_at(&self, folder: &str) -> Option<At> {
        self.at(folder).and_then(|place| place.read_at).or_else(|| self.gone.get(folder).copied())
    }

    /// The place in `folder`, if there is one.
    pub(super) fn at(&self, folder: &str) -> Option<Position> {
        self.folders.get(folder).copied()
    }

    /// How to go on in `folder`, now that the server has opened it.
    pub(super) fn plan(&self, folder: &str, opened: &Opened) -> Plan {
        let Some(place) = self.folders.get(folder) else {
            return if self.settled { Plan::Rescan } else { Plan::FromNow };
        };
        // A UIDNEXT that went down under the same UIDVALIDITY is a server's bug, and means the same.
        let backwards = opened.uid_next.is_some_and(|next| next <= place.last && place.odd_next != Some(next));
        if opened.uid_validity != place.uid_validity || backwards { Plan::Rescan } else { Plan::Continue }
    }

    /// Whether a folder is numbered anew for the second time in a short while, and nothing was done about it so far.
    pub(super) fn is_numbered_anew_again(&mut self, folder: &str, opened: &Opened, now: At) -> bool {
        let Some(place) = self.folders.get_mut(folder).filter(|place| place.uid_validity != opened.uid_validity) else { return false };
        let (last, done) = place.renewed;
        let again = last.is_some_and(|at| now.since(at) < OFTEN) && !done;
        place.renewed = (Some(now), done || again);
        again
    }

    /// A read of all that was new in a folder, which began then, is through.
    pub(super) fn complete(&mut self, folder: &str, began: At) {
        if let Some(place) = self.folders.get_mut(folder) {
            place.read_at = Some(began);
        }
    }

    /// Stands in `folder` behind `last`; what lies up to `seen_to`, and came before `seen_before`, may have been reported before.
    pub(super) fn set(&mut self, folder: &str, opened: &Opened, last: u32, (seen_to, seen_before): (u32, Option<At>)) {
        let before = self.at(folder).unwrap_or_default();
        let same = before.uid_validity == opened.uid_validity && self.folders.contains_key(folder);
        let place = Position {
            uid_validity: opened.uid_validity,
            last,
            careful_to: before.careful_to,
            seen_to,
            seen_before,
            read_at: before.read_at.or_else(|| self.gone.remove(folder)),
            renewed: before.renewed,
            cleaned: if same { before.cleaned.min(last) } else { last },
            strikes: (0, 0),
            odd_next: opened.uid_next,
        };
        self.folders.insert(folder.to_owned(), place);
    }

    /// Is done with all up to `uid`.
    pub(super) fn advance(&mut self, folder: &str, uid: u32) {
        if let Some(place) = self.folders.get_mut(folder) {
            place.last = place.last.max(uid);
        }
    }

    /// A batch up to `uid` failed.
    pub(super) fn careful(&mut self, folder: &str, uid: u32) {
        if let Some(place) = self.folders.get_mut(folder) {
            place.careful_to = place.careful_to.max(uid);
        }
    }

    /// All that waited was read one by one: batches may be tried again.
    pub(super) fn calm(&mut self, folder: &str) {
        if let Some(place) = self.folders.get_mut(folder) {
            place.careful_to = 0;
        }
    }

    /// The message `uid` failed by itself. True: often enough, it is stepped over.
    pub(super) fn strike(&mut self, folder: &str, uid: u32, fault: Fault) -> bool {
        let Some(place) = self.folders.get_mut(folder) else { return false };
        let count = if place.strikes.0 == uid { place.strikes.1.saturating_add(1) } else { 1 };
        place.strikes = (uid, count);
        let enough = match fault {
            Fault::Garbled => STRIKES_GARBLED,
            Fault::Withheld => STRIKES_WITHHELD,
            Fault::Lost => STRIKES_LOST,
        };
        if count >= enough {
            place.last = place.last.max(uid);
        }
        count >= enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(uid_validity: u32, uid_next: Option<u32>) -> Opened {
        Opened { uid_validity, uid_next, exists: 9 }
    }

    #[test]
    fn a_cursor_is_read_back() {
        let mut positions = Positions::default();
        positions.set("INBOX", &opened(7, Some(42)), 41, (0, None));
        positions.advance("INBOX", 42);
        let cursor = positions.cursor();
        assert_eq!(cursor, r#"{"v":1,"folders":{"INBOX":[7,42]}}"#);
        let again = Positions::parse(Some(&cursor), false);
        assert_eq!(again.at("INBOX").map(|p| (p.uid_validity, p.last)), Some((7, 42)));
    }

    #[test]
    fn how_far_a_folder_is_clean_is_kept_if_it_is_cleaned() {
        let mut positions = Positions::parse(None, true);
        positions.set("INBOX", &opened(7, Some(42)), 41, (0, None));
        positions.advance("INBOX", 60);
        positions.clean_up_to("INBOX", 6, 59);
        positions.clean_up_to("INBOX", 7, 50);
        let cursor = positions.cursor();
        assert_eq!(cursor, r#"{"v":1,"folders":{"INBOX":[7,60]},"clean":{"INBOX":50}}"#);
        let cleaned = |p: &Positions| p.at("INBOX").map(|p| p.cleaned);
        let mut again = Positions::parse(Some(&cursor), true);
        assert_eq!(cleaned(&again), Some(50));
        again.set("INBOX", &opened(8, Some(30)), 20, (29, None));
        assert_eq!(cleaned(&again), Some(20), "what the UIDs meant before is gone");
        let late = Positions::parse(Some(r#"{"v":1,"folders":{"INBOX":[7,9000]}}"#), true);
        assert_eq!(cleaned(&late), Some(7000), "it was not asked for so far");
    }

    #[test]
    fn the_plan_follows_from_what_the_server_says() {
        let fresh = Positions::parse(None, false);
        assert_eq!(fresh.plan("INBOX", &opened(7, Some(100))), Plan::FromNow);
        let known = Positions::parse(Some(r#"{"v":1,"folders":{"INBOX":[7,42],"Odd":[0,5]}}"#), false);
        assert_eq!(known.plan("INBOX", &opened(7, Some(43))), Plan::Continue);
        assert_eq!(known.plan("INBOX", &opened(7, None)), Plan::Continue, "no UIDNEXT");
        assert_eq!(known.plan("INBOX", &opened(8, Some(43))), Plan::Rescan, "UIDVALIDITY changed");
        assert_eq!(known.plan("INBOX", &opened(7, Some(42))), Plan::Rescan, "UIDNEXT went down");
        let mut odd = known;
        odd.set("INBOX", &opened(7, Some(42)), 41, (50, None));
        odd.advance("INBOX", 50);
        assert_eq!(odd.plan("INBOX", &opened(7, Some(42))), Plan::Continue, "it keeps saying so: once is enough");
        assert_eq!(odd.plan("INBOX", &opened(7, Some(30))), Plan::Rescan, "and down again");
        let known = odd;
        assert_eq!(known.plan("Odd", &opened(0, Some(6))), Plan::Continue, "no UIDVALIDITY");
        assert_eq!(known.plan("Junk", &opened(7, Some(43))), Plan::Rescan, "a folder that came later");
    }

    #[test]
    fn what_was_numbered_anew_is_told_by_its_time_and_twice_in_an_hour_is_a_habit() {
        let (at, mut positions) = (|secs: i64| At::from_ms(secs * 1000), Positions::default());
        positions.set("INBOX", &opened(7, None), 0, (9, Some(at(100))));
        let place = positions.at("INBOX").unwrap();
        assert!(place.was_told(9, Some(at(99))) && !place.was_told(9, Some(at(100))) && !place.was_told(10, Some(at(99))));
        assert!(place.was_told(9, None), "whose time is not known is old");
        let mut anew = |validity, secs| positions.is_numbered_anew_again("INBOX", &opened(validity, None), at(secs));
        assert!(!anew(7, 0) && !anew(8, 10), "a mailbox may be rebuilt");
        assert!(!anew(8, 4000), "but once in a while");
        assert!(anew(9, 4100) && !anew(10, 4200), "something is done about it once");
    }

    #[test]
    fn a_folder_that_is_left_out_once_was_read_all_the_same() {
        let (at, mut positions) = (|secs: i64| At::from_ms(secs * 1000), Positions::default());
        for folder in ["Junk", "Never read"] {
            positions.set(folder, &opened(7, None), 9, (9, None));
        }
        positions.complete("Junk", at(100));
        positions.retain(|folder| folder == "INBOX");
        assert_eq!((positions.at("Junk"), positions.read_at("Junk"), positions.read_at("Never read")), (None, Some(at(100)), None));
        positions.set("Junk", &opened(7, None), 0, (9, None));
        assert_eq!(positions.at("Junk").and_then(|place| place.read_at), Some(at(100)));
        positions.complete("Junk", at(200));
        assert_eq!(positions.read_at("Junk"), Some(at(200)));
    }

    #[test]
    fn a_damaged_cursor_is_no_first_start() {
        for text in ["", "{}", "null", r#"{"v":2,"folders":{}}"#, r#"{"v":1,"folders":{"INBOX":[-1,2]}}"#] {
            assert_eq!(Positions::parse(Some(text), false).plan("INBOX", &opened(7, None)), Plan::Rescan, "{text}");
        }
    }

    #[test]
    fn a_bad_message_is_stepped_over_in_the_end_and_only_it() {
        let mut positions = Positions::default();
        positions.set("INBOX", &opened(7, Some(42)), 41, (0, None));
        assert!(!positions.strike("INBOX", 42, Fault::Garbled));
        assert!(positions.strike("INBOX", 42, Fault::Garbled));
        assert_eq!(positions.at("INBOX").map(|p| p.last), Some(42));
        assert!(!positions.strike("INBOX", 43, Fault::Lost), "each message has its own count");
    }
}
