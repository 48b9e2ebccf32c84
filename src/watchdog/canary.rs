//! One canary in memory: small, since each route remembers an hour of them and more.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::trace::Trace;
use crate::model::{At, CanaryId, Fate, Outcome, Placement, Reason, Span};

/// One canary. What is seldom there, or needed only until it has arrived, stands apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Spelled", into = "Spelled")]
pub(super) struct Canary {
    pub(super) sent_at: At,
    more: Option<Box<More>>,
    /// The upper half of its id.
    key: u32,
    /// The lower half of its id.
    pub(super) serial: u32,
    /// Milliseconds from sending to the answer, and to the arrival.
    answered_after: u32,
    arrived_after: u32,
    /// Which copy of it was seen first.
    copy: Option<Copied>,
    /// Milliseconds by which the receiver's clock stood after what is taken for the arrival.
    skew: i16,
    outcome: Option<Outcome>,
    placement: Option<Placement>,
    pub(super) reason: Reason,
    end: End,
    /// No evidence: the watcher slept, or died before it learnt the fate.
    pub(super) set_aside: bool,
    /// Its latency was learnt from.
    pub(super) taught: bool,
}

const _: () = assert!(size_of::<Canary>() <= 48, "there are thousands of them");

/// Whether it is still looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    /// Its deadline passed while its inbox could be read.
    Lost,
    /// Not looked for any more, or never known to have left: it is not in flight.
    Forgotten,
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

/// How a submission ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) at: At,
    pub(super) outcome: Outcome,
    pub(super) reply: Option<String>,
    /// What to mend first, where the answer gives away more than its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<Box<str>>,
    /// The provider's id of the message, while it may be asked after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message_id: Option<Box<str>>,
}

/// Where and when a canary was seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrival {
    /// By the receiver's clock, clamped to what ours allows.
    pub(super) at: At,
    pub(super) placement: Placement,
    pub(super) copy: Option<Copied>,
    /// The receiver's clock as it stood.
    pub(super) reported: At,
}

/// A copy's name, as short as it takes to tell copies of one canary apart: a half of what numbers it (`folder/UIDVALIDITY`), a half of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Copied(NonZeroU32);

impl Copied {
    /// The copy with this name.
    pub(super) fn of(name: &str) -> Self {
        let numbering = name.rsplit_once('/').map_or(name, |(numbering, _)| numbering);
        Self(NonZeroU32::new((short(numbering) << 16) | short(name)).unwrap_or(NonZeroU32::MIN))
    }

    /// Whether the same folder numbers both: within it, another UID is another message.
    const fn is_numbered_with(self, other: Self) -> bool {
        self.0.get() >> 16 == other.0.get() >> 16
    }
}

/// Sixteen bits of FNV-1a.
fn short(text: &str) -> u32 {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 16) ^ (hash & 0xffff)
}

impl Canary {
    /// A canary that is being sent.
    pub(super) fn new(id: CanaryId, sent_at: At, reason: Reason) -> Self {
        Self {
            sent_at,
            more: None,
            key: upper(id),
            serial: lower(id),
            answered_after: 0,
            arrived_after: 0,
            copy: None,
            skew: 0,
            outcome: None,
            placement: None,
            reason,
            end: End::Open,
            set_aside: false,
            taught: false,
        }
    }

    pub(super) fn id(&self) -> CanaryId {
        CanaryId::from_bits((u64::from(self.key) << 32) | u64::from(self.serial))
    }

    /// From sending to arrival. Sending and not acceptance: a provider that takes a minute to answer has delayed the mail.
    pub(super) fn latency(&self) -> Option<Span> {
        self.placement.map(|_| Span::from_ms(u64::from(self.arrived_after)))
    }

    pub(super) const fn has_arrived(&self) -> bool {
        self.placement.is_some()
    }

    /// Where it was seen first.
    pub(super) const fn placement(&self) -> Option<Placement> {
        self.placement
    }

    /// How the submission ended.
    pub(super) const fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// When it did.
    pub(super) fn answered_at(&self) -> Option<At> {
        self.outcome.map(|_| self.sent_at.plus(Span::from_ms(u64::from(self.answered_after))))
    }

    pub(super) const fn refused(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Refused(_)))
    }

    /// Whether it may still come.
    pub(super) fn in_flight(&self) -> bool {
        !self.has_arrived() && self.end == End::Open && !self.refused()
    }

    pub(super) fn is_lost(&self) -> bool {
        self.end == End::Lost
    }

    pub(super) fn is_forgotten(&self) -> bool {
        self.end == End::Forgotten
    }

    /// The provider's words, as long as it has not arrived.
    pub(super) fn reply(&self) -> Option<&str> {
        self.more.as_ref()?.reply.as_deref()
    }

    /// What its refusal gives away besides its class.
    pub(super) fn hint(&self) -> Option<&str> {
        self.more.as_ref()?.hint.as_deref()
    }

    /// The provider's id of the message, while it may be asked after.
    pub(super) fn message_id(&self) -> Option<&str> {
        self.more.as_ref()?.message_id.as_deref()
    }

    /// What is wrong with the mail that came in its stead.
    pub(super) fn mismatch(&self) -> Option<&str> {
        self.more.as_ref()?.mismatch.as_deref()
    }

    /// What its provider was asked of it, and said.
    pub(super) fn trace(&self) -> Option<&Trace> {
        self.more.as_ref()?.trace.as_deref()
    }

    /// The same, to add to; `first` if it was never asked.
    pub(super) fn trace_mut(&mut self, first: impl FnOnce() -> Trace) -> &mut Trace {
        self.more.get_or_insert_default().trace.get_or_insert_with(|| Box::new(first()))
    }

    pub(super) fn answer(&mut self, answer: Answer) {
        self.answered_after = after(self.sent_at, answer.at);
        self.outcome = Some(answer.outcome);
        if !self.has_arrived() && (answer.reply.is_some() || answer.hint.is_some() || answer.message_id.is_some()) {
            let more = self.more.get_or_insert_default();
            (more.reply, more.hint, more.message_id) = (answer.reply.map(String::into_boxed_str), answer.hint, answer.message_id);
        }
    }

    /// It was seen: nobody need be asked after it, and what was said of it as long as it was missing is of no use any more.
    pub(super) fn arrive(&mut self, arrival: &Arrival) {
        self.arrived_after = after(self.sent_at, arrival.at);
        self.placement = Some(arrival.placement);
        self.copy = arrival.copy;
        self.skew = skew(arrival);
        if let Some(more) = &mut self.more {
            (more.reply, more.hint, more.message_id) = (None, None, None);
            // That it left and was handed over is plain now; where every canary is told of, this is most of what is told.
            more.trace.take_if(|trace| trace.said.as_ref().is_some_and(|said| matches!(said.fate, Fate::Stuck | Fate::HandedOff)));
        }
        self.more.take_if(|more| **more == More::default());
    }

    /// Whether it was seen once before as another message. The same message read again, moved to or labelled in a second folder, or
    /// renumbered by its server (a new UIDVALIDITY), is one copy: its time of arrival stays. Without a name every sighting is one of its own.
    pub(super) fn is_another_copy(&self, again: &Arrival) -> bool {
        match (self.copy, again.copy) {
            (Some(a), Some(b)) => a != b && (a.is_numbered_with(b) || self.reported_by() != reported_by(again)),
            _ => true,
        }
    }

    /// The receiver's clock at the first sighting; where it is far off, only that it is.
    pub(super) fn reported_by(&self) -> Option<At> {
        let arrived_at = self.sent_at.plus(Span::from_ms(u64::from(self.arrived_after)));
        (i16::MIN < self.skew && self.skew < i16::MAX).then(|| At::from_ms(arrived_at.as_ms().saturating_add(i64::from(self.skew))))
    }

    /// A mail came that is not what was waited for. Says whether that is news.
    pub(super) fn mismatches(&mut self, why: &str) -> bool {
        let news = self.mismatch().is_none();
        if news {
            self.more.get_or_insert_default().mismatch = Some(why.into());
        }
        news
    }

    pub(super) const fn lose(&mut self) {
        self.end = End::Lost;
    }

    /// It is no evidence, and not looked for any more.
    pub(super) fn forget(&mut self) {
        self.set_aside = true;
        if self.end == End::Open {
            self.end = End::Forgotten;
        }
    }
}

fn reported_by(arrival: &Arrival) -> Option<At> {
    let skew = skew(arrival);
    (i16::MIN < skew && skew < i16::MAX).then_some(arrival.reported)
}

fn skew(arrival: &Arrival) -> i16 {
    let ms = arrival.reported.as_ms().saturating_sub(arrival.at.as_ms());
    i16::try_from(ms).unwrap_or(if ms < 0 { i16::MIN } else { i16::MAX })
}

fn after(sent_at: At, at: At) -> u32 {
    u32::try_from(at.since(sent_at).as_ms()).unwrap_or(u32::MAX)
}

/// The half of an id that counts.
pub(super) fn lower(id: CanaryId) -> u32 {
    u32::try_from(id.bits() & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

/// The half of an id that says which route.
pub(super) fn upper(id: CanaryId) -> u32 {
    u32::try_from(id.bits() >> 32).unwrap_or(u32::MAX)
}

/// A canary in a checkpoint.
#[derive(Serialize, Deserialize)]
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
#[derive(Serialize, Deserialize)]
struct SpelledArrival {
    at: At,
    placement: Placement,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copy: Option<SpelledCopy>,
    #[serde(default)]
    skew: i16,
}

/// A copy, or its name in checkpoints of earlier versions.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SpelledCopy {
    Short(Copied),
    Name(String),
}

const fn is_false(value: &bool) -> bool {
    !*value
}

impl From<Spelled> for Canary {
    fn from(spelled: Spelled) -> Self {
        let mut canary = Self::new(spelled.id, spelled.sent_at, spelled.reason);
        if let Some(answer) = spelled.answer {
            canary.answer(answer);
        }
        if let Some(SpelledArrival { at, placement, copy, skew }) = spelled.arrival {
            let copy = copy.map(|copy| match copy {
                SpelledCopy::Short(copy) => copy,
                SpelledCopy::Name(name) => Copied::of(&name),
            });
            canary.arrive(&Arrival { at, placement, copy, reported: At::from_ms(at.as_ms().saturating_add(i64::from(skew))) });
        }
        if spelled.mismatch.is_some() || spelled.trace.is_some() {
            let more = canary.more.get_or_insert_default();
            (more.mismatch, more.trace) = (spelled.mismatch, spelled.trace);
        }
        canary.end = match (spelled.lost, spelled.forgotten) {
            (true, _) => End::Lost,
            (false, true) => End::Forgotten,
            (false, false) => End::Open,
        };
        (canary.set_aside, canary.taught) = (spelled.set_aside, spelled.taught);
        canary
    }
}

impl From<Canary> for Spelled {
    fn from(canary: Canary) -> Self {
        let (id, answered_at) = (canary.id(), canary.answered_at());
        let more = canary.more.map_or_else(More::default, |more| *more);
        let answer = canary.outcome.zip(answered_at).map(|(outcome, at)| Answer {
            at,
            outcome,
            reply: more.reply.map(String::from),
            hint: more.hint,
            message_id: more.message_id,
        });
        let arrival = canary.placement.map(|placement| SpelledArrival {
            at: canary.sent_at.plus(Span::from_ms(u64::from(canary.arrived_after))),
            placement,
            copy: canary.copy.map(SpelledCopy::Short),
            skew: canary.skew,
        });
        Self {
            id,
            sent_at: canary.sent_at,
            reason: canary.reason,
            answer,
            arrival,
            mismatch: more.mismatch,
            trace: more.trace,
            lost: canary.end == End::Lost,
            forgotten: canary.end == End::Forgotten,
            set_aside: canary.set_aside,
            taught: canary.taught,
        }
    }
}
