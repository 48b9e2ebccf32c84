//! A world in virtual time: an event queue, mail on its way, and whatever watches it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use super::figures::Learnt;
use super::mail::{self, Recurring};
use super::trouble::{Harm, Trouble};
use super::weather::Weather;
use crate::model::{At, CanaryId, Class, Culprit, Found, Looked, Name, Notice, Outcome, Placement, Reason, Route, Span};
use crate::sandbox::chance::Chance;
use crate::watchdog::{Effect, Event, Reads};

/// When worlds begin that are of no day of their own.
pub const START: At = At::from_ms(1_700_000_000_000);
/// A provider answers after this long.
const ANSWERS_AFTER: Span = Span::from_ms(300);
/// A second copy comes after this long.
const COPY_AFTER: Span = Span::from_secs(20);
/// What a mail says is known after this long.
const EXAMINED_AFTER: Span = Span::from_ms(200);
/// The watcher notices after this long that it has no network.
const CUT_NOTICED_AFTER: Span = Span::from_secs(5);

/// Records of the DNS, and blocklists, are asked this often by default…
const RECORDS_EVERY: Span = Span::from_secs(300);
const LISTS_EVERY: Span = Span::from_secs(1800);
/// …and once more so soon, where the answer is another than before.
const ASKED_AGAIN: Span = Span::from_secs(60);

/// Whatever watches: takes an event, and says what is to be done and when it wants to be woken.
pub trait Watching {
    /// Takes one event in.
    fn step(&mut self, at: At, event: Event) -> (Vec<Effect>, Option<At>);

    /// The share of healthy mail of `route` that is older than `age`, as learnt so far; `None`: it does not say.
    fn still_out(&self, route: &Route, age: Span) -> Option<f64>;
}

/// One canary of the world, as it knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// The place of its route among the world's.
    pub route: usize,
    /// When it was sent.
    pub sent: At,
    /// When it arrives, or arrived; `None`: never.
    pub arrives: Option<At>,
    /// Why it was sent.
    pub reason: Reason,
}

/// What is wanted of every canary that is sent.
pub trait Observing {
    /// A canary was sent; this becomes of it.
    fn saw(&mut self, flight: Flight);
}

/// Nobody wants to know.
impl Observing for () {
    fn saw(&mut self, _: Flight) {}
}

/// All of them are kept.
impl Observing for Vec<Flight> {
    fn saw(&mut self, flight: Flight) {
        self.push(flight);
    }
}

/// What came of it so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Every notice, and when it was told.
    pub notices: Vec<(At, Notice)>,
    /// Routine canaries sent.
    pub routine: u64,
    /// Confirmations sent.
    pub confirmations: u64,
    /// Events taken in.
    pub events: u64,
}

/// Healthy mail, and who it is of. Later ones win.
pub type Climate = Vec<(Culprit, Weather)>;

/// A world with a watcher `W`, whose canaries are reported to `O`.
#[derive(Clone, Debug)]
pub struct World<W, O = ()> {
    routes: Vec<Route>,
    climate: Climate,
    troubles: Vec<Trouble>,
    seed: u64,
    chance: Chance,
    queue: BTreeMap<(At, u64), Event>,
    order: u64,
    now: At,
    wake: Option<At>,
    /// Mail is looked at.
    examines: bool,
    /// What came of it since the last look.
    pub seen: Seen,
    /// Who watches.
    pub watcher: W,
    /// Who is told of every canary.
    pub observer: O,
}

impl<W: Watching, O: Observing> World<W, O> {
    /// A healthy world of these routes, in which the watcher has just been started.
    pub fn new(routes: Vec<Route>, climate: Climate, seed: u64, watcher: W, observer: O) -> Self {
        Self::begun(START, routes, climate, seed, watcher, observer)
    }

    /// The same at another time.
    pub fn begun(now: At, routes: Vec<Route>, climate: Climate, seed: u64, watcher: W, observer: O) -> Self {
        let mut world = Self {
            routes,
            climate,
            troubles: Vec::new(),
            seed,
            chance: Chance::of(seed, "world", 0, "mail"),
            queue: BTreeMap::new(),
            order: 0,
            now,
            wake: None,
            examines: false,
            seen: Seen::default(),
            watcher,
            observer,
        };
        world.feed(Event::Started { seed, reads: Reads::Implied });
        world
    }

    /// From here on chance plays otherwise: a world that was cloned becomes one of its own.
    pub fn reseed(&mut self, seed: u64) {
        self.chance = Chance::of(seed, "world", 1, "mail");
    }

    /// From here on mail is looked at, too.
    pub const fn examine(&mut self) {
        self.examines = true;
    }

    /// The time.
    pub const fn now(&self) -> At {
        self.now
    }

    /// Something will break.
    pub fn trouble(&mut self, trouble: Trouble) {
        let (from, until) = (trouble.from, trouble.until);
        match &trouble.harm {
            Harm::Blind(inbox) => {
                let (inbox, again) = (inbox.clone(), inbox.clone());
                self.at(from, Event::Blind { inbox, class: Some(Class::Auth), why: None });
                self.at(until, Event::Sight { inbox: again });
            }
            Harm::Cut => {
                self.at(from.plus(CUT_NOTICED_AFTER), Event::CutOff {});
                self.at(until, Event::Connected {});
            }
            Harm::Stranger(inbox, claim, from) => {
                let mail = mail::stranger(claim.clone(), from.clone(), self.order, trouble.from);
                self.at(trouble.from, Event::Strange { inbox: inbox.clone(), mail });
            }
            Harm::Record(_, subject, answers) => {
                let [before, after] = &**answers;
                let every = if subject.list.is_some() { LISTS_EVERY } else { RECORDS_EVERY };
                let (mut at, end) = (self.now, until.plus(every + every));
                while at < end {
                    for at in [at, at.plus(ASKED_AGAIN)] {
                        let answer = if at >= from && at < until { after } else { before };
                        let looked = Looked { subject: subject.clone(), found: Found::Answer(answer.clone()) };
                        self.at(at, Event::LookedUp { answers: vec![looked] });
                    }
                    at = at.plus(every);
                }
            }
            Harm::Sleep
            | Harm::Stop(_)
            | Harm::Hold(..)
            | Harm::Loss(..)
            | Harm::Slow(..)
            | Harm::Junk(..)
            | Harm::Refuse(..)
            | Harm::Twice(_)
            | Harm::Foreign(..)
            | Harm::ForeignRecurring(..)
            | Harm::Fails(..) => {}
        }
        self.troubles.push(trouble);
    }

    /// A mail that comes again and again comes at this time.
    pub fn recurs(&mut self, mail: &Recurring, at: At) {
        let event = Event::Strange { inbox: mail.inbox.clone(), mail: mail.at(at, &self.troubles) };
        self.at(at, event);
    }

    /// What the watcher has learnt by now of the routes that the failures will touch.
    pub(super) fn learnt(&self, places: &BTreeSet<usize>) -> Vec<Learnt> {
        let of = |place: &usize| {
            let route = self.routes.get(*place)?;
            let out = Learnt::ages().map(|age| Some((age, self.watcher.still_out(route, age)?))).collect::<Option<_>>()?;
            Some(Learnt { route: *place, out })
        };
        places.iter().filter_map(of).collect()
    }

    /// Lets time pass.
    pub fn run_until(&mut self, end: At) {
        loop {
            let queued = self.queue.keys().next().map(|(at, _)| *at);
            let Some(next) = [queued, self.wake].into_iter().flatten().min().filter(|at| *at <= end) else { break };
            self.now = self.awake_at(next);
            if self.now > next || queued != Some(next) {
                // Slept through, or time for it: everything that came meanwhile is read afterwards.
                self.feed(Event::Woke {});
            } else if let Some((_, event)) = self.queue.pop_first() {
                self.deliver(event);
            }
        }
        self.now = self.now.max(end);
    }

    fn at(&mut self, at: At, event: Event) {
        self.order += 1;
        self.queue.insert((at, self.order), event);
    }

    /// The end of a sleep that covers `at`, or `at`.
    fn awake_at(&mut self, at: At) -> At {
        let asleep = self.troubles.iter().find(|t| t.harm == Harm::Sleep && t.is_on(at));
        let Some(end) = asleep.map(|t| t.until) else { return at };
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
    fn deliver(&mut self, event: Event) {
        if let Event::Sighted { inbox, .. } = &event {
            let hidden = |t: &&Trouble| t.harm == Harm::Cut || matches!(&t.harm, Harm::Blind(name) if name == inbox);
            let until = self.troubles.iter().filter(hidden).filter(|t| t.is_on(self.now)).map(|t| t.until).max();
            if let Some(until) = until {
                self.at(until, event);
                return;
            }
        }
        self.feed(event);
    }

    fn feed(&mut self, event: Event) {
        self.seen.events += 1;
        let (effects, wake) = self.watcher.step(self.now, event);
        self.wake = wake;
        for effect in effects {
            match effect {
                Effect::Submit { canary, provider, stream, inbox, reason } => {
                    self.submit(canary, Route { provider, stream, inbox }, reason);
                }
                Effect::Notify(notice) => self.seen.notices.push((self.now, notice)),
                Effect::Look { .. } | Effect::Trace { .. } | Effect::Poll { .. } => {}
            }
        }
    }

    /// The address that mail of this route leaves by: the n-th provider of a world has the n-th of 198.51.100.0/24 (RFC 5737).
    fn sender(&self, route: &Route) -> IpAddr {
        let providers: BTreeSet<&Name> = self.routes.iter().take_while(|r| r.provider != route.provider).map(|r| &r.provider).collect();
        Ipv4Addr::new(198, 51, 100, u8::try_from(providers.len() + 1).unwrap_or(u8::MAX)).into()
    }

    fn submit(&mut self, canary: CanaryId, route: Route, reason: Reason) {
        match reason {
            Reason::Routine => self.seen.routine += 1,
            Reason::Confirmation => self.seen.confirmations += 1,
        }
        let weather = self.climate.iter().rev().find(|(of, _)| of.covers(&route)).map(|(_, weather)| weather);
        let mut takes = weather.and_then(|w| w.latency(self.now, &route, self.seed, &mut self.chance));
        let (mut outcome, mut placement, mut copies) = (Outcome::Accepted, Placement::Inbox, 1_u64);
        for trouble in self.troubles.iter().filter(|t| t.is_on(self.now)) {
            match &trouble.harm {
                Harm::Stop(culprit) if culprit.covers(&route) => takes = None,
                Harm::Loss(culprit, share) if culprit.covers(&route) && self.chance.hits(*share) => takes = None,
                Harm::Slow(culprit, factor) if culprit.covers(&route) => {
                    takes = takes.map(|t| Span::from_ms((t.as_ms() as f64 * factor) as u64));
                }
                Harm::Junk(culprit, share) if culprit.covers(&route) && self.chance.hits(*share) => placement = Placement::Junk,
                Harm::Refuse(culprit, class, share) if culprit.covers(&route) && self.chance.hits(*share) => {
                    outcome = Outcome::Refused(*class);
                }
                Harm::Twice(culprit) if culprit.covers(&route) => copies = 2,
                Harm::Cut => outcome = Outcome::Refused(Class::Network),
                Harm::Stop(_)
                | Harm::Hold(..)
                | Harm::Loss(..)
                | Harm::Slow(..)
                | Harm::Junk(..)
                | Harm::Refuse(..)
                | Harm::Twice(_)
                | Harm::Foreign(..)
                | Harm::ForeignRecurring(..)
                | Harm::Fails(..)
                | Harm::Record(..)
                | Harm::Stranger(..)
                | Harm::Blind(_)
                | Harm::Sleep => {}
            }
        }
        let arrives = takes.filter(|_| outcome == Outcome::Accepted).map(|takes| {
            let arrives = self.now.plus(takes);
            let stalled = weather.and_then(|w| w.stalled_until(arrives, &route, self.seed));
            let mut chosen = |share: f64| share >= 1.0 || self.chance.hits(share);
            let holds = |t: &&Trouble| {
                t.is_on(arrives) && matches!(&t.harm, Harm::Hold(culprit, share) if culprit.covers(&route) && chosen(*share))
            };
            let held = self.troubles.iter().filter(holds).map(|t| t.until).max();
            stalled.max(held).map_or(arrives, |until| until.max(arrives))
        });
        if let Some(place) = self.routes.iter().position(|r| *r == route) {
            self.observer.saw(Flight { route: place, sent: self.now, arrives, reason });
        }
        let answer = Event::Answered { canary, outcome, reply: None, hint: None, message_id: None, legs: Vec::new(), retry_after: None };
        self.at(self.now.plus(ANSWERS_AFTER), answer);
        if let Some(arrives) = arrives {
            let mail = self.examines.then(|| mail::examined(&route, self.sender(&route), self.now, placement, &self.troubles));
            let inbox = route.inbox;
            for n in 0..copies {
                let (inbox, copy) = (inbox.clone(), (copies > 1).then(|| format!("INBOX/1/{n}")));
                let sighted = Event::Sighted { inbox, canary, placement, arrived_at: arrives, seen_at: None, copy };
                self.at(arrives.plus(COPY_AFTER.scaled(n, 1)), sighted);
            }
            if let Some(mail) = mail {
                self.at(arrives.plus(EXAMINED_AFTER), Event::Examined { inbox, canary, mail });
            }
        }
    }
}
