//! The canaries that a route remembers.

use std::collections::{BTreeMap, VecDeque};
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use super::canary::{Answer, Arrival, Canary, Copied, lower, upper};
use super::trace::Trace;
use crate::model::{At, CanaryId, Fate, Placement, Reason};

/// Those of one route, in the order of sending, which is the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Spelled>", into = "Vec<Spelled>")]
pub(super) struct Remembered {
    /// The upper half of their ids.
    key: u32,
    canaries: VecDeque<Canary>,
    /// What is there of few of them only.
    more: BTreeMap<u32, More>,
}

/// What is there of few canaries only.
#[derive(Clone, Debug, Default, PartialEq)]
struct More {
    /// The provider's words, until it has arrived.
    reply: Option<Box<str>>,
    /// What to mend first, until it has arrived.
    hint: Option<Box<str>>,
    /// The provider's id of the message, while it may be asked after.
    message_id: Option<Box<str>>,
    /// What is wrong with the mail that came in its stead.
    mismatch: Option<Box<str>>,
    /// What its provider was asked of it, and said.
    trace: Option<Box<Trace>>,
}

impl Deref for Remembered {
    type Target = VecDeque<Canary>;

    fn deref(&self) -> &Self::Target {
        &self.canaries
    }
}

impl DerefMut for Remembered {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.canaries
    }
}

impl Remembered {
    /// A canary is sent. Room is made for a few at a time: there are many routes.
    pub(super) fn send(&mut self, id: CanaryId, at: At, reason: Reason) -> Option<&mut Canary> {
        self.key = upper(id);
        if self.canaries.len() == self.canaries.capacity() {
            self.canaries.reserve_exact(ROOM);
        }
        self.canaries.push_back(Canary::new(lower(id), at, reason));
        self.canaries.back_mut()
    }

    /// Lets go of those for which `keep` says no.
    pub(super) fn let_go(&mut self, keep: impl FnMut(&Canary) -> bool) {
        self.canaries.retain(keep);
        self.canaries.shrink_to(self.canaries.len() + ROOM);
        let canaries = &self.canaries;
        self.more.retain(|serial, _| canaries.binary_search_by_key(serial, |c| c.serial).is_ok());
    }

    pub(super) fn find(&self, id: CanaryId) -> Option<&Canary> {
        self.position(id).and_then(|at| self.canaries.get(at))
    }

    pub(super) fn find_mut(&mut self, id: CanaryId) -> Option<&mut Canary> {
        let at = self.position(id)?;
        self.canaries.get_mut(at)
    }

    fn position(&self, id: CanaryId) -> Option<usize> {
        if upper(id) != self.key {
            return None;
        }
        // They count on without gaps until the oldest are let go of.
        let serial = lower(id);
        let back = usize::try_from(self.canaries.back()?.serial.checked_sub(serial)?).ok()?;
        let guess = self.canaries.len().checked_sub(back + 1).filter(|at| self.canaries.get(*at).is_some_and(|c| c.serial == serial));
        guess.or_else(|| self.canaries.binary_search_by_key(&serial, |c| c.serial).ok())
    }

    /// The provider's words about a canary, as long as it has not arrived.
    pub(super) fn reply(&self, canary: &Canary) -> Option<&str> {
        self.more.get(&canary.serial)?.reply.as_deref()
    }

    /// What its refusal gives away besides its class.
    pub(super) fn hint(&self, canary: &Canary) -> Option<&str> {
        self.more.get(&canary.serial)?.hint.as_deref()
    }

    /// The provider's id of the message, while it may be asked after.
    pub(super) fn message_id(&self, canary: &Canary) -> Option<&str> {
        self.more.get(&canary.serial)?.message_id.as_deref()
    }

    /// What is wrong with the mail that came in its stead.
    pub(super) fn mismatch(&self, canary: &Canary) -> Option<&str> {
        self.more.get(&canary.serial)?.mismatch.as_deref()
    }

    /// What its provider was asked of it, and said.
    pub(super) fn trace(&self, canary: &Canary) -> Option<&Trace> {
        self.more.get(&canary.serial)?.trace.as_deref()
    }

    /// The same, to add to; `first` if it was never asked. `None` if there is no such canary.
    pub(super) fn trace_mut(&mut self, id: CanaryId, first: impl FnOnce() -> Trace) -> Option<&mut Trace> {
        self.position(id)?;
        Some(self.more.entry(lower(id)).or_default().trace.get_or_insert_with(|| Box::new(first())))
    }

    /// A canary's submission has ended.
    pub(super) fn answer(&mut self, id: CanaryId, answer: Answer) {
        let Some(canary) = self.find_mut(id) else { return };
        canary.answer(answer.at, answer.outcome);
        if !canary.has_arrived() && (answer.reply.is_some() || answer.hint.is_some() || answer.message_id.is_some()) {
            let more = self.more.entry(lower(id)).or_default();
            (more.reply, more.hint, more.message_id) = (answer.reply.map(String::into_boxed_str), answer.hint, answer.message_id);
        }
    }

    /// A canary was seen: nobody need be asked after it, and what was said of it as long as it was missing is of no use any more.
    pub(super) fn arrive(&mut self, id: CanaryId, arrival: &Arrival) {
        self.find_mut(id).into_iter().for_each(|canary| canary.arrive(arrival));
        if self.more.is_empty() {
            return;
        }
        let Some(more) = self.more.get_mut(&lower(id)) else { return };
        (more.reply, more.hint, more.message_id) = (None, None, None);
        // That it left and was handed over is plain now; where every canary is told of, this is most of what is told.
        more.trace.take_if(|trace| trace.said.as_ref().is_some_and(|said| matches!(said.fate, Fate::Stuck | Fate::HandedOff)));
        if *more == More::default() {
            self.more.remove(&lower(id));
        }
    }

    /// A mail came that is not what was waited for. Says whether that is news.
    pub(super) fn mismatches(&mut self, id: CanaryId, why: &str) -> bool {
        if self.position(id).is_none() {
            return false;
        }
        let more = self.more.entry(lower(id)).or_default();
        let news = more.mismatch.is_none();
        if news {
            more.mismatch = Some(why.into());
        }
        news
    }
}

/// Room is made for so many canaries at a time.
const ROOM: usize = 8;

/// A canary in a checkpoint.
#[derive(Clone, Serialize, Deserialize)]
struct Spelled {
    id: CanaryId,
    sent_at: At,
    reason: Reason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arrival: Option<SpelledArrival>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mismatch: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<Box<Trace>>,
    #[serde(default, skip_serializing_if = "is_false")]
    lost: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    forgotten: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    set_aside: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    taught: bool,
}

/// Its arrival.
#[derive(Clone, Serialize, Deserialize)]
struct SpelledArrival {
    at: At,
    placement: Placement,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copy: Option<SpelledCopy>,
    #[serde(default)]
    skew: i16,
}

/// A copy, or its name in checkpoints of earlier versions.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum SpelledCopy {
    Short(Copied),
    Name(String),
}

const fn is_false(value: &bool) -> bool {
    !*value
}

impl From<Vec<Spelled>> for Remembered {
    fn from(all: Vec<Spelled>) -> Self {
        let mut remembered = Self::default();
        remembered.canaries.reserve_exact(all.len());
        all.into_iter().for_each(|spelled| remembered.read(spelled));
        remembered
    }
}

impl Remembered {
    fn read(&mut self, spelled: Spelled) {
        let id = spelled.id;
        self.send(id, spelled.sent_at, spelled.reason);
        if let Some(answer) = spelled.answer {
            self.answer(id, answer);
        }
        if let Some(SpelledArrival { at, placement, copy, skew }) = spelled.arrival {
            let copy = copy.map(|copy| match copy {
                SpelledCopy::Short(copy) => copy,
                SpelledCopy::Name(name) => Copied::of(&name),
            });
            self.arrive(id, &Arrival { at, placement, copy, reported: At::from_ms(at.as_ms().saturating_add(i64::from(skew))) });
        }
        if spelled.mismatch.is_some() || spelled.trace.is_some() {
            let more = self.more.entry(lower(id)).or_default();
            (more.mismatch, more.trace) = (spelled.mismatch, spelled.trace);
        }
        let Some(canary) = self.canaries.back_mut() else { return };
        if spelled.lost {
            canary.lose();
        } else if spelled.forgotten {
            canary.forget();
        }
        canary.set_aside(spelled.set_aside);
        if spelled.taught {
            canary.teach();
        }
    }

    fn spell(&self, canary: &Canary) -> Spelled {
        let more = self.more.get(&canary.serial).cloned().unwrap_or_default();
        let answer = canary.outcome().zip(canary.answered_at()).map(|(outcome, at)| Answer {
            at,
            outcome,
            reply: more.reply.map(String::from),
            hint: more.hint,
            message_id: more.message_id,
        });
        let arrival = canary.placement().zip(canary.latency()).map(|(placement, latency)| SpelledArrival {
            at: canary.sent_at().plus(latency),
            placement,
            copy: canary.copy().map(SpelledCopy::Short),
            skew: canary.skew(),
        });
        Spelled {
            id: CanaryId::from_bits((u64::from(self.key) << 32) | u64::from(canary.serial)),
            sent_at: canary.sent_at(),
            reason: canary.reason(),
            answer,
            arrival,
            mismatch: more.mismatch,
            trace: more.trace,
            lost: canary.is_lost(),
            forgotten: canary.is_forgotten(),
            set_aside: canary.is_set_aside(),
            taught: canary.has_taught(),
        }
    }
}

impl From<Remembered> for Vec<Spelled> {
    fn from(remembered: Remembered) -> Self {
        remembered.canaries.iter().map(|canary| remembered.spell(canary)).collect()
    }
}
