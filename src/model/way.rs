//! The whole way of a canary in five legs, from what is known of its instants: our own, and those that hosts wrote into its mail.

use serde::{Deserialize, Serialize};

use super::{At, Hop, Side, Span};

/// Bytes of a host's name that are kept with a [`Stay`].
const NAME: usize = 80;
/// A stay that is shorter than this is not worth its name: receivers tell the second.
const WORTH_A_NAME: Span = Span::from_secs(2);
/// Stamps have steps of a second, cut off: so much backwards is no clock that differs.
pub const STEP: i64 = 1500;

/// One leg of the whole way. What a mail waits for stands in the leg before the stamp of whoever has it next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stretch {
    /// From sending until the provider has accepted it.
    Submission,
    /// From there to the stamp of the provider's last host; where the provider writes none, to the receiver's first.
    Provider,
    /// From the provider's last host to the receiver's first: the way, the provider's last queue, and whatever the receiver puts off.
    Transit,
    /// From the receiver's first host to the receiver's own time of arrival.
    Receiver,
    /// From there until it was seen.
    Observation,
}

/// What each leg took, in milliseconds, by clocks that differ: a leg may be negative.
pub type Legs = [Option<i64>; 5];

impl Stretch {
    /// Every leg, in the order of the way.
    pub const ALL: [Self; 5] = [Self::Submission, Self::Provider, Self::Transit, Self::Receiver, Self::Observation];

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Provider => "provider",
            Self::Transit => "transit",
            Self::Receiver => "receiver",
            Self::Observation => "observation",
        }
    }

    /// Where a mail is on it, for people.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Submission => "until the provider has taken it",
            Self::Provider => "at the provider",
            Self::Transit => "between the provider's last host and the receiver's first",
            Self::Receiver => "at the receiver",
            Self::Observation => "in the inbox until it is seen",
        }
    }
}

/// Where a mail lay longest on one leg: between the hosts of one leg clocks differ less than between those of two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    /// On which leg.
    pub leg: Stretch,
    /// At which host, at most 80 bytes; empty where it does not say. Foreign text.
    pub at: String,
    /// Which host had it next, at most 80 bytes. Foreign text.
    pub next: String,
    /// How long.
    pub took: Span,
}

/// What the stamps of hosts say of a mail's legs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trail {
    /// The stamp of the provider's last host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<At>,
    /// The stamp of the receiver's first host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<At>,
    /// Where it lay longest on each leg, if that was long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stays: Vec<Stay>,
}

impl Trail {
    /// What these hops say, the first first.
    #[must_use]
    pub fn of(hops: &[Hop]) -> Self {
        let on_side = |side: Side| hops.iter().filter(move |hop| hop.side == Some(side)).filter_map(|hop| hop.at);
        let left = on_side(Side::Provider).next_back();
        let taken = on_side(Side::Receiver).next();
        let mut stays: Vec<Stay> = Vec::new();
        let (mut before, mut border) = ("", false);
        for hop in hops {
            let leg = match hop.side {
                Some(Side::Receiver) if border => Stretch::Receiver,
                Some(Side::Receiver | Side::Between) if left.is_some() => Stretch::Transit,
                Some(_) | None => Stretch::Provider,
            };
            border |= hop.side == Some(Side::Receiver);
            if let Some(took) = hop.took.filter(|took| *took >= WORTH_A_NAME) {
                let stay = Stay { leg, at: cut(before), next: cut(if hop.by.is_empty() { &hop.from } else { &hop.by }), took };
                match stays.iter_mut().find(|known| known.leg == leg) {
                    Some(known) if known.took >= took => {}
                    Some(known) => *known = stay,
                    None => stays.push(stay),
                }
            }
            before = &hop.by;
        }
        Self { left, taken, stays }
    }

    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.left.is_none() && self.taken.is_none()
    }
}

/// The instants of a canary's way, as far as they are known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Instants {
    /// When it was sent.
    pub sent: At,
    /// When its provider accepted it.
    pub accepted: Option<At>,
    /// The stamp of the provider's last host.
    pub left: Option<At>,
    /// The stamp of the receiver's first host.
    pub taken: Option<At>,
    /// The receiver's own time of arrival, as it stood.
    pub arrived: Option<At>,
    /// When it was seen.
    pub seen: Option<At>,
}

impl Instants {
    /// The same as if it was accepted when it was sent, and with all between acceptance and arrival as the provider's leg where no host says
    /// more: between two instants by our own clock nothing is missing then, and what clocks differ by shows.
    #[must_use]
    pub fn whole(&self) -> Legs {
        let known = Self { accepted: self.accepted.or(Some(self.sent)), ..*self };
        match self.taken {
            Some(_) => known.legs(),
            None => Self { taken: self.arrived, ..known }.legs(),
        }
    }

    /// What each leg took.
    #[must_use]
    pub fn legs(&self) -> Legs {
        let between = |from: Option<At>, to: Option<At>| Some(to?.as_ms().saturating_sub(from?.as_ms()));
        // Stamps of hosts that nobody can place on the way say nothing.
        let left = self.left.filter(|_| self.taken.is_some());
        [
            between(Some(self.sent), self.accepted),
            between(self.accepted, left.or(self.taken)),
            between(left, self.taken),
            between(self.taken, self.arrived),
            between(self.arrived, self.seen),
        ]
    }
}

/// By how much each leg is off because clocks differ, from what each takes at least: a clock that is ahead makes the leg before its stamp longer
/// and the one after it negative. Of what is negative the leg that was made longer is told, the nearest first. Sums stay what they are.
#[must_use]
pub fn skew(least: &Legs) -> [i64; 5] {
    let mut least = least.map(|ms| ms.unwrap_or(0));
    let mut off = [0_i64; 5];
    // Sending and acceptance are by one clock, ours.
    if let (Some(least), Some(off)) = (least.get_mut(1..), off.get_mut(1..)) {
        level(least, off);
    }
    off
}

/// The same for any row of stretches: what is negative in `least` becomes nothing there, and `off` says by how much each was off.
pub(super) fn level(least: &mut [i64], off: &mut [i64]) {
    for leg in 0..least.len() {
        for distance in 1..least.len() {
            if least.get(leg).is_none_or(|ms| *ms >= -STEP) {
                break;
            }
            for other in [leg.checked_sub(distance), leg.checked_add(distance)].into_iter().flatten() {
                let short = least.get(leg).map_or(0, |ms| if *ms < -STEP { ms.saturating_neg() } else { 0 });
                let room = least.get(other).map_or(0, |ms| (*ms).max(0));
                let moved = short.min(room);
                for (place, by) in [(leg, moved), (other, moved.saturating_neg())] {
                    if let (Some(ms), Some(off)) = (least.get_mut(place), off.get_mut(place)) {
                        *ms = ms.saturating_add(by);
                        *off = off.saturating_sub(by);
                    }
                }
            }
        }
        // What no other leg can make up for is a clock that is behind for good.
        if let (Some(ms), Some(off)) = (least.get_mut(leg), off.get_mut(leg))
            && *ms < -STEP
        {
            *off = off.saturating_add(*ms);
            *ms = 0;
        }
    }
}

fn cut(name: &str) -> String {
    let end = name.char_indices().map(|(at, c)| at.saturating_add(c.len_utf8())).take_while(|end| *end <= NAME).last().unwrap_or(0);
    name.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(legs: [i64; 5]) -> Legs {
        legs.map(|s| Some(s * 1000))
    }

    #[test]
    fn a_clock_that_is_ahead_is_told_from_a_mail_that_waits() {
        assert_eq!(skew(&secs([1, 2, 3, 4, 5])), [0; 5]);
        // The provider's last host is a minute ahead.
        assert_eq!(skew(&secs([0, 61, -58, 1, 0])), [0, 58_000, -58_000, 0, 0]);
        // Both hosts of the receiver are: the leg between the provider's last and them is longer, and what is seen is seen before it came.
        assert_eq!(skew(&secs([0, 1, 61, 0, -57])), [0, 0, 57_000, 0, -57_000]);
        // A host that is behind: the leg before it is negative, the one after it longer.
        assert_eq!(skew(&secs([0, -30, 33, 1, 0])), [0, -30_000, 30_000, 0, 0]);
        // What nothing makes up for.
        assert_eq!(skew(&secs([0, -30, 0, 0, 0])), [0, -30_000, 0, 0, 0]);
        // Of two hosts whose clocks differ each way nothing is left but what the mail took.
        assert_eq!(skew(&secs([0, 61, -58, 4, -2])), [0, 58_000, -58_000, 2000, -2000]);
        assert_eq!(skew(&[None, Some(-900), None, Some(-1500), None]), [0; 5], "steps of a second");
        assert_eq!(skew(&[Some(i64::MAX), Some(i64::MIN), Some(i64::MAX), Some(i64::MIN), None]).len(), 5, "and nothing overflows");
    }

    #[test]
    fn legs_are_what_lies_between_the_instants_that_are_known() {
        let at = |ms| Some(At::from_ms(ms));
        let known =
            Instants { sent: At::from_ms(0), accepted: at(300), left: at(1000), taken: at(5000), arrived: at(6000), seen: at(6500) };
        assert_eq!(known.legs(), [Some(300), Some(700), Some(4000), Some(1000), Some(500)]);
        assert_eq!(Instants { left: None, ..known }.legs(), [Some(300), Some(4700), None, Some(1000), Some(500)]);
        assert_eq!(Instants { taken: None, ..known }.legs(), [Some(300), None, None, None, Some(500)]);
        assert_eq!(Instants { accepted: None, arrived: None, ..known }.legs(), [None, None, Some(4000), None, None]);
        assert_eq!(known.whole(), known.legs());
        assert_eq!(Instants { accepted: None, ..known }.whole(), [Some(0), Some(1000), Some(4000), Some(1000), Some(500)]);
        assert_eq!(Instants { taken: None, left: None, ..known }.whole(), [Some(300), Some(5700), None, Some(0), Some(500)]);
    }
}
