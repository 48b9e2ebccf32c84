//! Asks the DNS what the watchdog wants to know: each record when it is due, and soon again where the last answer said something else.
//!
//! Nothing waits for it. What is not answered is ours; what is asked when is kept in memory alone, so that a start asks everything once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::examine::Jobs;
use crate::config::{NameServer, Records, Secrets, Settings};
use crate::edge::dns::{List, Look, Question, Resolver};
use crate::model::{At, Found, Looked, Name, Span, Subject, Topic};
use crate::watchdog::{DnsQuestion, DnsView, Event, Watchdog};

/// Questions at the same time: a name server at home answers so many at once.
const AT_ONCE: usize = 8;
/// What is due is looked for this often at most: the loop turns more often than anything can be due.
const LOOK: Span = Span::from_ms(500);
/// What has perhaps changed is asked for again after so long, or after the usual time where that is shorter; so is what was not answered.
const AGAIN: Span = Span::from_secs(60);
/// The same where mail fails a check that rests on it: the mail bears the answer out.
const AT_FAULT: Span = Span::from_secs(10);
/// What is kept is asked for again so long after it has run out…
const EXPIRED: Span = Span::from_secs(1);
/// …and after so long at the latest: a cache can be emptied.
const HELD: Span = Span::from_secs(3600);
/// TTLs have steps of a second, and answers take their time.
const CLOSE: Span = Span::from_secs(2);
/// The time between two questions differs by up to this share, so that not all come at once for ever.
const SPREAD: u64 = 10;

/// Whoever asks.
#[derive(Debug)]
pub(super) struct Lookups {
    resolver: Option<Resolver>,
    lists: BTreeMap<Name, List>,
    records: Records,
    asked: BTreeMap<Subject, Asked>,
    asking: BTreeSet<Subject>,
    questions: JoinSet<(Subject, Ended, Option<Span>)>,
    looks_at: At,
    counts: [u64; 3],
    /// Who wants to know where mail for inboxes goes.
    jobs: Option<Jobs>,
}

/// What is known of a question since it was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    at: At,
    answered: bool,
    /// For how long the answer holds, by its TTL.
    holds: Option<Span>,
    /// Whoever answers keeps answers: until this one has run out, asking again gives the same.
    kept: bool,
}

impl Asked {
    /// The next one. A cache shows itself by a TTL that counts down: a server of the zone gives the same each time, and one of several caches
    /// anything.
    fn after(former: Option<Self>, at: At, answered: bool, holds: Option<Span>) -> Self {
        let kept = former.is_some_and(|former| {
            let passed = at.since(former.at);
            match (former.holds, holds) {
                (Some(before), Some(now)) if before > passed + CLOSE => {
                    let left = Span::from_ms(before.as_ms().saturating_sub(passed.as_ms()));
                    passed > CLOSE && now <= left + CLOSE && left <= now + CLOSE
                }
                // It had run out meanwhile, or nothing was said of it.
                _ => former.kept,
            }
        });
        Self { at, answered, holds, kept }
    }

    /// When it is asked next: after `every`, or once the answer that is kept somewhere has run out, where that is later.
    fn due(self, every: Span) -> At {
        let held = self.holds.filter(|_| self.kept && self.answered).map(|holds| (holds + EXPIRED).min(HELD));
        self.at.plus(held.map_or(every, |held| held.max(every)))
    }
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Answered,
    Failed,
    Refused,
}

impl Lookups {
    /// Opens no connection. Without name servers nothing will be asked.
    pub(super) fn new(settings: &Settings, secrets: &Secrets) -> Self {
        let watched = settings.records.watched && settings.name_server != NameServer::Off;
        let resolver = watched.then(|| Resolver::forgetful(&settings.name_server, &settings.records.wire));
        let resolver = match resolver.transpose() {
            Ok(resolver) => resolver,
            Err(error) => {
                tracing::warn!(%error, "records of the DNS are not watched");
                None
            }
        };
        let list = |(name, list): (&Name, &crate::config::Blocklist)| {
            let key = list.key.as_ref().and_then(|at| secrets.get(at)).cloned();
            (name.clone(), List { settings: list.clone(), key })
        };
        Self {
            resolver,
            lists: settings.blocklists.iter().map(list).collect(),
            records: settings.records.clone(),
            asked: BTreeMap::new(),
            asking: BTreeSet::new(),
            questions: JoinSet::new(),
            looks_at: At::default(),
            counts: [0; 3],
            jobs: None,
        }
    }

    /// The same, with what a former configuration has counted.
    pub(super) const fn after(mut self, former: &Self) -> Self {
        self.counts = former.counts;
        self
    }

    /// Begins the questions that are due.
    pub(super) fn turn(&mut self, dog: &Watchdog, now: At, events: &mpsc::Sender<Event>) {
        while let Some(ended) = self.questions.try_join_next() {
            let Ok((subject, ended, holds)) = ended else { continue };
            self.asking.remove(&subject);
            let asked = Asked::after(self.asked.get(&subject).copied(), now, ended == Ended::Answered, holds);
            self.asked.insert(subject, asked);
            if let Some(count) = self.counts.get_mut(ended as usize) {
                *count = count.saturating_add(1);
            }
        }
        let Some(resolver) = self.resolver.clone() else { return };
        if now < self.looks_at || dog.is_cut_off() || self.questions.len() >= AT_ONCE {
            return;
        }
        self.looks_at = now.plus(LOOK);
        let wanted = dog.dns_questions();
        let known: BTreeSet<&Subject> = wanted.iter().map(|question| &question.subject).collect();
        self.asked.retain(|subject, _| known.contains(subject));
        let mut due: Vec<(At, Subject, Vec<IpAddr>)> = wanted
            .into_iter()
            .filter(|question| !self.asking.contains(&question.subject))
            .map(|question| (self.due(&question), question.subject, question.hosts))
            .filter(|(due, ..)| *due <= now)
            .collect();
        due.sort();
        for (_, subject, hosts) in due.into_iter().take(AT_ONCE.saturating_sub(self.questions.len())) {
            self.ask(&resolver, subject, hosts, events);
        }
    }

    /// When a subject is asked for next.
    fn due(&self, question: &DnsQuestion) -> At {
        let subject = &question.subject;
        let Some(asked) = self.asked.get(subject).copied() else { return At::default() };
        let every = if subject.list.is_some() { self.records.lists_every } else { self.records.every };
        if let Some(since) = question.failing_since
            && asked.at <= since
        {
            return since;
        }
        if question.doubtful || !asked.answered {
            return asked.at.plus(every.min(if question.failing_since.is_some() { AT_FAULT } else { AGAIN }));
        }
        let name = subject.to_string();
        let sum = name.bytes().fold(asked.at.as_ms().unsigned_abs(), |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        asked.due(every.scaled(SPREAD * SPREAD - sum % SPREAD, SPREAD * SPREAD))
    }

    fn ask(&mut self, resolver: &Resolver, subject: Subject, hosts: Vec<IpAddr>, events: &mpsc::Sender<Event>) {
        let list = subject.list.as_ref().and_then(|name| self.lists.get(name)).cloned();
        let (question, resolver, events) = (Question { subject: subject.clone(), list, hosts }, resolver.clone(), events.clone());
        self.asking.insert(subject);
        let jobs = self.jobs.clone();
        self.questions.spawn(async move {
            let Look { found, holds } = resolver.look(&question).await;
            let ended = match &found {
                Found::Answer(_) => Ended::Answered,
                Found::Refused(_) => Ended::Refused,
                Found::Unknown(why) => {
                    tracing::debug!(subject = %question.subject, why, "a question to the DNS was not answered");
                    Ended::Failed
                }
            };
            if let (Topic::Mx, Found::Answer(answer), Some(jobs)) = (question.subject.topic, &found, jobs) {
                jobs.learn_exchangers(&question.subject.name, &answer.text);
            }
            let answers = vec![Looked { subject: question.subject.clone(), found }];
            // The loop is gone only when the process ends; the next start asks again.
            drop(events.send(Event::LookedUp { answers }).await);
            (question.subject, ended, holds)
        });
    }

    /// Tells these where mail for inboxes goes, from now on.
    pub(super) fn tell(&mut self, jobs: Jobs) {
        self.jobs = Some(jobs);
    }

    /// How many questions ended how, for the view.
    pub(super) const fn count(&self, view: &mut DnsView) {
        [view.answered, view.failed, view.refused] = self.counts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When a record is asked for, from the start on, with answers whose TTL is `ttl` at an instant.
    fn asked_at(every: u64, end: u64, ttl: impl Fn(u64) -> u64) -> Vec<u64> {
        let (mut all, mut former, mut now) = (Vec::new(), None, 0);
        while now <= end {
            all.push(now);
            let at = At::from_ms(0).plus(Span::from_secs(now));
            let asked = Asked::after(former, at, true, Some(Span::from_secs(ttl(now))));
            former = Some(asked);
            now = asked.due(Span::from_secs(every)).since(At::from_ms(0)).as_ms() / 1000;
        }
        all
    }

    #[test]
    fn a_cache_is_asked_when_its_answer_has_run_out_and_a_zone_as_often_as_wanted() {
        let cache = |ttl: u64| move |now: u64| ttl - now % ttl;
        assert_eq!(asked_at(300, 1200, |_| 3600), [0, 300, 600, 900, 1200], "a server of the zone");
        assert_eq!(asked_at(300, 1200, |now| 3600 - now * 7 % 3600), [0, 300, 600, 900, 1200], "several caches");
        // Once it is known that it is a cache: a second after each answer has run out.
        assert_eq!(asked_at(300, 3700, cache(900)), [0, 300, 901, 1801, 2701, 3601]);
        assert_eq!(asked_at(300, 900, cache(60)), [0, 300, 600, 900], "never more often than wanted");
        assert_eq!(asked_at(300, 9000, cache(86_400)), [0, 300, 3900, 7500], "and once an hour at least");
    }
}
