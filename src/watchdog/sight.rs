//! Sight: up to when we could have seen what lies in each inbox.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::flight::RouteState;
use super::index::Index;
use super::plan::Plan;
use super::state::State;
use crate::model::{At, Class, Name, Span};

/// So many of the newest sightings, and of the newest reads, tell how an inbox is read.
const NEWEST: usize = 32;
/// Fewer than this tell little.
const FEW: usize = 4;
/// Sightings this close to each other are of one read.
const ONE_READ: Span = Span::from_secs(1);
/// Mail that is seen sooner after its arrival is seen at once.
const AT_ONCE: Span = Span::from_secs(3);
/// Mail is seen out of order, each piece after a while of its own: where that is no longer than this, so long is waited for each…
const JITTER: Span = Span::from_secs(20);
/// …and as long as one in so many is seen late. It takes one in four to find that out.
const SELDOM: usize = 16;
/// Mail that all arrives at multiples of no less than this comes in batches, or is stamped when it is read…
const BATCH: Span = Span::from_secs(8);
/// …if so many arrivals in a row do…
const BATCHES: usize = 8;
/// …over so long at least: the schedule is even too, but not to the half second.
const BATCHES_FOR: Span = Span::from_secs(160);
const BATCH_EXACT: Span = Span::from_ms(500);
/// Where so many come together again and again, two batches are enough…
const TOGETHER: usize = 3;
/// …unless they are further apart than this.
const BATCH_AT_MOST: Span = Span::from_secs(120);
/// What came while nothing could be read is told within this, where reads are implied: reading it takes its time. Until then silence says
/// nothing.
pub(super) const CATCHES_UP: Span = Span::from_secs(10);
/// A mail that a read has passed over is remembered for so many sightings; a second one shows that mail is seen late for other reasons.
const PASSED_OVER: u16 = 256;

/// One inbox's memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct InboxState {
    /// Whether it was read at the last try. `None` before the first.
    pub(super) sight: Option<bool>,
    /// Since when it cannot be read, why, and what kind of failure it is.
    pub(super) blind: Option<Blindness>,
    /// Everything that lay in it up to here has been reported.
    pub(super) horizon: Option<At>,
    /// Since when it can be read: what was read before that says nothing of the time in which it could not.
    pub(super) clear_from: At,
    /// The reader's place, for the reader alone.
    pub(super) cursor: Option<String>,
    pub(super) forged: u64,
    pub(super) replayed: u64,
    /// How it is read, where that must be inferred.
    pub(super) rhythm: Rhythm,
}

/// How an inbox is read, by its sightings: at once, or every so often.
///
/// Where every line is taken for a read, a receiver that is asked twice a minute would make all that is sent between two readings look
/// silent together. What was seen late, though no read passed over it, shows how far apart the reads are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rhythm {
    /// For each of the newest sightings how long it lay there.
    lags: VecDeque<Span>,
    /// How much of late is known of mail that lay there when it was read, and was not seen.
    passed_over: u16,
    /// The newest reads that showed something.
    reads: VecDeque<At>,
    /// The newest arrivals, and how many came together.
    #[serde(default)]
    arrivals: VecDeque<(At, u16)>,
    /// How far apart the batches are, if mail arrives in batches.
    #[serde(default)]
    batch: Option<Span>,
    /// What lies there is seen after so long at the latest; zero: at once.
    pub(super) lag: Span,
}

impl Rhythm {
    /// Mail that had arrived at an instant was seen at another.
    pub(super) fn note(&mut self, arrived: At, seen: At) {
        match self.reads.back_mut().filter(|newest| seen.since(**newest) <= ONE_READ) {
            Some(newest) => *newest = seen,
            None => self.reads.push_back(seen),
        }
        let before = self.reads.iter().rev().nth(1);
        self.passed_over = if before.is_some_and(|before| *before > arrived.plus(ONE_READ.scaled(2, 1))) {
            self.passed_over.saturating_add(PASSED_OVER)
        } else {
            self.passed_over.saturating_sub(1)
        };
        self.lags.push_back(seen.since(arrived));
        match self.arrivals.back_mut() {
            Some((newest, count)) if arrived <= newest.plus(ONE_READ) => *count = count.saturating_add(1),
            _ => self.arrivals.push_back((arrived, 1)),
        }
        if self.lags.len() > NEWEST {
            self.lags.pop_front();
        }
        if self.reads.len() > NEWEST {
            self.reads.pop_front();
        }
        if self.arrivals.len() > NEWEST {
            self.arrivals.pop_front();
        }
        self.lag = self.infer();
        self.batch = if self.lag == Span::ZERO { self.infer_batch() } else { None };
        self.lag = self.batch.unwrap_or(self.lag);
    }

    /// How far apart batches are, if all mail arrives in them.
    fn infer_batch(&self) -> Option<Span> {
        let shortest = self.arrivals.iter().zip(self.arrivals.iter().skip(1)).map(|((a, _), (b, _))| b.since(*a)).min()?;
        let together = self.arrivals.iter().rev().take(TOGETHER).all(|(_, count)| usize::from(*count) >= TOGETHER);
        let gaps = self.arrivals.len() - 1;
        if together && shortest <= BATCH_AT_MOST {
            return Some(shortest).filter(|every| *every >= BATCH).and_then(|every| self.spaced_by(every));
        }
        let long = |every: &Span| gaps >= BATCHES && every.scaled(u64::try_from(gaps).unwrap_or(0), 1) >= BATCHES_FOR;
        let guesses = (1..).map(|n| shortest.scaled(1, n)).take_while(|every| *every >= BATCH);
        guesses.filter_map(|every| self.spaced_by(every)).find(long)
    }

    /// Whether all arrivals are this far apart, or a whole number of times; the distance, better known by then.
    fn spaced_by(&self, guess: Span) -> Option<Span> {
        let (first, mut every) = (self.arrivals.front()?.0, guess.as_ms() as f64);
        for (at, _) in self.arrivals.iter().skip(1) {
            let passed = at.since(first).as_ms() as f64;
            let batches = (passed / every).round();
            if batches < 1.0 || (passed - batches * every).abs() > BATCH_EXACT.as_ms() as f64 {
                return None;
            }
            every = passed / batches;
        }
        Some(Span::from_ms(every as u64))
    }

    fn infer(&self) -> Span {
        let late = self.lags.iter().filter(|lag| **lag >= AT_ONCE).count();
        let enough = if self.lag == Span::ZERO { 4 } else { SELDOM };
        if late == 0 || late * enough < self.lags.len() {
            return Span::ZERO;
        }
        let longest = self.lags.iter().copied().max().unwrap_or(Span::ZERO);
        if self.is_out_of_order() {
            return if longest <= JITTER { longest + ONE_READ } else { Span::ZERO };
        }
        let gaps: Vec<Span> = self.reads.iter().zip(self.reads.iter().skip(1)).map(|(a, b)| b.since(*a)).collect();
        if gaps.len() < FEW {
            return longest.scaled(2, 1);
        }
        // Reads are no closer to each other than the longest wait, and each gap is a whole number of theirs.
        let shortest = gaps.iter().copied().filter(|gap| *gap + ONE_READ >= longest).min().unwrap_or(longest);
        let every = (1..).map(|n| shortest.scaled(1, n)).take_while(|every| *every + ONE_READ >= longest);
        let every = every.filter(|every| *every >= AT_ONCE).find(|every| gaps.iter().all(|gap| is_multiple(*gap, *every)));
        every.unwrap_or(shortest) + ONE_READ
    }

    /// Whether a mail that was seen says nothing of those that came before it.
    const fn is_out_of_order(&self) -> bool {
        self.passed_over > PASSED_OVER
    }

    /// Up to when it was read, if every line up to `passed` was one that could have told.
    pub(super) fn read_by(&self, passed: At) -> At {
        if self.lag == Span::ZERO {
            return passed;
        }
        if self.is_out_of_order() {
            return passed.minus(self.lag);
        }
        let shown = self.reads.back().filter(|newest| passed >= newest.plus(ONE_READ));
        if let (Some(batch), Some(shown)) = (self.batch, shown) {
            let batches = passed.since(shown.plus(ONE_READ)).as_ms() / batch.as_ms().max(1);
            return shown.plus(batch.scaled(batches, 1));
        }
        shown.map_or(At::from_ms(i64::MIN), |at| *at).max(passed.minus(self.lag))
    }
}

fn is_multiple(gap: Span, of: Span) -> bool {
    let rest = gap.as_ms() % of.as_ms().max(1);
    rest.min(of.as_ms() - rest) <= ONE_READ.as_ms()
}

/// Why an inbox cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Blindness {
    pub(super) since: At,
    pub(super) class: Option<Class>,
    pub(super) why: Option<String>,
}

impl InboxState {
    pub(super) fn lose_sight(&mut self, at: At, class: Option<Class>, why: Option<&str>) {
        self.sight = Some(false);
        let since = self.blind.as_ref().map_or(at, |b| b.since);
        self.blind = Some(Blindness { since, class, why: why.map(str::to_owned) });
    }

    /// It can be read, and what lay there until `clear_from` has been told by then.
    pub(super) fn gain_sight(&mut self, clear_from: At) {
        self.clear_from = clear_from;
        self.sight = Some(true);
        self.blind = None;
    }

    pub(super) fn read_up_to(&mut self, at: At) {
        self.horizon = Some(self.horizon.map_or(at, |h| h.max(at)));
    }
}

impl State {
    /// What was read of an inbox stands still.
    pub(super) fn freeze(&mut self, name: &Name) {
        let Some(horizon) = self.inboxes.get(name).and_then(|i| self.horizon(i)) else { return };
        self.inbox(name).read_up_to(horizon);
    }

    /// A read that shows nothing new and that nothing waits for need not be written down, nor a finding that tells nothing new.
    pub(super) fn is_news(&self, plan: &Plan, ix: &Index, at: At, event: &Event) -> bool {
        if let Event::Traced { canary, fate, words } = event {
            return self.is_more(ix, *canary, *fate, words.as_deref());
        }
        if let Event::Examined { canary, mail, .. } = event {
            return self.is_news_of_mail(ix, at, *canary, mail);
        }
        if let Event::LookedUp { answers } = event {
            return self.is_news_of_dns(answers, at);
        }
        let Event::Read { inbox, up_to, cursor } = event else { return true };
        let Some(known) = self.inboxes.get(inbox) else { return true };
        let horizon = up_to.unwrap_or(at);
        let waited_for = |r: &RouteState| r.in_flight().any(|c| c.sent_at() < horizon);
        let mut routes = plan.routes_to(inbox).iter().filter_map(|slot| self.routes.get(*slot));
        known.sight != Some(true) || known.cursor != *cursor || known.horizon.is_none() || routes.any(waited_for)
    }

    /// When an inbox will have been read up to `due`, if nothing shows sooner that it was.
    pub(super) fn reads_at(&self, name: &Name, due: At) -> At {
        let lags = |i: &&InboxState| i.rhythm.lag > Span::ZERO && self.horizon(i).is_none_or(|h| h < due);
        self.inboxes.get(name).filter(lags).map_or(due, |inbox| due.plus(inbox.rhythm.lag))
    }

    /// When the first of these instants has been read up to in the inbox of its route, of those that can be read.
    pub(super) fn seen_through(&self, dues: &BTreeSet<(At, usize, u32)>) -> Option<At> {
        let mut first: Option<At> = None;
        for (due, slot, _) in dues {
            if first.is_some_and(|at| at <= *due) {
                break;
            }
            let Some(route) = self.routes.get(*slot).filter(|r| self.sees(&r.route.inbox)) else { continue };
            let read = self.reads_at(&route.route.inbox, *due);
            first = Some(first.map_or(read, |at| at.min(read)));
        }
        first
    }

    /// Inboxes that can be read, and in which a deadline has passed.
    pub(super) fn late_inboxes(&self, ix: &Index, at: At) -> Vec<Name> {
        let due = ix.deadlines.range(..=(at, usize::MAX, u32::MAX)).filter_map(|(_, slot, _)| self.routes.get(*slot));
        let names: BTreeSet<&Name> = due.map(|r| &r.route.inbox).filter(|name| self.sees(name)).collect();
        names.into_iter().cloned().collect()
    }
}
