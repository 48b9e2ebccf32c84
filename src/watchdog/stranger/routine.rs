//! Mail that may come again and again: what each rule's mails carry at an inbox is learnt from the first of them, and held against each later one.
//!
//! Such mail is rare, and so one is enough to know whom it is from, who is answered and who gets it besides; of the rest of it two that agree. What
//! has not agreed three times in a row differs from mail to mail, and says nothing until it agrees for longer. Who is written to in the very first of
//! them and is not known from anything else is told once; what three mails have had is usual.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{At, Mark, Name, Part, Stranger, party};
use crate::watchdog::identity::sender_in;

/// Parties that are kept of one part; of a text's, which may name so many in one mail, more.
const PARTIES: usize = 24;
const IN_TEXT: usize = 64;
/// Foreign values that are kept of one rule at one inbox.
const FOREIGN: usize = 16;
/// What stood there before, of which so many are kept.
const BEFORE: usize = 4;
/// A foreign value is gone when so many mails in a row did not have it.
const GONE: u32 = 3;
/// So many mails in a row that each brought somebody new: it differs from mail to mail.
const VARIES: u32 = 3;
/// …until so many in a row have not; each time longer, up to so many times.
const AGREES: u32 = 3;
const LONGEST: u32 = 10;
/// What stood in the first mail, and in so many since, is usual.
const SETTLES: u32 = 3;
/// A text that named so many others for one mail each does so now and then.
const STRAYS: u32 = 2;

/// What the mails of one rule carry at one inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::watchdog) struct Routine {
    /// The rule in words.
    pub(in crate::watchdog) rule: String,
    pub(in crate::watchdog) inbox: Name,
    /// When the last of them came.
    pub(super) at: At,
    mails: u32,
    parts: BTreeMap<Part, Habit>,
    /// What has not stood there before.
    pub(in crate::watchdog) foreign: Vec<Odd>,
    /// Who of ours stood in a part last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    ours: BTreeMap<Part, Vec<String>>,
}

/// Who stands in one part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Habit {
    /// Each as it was written last, and when.
    parties: BTreeMap<String, (String, At)>,
    /// Mails in a row that brought nobody new, and that each did.
    same: u32,
    fresh: u32,
    /// How often it was found to differ from mail to mail.
    #[serde(default)]
    turns: u32,
    /// Foreign values that came and went.
    #[serde(default)]
    strays: u32,
}

/// A value that has not stood there before, and the first mail that had it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::watchdog) struct Odd {
    pub(in crate::watchdog) mark: Mark,
    pub(in crate::watchdog) since: At,
    pub(in crate::watchdog) last: At,
    /// What stood there.
    pub(in crate::watchdog) before: Vec<String>,
    /// Mails that had it, and those in a row since that did not.
    pub(in crate::watchdog) count: u32,
    without: u32,
    pub(in crate::watchdog) from: String,
    pub(in crate::watchdog) subject: String,
    /// Whom it may have come through.
    pub(in crate::watchdog) via: Vec<Name>,
    /// No mail of its kind was seen before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::watchdog) first: bool,
}

impl Odd {
    fn new(mark: &Mark, mail: &Stranger, at: At, before: Vec<String>) -> Self {
        let (from, subject, via) = (mail.from.clone(), mail.subject.clone(), mail.via.clone());
        Self { mark: mark.clone(), since: at, last: at, before, count: 1, without: 0, from, subject, via, first: false }
    }
}

/// Whether one mail is enough to know a part.
const fn is_of_the_author(part: Part) -> bool {
    matches!(part, Part::From | Part::Sender | Part::ReplyTo | Part::Header)
}

/// Whether a part is of the text.
const fn is_of_text(part: Part) -> bool {
    matches!(part, Part::Address | Part::Link)
}

/// Whether a mark is a foreign value again, by whose it is.
fn is_one(odd: &Odd, mark: &Mark) -> bool {
    let kind = sender_in(mark.part, &mark.value);
    odd.mark.part == mark.part
        && (party(&odd.mark.value) == party(&mark.value) || kind.is_some() && sender_in(odd.mark.part, &odd.mark.value) == kind)
}

impl Habit {
    /// Whether it differs from mail to mail, as far as that was found.
    fn varies(&self) -> bool {
        self.turns > 0 && self.same < AGREES * self.turns.min(LONGEST)
    }

    /// Whether somebody new is foreign there; else he is learnt.
    fn is_foreign(&mut self, part: Part) -> bool {
        self.fresh = self.fresh.saturating_add(1);
        let steady = if self.turns > 0 { !self.varies() } else { is_of_the_author(part) || self.same > 0 };
        if self.fresh >= VARIES && (steady || self.turns == 0) {
            self.found_to_vary();
            return false;
        }
        if !steady {
            self.same = 0;
        }
        steady
    }

    fn found_to_vary(&mut self) {
        (self.turns, self.same, self.strays) = (self.turns.saturating_add(1), 0, 0);
    }

    /// Learns who stands there. Who stood there longest ago makes room; a mail names no more than there is room for.
    fn learn(&mut self, part: Part, value: &str, at: At) {
        self.parties.insert(party(value).to_owned(), (value.to_owned(), at));
        let most = if is_of_text(part) { IN_TEXT } else { PARTIES };
        if self.parties.len() > most
            && let Some(oldest) = self.parties.iter().min_by_key(|(_, (_, last))| *last).map(|(who, _)| who.clone())
        {
            self.parties.remove(&oldest);
        }
    }

    /// Whether somebody stood there, or, by whom a provider's mail is known, another house of that provider's.
    fn has(&self, part: Part, mark: &Mark) -> bool {
        let kind = sender_in(mark.part, &mark.value);
        self.parties.contains_key(party(&mark.value))
            || kind.is_some() && self.parties.values().any(|(value, _)| sender_in(part, value) == kind)
    }
}

impl Routine {
    pub(super) const fn new(rule: String, inbox: Name) -> Self {
        Self { rule, inbox, at: At::from_ms(0), mails: 0, parts: BTreeMap::new(), foreign: Vec::new(), ours: BTreeMap::new() }
    }

    /// Whether somebody has stood in this part, or in a header's at all; what stands in a text may have stood anywhere.
    fn knows(&self, mark: &Mark) -> bool {
        let counts = |part: Part| part == mark.part || !is_of_text(part) || is_of_text(mark.part);
        self.parts.iter().any(|(part, habit)| counts(*part) && habit.has(*part, mark))
    }

    /// Whether somebody stands in these mails, foreign or not.
    pub(super) fn names(&self, mark: &Mark) -> bool {
        self.knows(mark) || self.foreign.iter().any(|odd| is_one(odd, mark))
    }

    /// Takes in one more mail. `is_known`: who is known besides. `is_told`: who is told of where he stands in the first of all.
    pub(super) fn take_in(&mut self, at: At, mail: &Stranger, is_known: impl Fn(&Mark) -> bool, is_told: impl Fn(&Mark) -> bool) {
        let mut by_part: BTreeMap<Part, Vec<&Mark>> = self.parts.keys().map(|part| (*part, Vec::new())).collect();
        let (besides, rest): (Vec<&Mark>, Vec<&Mark>) = mail.marks.iter().partition(|mark| is_known(mark));
        if self.mails == 0 {
            for mark in rest.iter().filter(|mark| is_told(mark)) {
                if self.foreign.len() < FOREIGN && self.foreign.iter().all(|odd| !is_one(odd, mark)) {
                    let before = mail.ours.iter().filter(|ours| ours.part == mark.part).map(|ours| ours.value.clone()).take(BEFORE);
                    // It is counted below.
                    self.foreign.push(Odd { first: true, count: 0, ..Odd::new(mark, mail, at, before.collect()) });
                }
            }
        }
        for mark in rest {
            by_part.entry(mark.part).or_default().push(mark);
        }
        for mark in &besides {
            by_part.entry(mark.part).or_default();
        }
        // All of it is held against what was known before this mail.
        let known: BTreeSet<&Mark> = by_part.values().flatten().copied().filter(|mark| self.knows(mark)).collect();
        for (part, marks) in by_part {
            self.take_in_part(at, mail, part, &marks, &known);
        }
        // What is known besides now stood here all the same, and may not be known besides for ever.
        for mark in besides {
            if let Some(habit) = self.parts.get_mut(&mark.part) {
                habit.learn(mark.part, &mark.value, at);
            }
            self.foreign.retain(|odd| !is_one(odd, mark));
        }
        self.end(at, mail);
        for part in mail.ours.iter().map(|mark| mark.part).collect::<BTreeSet<Part>>() {
            let stands = mail.ours.iter().filter(|mark| mark.part == part).map(|mark| mark.value.clone()).take(BEFORE);
            self.ours.insert(part, stands.collect());
        }
        (self.mails, self.at) = (self.mails.saturating_add(1), at);
    }

    fn take_in_part(&mut self, at: At, mail: &Stranger, part: Part, marks: &[&Mark], known: &BTreeSet<&Mark>) {
        // A part that was in no mail yet was empty in all of them.
        let empty = Habit { same: self.mails.saturating_sub(1), ..Habit::default() };
        let habit = self.parts.entry(part).or_insert(empty);
        let (news, old): (Vec<&Mark>, Vec<&Mark>) = marks.iter().copied().partition(|mark| !known.contains(mark));
        let others = habit.parties.values().map(|(value, _)| value);
        let before: Vec<String> = others.chain(self.ours.get(&part).into_iter().flatten()).take(BEFORE).cloned().collect();
        old.iter().for_each(|mark| habit.learn(part, &mark.value, at));
        let unheard: Vec<&Mark> = news.iter().copied().filter(|mark| self.foreign.iter().all(|odd| !is_one(odd, mark))).collect();
        let foreign = if self.mails == 0 || unheard.is_empty() {
            habit.same = if self.mails == 0 { 0 } else { habit.same.saturating_add(1) };
            habit.fresh = 0;
            false
        } else {
            habit.is_foreign(part)
        };
        // What is foreign stays so until it is gone, also where the part turns out to differ from mail to mail.
        for odd in self.foreign.iter_mut().filter(|odd| !odd.first && news.iter().any(|mark| is_one(odd, mark))) {
            (odd.last, odd.count) = (at, odd.count.saturating_add(1));
        }
        if !foreign {
            unheard.iter().for_each(|mark| habit.learn(part, &mark.value, at));
            return;
        }
        for mark in unheard {
            if self.foreign.len() < FOREIGN && self.foreign.iter().all(|odd| !is_one(odd, mark)) {
                self.foreign.push(Odd::new(mark, mail, at, before.clone()));
            }
        }
    }

    /// Lets go of what this mail and those before it did not have.
    fn end(&mut self, at: At, mail: &Stranger) {
        for odd in &mut self.foreign {
            let is_there = mail.marks.iter().any(|mark| is_one(odd, mark));
            odd.without = if is_there { 0 } else { odd.without.saturating_add(1) };
            // Whoever else of the same house stood beside him in the first mail is no reason to lose sight of him.
            if is_there && odd.first {
                (odd.last, odd.count) = (at, odd.count.saturating_add(1));
            }
        }
        for odd in self.foreign.extract_if(.., |odd| odd.first && odd.count >= SETTLES) {
            self.parts.entry(odd.mark.part).or_default().learn(odd.mark.part, &odd.mark.value, odd.last);
        }
        for odd in self.foreign.extract_if(.., |odd| odd.without >= GONE) {
            if let Some(habit) = self.parts.get_mut(&odd.mark.part).filter(|_| is_of_text(odd.mark.part)) {
                habit.strays = habit.strays.saturating_add(1);
                if habit.strays >= STRAYS {
                    habit.found_to_vary();
                }
            }
        }
    }
}
