//! Worlds drawn by chance, in which two or three failures overlap: only who has failed is named, once, and for as long as it lasts.
//!
//! `MAILCANARY_WORLDS=300` plays so many of each sort and prints what was wrong with them (`MAILCANARY_WORLDS_ALL`: each time); without it a
//! few are played, with which nothing may be wrong. Tolerated is that a warning becomes a page, and that a name is too wide where nothing of
//! what it covers delivers.

mod draw;
mod marks;

use std::collections::BTreeMap;

use mailcanary::cli::simulate::Native;
use mailcanary::model::{At, Culprit, Notice, Span};
use mailcanary::sandbox::simulate::{START, World};

use draw::Drawn;
use marks::{Fault, Marks};

/// How many worlds of each sort to play, as the environment says.
const HOW_MANY: &str = "MAILCANARY_WORLDS";
/// Whether to print every mistake.
const ALL: &str = "MAILCANARY_WORLDS_ALL";
/// Whether to print all that is told.
const NOTICES: &str = "MAILCANARY_WORLDS_TOLD";
/// How long it is watched after the last failure is over.
const AFTERWARDS: Span = Span::from_secs(2 * 3600);
/// How long a world is watched in which nothing is broken.
const QUIET: Span = Span::from_secs(4 * 3600);

/// What was told of it, until when.
fn play(drawn: &Drawn, seed: u64) -> (Vec<(At, Notice)>, At) {
    let climate = vec![(Culprit::Watcher {}, drawn.weather.1.clone())];
    let mut world = World::new(drawn.settings.routes.clone(), climate, seed, Native::new(&drawn.settings), ());
    for failure in &drawn.failures {
        world.trouble(failure.clone());
    }
    let end = if drawn.failures.is_empty() { world.now().plus(QUIET) } else { drawn.lasts().1.plus(AFTERWARDS) };
    world.run_until(end);
    (world.seen.notices, end)
}

/// What was wrong with all worlds of these seeds.
#[derive(Default)]
struct Table {
    worlds: usize,
    to_find: usize,
    /// Of each sort: in how many worlds, how often, and for how long together.
    faults: BTreeMap<Fault, (usize, usize, Span)>,
    told_after: Vec<Span>,
    over_after: Vec<Span>,
    lines: Vec<String>,
}

impl Table {
    fn of(seeds: impl Iterator<Item = u64>, draw: fn(u64) -> Drawn) -> Self {
        let mut table = Self::default();
        for seed in seeds {
            let drawn = draw(seed);
            let (notices, end) = play(&drawn, seed);
            if std::env::var_os(NOTICES).is_some() {
                let begun = drawn.failures.first().map_or(START, |f| f.from);
                for (at, n) in &notices {
                    let (after, quiet) = (at.as_ms() - begun.as_ms(), n.evidence.get("quiet").is_some());
                    println!(
                        "{:>6} s #{} {:?} {:?} {quiet} {} {}: {}",
                        after / 1000,
                        n.incident.0,
                        n.change,
                        n.severity,
                        n.kind.as_str(),
                        n.culprit,
                        n.summary
                    );
                }
            }
            table.add(seed, &drawn, marks::marks(&drawn, &notices, end));
        }
        table.told_after.sort();
        table.over_after.sort();
        table
    }

    fn add(&mut self, seed: u64, drawn: &Drawn, marks: Marks) {
        self.worlds += 1;
        self.to_find += marks.to_find;
        self.told_after.extend(marks.told_after);
        self.over_after.extend(marks.over_after);
        for fault in Fault::ALL {
            let mine: Vec<_> = marks.marks.iter().filter(|m| m.fault == fault).collect();
            let (worlds, times, lasted) = self.faults.entry(fault).or_default();
            *worlds += usize::from(!mine.is_empty());
            *times += mine.len();
            *lasted = mine.iter().fold(*lasted, |sum, m| sum + m.lasted);
        }
        if !marks.marks.is_empty() || std::env::var_os(NOTICES).is_some() {
            self.lines.push(format!("seed {seed}: {}", drawn.what()));
            let begins = drawn.failures.first().map(|f| f.from);
            for failure in &drawn.failures {
                let after = begins.map_or(Span::ZERO, |b| failure.from.since(b));
                self.lines.push(format!("    {after}: {} for {}", failure.harm, failure.until.since(failure.from)));
            }
            self.lines.extend(marks.marks.iter().map(|m| format!("  {:<12} {:>8}  {}", m.fault, m.lasted.to_string(), m.about)));
        }
    }

    fn worlds_with(&self, fault: Fault) -> usize {
        self.faults.get(&fault).map_or(0, |(worlds, ..)| *worlds)
    }

    fn print(&self) {
        if std::env::var_os(ALL).is_some() {
            self.lines.iter().for_each(|line| println!("{line}"));
        }
        println!("{} worlds, {} failures to be found", self.worlds, self.to_find);
        for (fault, (worlds, times, lasted)) in self.faults.iter().filter(|(_, (worlds, ..))| *worlds > 0) {
            println!("  {fault:<12} in {worlds:>4} worlds, {times:>4} times, {lasted} in all");
        }
        let at = |of: &[Span], share: usize| of.get((of.len() * share / 100).min(of.len().saturating_sub(1))).copied().unwrap_or_default();
        for (what, of) in [("told after", &self.told_after), ("over after", &self.over_after)] {
            println!("  {what}: median {}, 90 % {}, at most {}", at(of, 50), at(of, 90), at(of, 100));
        }
    }
}

/// The seeds to play: these, or as the environment says so many, or from which to which; and whether it says so.
fn seeds(few: &[u64]) -> (Vec<u64>, bool) {
    let said = std::env::var_os(HOW_MANY).map(|text| text.into_string().unwrap());
    let Some(said) = said else { return (few.to_vec(), false) };
    let (from, to) = said.split_once("..").unwrap_or(("0", &said));
    ((from.parse().unwrap()..to.parse().unwrap()).collect(), true)
}

/// Plays worlds of these seeds; unless it is to be measured, nothing may be wrong with what is told of them.
fn holds(few: &[u64], draw: fn(u64) -> Drawn) {
    let (seeds, is_measured) = seeds(few);
    let table = Table::of(seeds.into_iter(), draw);
    table.print();
    let wrong: Vec<String> = Fault::ALL.iter().filter(|f| table.worlds_with(**f) > 0).map(ToString::to_string).collect();
    assert!(is_measured || wrong.is_empty(), "{wrong:?}\n{}", table.lines.join("\n"));
}

#[test]
fn of_failures_that_overlap_each_is_told_as_whose_it_is() {
    // Everything was named for two of three providers and for a part of them; and providers, for inboxes that refuse everybody.
    holds(&[68, 84], draw::overlapping);
}

#[test]
fn of_failures_that_overlap_none_is_told_twice() {
    holds(&[4], draw::overlapping);
}

#[test]
fn from_the_first_start_nobody_is_called_while_all_is_well() {
    holds(&[0, 1, 2], draw::quiet);
}
