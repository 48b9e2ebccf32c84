//! Plays a scenario: an event queue in virtual time.

use std::collections::BTreeMap;

use super::Scenario;
use super::trouble::Harm;
use crate::model::{At, CanaryId, Class, Notice, Outcome, Placement, Reason, Route, Span};
use crate::sandbox::chance::Chance;
use crate::watchdog::{Effect, Event, Reads};

/// When stories begin.
pub const START: At = At::from_ms(1_700_000_000_000);
/// A provider answers after this long.
const ANSWERS_AFTER: Span = Span::from_ms(300);
/// The watcher notices after this long that it has no network.
const CUT_NOTICED_AFTER: Span = Span::from_secs(5);

/// Whatever watches: takes an event, and says what is to be done and when it wants to be woken.
pub trait Watching {
    /// Takes one event in.
    fn step(&mut self, at: At, event: Event) -> (Vec<Effect>, Option<At>);
}

/// What came of a story.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// Every notice, and when it was told.
    pub notices: Vec<(At, Notice)>,
    /// Routine canaries sent.
    pub routine: u64,
    /// Confirmations sent.
    pub confirmations: u64,
    /// Events taken in.
    pub events: u64,
}

struct World<'s> {
    scenario: &'s Scenario,
    chance: Chance,
    queue: BTreeMap<(At, u64), Event>,
    order: u64,
    now: At,
    wake: Option<At>,
    played: Played,
}

/// Plays the whole story.
pub fn play(scenario: &Scenario, watching: &mut impl Watching) -> Played {
    let mut world = World {
        scenario,
        chance: Chance::of(scenario.seed, "story", 0, "mail"),
        queue: BTreeMap::new(),
        order: 0,
        now: START,
        wake: None,
        played: Played::default(),
    };
    world.announce();
    world.feed(watching, Event::Started { seed: scenario.seed, reads: Reads::Implied });
    let end = START.plus(scenario.lasts);
    loop {
        let queued = world.queue.keys().next().map(|(at, _)| *at);
        let Some(next) = [queued, world.wake].into_iter().flatten().min().filter(|at| *at <= end) else { break };
        world.now = world.awake_at(next);
        if world.now > next || queued != Some(next) {
            // Slept through, or time for it: everything that came meanwhile is read afterwards.
            world.feed(watching, Event::Woke {});
        } else if let Some((_, event)) = world.queue.pop_first() {
            world.deliver(watching, event);
        }
    }
    world.played
}

impl World<'_> {
    fn at(&mut self, at: At, event: Event) {
        self.order += 1;
        self.queue.insert((at, self.order), event);
    }

    /// What the watcher is told of its own troubles.
    fn announce(&mut self) {
        for trouble in &self.scenario.troubles {
            let (start, end) = (START.plus(trouble.after), trouble.end(START));
            match &trouble.harm {
                Harm::Blind(inbox) => {
                    let inbox = inbox.clone();
                    self.at(start, Event::Blind { inbox: inbox.clone(), class: Some(Class::Auth), why: None });
                    self.at(end, Event::Sight { inbox });
                }
                Harm::Cut => {
                    self.at(start.plus(CUT_NOTICED_AFTER), Event::CutOff {});
                    self.at(end, Event::Connected {});
                }
                Harm::Sleep | Harm::Stop(_) | Harm::Hold(_) | Harm::Loss(..) | Harm::Slow(..) | Harm::Refuse(..) => {}
            }
        }
    }

    /// The end of a sleep that covers `at`, or `at`.
    fn awake_at(&mut self, at: At) -> At {
        let asleep = self.scenario.troubles.iter().find(|t| t.harm == Harm::Sleep && t.is_on(START, at));
        let Some(end) = asleep.map(|t| t.end(START)) else { return at };
        while let Some((key, event)) = self.queue.pop_first() {
            if key.0 >= end {
                self.queue.insert(key, event);
                break;
            }
            self.at(end, event);
        }
        end
    }

    /// Hands an event over, unless the watcher cannot see it now.
    fn deliver(&mut self, watching: &mut impl Watching, event: Event) {
        if let Event::Sighted { inbox, .. } = &event {
            let hidden = |t: &&super::Trouble| match &t.harm {
                Harm::Blind(name) => name == inbox,
                Harm::Cut => true,
                Harm::Sleep | Harm::Stop(_) | Harm::Hold(_) | Harm::Loss(..) | Harm::Slow(..) | Harm::Refuse(..) => false,
            };
            let until = self.scenario.troubles.iter().filter(hidden).filter(|t| t.is_on(START, self.now)).map(|t| t.end(START)).max();
            if let Some(until) = until {
                self.at(until, event);
                return;
            }
        }
        self.feed(watching, event);
    }

    fn feed(&mut self, watching: &mut impl Watching, event: Event) {
        self.played.events += 1;
        let (effects, wake) = watching.step(self.now, event);
        self.wake = wake;
        for effect in effects {
            match effect {
                Effect::Submit { canary, provider, stream, inbox, reason } => {
                    self.submit(canary, &Route { provider, stream, inbox }, reason);
                }
                Effect::Notify(notice) => self.played.notices.push((self.now, notice)),
                Effect::Look { .. } => {}
            }
        }
    }

    fn submit(&mut self, canary: CanaryId, route: &Route, reason: Reason) {
        match reason {
            Reason::Routine => self.played.routine += 1,
            Reason::Confirmation => self.played.confirmations += 1,
        }
        let (mut takes, mut outcome, mut held) = (self.scenario.weather.latency(self.now, &mut self.chance), Outcome::Accepted, None);
        for trouble in self.scenario.troubles.iter().filter(|t| t.is_on(START, self.now)) {
            match &trouble.harm {
                Harm::Stop(culprit) if culprit.covers(route) => takes = None,
                Harm::Hold(culprit) if culprit.covers(route) => held = Some(trouble.end(START)),
                Harm::Loss(culprit, share) if culprit.covers(route) && self.chance.hits(*share) => takes = None,
                Harm::Slow(culprit, factor) if culprit.covers(route) => {
                    takes = takes.map(|t| Span::from_ms((t.as_ms() as f64 * factor) as u64));
                }
                Harm::Refuse(culprit, class) if culprit.covers(route) => outcome = Outcome::Refused(*class),
                Harm::Cut => outcome = Outcome::Refused(Class::Network),
                Harm::Stop(_) | Harm::Hold(_) | Harm::Loss(..) | Harm::Slow(..) | Harm::Refuse(..) | Harm::Blind(_) | Harm::Sleep => {}
            }
        }
        let answer = Event::Answered { canary, outcome, reply: None, message_id: None, legs: Vec::new() };
        self.at(self.now.plus(ANSWERS_AFTER), answer);
        let Some(takes) = takes.filter(|_| outcome == Outcome::Accepted) else { return };
        let arrives = self.now.plus(takes);
        let arrives = self.scenario.weather.stalled_until(arrives).max(held).map_or(arrives, |until| until.max(arrives));
        let inbox = route.inbox.clone();
        let sighted = Event::Sighted { inbox, canary, placement: Placement::Inbox, arrived_at: arrives, seen_at: None, copy: None };
        self.at(arrives, sighted);
    }
}
