//! Draws worlds by a seed: who sends to whom and how often, how long healthy mail takes, and two or three failures that overlap.

use mailcanary::config::Settings;
use mailcanary::model::{At, Class, Culprit, Route, Span};
use mailcanary::sandbox::simulate::{Harm, START, Trouble, Weather};

use super::super::world::{name, settings};

/// No more canaries a second: a test is to end.
const AT_MOST_A_SECOND: f64 = 0.4;
/// Of its own routes, which no other failure touches, a failure has had at least so many canaries.
const OWN_CANARIES: f64 = 8.0;

/// A world, and what will break in it.
pub struct Drawn {
    pub settings: Settings,
    /// The name of its weather, and the weather.
    pub weather: (&'static str, Weather),
    /// In the order in which they begin.
    pub failures: Vec<Trouble>,
}

impl Drawn {
    /// Who sends to whom, in few words.
    pub fn what(&self) -> String {
        let watched = &self.settings;
        let (p, s, i) = (watched.providers.len(), watched.streams.len(), watched.inboxes.len());
        format!("{p} x {s} x {i}, {}, {}", watched.watch.every, self.weather.0)
    }

    /// When the first failure begins, and the last is over.
    pub fn lasts(&self) -> (At, At) {
        let from = self.failures.iter().map(|f| f.from).min().unwrap();
        (from, self.failures.iter().map(|f| f.until).max().unwrap())
    }

    /// The routes that this failure alone touches.
    pub fn own(&self, of: &Trouble) -> impl Iterator<Item = &Route> {
        let (mine, others) = (of.harm.culprit(), self.failures.iter().filter(|f| *f != of).map(|f| f.harm.culprit()).collect::<Vec<_>>());
        self.settings.routes.iter().filter(move |r| mine.covers(r) && !others.iter().any(|other| other.covers(r)))
    }

    /// How many routine canaries are sent over these while it lasts.
    pub fn canaries(&self, of: &Trouble) -> f64 {
        self.own(of).count() as f64 * of.until.since(of.from).as_secs_f64() / self.settings.watch.every.as_secs_f64()
    }
}

/// Numbers that look random (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn between(&mut self, from: Span, to: Span) -> Span {
        Span::from_ms(from.as_ms() + (self.unit() * (to.as_ms() - from.as_ms()) as f64) as u64)
    }
}

fn minutes(n: u64) -> Span {
    Span::from_secs(60 * n)
}

/// What healthy mail does.
fn weathers() -> [(&'static str, Weather); 7] {
    let steady = Weather::steady();
    [
        ("steady", steady.clone()),
        ("clean", Weather { grey: 0.002, lost: 0.0005, ..steady.clone() }),
        ("dirty", Weather { grey: 0.1, lost: 0.005, sigma: 1.0, ..steady.clone() }),
        ("heavy tail", Weather { tail: 0.05, ..steady.clone() }),
        ("quick", Weather { median: Span::from_secs(1), sigma: 0.4, grey: 0.0, ..steady.clone() }),
        ("slow", Weather { median: Span::from_secs(20), sigma: 0.5, ..steady.clone() }),
        ("lossy", Weather { lost: 0.03, ..steady }),
    ]
}

/// A world in which nothing is broken.
fn calm(dice: &mut Dice) -> Drawn {
    let (providers, inboxes, mut streams) = (2 + dice.below(4), 1 + dice.below(6), dice.one(&[1, 1, 1, 2, 2, 3]));
    let mut every = Span::from_secs(dice.one(&[30, 60, 60, 120, 300]));
    while (providers * inboxes * streams) as f64 / every.as_secs_f64() > AT_MOST_A_SECOND {
        if every < Span::from_secs(300) {
            every = every.scaled(2, 1).min(Span::from_secs(300));
        } else {
            streams -= 1;
        }
    }
    let all = weathers();
    let weather = all[dice.below(all.len())].clone();
    Drawn { settings: settings(providers, streams, inboxes, every), weather, failures: Vec::new() }
}

/// A world in which nothing will break.
pub fn quiet(seed: u64) -> Drawn {
    calm(&mut Dice::new(seed))
}

/// A world in which two or three failures overlap, and something delivers all the while.
pub fn overlapping(seed: u64) -> Drawn {
    let mut dice = Dice::new(seed);
    loop {
        let mut drawn = calm(&mut dice);
        let begins = START.plus(dice.between(minutes(100), minutes(220)));
        // They begin together, or one after another.
        let (count, at_once) = (dice.one(&[2, 3, 3]), dice.below(5) < 2);
        for nth in 0..count {
            let failure = failure(&mut dice, &drawn, (nth, at_once), begins);
            drawn.failures.push(failure);
        }
        if is_fair(&drawn) {
            drawn.failures.sort_by_key(|f| f.from);
            return drawn;
        }
    }
}

fn failure(dice: &mut Dice, drawn: &Drawn, (nth, at_once): (usize, bool), begins: At) -> Trouble {
    let longer = if drawn.settings.watch.every > minutes(2) { 2 } else { 1 };
    let lasts = dice.between(minutes(15 * longer), minutes(60 * longer));
    let from = match drawn.failures.first().filter(|_| nth > 0) {
        Some(first) if at_once => first.from.plus(dice.between(Span::ZERO, minutes(4))),
        Some(first) => first.from.plus(dice.between(Span::ZERO, first.until.since(first.from).scaled(4, 5))),
        None => begins,
    };
    Trouble { from, until: from.plus(lasts), harm: harm(dice, &drawn.settings) }
}

fn harm(dice: &mut Dice, watched: &Settings) -> Harm {
    let nth = |letter: char, n: usize| name(&format!("{letter}{n}"));
    let provider = nth('p', dice.below(watched.providers.len()));
    let stream = nth('s', dice.below(watched.streams.len()));
    let inbox = nth('i', dice.below(watched.inboxes.len()));
    let culprit = match dice.below(20) {
        0..8 => Culprit::Provider(provider),
        8..15 => Culprit::Inbox(inbox),
        15..17 => Culprit::Stream(provider, stream),
        // Of one stream alone the route is the path.
        17 if watched.streams.len() > 1 => Culprit::Path(provider, inbox),
        _ => Culprit::Route(provider, stream, inbox),
    };
    match dice.below(20) {
        0..9 => Harm::Stop(culprit),
        9..14 => Harm::Loss(culprit, dice.one(&[0.3, 0.5, 0.7, 0.9])),
        14..16 => Harm::Slow(culprit, dice.one(&[5.0, 8.0, 12.0, 20.0])),
        16..18 => Harm::Junk(culprit, dice.one(&[0.5, 1.0])),
        // What is refused of one stream alone is told of the account first.
        _ => match culprit {
            Culprit::Provider(_) => Harm::Refuse(culprit, Class::Suspended, 1.0),
            Culprit::Inbox(_) | Culprit::Route(..) => Harm::Refuse(culprit, Class::Policy, 1.0),
            Culprit::Stream(..) | Culprit::Path(..) | Culprit::Watcher {} => Harm::Stop(culprit),
        },
    }
}

/// Whether each failure can be told from the others: none is part of another, no two are parts of one provider, each has enough routes of
/// its own, and something is touched by none.
fn is_fair(drawn: &Drawn) -> bool {
    let routes = &drawn.settings.routes;
    let all: Vec<Culprit> = drawn.failures.iter().map(|f| f.harm.culprit()).collect();
    let within = |a: &Culprit, b: &Culprit| routes.iter().all(|r| !a.covers(r) || b.covers(r));
    let provider = |culprit: &Culprit| match culprit {
        Culprit::Provider(p) | Culprit::Stream(p, _) | Culprit::Path(p, _) | Culprit::Route(p, ..) => Some(p.clone()),
        Culprit::Inbox(_) | Culprit::Watcher {} => None,
    };
    let apart = |(n, a): (usize, &Culprit)| {
        all.iter().skip(n + 1).all(|b| !within(a, b) && !within(b, a) && (provider(a).is_none() || provider(a) != provider(b)))
    };
    let inboxes = all.iter().filter(|c| matches!(c, Culprit::Inbox(_))).count();
    all.iter().enumerate().all(apart)
        && inboxes < 3
        && routes.iter().any(|r| all.iter().all(|c| !c.covers(r)))
        && drawn.failures.iter().all(|f| drawn.canaries(f) >= OWN_CANARIES)
}
