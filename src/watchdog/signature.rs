//! How the checks of a provider's mail stand at one inbox: what has always held, and since when it does not.

use serde::{Deserialize, Serialize};

use super::explain::shorten;
use crate::model::{At, Check, Finding, Method};

/// So often a check must have held before its failure is news: what never held is a finding, and no change.
const HELD: u32 = 3;
/// So many canaries in a row must fail it…
const FAILS: u32 = 2;
/// …and so many hold it before it is well again.
const WELL: u32 = 3;
/// Canaries from which the usual number of good signatures is taken.
const USUAL: u32 = 10;
/// Characters of a reason.
const WHY: usize = 200;

/// How one check stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) method: Method,
    /// It is the receiver's word, and not ours.
    pub(super) by_receiver: bool,
    /// How often it has held, up to what it takes to know that it does.
    pub(super) passes: u32,
    /// How many passed together at least, in the first mails: of several signatures one more than another matters.
    usual: u32,
    /// Failures in a row.
    row: u32,
    /// Since it failed last, how often it has held.
    well: u32,
    /// It has held, and does not any more.
    broken: bool,
    /// Since when it fails.
    pub(super) since: Option<At>,
    /// Why it failed last.
    pub(super) why: String,
}

/// What one mail says of one check.
struct Said<'c> {
    method: Method,
    by_receiver: bool,
    passed: u32,
    /// It can be said.
    sure: bool,
    why: &'c str,
}

impl Held {
    /// Whether the mail's checks say anything but what has held all along.
    pub(super) fn is_news(held: &[Self], checks: &[Check]) -> bool {
        said(checks).any(|said| {
            let known = held.iter().find(|h| h.method == said.method && h.by_receiver == said.by_receiver);
            said.sure
                && known.is_none_or(|h| h.passes < USUAL && said.passed > 0 || h.fails(&said) && h.passes >= HELD || h.since.is_some())
        })
    }

    /// Takes in the checks of one mail.
    pub(super) fn take_in(held: &mut Vec<Self>, checks: &[Check], at: At) {
        for said in said(checks).filter(|said| said.sure) {
            let known = held.iter().position(|h| h.method == said.method && h.by_receiver == said.by_receiver);
            let place = known.unwrap_or_else(|| {
                held.push(Self::new(said.method, said.by_receiver));
                held.len() - 1
            });
            if let Some(held) = held.get_mut(place) {
                held.note(&said, at);
            }
        }
    }

    const fn new(method: Method, by_receiver: bool) -> Self {
        Self { method, by_receiver, passes: 0, usual: 0, row: 0, well: 0, broken: false, since: None, why: String::new() }
    }

    const fn fails(&self, said: &Said<'_>) -> bool {
        said.passed == 0 || said.passed < self.usual
    }

    fn note(&mut self, said: &Said<'_>, at: At) {
        if self.fails(said) && self.passes >= HELD {
            (self.row, self.well) = (self.row.saturating_add(1), 0);
            self.since = self.since.or(Some(at));
            self.why = shorten(said.why, WHY);
            self.broken |= self.row >= FAILS;
            return;
        }
        if said.passed == 0 {
            // No change, and yet worth showing.
            self.why = shorten(said.why, WHY);
            return;
        }
        if self.passes < USUAL {
            self.usual = if self.passes == 0 { said.passed } else { self.usual.min(said.passed) };
        }
        self.passes = (self.passes + 1).min(USUAL);
        (self.row, self.well) = (0, self.well.saturating_add(1));
        // What failed once was chance.
        if !self.broken || self.well >= WELL {
            (self.broken, self.since) = (false, None);
        }
    }

    /// Whether it has held, and does not any more.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether it is known to hold.
    pub(super) const fn is_sound(&self) -> bool {
        self.passes >= HELD && self.since.is_none()
    }
}

/// What a mail's checks say, method by method: of several signatures each that passes counts.
fn said(checks: &[Check]) -> impl Iterator<Item = Said<'_>> {
    let kinds = [false, true].into_iter().flat_map(|by_receiver| Method::ALL.map(|method| (method, by_receiver)));
    kinds.filter_map(move |(method, by_receiver)| {
        let mut mine = checks.iter().filter(|c| c.method == method && c.by_receiver == by_receiver).peekable();
        mine.peek()?;
        let (mut passed, mut sure, mut why) = (0, true, "");
        for check in mine {
            match check.finding {
                Finding::Pass => passed += 1,
                Finding::Unsure => sure = false,
                Finding::Fail | Finding::None => why = &check.why,
            }
        }
        // A name server that does not answer hides what might have passed.
        Some(Said { method, by_receiver, passed, sure, why })
    })
}
