//! The legs of the way: what each takes in health, between every provider and inbox, and which one grew when mail is slow.
//!
//! Kept small: of each leg a histogram for the metrics, at most 32 values of a day or so, and the newest canaries. What hosts write down is by
//! their own clocks: an offset that is always there is skew, and only what grew is delay.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::canary::{Canary, upper};
use super::count::Histogram;
use super::evidence;
use super::explain::shorten;
use super::index::Index;
use super::plan::Plan;
use super::sight::InboxState;
use super::state::State;
use crate::model::way::{Instants, Legs, STEP, Stay, Stretch, Trail, skew};
use crate::model::{At, CanaryId, Name, Outcome, Span, quoted};

/// Values of one leg that are kept, each…
const KEPT: usize = 32;
/// …so much younger than the one before it, once there are enough: a failure is noticed before it is most of them.
const APART: Span = Span::from_secs(900);
/// So many tell what is usual.
const ENOUGH: usize = 8;
/// The newest canaries whose legs are kept.
const NEWEST: usize = 8;
/// Stays of one canary: one a leg.
const STAYS: usize = 3;
/// Routes that are looked at: with more, the first tell as well as all.
const ROUTES_AT_MOST: usize = 16;
/// So many legs must be known before it is said that the others are as they were.
const KNOWN: usize = 3;
/// A leg has grown when it takes so much longer than usual…
const GROWN_MS: i64 = 2000;
/// …and has this share of all that grew.
const MOSTLY: f64 = 0.5;
/// The others are as they were when they have no more than this share of it together.
const BESIDES: f64 = 0.15;
/// What a host may seem to be off by: a clock that was never set is no reason to reckon with decades.
const FARTHEST_MS: i64 = 7 * 86_400_000;

/// What is known of the legs between one provider and one inbox.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Travel {
    pub(super) counts: [Histogram; 5],
    usual: [Usual; 5],
    newest: VecDeque<Travelled>,
}

/// What one leg takes in health, in milliseconds and as clocks say; the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Usual {
    values: Vec<i32>,
    newest_at: At,
}

/// The legs of one canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Travelled {
    canary: CanaryId,
    legs: [Option<i32>; 5],
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stays: Vec<Stay>,
}

impl Usual {
    fn learn(&mut self, at: At, ms: i32) {
        if self.values.len() >= KEPT {
            if at.since(self.newest_at) < APART {
                return;
            }
            self.values.remove(0);
        }
        self.values.push(ms);
        self.newest_at = at;
    }

    /// What this share of it takes no longer than, if there is enough of it.
    fn quantile(&self, share: f64) -> Option<i64> {
        let mut sorted = self.values.clone();
        sorted.sort_unstable();
        let place = (share * (sorted.len() as f64 - 1.0)).round().max(0.0) as usize;
        sorted.get(place).filter(|_| sorted.len() >= ENOUGH).map(|ms| i64::from(*ms))
    }
}

impl Travel {
    /// By how much each leg is off because clocks differ.
    fn off(&self) -> [i64; 5] {
        skew(&self.usual.each_ref().map(|usual| usual.quantile(0.1)))
    }

    /// Takes in what some legs of a canary took; legs that are known of it already stay. `teaches`: it is of health.
    ///
    /// What is counted has no clocks in it: neither what is always off between these two, nor what cannot be true of this canary. `whole` is
    /// all its legs, by which that shows. A leg of which nothing is left to say is not counted.
    fn take_in(&mut self, at: At, canary: CanaryId, (legs, whole): (&Legs, &Legs), stays: &[Stay], teaches: bool) {
        let place = self.newest.iter().position(|t| t.canary == canary).unwrap_or_else(|| {
            if self.newest.len() >= NEWEST {
                self.newest.pop_front();
            }
            self.newest.push_back(Travelled { canary, legs: [None; 5], stays: Vec::new() });
            self.newest.len() - 1
        });
        let off = self.off();
        let Some(newest) = self.newest.get_mut(place) else { return };
        let honest = honest(whole, newest.legs.last().copied().flatten(), &off);
        for (leg, ms) in legs.iter().enumerate().filter_map(|(leg, ms)| Some((leg, (*ms)?.clamp(-FARTHEST_MS, FARTHEST_MS)))) {
            let Some(known) = newest.legs.get_mut(leg).filter(|known| known.is_none()) else { continue };
            let kept = i32::try_from(ms).unwrap_or(if ms < 0 { i32::MIN } else { i32::MAX });
            *known = Some(kept);
            if let (Some(counts), Some(off)) = (self.counts.get_mut(leg), honest.get(leg).copied().flatten()) {
                counts.observe(span(ms - off));
            }
            if let Some(usual) = self.usual.get_mut(leg).filter(|_| teaches) {
                usual.learn(at, kept);
            }
        }
        if newest.stays.is_empty() {
            newest.stays.extend(stays.iter().take(STAYS).cloned());
        }
    }
}

/// What is to be taken off each leg so that clocks are out of it; nothing where that cannot be told. `seen_after`: the last leg, where it is
/// known already.
fn honest(whole: &Legs, seen_after: Option<i32>, off: &[i64; 5]) -> [Option<i64>; 5] {
    let mut level = *whole;
    if let Some(last) = level.last_mut() {
        *last = last.or(seen_after.map(i64::from));
    }
    let far = level.iter().flatten().any(|ms| ms.saturating_abs() > FARTHEST_MS);
    for (ms, off) in level.iter_mut().zip(off) {
        *ms = ms.map(|ms| ms.saturating_sub(*off));
    }
    let residue = skew(&level);
    let balanced = residue.iter().fold(0_i64, |sum, ms| sum.saturating_add(*ms)) == 0;
    let mut honest = [None; 5];
    for (place, ((honest, off), (ms, more))) in honest.iter_mut().zip(off).zip(level.into_iter().zip(residue)).enumerate() {
        // Sending and acceptance are by our own clock. What is negative and longer nowhere is nobody's time; of a clock that was never set
        // nothing is true.
        let known = place == 0 || !far && (balanced || ms.is_some_and(|ms| ms >= -STEP));
        *honest = known.then(|| off.saturating_add(more));
    }
    honest
}

fn span(ms: i64) -> Span {
    Span::from_ms(u64::try_from(ms).unwrap_or(0))
}

impl State {
    /// A canary was seen for the first time: its first leg is known by then, and its last.
    pub(super) fn travel_seen(&mut self, plan: &Plan, ix: &Index, slot: usize, id: CanaryId, seen: At) {
        let Some(canary) = self.routes.get(slot).and_then(|r| r.find(id)) else { return };
        let known = known(canary);
        // While its inbox could not be read it waited for us.
        let hidden = |inbox: &InboxState| inbox.blind.is_some() || known.arrived.is_some_and(|arrived| inbox.clear_from > arrived);
        let hidden = self.routes.get(slot).and_then(|r| self.inboxes.get(&r.route.inbox)).is_some_and(hidden);
        let instants = Instants { seen: Some(seen).filter(|_| !hidden), ..known };
        self.note_legs(plan, ix, slot, id, &instants, &[]);
    }

    /// What hosts wrote down of a canary's way.
    pub(super) fn travel(&mut self, plan: &Plan, ix: &Index, inbox: &Name, id: CanaryId, trail: &Trail) {
        let Some(slot) = ix.keys.get(&upper(id)).copied() else { return };
        let Some(route) = self.routes.get(slot).filter(|r| r.route.inbox == *inbox) else { return };
        let Some(canary) = route.find(id).filter(|c| c.has_arrived() && !trail.is_empty()) else { return };
        let instants = Instants { left: trail.left, taken: trail.taken, ..known(canary) };
        self.note_legs(plan, ix, slot, id, &instants, &trail.stays);
    }

    fn note_legs(&mut self, plan: &Plan, ix: &Index, slot: usize, id: CanaryId, instants: &Instants, stays: &[Stay]) {
        let (at, teaches) = (self.at, !self.in_alarm(plan, ix, slot));
        let Some(route) = self.routes.get(slot).map(|r| &r.route) else { return };
        if !self.travels.contains_key(&route.provider) {
            self.travels.insert(route.provider.clone(), BTreeMap::new());
        }
        let Some(of_provider) = self.travels.get_mut(&route.provider) else { return };
        if !of_provider.contains_key(&route.inbox) {
            of_provider.insert(route.inbox.clone(), Travel::default());
        }
        if let Some(travel) = of_provider.get_mut(&route.inbox) {
            travel.take_in(at, id, (&instants.legs(), &instants.whole()), stays, teaches);
        }
    }

    /// How long the legs between every provider and inbox of the plan took.
    pub(super) fn travelled(&self, plan: &Plan) -> BTreeMap<(Name, Name), [Histogram; 5]> {
        let pairs = plan.routes.iter().map(|r| (&r.route.provider, &r.route.inbox));
        let known = |(p, i): (&Name, &Name)| self.travel_of(p, i).map(|travel| travel.counts.clone()).unwrap_or_default();
        pairs.map(|(p, i)| ((p.clone(), i.clone()), known((p, i)))).collect()
    }

    fn travel_of(&self, provider: &Name, inbox: &Name) -> Option<&Travel> {
        self.travels.get(provider)?.get(inbox)
    }
}

/// The instants of a canary that its watcher knows. The receiver's clock as it stood, unless that is far off.
fn known(canary: &Canary) -> Instants {
    let within = canary.latency().map(|took| canary.sent_at().plus(took));
    let arrived = canary.reported_by().filter(|_| within.is_some()).or(within);
    let accepted = canary.answered_at().filter(|_| canary.outcome() != Some(Outcome::Unknown));
    Instants { sent: canary.sent_at(), accepted, arrived, ..Instants::default() }
}

/// The leg in which slow mail waits.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grown {
    leg: Stretch,
    /// What it takes now, and what nine in ten took before, without what clocks differ by.
    now: Span,
    before: Span,
    /// The others that grew too, with the same figures; none: they are as they were.
    others: Vec<(Stretch, Span, Span)>,
    /// Of so many legs it is known.
    known: usize,
    /// Where one of these mails lay longest.
    stay: Option<Stay>,
    /// Of so many canaries.
    canaries: usize,
}

/// One leg of one slow canary.
struct Slow {
    leg: usize,
    grew: i64,
    now: i64,
    before: i64,
}

/// Whether hosts have told anything of the newest mail over these routes: cheaper to ask than what.
pub(super) fn is_told(state: &State, routes: &[usize]) -> bool {
    let routes = routes.iter().take(ROUTES_AT_MOST).filter_map(|slot| state.routes.get(*slot));
    let mut travels = routes.filter_map(|r| state.travel_of(&r.route.provider, &r.route.inbox));
    travels.any(|travel| travel.newest.iter().any(|t| matches!(t.legs, [_, Some(_), ..] | [_, _, _, Some(_), _])))
}

/// Which leg of the mail over these routes grew, if one did: of the canaries among the newest that took longer than nearly all, and were sent
/// at `since` or later.
pub(super) fn grown(state: &State, routes: &[usize], since: Option<At>) -> Option<Grown> {
    let mut slow: Vec<Slow> = Vec::new();
    let mut stays: Vec<&Stay> = Vec::new();
    let mut canaries = 0;
    for slot in routes.iter().take(ROUTES_AT_MOST) {
        let Some(route) = state.routes.get(*slot) else { continue };
        let Some(travel) = state.travel_of(&route.route.provider, &route.route.inbox) else { continue };
        let usual = evidence::usual(route);
        let is_slow = |c: &&Canary| c.latency().is_some_and(|took| took > usual) && since.is_none_or(|since| c.sent_at() >= since);
        let mut late = travel.newest.iter().filter(|t| route.find(t.canary).filter(is_slow).is_some()).peekable();
        if late.peek().is_none() {
            continue;
        }
        let (off, usual) = (travel.off(), travel.usual.each_ref().map(|usual| usual.quantile(0.5).zip(usual.quantile(0.9))));
        for travelled in late {
            let before = slow.len();
            for (leg, ((now, off), usual)) in travelled.legs.iter().zip(off).zip(usual).enumerate() {
                let (Some(now), Some((half, most))) = (now.map(i64::from), usual) else { continue };
                slow.push(Slow { leg, grew: now - half, now: now - off, before: most - off });
            }
            canaries += usize::from(slow.len() > before);
            stays.extend(&travelled.stays);
        }
    }
    let median = |leg: usize, of: fn(&Slow) -> i64| {
        let mut all: Vec<i64> = slow.iter().filter(|s| s.leg == leg).map(of).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied()
    };
    let mut legs: Vec<(i64, Stretch, Span, Span)> = Vec::new();
    for (place, leg) in Stretch::ALL.into_iter().enumerate() {
        let figures = (median(place, |s| s.grew), median(place, |s| s.now), median(place, |s| s.before));
        if let (Some(grew), Some(now), Some(before)) = figures {
            legs.push((grew.max(0), leg, span(now), span(before)));
        }
    }
    legs.sort_by_key(|(grew, ..)| std::cmp::Reverse(*grew));
    let all: i64 = legs.iter().map(|(grew, ..)| *grew).sum();
    let (grew, leg, now, before) = *legs.first()?;
    if grew < GROWN_MS || (grew as f64) < MOSTLY * all as f64 {
        return None;
    }
    let known = legs.len();
    let besides = (all - grew) as f64 > BESIDES * all as f64;
    let others = legs.into_iter().skip(1).filter(|(more, ..)| besides && *more >= GROWN_MS);
    let others = others.map(|(_, leg, now, before)| (leg, now, before)).collect();
    // The longest stay in this leg is told if it is most of it.
    let here = stays.into_iter().filter(|stay| stay.leg == leg).max_by_key(|stay| stay.took);
    let stay = here.filter(|stay| stay.took.as_ms() >= now.as_ms() / 2).cloned();
    Some(Grown { leg, now, before, others, known, stay, canaries })
}

impl Grown {
    /// For the sentence of a page: behind it, without a point.
    pub(super) fn in_words(&self) -> String {
        let host = |name: &str| if name.is_empty() { "a host that does not say its name".to_owned() } else { quoted(&shorten(name, 60)) };
        let stay = self.stay.as_ref().map_or_else(String::new, |stay| {
            let at = if stay.at.is_empty() { String::new() } else { format!("at {}, ", host(&stay.at)) };
            format!(" ({at}before {} had it)", host(&stay.next))
        });
        let others = if self.others.is_empty() && self.known < KNOWN {
            String::new()
        } else if self.others.is_empty() {
            "; the other legs are as they were".to_owned()
        } else {
            let one = |(leg, now, before): &(Stretch, Span, Span)| format!("{} takes {now} where 90 % take {before}", leg.as_str());
            format!("; {}", self.others.iter().map(one).collect::<Vec<_>>().join(", "))
        };
        format!("the mail waits {}{stay}: {} where 90 % take {}{others}", self.leg.in_words(), self.now, self.before)
    }

    /// For the evidence.
    pub(super) fn facts(&self) -> Value {
        let other = |(leg, now, before): &(Stretch, Span, Span)| json!({ "leg": leg.as_str(), "seconds": now.as_secs_f64(), "usual_seconds": before.as_secs_f64() });
        json!({
            "leg": self.leg.as_str(),
            "seconds": self.now.as_secs_f64(),
            "usual_seconds": self.before.as_secs_f64(),
            "at": self.stay.as_ref().map(|stay| stay.at.as_str()),
            "next": self.stay.as_ref().map(|stay| stay.next.as_str()),
            "others": self.others.iter().map(other).collect::<Vec<_>>(),
            "canaries": self.canaries,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_not_overrun_by_what_is_new() {
        let mut usual = Usual::default();
        let at = |secs: u64| At::from_ms(0).plus(Span::from_secs(secs));
        (0..7).for_each(|n| usual.learn(at(n), 3000));
        assert_eq!(usual.quantile(0.9), None, "not enough");
        (7..40).for_each(|n| usual.learn(at(n * 60), 3000));
        (40..80).for_each(|n| usual.learn(at(n * 60), 400_000));
        assert_eq!((usual.values.len(), usual.quantile(0.9)), (KEPT, Some(3000)), "{usual:?}");
    }

    #[test]
    fn a_constant_offset_is_skew_and_not_counted() {
        let mut travel = Travel::default();
        let at = At::from_ms(1000);
        for n in 0..20 {
            take_in(&mut travel, n, [Some(100), Some(61_000), Some(-58_000), Some(1000), Some(200)]);
        }
        assert_eq!(travel.off(), [0, 58_000, -58_000, 0, 0]);
        assert_eq!(travel.newest.len(), NEWEST);
        assert_eq!(travel.counts.each_ref().map(|c| c.sum_ms), [2000, 60_000, 0, 20_000, 4000], "from the first one on");
        let before = travel.counts.clone();
        take_in(&mut travel, 19, [Some(5); 5]);
        assert_eq!(travel.counts, before, "known already");
        travel.take_in(
            at,
            CanaryId::from_bits(20),
            (&[None, Some(61_000), Some(-58_000), None, None], &[Some(0), Some(61_000), Some(-58_000), None, None]),
            &[],
            true,
        );
        assert_eq!(travel.counts[1].sum_ms - before[1].sum_ms, 3000);
        assert_eq!(travel.counts[2].sum_ms - before[2].sum_ms, 0);
    }

    fn take_in(travel: &mut Travel, n: u64, legs: Legs) {
        travel.take_in(At::from_ms(1000), CanaryId::from_bits(n), (&legs, &legs), &[], true);
    }

    #[test]
    fn a_clock_that_is_wrong_once_is_not_counted_either() {
        let sums = |legs: Legs| {
            let mut travel = Travel::default();
            take_in(&mut travel, 1, legs);
            travel.counts.each_ref().map(|c| (c.sum_ms, c.buckets.iter().sum::<u64>()))
        };
        let (hour, one) = (3_600_000, |ms| (ms, 1));
        assert_eq!(sums([Some(100), Some(hour), Some(1000 - hour), Some(0), Some(200)]), [one(100), one(1000), one(0), one(0), one(200)]);
        // The receiver is behind: it was seen before it came.
        assert_eq!(sums([Some(100), Some(2000 - hour), None, None, Some(hour)]), [one(100), one(0), (0, 0), (0, 0), one(2000)]);
        // What nothing makes up for is nobody's time, and a clock that was never set tells nothing.
        assert_eq!(sums([Some(100), Some(900), None, Some(-hour), Some(0)])[1..4], [one(0), (0, 0), (0, 0)]);
        let never = 1_660_000_000_000;
        assert_eq!(sums([Some(100), Some(-never), Some(never), Some(0), Some(0)]), [one(100), (0, 0), (0, 0), (0, 0), (0, 0)]);
    }
}
