//! A value that has not stood there before: where it stands and where it does not, when it is worth telling, when it is gone, and when it is
//! no news any more.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::kinds::{is_akin, is_same};
use crate::model::{Added, At, CanaryId, Mark, Name, Part, Span};

/// A foreign value is gone when so many canaries in a row did not have it, of those to inboxes where it stood; or none that had it came for so long.
pub(super) const GONE: u32 = 10;
const FORGOTTEN: Span = Span::from_secs(7 * 24 * 3600);
/// Of what is gone it is known for so long that it was there.
const REMEMBERED: Span = Span::from_secs(14 * 24 * 3600);
/// Foreign values that are kept of one part, and of one group within it: beyond, each is as bad as the next.
const EACH: usize = 8;
const AKIN: usize = 4;
/// Of what is gone so many are kept.
const PAST: usize = 32;
/// Inboxes of which it is kept whether a value stands there.
const PLACES: usize = 64;
/// Networks and ids that so many mails had, and as many did not, take turns.
const TURNS: u32 = 4;
/// What comes back now and then for so long, in so many mails and not in most, is usual.
const USUAL: Span = Span::from_secs(3 * 24 * 3600);
const USUAL_MAILS: u32 = 3;

/// A value that has not stood there before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::watchdog) struct Foreign {
    pub(in crate::watchdog) mark: Mark,
    pub(in crate::watchdog) since: At,
    pub(in crate::watchdog) last: At,
    /// The first canary that had it, and where that lay.
    pub(in crate::watchdog) canary: CanaryId,
    pub(in crate::watchdog) inbox: Name,
    /// Canaries that had it, and those in a row since that did not.
    pub(in crate::watchdog) count: u32,
    without: u32,
    /// It was new where mail was still learnt anew, as after an update.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    anew: bool,
    /// Mails at each inbox since.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    places: BTreeMap<Name, Place>,
    /// It was worth telling: it stays so until it is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sure: bool,
    /// The mail that is looked at has it.
    #[serde(skip)]
    met: bool,
    /// It was gone, and so many mails have had it since it came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<u32>,
    /// Of what was added to a mail: how it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::watchdog) words: Option<Added>,
}

/// How many mails at an inbox had a value, and how many did not since the first of them; where none had it, since it was first seen elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Place {
    had: u32,
    missed: u32,
}

/// Whether a part depends on who receives the mail, too.
pub(in crate::watchdog) const fn is_of_receiver(part: Part) -> bool {
    match part {
        Part::Network | Part::Content | Part::Link | Part::List | Part::Header | Part::ReturnPath => true,
        Part::From | Part::Sender | Part::ReplyTo | Part::DkimDomain | Part::DkimSelector | Part::MessageId | Part::Address => false,
    }
}

/// Whether several values of a part take turns by themselves: by which host the mail left, and which host named it.
const fn takes_turns(part: Part) -> bool {
    matches!(part, Part::Network | Part::MessageId)
}

/// Whether what recurs in a part becomes usual. Who writes, who is answered, who signs, and where a reader is led, never does.
const fn becomes_usual(part: Part) -> bool {
    match part {
        Part::Network | Part::MessageId | Part::ReturnPath | Part::List | Part::Header | Part::Content => true,
        Part::From | Part::Sender | Part::ReplyTo | Part::DkimDomain | Part::DkimSelector | Part::Address | Part::Link => false,
    }
}

/// One mail that is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'l> {
    pub(super) at: At,
    pub(super) canary: CanaryId,
    pub(super) inbox: &'l Name,
    /// It is of those that are learnt from anew.
    pub(super) anew: bool,
    /// The host that handed it over was found not to be one that may.
    pub(super) forbidden: bool,
}

impl Foreign {
    fn new(mark: &Mark, look: &Look<'_>) -> Self {
        let mut new = Self {
            mark: mark.clone(),
            since: look.at,
            last: look.at,
            canary: look.canary,
            inbox: look.inbox.clone(),
            count: 0,
            without: 0,
            anew: look.anew,
            places: BTreeMap::new(),
            sure: false,
            met: false,
            again: None,
            words: None,
        };
        new.stood(look);
        new
    }

    /// Whether it is worth telling: what a receiver makes of a mail once may be chance, and so may be the one host that made its id, and the one
    /// address that an earlier version did not see. What takes turns with what is known is a pool's, and what was gone may be gone again.
    pub(in crate::watchdog) fn is_sure(&self) -> bool {
        let part = self.mark.part;
        let may_be_chance = is_of_receiver(part) || part == Part::MessageId || self.anew && part == Part::Address;
        let is_back = self.again.is_none_or(|again| !becomes_usual(part) || again >= GONE);
        let count = self.again.unwrap_or(self.count);
        self.sure || is_back && count >= if may_be_chance { 2 } else { 1 } && !(takes_turns(part) && self.others() > 0)
    }

    /// Whether it is one of a pool, or comes back now and then.
    fn is_usual(&self, look: &Look<'_>) -> bool {
        let (part, others) = (self.mark.part, self.others());
        let in_turns = takes_turns(part) && self.count >= TURNS && others >= TURNS.max(self.count / 10);
        let for_days = look.at.since(self.since) >= USUAL && self.count >= USUAL_MAILS && others >= self.count;
        !look.forbidden && (in_turns || becomes_usual(part) && for_days)
    }

    /// How many mails did not have it where it stands.
    fn others(&self) -> u32 {
        self.places.values().filter(|place| place.had > 0).fold(0, |sum, place| sum.saturating_add(place.missed))
    }

    /// The inboxes where it stands.
    pub(in crate::watchdog) fn inboxes(&self) -> impl Iterator<Item = &Name> {
        let old = self.places.values().all(|place| place.had == 0).then_some(&self.inbox);
        self.places.iter().filter(|(_, place)| place.had > 0).map(|(inbox, _)| inbox).chain(old)
    }

    /// The inboxes where mail came since, and it does not stand.
    pub(in crate::watchdog) fn elsewhere(&self) -> impl Iterator<Item = &Name> {
        self.places.iter().filter(|(inbox, place)| place.had == 0 && **inbox != self.inbox).map(|(inbox, _)| inbox)
    }

    fn place(&mut self, inbox: &Name, had: bool) -> Option<&mut Place> {
        if !self.places.contains_key(inbox) && self.places.len() >= PLACES {
            let spare = self.places.iter().find(|(_, place)| had && place.had == 0).map(|(inbox, _)| inbox.clone());
            self.places.remove(&spare?);
        }
        Some(self.places.entry(inbox.clone()).or_default())
    }

    fn stood(&mut self, look: &Look<'_>) {
        (self.last, self.without, self.met) = (look.at, 0, true);
        self.count = self.count.saturating_add(1);
        self.again = self.again.map(|again| again.saturating_add(1));
        if let Some(place) = self.place(look.inbox, true) {
            let missed = if place.had == 0 { 0 } else { place.missed };
            *place = Place { had: place.had.saturating_add(1), missed };
        }
        self.sure = self.is_sure();
    }

    fn missed(&mut self, inbox: &Name) {
        if let Some(place) = self.place(inbox, false) {
            place.missed = place.missed.saturating_add(1);
        }
        if self.inboxes().any(|mine| mine == inbox) {
            self.without += 1;
        }
    }

    fn is_gone(&self, at: At) -> bool {
        self.without >= GONE || at.since(self.last) >= FORGOTTEN
    }
}

/// What is foreign in the mail of one provider and stream, and what was.
#[derive(Debug)]
pub(super) struct All<'a> {
    pub(super) now: &'a mut Vec<Foreign>,
    pub(super) gone: &'a mut Vec<Foreign>,
}

impl All<'_> {
    /// A mail has a value that is none of its own, perhaps with names that are `strange`. True: it is by now.
    pub(super) fn meet(&mut self, mark: &Mark, words: Option<&Added>, strange: &BTreeSet<String>, look: &Look<'_>) -> bool {
        if let Some(place) = self.place(mark, strange) {
            let Some(known) = self.now.get_mut(place) else { return false };
            known.stood(look);
            return strange.is_empty() && known.is_usual(look);
        }
        let back = self.gone.iter().position(|f| is_same(&f.mark, mark)).map(|place| self.gone.remove(place));
        let mut one = match back {
            Some(mut one) => {
                (one.again, one.canary) = (Some(0), look.canary);
                one.stood(look);
                one
            }
            None => Foreign::new(mark, look),
        };
        if strange.is_empty() && one.is_usual(look) {
            return true;
        }
        if self.now.iter().filter(|f| f.mark.part == mark.part).count() < EACH {
            one.mark.clone_from(mark);
            one.words = words.cloned();
            self.now.push(one);
        }
        false
    }

    /// Which of those that are foreign it is. Of many that belong together one stands for the rest, and of what was added whatever has the same strange name.
    fn place(&self, mark: &Mark, strange: &BTreeSet<String>) -> Option<usize> {
        let akin = || self.now.iter().enumerate().filter(|(_, f)| is_akin(&f.mark, mark)).map(|(place, _)| place);
        let exactly = self.now.iter().position(|f| f.mark == *mark).or_else(|| self.now.iter().position(|f| is_same(&f.mark, mark)));
        let has_strange = |f: &Foreign| f.words.as_ref().is_some_and(|added| !added.names.is_disjoint(strange));
        let named = || self.now.iter().position(|f| is_akin(&f.mark, mark) && has_strange(f));
        exactly.or_else(named).or_else(|| akin().nth(AKIN - 1).filter(|_| strange.is_empty()))
    }

    /// A mail that was met did not have some of them; what is gone by that is kept for a while.
    pub(super) fn miss(&mut self, look: &Look<'_>) {
        for foreign in &mut *self.now {
            if !std::mem::take(&mut foreign.met) {
                foreign.missed(look.inbox);
            }
        }
        for mut one in self.now.extract_if(.., |f| f.is_gone(look.at)) {
            (one.sure, one.without) = (false, 0);
            self.gone.push(one);
        }
        self.gone.retain(|f| look.at.since(f.last) < REMEMBERED);
        let many = self.gone.len().saturating_sub(PAST);
        self.gone.drain(..many);
    }
}

/// How many of what is gone are of a mark's group.
pub(super) fn akin_before(gone: &[Foreign], mark: &Mark) -> usize {
    gone.iter().filter(|f| is_akin(&f.mark, mark)).count()
}
