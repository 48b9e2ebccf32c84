//! Asks the DNS what the watchdog wants to know: each record when it is due, and soon again where the last answer said something else.
//!
//! Nothing waits for it. What is not answered is ours; what is asked when is kept in memory alone, so that a start asks everything once.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::config::{NameServer, Records, Secrets, Settings};
use crate::edge::dns::{List, Question, Resolver};
use crate::model::{At, Found, Looked, Name, Span, Subject};
use crate::watchdog::{DnsView, Event, Watchdog};

/// Questions at the same time: a name server at home answers so many at once.
const AT_ONCE: usize = 8;
/// What is due is looked for this often at most: the loop turns more often than anything can be due.
const LOOK: Span = Span::from_ms(500);
/// What has perhaps changed is asked for again after so long, or after the usual time where that is shorter; so is what was not answered.
const AGAIN: Span = Span::from_secs(60);
/// The time between two questions differs by up to this share, so that not all come at once for ever.
const SPREAD: u64 = 10;

/// Whoever asks.
#[derive(Debug)]
pub(super) struct Lookups {
    resolver: Option<Resolver>,
    lists: BTreeMap<Name, List>,
    records: Records,
    /// When each was asked last, and whether it was answered.
    asked: BTreeMap<Subject, (At, bool)>,
    asking: BTreeSet<Subject>,
    questions: JoinSet<(Subject, Ended)>,
    looks_at: At,
    counts: [u64; 3],
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
        let resolver = watched.then(|| Resolver::forgetful(&settings.name_server));
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
            let Ok((subject, ended)) = ended else { continue };
            self.asking.remove(&subject);
            self.asked.insert(subject, (now, ended == Ended::Answered));
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
        let known: BTreeSet<&Subject> = wanted.iter().map(|(subject, _)| subject).collect();
        self.asked.retain(|subject, _| known.contains(subject));
        let mut due: Vec<(At, Subject)> = wanted
            .into_iter()
            .filter(|(subject, _)| !self.asking.contains(subject))
            .map(|(subject, doubtful)| (self.due(&subject, doubtful), subject))
            .filter(|(due, _)| *due <= now)
            .collect();
        due.sort();
        for (_, subject) in due.into_iter().take(AT_ONCE.saturating_sub(self.questions.len())) {
            self.ask(&resolver, subject, events);
        }
    }

    /// When a subject is asked for next.
    fn due(&self, subject: &Subject, doubtful: bool) -> At {
        let Some((asked, answered)) = self.asked.get(subject) else { return At::default() };
        let every = if subject.list.is_some() { self.records.lists_every } else { self.records.every };
        if doubtful || !answered {
            return asked.plus(every.min(AGAIN));
        }
        let name = subject.to_string();
        let sum = name.bytes().fold(asked.as_ms().unsigned_abs(), |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        asked.plus(every).minus(every.scaled(sum % SPREAD, SPREAD * SPREAD))
    }

    fn ask(&mut self, resolver: &Resolver, subject: Subject, events: &mpsc::Sender<Event>) {
        let list = subject.list.as_ref().and_then(|name| self.lists.get(name)).cloned();
        let (question, resolver, events) = (Question { subject: subject.clone(), list }, resolver.clone(), events.clone());
        self.asking.insert(subject);
        self.questions.spawn(async move {
            let found = resolver.look(&question).await;
            let ended = match &found {
                Found::Answer(_) => Ended::Answered,
                Found::Refused(_) => Ended::Refused,
                Found::Unknown(why) => {
                    tracing::debug!(subject = %question.subject, why, "a question to the DNS was not answered");
                    Ended::Failed
                }
            };
            let answers = vec![Looked { subject: question.subject.clone(), found }];
            // The loop is gone only when the process ends; the next start asks again.
            drop(events.send(Event::LookedUp { answers }).await);
            (question.subject, ended)
        });
    }

    /// How many questions ended how, for the view.
    pub(super) const fn count(&self, view: &mut DnsView) {
        [view.answered, view.failed, view.refused] = self.counts;
    }
}
