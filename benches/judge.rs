//! What the core costs: events a second, one third each of wake-ups, answers and sightings, and memory for each route.
//!
//! `cargo bench --bench judge [-- ROUTES…]`; 10 and 10,000 routes unless said otherwise. Prints figures and asserts nothing.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use mailcanary::config::{Settings, parse};
use mailcanary::model::{At, Outcome, Placement, Span};
use mailcanary::watchdog::{Effect, Event, Watchdog};

/// When the world begins.
const START: At = At::from_ms(1_700_000_000_000);
/// What health looks like is learnt first, from so many canaries on each route or from so many in all, whichever is less.
const LEARNT: (u64, u64) = (180, 400_000);
/// A provider answers after this long.
const ANSWERS_AFTER: Span = Span::from_ms(300);
/// So many events are timed, or a little more.
const TIMED: u64 = 2_000_000;

/// So many providers, streams and inboxes.
fn matrix(routes: u64) -> (u64, u64, u64) {
    match routes {
        0..=20 => (2, 1, routes.div_ceil(2)),
        21..=400 => (4, 1, routes.div_ceil(4)),
        _ => (10, 10, routes.div_ceil(100)),
    }
}

fn settings(routes: u64) -> Settings {
    let (providers, streams, inboxes) = matrix(routes);
    let mut text = "[watch]\nevery = \"1m\"\ninstance = \"bench\"\n".to_owned();
    let mut table = |lines: std::fmt::Arguments<'_>| text.write_fmt(lines).unwrap_or_default();
    (0..streams).for_each(|s| table(format_args!("[stream.s{s}]\nsubject = \"Stream {s}\"\n")));
    (0..providers).for_each(|p| {
        table(format_args!("[provider.p{p}.smtp]\nfrom = \"a@example.com\"\nhost = \"127.0.0.1\"\nport = 25\ntls = \"none\"\n"));
    });
    (0..inboxes).for_each(|i| {
        let host = "host = \"127.0.0.1\"\nport = 143\ntls = \"none\"\npassword = { env = \"P\" }\n";
        table(format_args!("[inbox.i{i}.imap]\naddress = \"seed{i}@example.org\"\nusername = \"seed{i}\"\n{host}"));
    });
    table(format_args!("[sink.hook.webhook]\nurl = \"http://127.0.0.1:9/\"\n"));
    parse(&text, "bench").map_or_else(|complaints| unreachable!("{complaints:?}"), |checked| checked.settings)
}

/// A healthy world: half of the mail takes up to four seconds, a tenth longer than ten, and none is lost.
struct World {
    watchdog: Watchdog,
    queue: BTreeMap<(At, u64), Event>,
    sent: u64,
    events: [u64; 3],
    spent: Duration,
}

impl World {
    fn latency(&self) -> Span {
        let share = (self.sent.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / (1_u64 << 24) as f64;
        Span::from_ms((4000.0 * (1.0 / (1.0 - share) - 1.0).powf(0.4)) as u64)
    }

    fn feed(&mut self, at: At, kind: usize, event: Event) {
        if let Some(count) = self.events.get_mut(kind) {
            *count += 1;
        }
        let begun = Instant::now();
        let step = self.watchdog.step(at, event);
        self.spent += begun.elapsed();
        for effect in step.map(|s| s.effects).unwrap_or_default() {
            let Effect::Submit { canary, inbox, .. } = effect else { continue };
            self.sent += 1;
            let arrived_at = at.plus(ANSWERS_AFTER).plus(self.latency());
            let answered = Event::Answered {
                canary,
                outcome: Outcome::Accepted,
                reply: None,
                hint: None,
                message_id: None,
                legs: Vec::new(),
                retry_after: None,
            };
            let sighted = Event::Sighted { inbox, canary, placement: Placement::Inbox, arrived_at, seen_at: None, copy: None };
            self.queue.insert((at.plus(ANSWERS_AFTER), self.sent), answered);
            self.queue.insert((arrived_at, self.sent), sighted);
        }
    }

    fn run(&mut self, done: impl Fn(&Self, At) -> bool) {
        loop {
            let queued = self.queue.keys().next().map(|(at, _)| *at);
            let Some(at) = [queued, self.watchdog.wake_at()].into_iter().flatten().min() else { return };
            if done(self, at) {
                return;
            }
            match self.queue.first_entry().filter(|e| e.key().0 == at).map(|e| e.remove()) {
                Some(event @ Event::Answered { .. }) => self.feed(at, 1, event),
                Some(event) => self.feed(at, 2, event),
                None => self.feed(at, 0, Event::Woke {}),
            }
        }
    }
}

/// Resident memory, in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|p| p.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn measure(routes: u64) {
    let before = resident();
    let settings = settings(routes);
    let watchdog = Watchdog::new(&settings);
    let planned = resident().saturating_sub(before);
    let mut world = World { watchdog, queue: BTreeMap::new(), sent: 0, events: [0; 3], spent: Duration::ZERO };
    world.feed(START, 0, Event::Started { seed: 7, reads: mailcanary::watchdog::Reads::Implied });
    let (each, all) = LEARNT;
    world.run(|w, _| w.sent >= (routes * each).min(all));
    let memory = resident().saturating_sub(before);
    (world.events, world.spent, world.sent) = ([0; 3], Duration::ZERO, 0);
    world.run(|w, _| w.events.iter().sum::<u64>() >= TIMED);
    let [wakes, answers, sightings] = world.events;
    let each = |count: u64| count as f64 / world.sent.max(1) as f64;
    let seconds = world.spent.as_secs_f64();
    println!("{routes} routes:");
    println!("  events a second         {:>12.0}", (wakes + answers + sightings) as f64 / seconds);
    println!("  canaries a second       {:>12.0}", world.sent as f64 / seconds);
    println!(
        "  events of a canary      {:>12.2}  (wake-ups {:.2}, answers {:.2}, sightings {:.2})",
        each(wakes + answers + sightings),
        each(wakes),
        each(answers),
        each(sightings)
    );
    let kib = |bytes: u64| bytes as f64 / 1024.0 / routes as f64;
    println!(
        "  memory of a route, KiB  {:>12.2}  (with the {:.2} that the settings take, and all that is in flight)",
        kib(memory),
        kib(planned)
    );
}

fn main() {
    let asked: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let routes = if asked.is_empty() { vec![10, 10_000] } else { asked };
    routes.into_iter().for_each(measure);
}
