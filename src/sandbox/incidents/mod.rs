//! Incidents that have been, each as a file: what broke, what could be seen of it from outside, and what is expected of whoever watches.
//!
//! They are played in virtual time, through a watcher that has lived through some hours of health before. A failure that lasted for
//! days is cut to what it takes to see what it does.

mod library;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Deserialize;

use super::simulate::{Broken, Duration, Failure, Harm, Recurring, ScenarioError, Trouble, Watching, Weather, World, sense};
use crate::model::{At, Change, Culprit, IncidentId, Kind, Name, Notice, Route, Severity, Span};

/// Health before anything breaks.
const LEARNS: Span = Span::from_secs(2 * 3600);
/// When those begin of which nobody tells the time of day.
const NOON: &str = "12:00";
/// Of one that recurs so many are played before the beginning, and after it.
const RECURS: usize = 100;
/// How long it is watched after the last failure is over.
const AFTERWARDS: Span = Span::from_secs(3600);

/// One incident of the library.
#[derive(Clone, Debug)]
pub struct Incident {
    /// The name of its file.
    pub name: &'static str,
    /// Whose it was.
    pub title: String,
    /// The day, as far as it is known.
    pub date: String,
    /// The time of that day, if it is known, in UTC.
    pub time: Option<String>,
    /// Where it is told.
    pub source: String,
    /// What could be seen of it from outside.
    pub seen: String,
    /// Who sends to whom.
    pub routes: Vec<Route>,
    /// The watcher's configuration.
    pub configuration: String,
    /// What breaks, with the words that tell of it.
    pub failures: Vec<(Failure, String)>,
    /// What is expected.
    pub expected: Vec<Expected>,
    /// How many incidents page, no more and no fewer.
    pub pages: usize,
    /// What people ask of it: whether it was told before the last failure.
    pub asks: Option<String>,
    /// What comes through a provider again and again, and is expected.
    recurring: Vec<Recurring>,
    /// Health before anything breaks.
    learns: Span,
    /// When it begins.
    begins: At,
}

/// One incident that a watcher is expected to tell of; it pages for no other.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Any of these.
    pub kinds: Vec<Kind>,
    /// Whose.
    pub culprit: Culprit,
    /// How loud it is at its loudest.
    pub severity: Severity,
    #[serde(default)]
    after: Duration,
    within: Duration,
}

impl Expected {
    /// When it begins, after all was well.
    #[must_use]
    pub const fn after(&self) -> Span {
        self.after.0
    }

    /// How long it may take until it is told as loudly as that.
    #[must_use]
    pub const fn within(&self) -> Span {
        self.within.0
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    title: String,
    date: String,
    time: Option<String>,
    source: String,
    seen: String,
    providers: Vec<Name>,
    inboxes: Vec<Name>,
    stream: Name,
    pages: usize,
    asks: Option<String>,
    learns: Option<Duration>,
    #[serde(default)]
    recurring: Vec<Recurring>,
    failure: Vec<Broken>,
    expect: Vec<Expected>,
}

/// The name of every incident, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    library::FILES.iter().map(|(name, _)| *name)
}

/// The incident with this name, if there is one.
///
/// # Errors
/// If its file is not as it should be.
pub fn find(name: &str) -> Option<Result<Incident, ScenarioError>> {
    library::FILES.iter().find(|(known, _)| *known == name).map(|(name, text)| Incident::parse(name, text))
}

impl Incident {
    fn parse(name: &'static str, text: &str) -> Result<Self, ScenarioError> {
        let text: Text = toml_edit::de::from_str(text)?;
        let configuration = configuration(&text);
        let route = |provider: &Name, inbox: &Name| Route { provider: provider.clone(), stream: text.stream.clone(), inbox: inbox.clone() };
        let routes: Vec<Route> = text.providers.iter().flat_map(|p| text.inboxes.iter().map(move |i| route(p, i))).collect();
        let mut failures = Vec::new();
        for mut broken in text.failure {
            let say = std::mem::take(&mut broken.say);
            let failure = broken.failure()?;
            if !routes.iter().any(|r| failure.harm.culprit().covers(r)) {
                return Err(sense("failure.culprit", format!("`{}` is not in the matrix", failure.harm.culprit())));
            }
            failures.push((failure, say));
        }
        if let Some(stray) = text.recurring.iter().find(|mail| !routes.contains(&mail.route(&text.stream))) {
            return Err(sense("recurring", format!("`{}` is in no route of the matrix", stray.inbox)));
        }
        let Text { title, date, time, source, seen, pages, asks, learns, recurring, expect, .. } = text;
        let learns = learns.map_or(LEARNS, |learns| learns.0);
        let begins = At::from_rfc3339(&format!("{date}T{}:00Z", time.as_deref().unwrap_or(NOON)));
        let begins = begins.ok_or_else(|| sense("date", "a day is written 2022-08-07, and a time of it 19:30".to_owned()))?;
        Ok(Self {
            name,
            title,
            date,
            time,
            source,
            seen,
            routes,
            configuration,
            failures,
            expected: expect,
            pages,
            asks,
            recurring,
            learns,
            begins,
        })
    }

    /// When it begins: at its own time; at noon of its day where only that is known.
    #[must_use]
    pub const fn begins(&self) -> At {
        self.begins
    }

    /// When the last thing broke that is asked about: mail itself.
    #[must_use]
    pub fn outage(&self) -> At {
        let of_delivery = |failure: &&Failure| failure.harm.is_of_mail() && !matches!(failure.harm, Harm::Foreign(..) | Harm::Fails(..));
        let last = self.failures.iter().map(|(failure, _)| failure).filter(of_delivery).map(|failure| failure.after).max();
        self.begins().plus(last.unwrap_or_default())
    }

    /// What a watcher tells of it, and when.
    pub fn play<W: Watching>(&self, watcher: W, seed: u64) -> Vec<(At, Notice)> {
        let climate = vec![(Culprit::Watcher {}, Weather::steady())];
        let mut world = World::begun(self.begins().minus(self.learns), self.routes.clone(), climate, seed, watcher, ());
        world.examine();
        for mail in &self.recurring {
            let before = (1_u64..).map(|times| self.begins().minus(mail.every().scaled(times, 1)));
            before.take_while(|at| *at > world.now()).take(RECURS).collect::<Vec<At>>().into_iter().for_each(|at| world.recurs(mail, at));
        }
        world.run_until(self.begins());
        let mut end = self.begins();
        for (failure, _) in &self.failures {
            let from = self.begins().plus(failure.after);
            let until = from.plus(failure.lasts);
            end = end.max(until);
            world.trouble(Trouble { from, until, harm: failure.harm.clone() });
        }
        for mail in &self.recurring {
            let from_now_on = (0_u64..).map(|times| self.begins().plus(mail.every().scaled(times, 1)));
            from_now_on.take_while(|at| *at < end).take(RECURS).for_each(|at| world.recurs(mail, at));
        }
        world.run_until(end.plus(AFTERWARDS));
        world.seen.notices
    }

    /// What is not as expected of these notices, in words.
    #[must_use]
    pub fn complaints(&self, notices: &[(At, Notice)]) -> Vec<String> {
        let mut complaints = Vec::new();
        let opened = || notices.iter().filter(|(_, n)| n.change == Change::Opened);
        let fits = |expected: &Expected, n: &Notice| expected.kinds.contains(&n.kind) && n.culprit == expected.culprit;
        for expected in &self.expected {
            let begins = self.begins().plus(expected.after());
            let mine: Vec<&(At, Notice)> = opened().filter(|(_, n)| fits(expected, n)).collect();
            let [(_, first)] = mine[..] else {
                complaints.push(format!("{:?} of {}: {} incidents, and one is expected", expected.kinds, expected.culprit, mine.len()));
                continue;
            };
            let (kind, severity) = (first.kind.as_str(), expected.severity);
            let of_it = || notices.iter().filter(|(_, n)| n.incident == first.incident);
            let loudest = of_it().map(|(_, n)| n.severity).max();
            if loudest != Some(severity) {
                complaints.push(format!("{kind} is a {loudest:?}, and not a {severity:?}"));
            }
            // A warning that becomes a page wakes nobody before that.
            let Some((at, _)) = of_it().find(|(_, n)| n.severity >= severity) else { continue };
            if *at < begins || at.since(begins) > expected.within() {
                let took = at.since(begins);
                complaints.push(format!("{kind} is told as a {severity:?} after {took}, and not within {}", expected.within()));
            }
        }
        let paged: BTreeSet<IncidentId> = notices.iter().filter(|(_, n)| n.severity == Severity::Page).map(|(_, n)| n.incident).collect();
        if paged.len() != self.pages {
            complaints.push(format!("{} incidents page, and not {}", paged.len(), self.pages));
        }
        // A warning more is no page.
        let strange = opened().filter(|(_, n)| paged.contains(&n.incident) && !self.expected.iter().any(|expected| fits(expected, n)));
        complaints.extend(strange.map(|(_, n)| format!("a page for {} of {} is not expected: {}", n.kind.as_str(), n.culprit, n.summary)));
        complaints
    }
}

/// The configuration of a daemon that would have watched it.
fn configuration(text: &Text) -> String {
    let mut toml = format!("[watch]\nevery = \"1m\"\n[stream.{}]\nsubject = \"Reset your password\"\n", text.stream);
    for provider in &text.providers {
        let _ = write!(toml, "[provider.{provider}.smtp]\nfrom = \"no-reply@example.com\"\nhost = \"127.0.0.1\"\ntls = \"none\"\n");
    }
    text.recurring.iter().for_each(|mail| mail.configure(&mut toml));
    let lists: BTreeSet<&Name> = text.failure.iter().filter_map(|f| f.subject.as_ref()?.list.as_ref()).collect();
    for list in lists {
        let _ = write!(toml, "[blocklist.{list}]\nzone = \"{list}.example\"\n");
    }
    for inbox in &text.inboxes {
        let login = "username = \"u\"\npassword = { env = \"UNUSED\" }";
        let _ = write!(toml, "[inbox.{inbox}.imap]\naddress = \"{inbox}@example.net\"\nhost = \"127.0.0.1\"\ntls = \"none\"\n{login}\n");
    }
    toml
}
