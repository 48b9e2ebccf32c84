//! What the DNS says of each subject: what is usual there, and what stands there instead.
//!
//! One odd answer is no change: another has to say the same. What stood there first is usual, good or bad; only a change is told. A listing is
//! bad in itself, and usually there is none.

mod worse;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Watchdog;
use super::event::Event;
use super::plan::Plan;
use super::state::State;
use super::step::Unfit;
use super::subjects::{Stake, subjects};
use crate::model::{Answer, At, Found, Grade, Looked, Method, Name, Severity, Span, Subject, Topic};
pub(super) use worse::{became, weigh};

/// So many answers in a row say that something has changed…
const CHANGES: u8 = 2;
/// …and so many that it is as it was.
const HEALS: u8 = 3;
/// What is no worse than before is usual when it has stood so long.
const SETTLES: Span = Span::from_secs(24 * 3600);
/// What is known is written down again this often at most, for the page.
const FRESH: Span = Span::from_secs(3600);
/// That there is no answer is written down again this often.
const SILENT: Span = Span::from_secs(600);
/// Without any answer for so long, people hear of it.
pub(super) const MUTE_FOR: Span = Span::from_secs(1800);
/// Changes that are kept of one subject.
const HISTORY: usize = 8;

/// Everything that was answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) subjects: BTreeMap<Subject, Watched>,
    /// Since when no question at all was answered, and why.
    pub(super) mute: Option<Mute>,
}

/// What is known of one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Watched {
    /// What stands there usually; none: nothing was answered yet.
    pub(super) usual: Option<Answer>,
    /// What stands there instead, and since when.
    pub(super) now: Option<(At, Answer)>,
    /// What the last answer said that was different, since when, and how many said so in a row.
    doubt: Option<(At, Answer, u8)>,
    /// When it was answered last, as far as that was written down.
    pub(super) at: At,
    /// Why it is not answered, since it last was; whether the list refuses.
    pub(super) mute: Option<(Mute, bool)>,
    /// The newest changes, oldest first: when, before and after.
    pub(super) changes: VecDeque<(At, String, String)>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Mute {
    pub(super) since: At,
    /// When that was written down last.
    last: At,
    pub(super) why: String,
}

impl Watched {
    const fn new(at: At) -> Self {
        Self { usual: None, now: None, doubt: None, at, mute: None, changes: VecDeque::new() }
    }

    /// What stands there.
    pub(super) fn current(&self) -> Option<&Answer> {
        self.now.as_ref().map(|(_, answer)| answer).or(self.usual.as_ref())
    }

    /// Whether the last answer said something else, so that it is asked again soon.
    pub(super) const fn is_doubtful(&self) -> bool {
        self.doubt.is_some()
    }

    fn is_news(&self, answer: &Answer, at: At) -> bool {
        let same = self.current().is_some_and(|now| now == answer);
        !same || self.doubt.is_some() || self.mute.is_some() || at.since(self.at) >= FRESH
    }

    fn take_in(&mut self, topic: Topic, answer: Answer, at: At) {
        (self.at, self.mute) = (at, None);
        // Of a list it is usual that nothing stands there.
        let usual = self.usual.get_or_insert_with(|| if topic == Topic::Listed { Answer::new(Grade::Sound, "") } else { answer.clone() });
        let heals = usual.is_same(&answer);
        let current = self.now.as_mut().map_or(&mut *usual, |(_, now)| now);
        if current.is_same(&answer) {
            *current = answer;
            self.doubt = None;
            return;
        }
        let (before, after) = became(current, &answer);
        let (since, _, seen) = self.doubt.take().filter(|(_, doubt, _)| doubt.is_same(&answer)).unwrap_or_else(|| (at, answer.clone(), 0));
        let seen = seen.saturating_add(1);
        if seen < if heals { HEALS } else { CHANGES } {
            self.doubt = Some((since, answer, seen));
            return;
        }
        self.changes.push_back((since, before, after));
        if self.changes.len() > HISTORY {
            self.changes.pop_front();
        }
        if heals {
            self.usual = Some(answer);
            self.now = None;
        } else {
            self.now = Some((since, answer));
        }
    }

    fn fall_silent(&mut self, at: At, refused: bool, why: String) {
        let since = self.mute.as_ref().map_or(at, |(mute, _)| mute.since);
        self.mute = Some((Mute { since, last: at, why }, refused));
    }

    /// Takes for usual what stands there.
    fn accept(&mut self) {
        if let Some((_, answer)) = self.now.take() {
            self.usual = Some(answer);
        }
    }
}

impl State {
    /// The checks that the mail of each provider fails, and since when each does for the first time at some inbox: the newest of these.
    fn failing_checks(&self) -> BTreeMap<(&Name, Method), At> {
        let mut failing = BTreeMap::new();
        for (provider, identity) in self.identities.iter().flat_map(|(p, streams)| streams.values().map(move |identity| (p, identity))) {
            for held in identity.checks.values().flatten() {
                let Some(since) = held.since else { continue };
                let newest: &mut At = failing.entry((provider, held.method)).or_insert(since);
                *newest = since.max(*newest);
            }
        }
        failing
    }

    /// Whether answers say anything that is worth writing down.
    pub(super) fn is_news_of_dns(&self, answers: &[Looked], at: At) -> bool {
        let known = |looked: &Looked| self.dns.subjects.get(&looked.subject);
        let settles = |known: &Watched| known.now.as_ref().is_some_and(|(since, _)| at.since(*since) >= SETTLES);
        let silent = |mute: &Mute| at.since(mute.last) >= SILENT;
        answers.iter().any(|looked| match &looked.found {
            Found::Answer(answer) => {
                self.dns.mute.is_some() || known(looked).is_none_or(|known| known.is_news(&answer.clone().bounded(), at) || settles(known))
            }
            Found::Refused(_) | Found::Unknown(_) => {
                known(looked).and_then(|known| known.mute.as_ref()).is_none_or(|(mute, _)| silent(mute))
                    || self.dns.mute.as_ref().is_none_or(silent)
            }
        })
    }

    /// Takes answers in.
    pub(super) fn look_up(&mut self, plan: &Plan, at: At, answers: &[Looked]) {
        let asked = subjects(plan, self);
        for Looked { subject, found } in answers.iter().filter(|looked| asked.contains_key(&looked.subject)) {
            let known = self.dns.subjects.entry(subject.clone()).or_insert_with(|| Watched::new(at));
            match found.clone().bounded() {
                Found::Answer(answer) => {
                    known.take_in(subject.topic, answer, at);
                    self.dns.mute = None;
                }
                // Somebody did answer.
                Found::Refused(why) => {
                    known.fall_silent(at, true, why);
                    self.dns.mute = None;
                }
                Found::Unknown(why) => {
                    known.fall_silent(at, false, why.clone());
                    let since = self.dns.mute.as_ref().map_or(at, |mute| mute.since);
                    self.dns.mute = Some(Mute { since, last: at, why });
                }
            }
        }
        self.dns.subjects.retain(|subject, _| asked.contains_key(subject));
        for (subject, known) in &mut self.dns.subjects {
            let Some(((since, after), before)) = known.now.as_ref().zip(known.usual.as_ref()) else { continue };
            let severity = asked.get(subject).and_then(|stake| weigh(subject.topic, stake, before, after));
            let worse = subject.topic == Topic::Listed || after.grade < before.grade || before.lost(after).next().is_some();
            let settled = !worse && at.since(*since) >= SETTLES;
            if severity.is_none() || settled {
                known.accept();
            }
        }
    }

    /// A person says that what stands there is right.
    pub(super) fn accept(&mut self, subject: &Subject) {
        if let Some(known) = self.dns.subjects.get_mut(subject) {
            known.accept();
        }
    }
}

impl Watchdog {
    /// Nothing can be said of what is not asked about.
    pub(super) fn check_subject(&self, event: &Event) -> Result<(), Unfit> {
        let Event::Accepted { subject, .. } = event else { return Ok(()) };
        if self.state.dns.subjects.contains_key(subject) { Ok(()) } else { Err(Unfit::UnknownSubject(subject.clone())) }
    }

    /// What is to be asked of the DNS, each with its blocklist's name.
    #[must_use]
    pub fn dns_questions(&self) -> Vec<DnsQuestion> {
        let failing = self.state.failing_checks();
        let question = |(subject, stake): (Subject, Stake)| {
            let rests = failing.iter().filter(|((p, method), _)| stake.providers.contains(*p) && rests_on(*method, subject.topic));
            DnsQuestion {
                doubtful: self.state.dns.subjects.get(&subject).is_some_and(Watched::is_doubtful),
                failing_since: rests.map(|(_, since)| *since).max(),
                hosts: stake.hosts.into_keys().collect(),
                subject,
            }
        };
        subjects(&self.plan, &self.state).into_iter().map(question).collect()
    }

    /// Whether the watcher has no network, so that there is nobody to ask.
    #[must_use]
    pub const fn is_cut_off(&self) -> bool {
        self.state.cut_off_since.is_some()
    }
}

/// One question to the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsQuestion {
    /// What, and of what.
    pub subject: Subject,
    /// The last answer was one that a second has to bear out.
    pub doubtful: bool,
    /// Since when a check of mail fails that rests on it: an answer from before says nothing of that.
    pub failing_since: Option<At>,
    /// Addresses that mail was seen to come from, where it matters whether the record lets them pass.
    pub hosts: Vec<IpAddr>,
}

/// Whether a check of mail may fail by what stands there.
pub(super) const fn rests_on(method: Method, topic: Topic) -> bool {
    match method {
        Method::Dkim => matches!(topic, Topic::Dkim),
        Method::Spf => matches!(topic, Topic::Spf),
        Method::Dmarc => matches!(topic, Topic::Dkim | Topic::Spf | Topic::Dmarc),
        Method::Arc => false,
    }
}

/// What is shown of one subject.
#[derive(Clone, Debug, PartialEq)]
pub struct SubjectView {
    /// What.
    pub subject: Subject,
    /// What stands there; nothing before the first answer.
    pub answer: Option<Answer>,
    /// What stood there before, if that was something else and nobody has said that this is right.
    pub before: Option<Answer>,
    /// Since when it is like that.
    pub since: Option<At>,
    /// How bad the change is.
    pub severity: Option<Severity>,
    /// When it was answered last, as far as that was written down.
    pub at: Option<At>,
    /// Why it is not answered, since it last was.
    pub unanswered: Option<(At, String)>,
    /// A blocklist refuses to answer.
    pub refused: bool,
    /// The newest changes, oldest first: when, before and after.
    pub changes: Vec<(At, String, String)>,
    /// Providers whose mail depends on it.
    pub providers: Vec<Name>,
    /// Inboxes whose mail depends on it.
    pub inboxes: Vec<Name>,
    /// It is of a domain of ours.
    pub ours: bool,
}

/// What is shown of the DNS.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DnsView {
    /// Every subject that is asked about, sorted.
    pub subjects: Vec<SubjectView>,
    /// Since when no question at all was answered, and why.
    pub mute: Option<(At, String)>,
    /// Questions that were answered since the process started; filled in by whoever asks.
    pub answered: u64,
    /// Questions that no name server answered; likewise.
    pub failed: u64,
    /// Questions that a blocklist refused to answer; likewise.
    pub refused: u64,
}

/// Everything that is asked, as people see it.
pub(super) fn shown(plan: &Plan, state: &State) -> DnsView {
    let one = |(subject, stake): (Subject, Stake)| {
        let known = state.dns.subjects.get(&subject);
        let change = known.and_then(|k| k.now.as_ref().zip(k.usual.as_ref()));
        let severity = change.and_then(|((_, after), before)| weigh(subject.topic, &stake, before, after));
        let mute = known.and_then(|k| k.mute.as_ref());
        SubjectView {
            answer: known.and_then(Watched::current).cloned(),
            before: change.map(|(_, before)| before.clone()),
            since: change.map(|((since, _), _)| *since),
            severity,
            at: known.filter(|k| k.usual.is_some()).map(|k| k.at),
            unanswered: mute.map(|(mute, _)| (mute.since, mute.why.clone())),
            refused: mute.is_some_and(|(_, refused)| *refused),
            changes: known.map_or_else(Vec::new, |k| k.changes.iter().cloned().collect()),
            providers: stake.providers.into_iter().collect(),
            inboxes: stake.inboxes.into_iter().collect(),
            ours: stake.ours,
            subject,
        }
    };
    let mute = state.dns.mute.as_ref().map(|mute| (mute.since, mute.why.clone()));
    DnsView { subjects: subjects(plan, state).into_iter().map(one).collect(), mute, ..DnsView::default() }
}
