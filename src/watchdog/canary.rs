//! One canary in memory: small, since each route remembers an hour of them and more.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::model::{At, CanaryId, Class, Outcome, Placement, Reason, Span};

/// One canary. What is seldom there stands apart, with its route: see [`super::remembered`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Canary {
    /// When it was sent, and what takes a few bits.
    word: u64,
    /// The lower half of its id; the upper one is its route's.
    pub(super) serial: u32,
    /// Milliseconds from sending to the answer, and the lower bits of the skew.
    answered: u32,
    /// Milliseconds from sending to the arrival.
    arrived_after: u32,
    /// Which copy of it was seen first.
    copy: Option<Copied>,
}

const _: () = assert!(size_of::<Canary>() <= 24, "there are hundreds of thousands of them");

/// Some bits of a word.
#[derive(Clone, Copy)]
struct Bits {
    from: u32,
    width: u32,
}

impl Bits {
    const fn of(self, word: u64) -> u64 {
        (word >> self.from) & self.most()
    }

    const fn put(self, word: &mut u64, value: u64) {
        *word = (*word & !(self.most() << self.from)) | ((value & self.most()) << self.from);
    }

    const fn most(self) -> u64 {
        (1 << self.width) - 1
    }
}

/// Milliseconds since 1970: until the year 2248.
const SENT: Bits = Bits { from: 0, width: 43 };
const OUTCOME: Bits = Bits { from: 43, width: 4 };
const PLACEMENT: Bits = Bits { from: 47, width: 3 };
const CONFIRMS: Bits = Bits { from: 50, width: 1 };
const END: Bits = Bits { from: 51, width: 2 };
const SET_ASIDE: Bits = Bits { from: 53, width: 1 };
const TAUGHT: Bits = Bits { from: 54, width: 1 };
/// Milliseconds by which the receiver's clock stood after what is taken for the arrival, as 16 bits in two's complement.
const SKEW_ABOVE: Bits = Bits { from: 55, width: 9 };
/// Nine hours: no provider takes as long to answer.
const ANSWERED: Bits = Bits { from: 0, width: 25 };
const SKEW_BELOW: Bits = Bits { from: 25, width: 7 };

/// Whether it is still looked for: yes.
const OPEN: u64 = 0;
/// Its deadline passed while its inbox could be read.
const LOST: u64 = 1;
/// Not looked for any more, or never known to have left: it is not in flight.
const FORGOTTEN: u64 = 2;

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
    pub(super) fn new(serial: u32, sent_at: At, reason: Reason) -> Self {
        let mut canary = Self { word: 0, serial, answered: 0, arrived_after: 0, copy: None };
        canary.put(SENT, u64::try_from(sent_at.as_ms()).unwrap_or(0).min(SENT.most()));
        canary.put(CONFIRMS, u64::from(reason == Reason::Confirmation));
        canary
    }

    const fn put(&mut self, bits: Bits, value: u64) {
        bits.put(&mut self.word, value);
    }

    pub(super) fn sent_at(&self) -> At {
        At::from_ms(SENT.of(self.word).cast_signed())
    }

    pub(super) const fn reason(&self) -> Reason {
        if CONFIRMS.of(self.word) == 0 { Reason::Routine } else { Reason::Confirmation }
    }

    /// No evidence: the watcher slept, or died before it learnt the fate.
    pub(super) const fn is_set_aside(&self) -> bool {
        SET_ASIDE.of(self.word) != 0
    }

    pub(super) fn set_aside(&mut self, is: bool) {
        self.put(SET_ASIDE, u64::from(is));
    }

    /// Its latency was learnt from.
    pub(super) const fn has_taught(&self) -> bool {
        TAUGHT.of(self.word) != 0
    }

    pub(super) const fn teach(&mut self) {
        self.put(TAUGHT, 1);
    }

    /// From sending to arrival. Sending and not acceptance: a provider that takes a minute to answer has delayed the mail.
    pub(super) fn latency(&self) -> Option<Span> {
        self.has_arrived().then(|| Span::from_ms(u64::from(self.arrived_after)))
    }

    pub(super) const fn has_arrived(&self) -> bool {
        PLACEMENT.of(self.word) != 0
    }

    /// Where it was seen first.
    pub(super) fn placement(&self) -> Option<Placement> {
        Placement::ALL.get(usize::try_from(PLACEMENT.of(self.word)).ok()?.checked_sub(1)?).copied()
    }

    /// How the submission ended.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        match OUTCOME.of(self.word) {
            0 => None,
            1 => Some(Outcome::Accepted),
            2 => Some(Outcome::Unknown),
            class => Class::ALL.get(usize::try_from(class).ok()?.checked_sub(3)?).map(|class| Outcome::Refused(*class)),
        }
    }

    /// When it did.
    pub(super) fn answered_at(&self) -> Option<At> {
        self.outcome().map(|_| self.sent_at().plus(Span::from_ms(ANSWERED.of(u64::from(self.answered)))))
    }

    pub(super) const fn refused(&self) -> bool {
        OUTCOME.of(self.word) > 2
    }

    /// Whether it may still come.
    pub(super) const fn in_flight(&self) -> bool {
        !self.has_arrived() && END.of(self.word) == OPEN && !self.refused()
    }

    pub(super) const fn is_lost(&self) -> bool {
        END.of(self.word) == LOST
    }

    pub(super) const fn is_forgotten(&self) -> bool {
        END.of(self.word) == FORGOTTEN
    }

    pub(super) fn answer(&mut self, at: At, outcome: Outcome) {
        let place = |class: Class| Class::ALL.iter().zip(3..).find(|(other, _)| **other == class).map_or(0, |(_, place)| place);
        let code = match outcome {
            Outcome::Accepted => 1,
            Outcome::Unknown => 2,
            Outcome::Refused(class) => place(class),
        };
        self.put(OUTCOME, code);
        let after = u64::from(after(self.sent_at(), at)).min(ANSWERED.most());
        self.put_below(ANSWERED, after);
    }

    fn put_below(&mut self, bits: Bits, value: u64) {
        let mut word = u64::from(self.answered);
        bits.put(&mut word, value);
        self.answered = u32::try_from(word).unwrap_or(u32::MAX);
    }

    /// It was seen.
    pub(super) fn arrive(&mut self, arrival: &Arrival) {
        let placed = Placement::ALL.iter().zip(1..).find(|(other, _)| **other == arrival.placement);
        self.put(PLACEMENT, placed.map_or(0, |(_, place)| place));
        self.arrived_after = after(self.sent_at(), arrival.at);
        self.copy = arrival.copy;
        let skew = u64::from(skew(arrival).cast_unsigned());
        self.put(SKEW_ABOVE, skew >> SKEW_BELOW.width);
        self.put_below(SKEW_BELOW, skew);
    }

    /// Which copy of it was seen first.
    pub(super) const fn copy(&self) -> Option<Copied> {
        self.copy
    }

    /// Milliseconds by which the receiver's clock stood after what is taken for the arrival.
    pub(super) fn skew(&self) -> i16 {
        let bits = (SKEW_ABOVE.of(self.word) << SKEW_BELOW.width) | SKEW_BELOW.of(u64::from(self.answered));
        u16::try_from(bits).unwrap_or(0).cast_signed()
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
        let (arrived_at, skew) = (self.sent_at().plus(Span::from_ms(u64::from(self.arrived_after))), self.skew());
        is_near(skew).then(|| At::from_ms(arrived_at.as_ms().saturating_add(i64::from(skew))))
    }

    pub(super) const fn lose(&mut self) {
        self.put(END, LOST);
    }

    /// It is no evidence, and not looked for any more.
    pub(super) const fn forget(&mut self) {
        self.put(SET_ASIDE, 1);
        if END.of(self.word) == OPEN {
            self.put(END, FORGOTTEN);
        }
    }
}

const fn is_near(skew: i16) -> bool {
    i16::MIN < skew && skew < i16::MAX
}

fn reported_by(arrival: &Arrival) -> Option<At> {
    let skew = skew(arrival);
    is_near(skew).then_some(arrival.reported)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind.
    fn placements() -> impl Iterator<Item = Placement> {
        Placement::ALL.into_iter()
    }

    #[test]
    fn each_bit_keeps_to_itself() {
        let sent_at = At::from_ms(1_659_987_000_123);
        let outcomes = [Outcome::Accepted, Outcome::Unknown].into_iter().chain(Class::ALL.map(Outcome::Refused));
        for (outcome, placement) in outcomes.flat_map(|o| placements().map(move |p| (o, p))) {
            for skew in [0, 1, -1, 127, -128, 32_766, -32_767] {
                let mut canary = Canary::new(7, sent_at, Reason::Confirmation);
                assert!(canary.in_flight() && canary.outcome().is_none() && canary.placement().is_none() && canary.answered_at().is_none());
                canary.teach();
                canary.answer(sent_at.plus(Span::from_ms(33_554_430)), outcome);
                let (at, copy) = (sent_at.plus(Span::from_secs(90_000)), Some(Copied::of("INBOX/1/2")));
                canary.arrive(&Arrival { at, placement, copy, reported: At::from_ms(at.as_ms() + skew) });
                canary.set_aside(true);
                canary.lose();
                assert_eq!((canary.sent_at(), canary.reason(), canary.serial), (sent_at, Reason::Confirmation, 7));
                assert_eq!((canary.outcome(), canary.placement(), canary.copy()), (Some(outcome), Some(placement), copy));
                assert_eq!(canary.answered_at(), Some(sent_at.plus(Span::from_ms(33_554_430))));
                assert_eq!((i64::from(canary.skew()), canary.reported_by()), (skew, Some(At::from_ms(at.as_ms() + skew))));
                assert_eq!(canary.latency(), Some(Span::from_secs(90_000)));
                assert!(canary.has_taught() && canary.is_set_aside() && canary.is_lost() && !canary.is_forgotten());
                canary.set_aside(false);
                assert!(!canary.is_set_aside() && canary.has_taught() && canary.is_lost());
            }
        }
    }

    #[test]
    fn what_is_out_of_reach_is_cut() {
        let mut canary = Canary::new(7, At::from_ms(1_000), Reason::Routine);
        canary.answer(At::from_ms(1_000).plus(Span::from_secs(1_000_000)), Outcome::Accepted);
        assert_eq!(canary.answered_at(), Some(At::from_ms(1_000).plus(Span::from_ms(ANSWERED.most()))));
        let at = At::from_ms(2_000);
        canary.arrive(&Arrival { at, placement: Placement::Inbox, copy: None, reported: At::from_ms(9_000_000) });
        assert_eq!((canary.reported_by(), canary.skew()), (None, i16::MAX));
        assert_eq!(Canary::new(7, At::from_ms(-5), Reason::Routine).sent_at(), At::from_ms(0));
    }
}
