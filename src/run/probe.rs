//! A probe: one canary down each route, now, by the same adapters that the daemon uses, watched until it arrives.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::adapters::{credentials, expected, submitters};
use super::clock::Clock;
use super::start::StartError;
use crate::canary::{self, Key};
use crate::config::{Secrets, Settings};
use crate::edge::dial::Dialer;
use crate::edge::inbox::{Doors, Hint, Looks, Report, Senders, Wanted, Watch};
use crate::edge::submit::Answer;
use crate::ledger::KeyError;
use crate::model::{At, CanaryId, Class, Name, Outcome, Placement, Route, Span};

/// Until every inbox must have been read once, or is called blind.
const SIGHT_WITHIN: Span = Span::from_secs(90);

/// An application may send more than one mail: after one that is not as expected, the right one is waited for this long.
const SECOND_MAIL: Span = Span::from_secs(30);

/// What one route's probe came to.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Probed {
    /// The route.
    pub route: Route,
    /// The canary.
    pub canary: CanaryId,
    /// How it ended.
    pub end: ProbeEnd,
    /// What came of handing it over: the provider's own words, or ours if it did not get as far as to say any.
    pub reply: Option<String>,
}

/// How one canary of a probe ended.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeEnd {
    /// It arrived.
    Arrived {
        /// From sending to the receiver's time of arrival, in milliseconds.
        #[serde(rename = "after_ms")]
        after: Span,
        /// In what kind of folder.
        placement: Placement,
    },
    /// The provider refused it.
    Refused(Class),
    /// A mail came in its stead, and what is wrong with it.
    Mismatched(String),
    /// It did not arrive in time.
    Missing {
        /// How long was waited, in milliseconds.
        #[serde(rename = "waited_ms")]
        waited: Span,
        /// How the submission ended.
        outcome: Option<&'static str>,
    },
    /// The inbox could not be read; nothing was sent.
    Blind(String),
}

/// What a probe tells while it goes on.
#[derive(Clone, Debug)]
pub enum ProbeNews<'a> {
    /// The installation had no key yet, and has one now, in this folder.
    Made(&'a Path),
    /// The installation's key cannot be had: the probe's canaries are made with another.
    Keyless(&'a KeyError),
    /// An inbox can be read.
    Sees(&'a Name),
    /// An inbox cannot be read.
    Blind(&'a Name, &'a str),
    /// A canary was handed over, or not.
    Answered(&'a Route, Outcome),
    /// A canary's probe is over.
    Ended(&'a Probed),
    /// Time passes, told each second.
    Waiting {
        /// So many are waited for.
        count: usize,
        /// For so long by now, counted from the first.
        waited: Span,
    },
}

/// Probes `routes`. Waits for each no longer than `timeout`, or its stream's deadline. `own_key`: go on without the installation's key where it
/// cannot be had. `tell` hears how it goes.
///
/// The ids of a probe's canaries are none that a daemon uses: one that watches the same inboxes passes over them.
///
/// # Errors
/// If an adapter cannot be built, or the key not be had. Nothing was sent then.
pub async fn probe(
    settings: &Settings,
    secrets: &Secrets,
    routes: &[Route],
    timeout: Option<Span>,
    own_key: bool,
    mut tell: impl FnMut(ProbeNews<'_>),
) -> Result<Vec<Probed>, StartError> {
    let clock = Clock::new();
    let mut tasks = JoinSet::new();
    let submitters: BTreeMap<_, _> = submitters(settings, secrets)?.into_iter().map(|(name, one)| (name, Arc::new(one))).collect();
    let key = key(&settings.ledger.path, own_key, &mut tell)?;
    let (reports_in, mut reports) = mpsc::channel(256);
    let mut canaries = Vec::new();
    for route in routes {
        canaries.push((canary::probe_id(getrandom::u32().map_err(|e| StartError::Random(e.to_string()))?), route));
    }
    let looks = looks(settings, &canaries);
    let hints = readers(settings, secrets, routes, (&key, &looks), &clock, &reports_in, &mut tasks)?;
    let sight = sight(&hints, &clock, &mut reports, &mut tell).await;
    let mut watch = Watching { settings, clock: &clock, timeout, open: BTreeMap::new(), ended: Vec::new(), began: clock.now() };
    let (answers_in, mut answers) = mpsc::channel(256);
    for (canary, route) in canaries {
        if let Some(Some(why)) = sight.get(&route.inbox) {
            watch.end(Probed { route: route.clone(), canary, end: ProbeEnd::Blind(why.clone()), reply: None }, &mut tell);
            continue;
        }
        let (Some(by), Some(kind), Some(to), Some(submitter)) = (
            settings.providers.get(&route.provider),
            settings.streams.get(&route.stream),
            settings.inboxes.get(&route.inbox),
            submitters.get(&route.provider).cloned(),
        ) else {
            continue;
        };
        let now = clock.now();
        let mail = canary::compose(&key, canary, now, &route.stream, kind, &by.from, to);
        watch.open.insert(canary, Open { route: route.clone(), sent_at: now, answer: None, mismatch: None });
        let answers = answers_in.clone();
        tasks.spawn(async move {
            let answer = submitter.submit(&mail, canary, now).await;
            drop(answers.send((canary, answer)).await);
        });
    }
    watch.until_all_ended(&mut reports, &mut answers, &mut tell).await;
    Ok(watch.ended)
}

/// The installation's key, made if there is none yet: the daemon passes over its canaries, now and after its first start. With `own` one for
/// this probe alone, where that cannot be had, which `tell` hears of: daemons count such canaries as no forgery, since they say that they are
/// a probe's, and weigh them like any mail that is not theirs, for anybody could write so. So they tell of mail in our name that nobody sent.
fn key(folder: &Path, own: bool, tell: &mut impl FnMut(ProbeNews<'_>)) -> Result<Key, StartError> {
    match Key::load_or_leave(folder) {
        Ok((key, made)) => {
            if made {
                tell(ProbeNews::Made(folder));
            }
            return Ok(key);
        }
        Err(error) if own => tell(ProbeNews::Keyless(&error)),
        Err(error) => return Err(error.into()),
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| StartError::Random(e.to_string()))?;
    Ok(Key::new(bytes))
}

/// What the mail of these canaries looks like, where it is not ours.
fn looks(settings: &Settings, canaries: &[(CanaryId, &Route)]) -> Looks {
    let expected = expected(settings);
    let by_canary: BTreeMap<CanaryId, _> =
        canaries.iter().filter_map(|(canary, route)| Some((*canary, Arc::clone(expected.get(&route.provider)?)))).collect();
    Arc::new(move |canary| by_canary.get(&canary).cloned())
}

fn readers(
    settings: &Settings,
    secrets: &Secrets,
    routes: &[Route],
    (key, looks): (&Key, &Looks),
    clock: &Clock,
    reports: &mpsc::Sender<(Name, Report)>,
    tasks: &mut JoinSet<()>,
) -> Result<BTreeMap<Name, watch::Sender<Hint>>, StartError> {
    let mut hints = BTreeMap::new();
    let doors = Doors::default();
    for (name, inbox) in settings.inboxes.iter().filter(|(name, _)| routes.iter().any(|r| r.inbox == **name)) {
        let dialer = Dialer::new(&inbox.wire).map_err(|e| StartError::Wire(name.clone(), e))?;
        let credentials = credentials(name, inbox, secrets, &dialer)?;
        let (hint_in, hint) = watch::channel(Hint { outstanding: true, look: 0 });
        hints.insert(name.clone(), hint_in);
        let (now, key, looks, inbox) = (clock.hand_out(), key.clone(), Arc::clone(looks), inbox.clone());
        let (name, doors, wanted) = (name.clone(), doors.clone(), Wanted::default());
        // A probe asks whether a canary arrives, and not who it is from.
        let senders: Senders = Arc::new(|_, _| true);
        let watch = Watch { name: name.clone(), inbox, credentials, doors, key, looks, senders, wanted, dialer, now, cursor: None };
        let (mine_in, mut mine) = mpsc::channel(64);
        tasks.spawn(watch.watch(mine_in, hint));
        let all = reports.clone();
        tasks.spawn(async move {
            while let Some(report) = mine.recv().await {
                if all.send((name.clone(), report)).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(hints)
}

/// Waits until every inbox was read once, so that nothing arrives before it is looked for. `Some` says why an inbox cannot be read.
async fn sight(
    hints: &BTreeMap<Name, watch::Sender<Hint>>,
    clock: &Clock,
    reports: &mut mpsc::Receiver<(Name, Report)>,
    tell: &mut impl FnMut(ProbeNews<'_>),
) -> BTreeMap<Name, Option<String>> {
    let end = clock.instant_of(clock.now().plus(SIGHT_WITHIN));
    let mut sight: BTreeMap<Name, Option<String>> = BTreeMap::new();
    while sight.len() < hints.len() {
        let report = tokio::select! {
            report = reports.recv() => report,
            () = sleep_until(end) => None,
        };
        match report {
            Some((name, Report::Read { .. })) if !sight.contains_key(&name) => {
                tell(ProbeNews::Sees(&name));
                sight.insert(name, None);
            }
            Some((name, Report::Blind { why, .. })) => {
                tell(ProbeNews::Blind(&name, &why));
                sight.insert(name, Some(why));
            }
            Some(_) => {}
            None => break,
        }
    }
    for name in hints.keys() {
        sight.entry(name.clone()).or_insert_with(|| Some(format!("it was not read within {SIGHT_WITHIN}")));
    }
    sight
}

/// A canary that is waited for.
struct Open {
    route: Route,
    sent_at: At,
    answer: Option<Answer>,
    /// When a mail came that is not as expected, and what is wrong with it.
    mismatch: Option<(At, String)>,
}

struct Watching<'s> {
    settings: &'s Settings,
    clock: &'s Clock,
    timeout: Option<Span>,
    open: BTreeMap<CanaryId, Open>,
    ended: Vec<Probed>,
    began: At,
}

impl Watching<'_> {
    async fn until_all_ended(
        &mut self,
        reports: &mut mpsc::Receiver<(Name, Report)>,
        answers: &mut mpsc::Receiver<(CanaryId, Answer)>,
        tell: &mut impl FnMut(ProbeNews<'_>),
    ) {
        while !self.open.is_empty() {
            let tick = self.next_tick();
            tokio::select! {
                Some((canary, answer)) = answers.recv() => self.answered(canary, answer, tell),
                Some((inbox, report)) = reports.recv() => self.reported(&inbox, report, tell),
                () = sleep_until(tick) => {
                    self.expire(tell);
                    tell(ProbeNews::Waiting { count: self.open.len(), waited: self.clock.now().since(self.began) });
                }
            }
        }
    }

    /// When a canary is not waited for any more.
    fn end_of(&self, open: &Open) -> At {
        let deadline = self.settings.streams.get(&open.route.stream).map_or(Span::from_secs(900), |s| s.deadline);
        let end = open.sent_at.plus(self.timeout.unwrap_or(deadline));
        open.mismatch.as_ref().map_or(end, |(at, _)| end.min(at.plus(SECOND_MAIL)))
    }

    fn next_tick(&self) -> Instant {
        let soon = self.clock.now().plus(Span::from_secs(1));
        let end = self.open.values().map(|o| self.end_of(o)).min().unwrap_or(soon);
        self.clock.instant_of(end.min(soon))
    }

    fn answered(&mut self, canary: CanaryId, answer: Answer, tell: &mut impl FnMut(ProbeNews<'_>)) {
        let Some(open) = self.open.get_mut(&canary) else { return };
        tell(ProbeNews::Answered(&open.route, answer.outcome));
        if let Outcome::Refused(class) = answer.outcome {
            let probed = Probed { route: open.route.clone(), canary, end: ProbeEnd::Refused(class), reply: answer.reply };
            self.open.remove(&canary);
            self.end(probed, tell);
        } else {
            open.answer = Some(answer);
        }
    }

    fn reported(&mut self, inbox: &Name, report: Report, tell: &mut impl FnMut(ProbeNews<'_>)) {
        let now = self.clock.now();
        let mine = |open: &&mut Open| open.route.inbox == *inbox;
        match report {
            Report::Sighted { canary, placement, arrived_at, seen_at, .. } => {
                if self.open.get_mut(&canary).filter(mine).is_none() {
                    return;
                }
                let Some(open) = self.open.remove(&canary) else { return };
                let after = arrived_at.min(seen_at).since(open.sent_at);
                let reply = open.answer.and_then(|a| a.reply);
                self.end(Probed { route: open.route, canary, end: ProbeEnd::Arrived { after, placement }, reply }, tell);
            }
            Report::Mismatched { canary, why } => {
                if let Some(open) = self.open.get_mut(&canary).filter(mine) {
                    open.mismatch.get_or_insert((now, why));
                }
            }
            Report::Receipt(receipt) => {
                // A probe writes nothing down.
                let _gone = receipt.take().map(|done| done.send(()));
            }
            Report::Forged | Report::Mail { .. } | Report::Stranger { .. } | Report::Blind { .. } | Report::Sight | Report::Read { .. } => {
            }
        }
    }

    fn expire(&mut self, tell: &mut impl FnMut(ProbeNews<'_>)) {
        let now = self.clock.now();
        let over = |(id, open): (&CanaryId, &Open)| (now >= self.end_of(open)).then_some(*id);
        let expired: Vec<CanaryId> = self.open.iter().filter_map(over).collect();
        for canary in expired {
            if let Some(open) = self.open.remove(&canary) {
                let outcome = open.answer.as_ref().map(|a| a.outcome.as_str());
                let missing = ProbeEnd::Missing { waited: now.since(open.sent_at), outcome };
                let end = open.mismatch.map_or(missing, |(_, why)| ProbeEnd::Mismatched(why));
                self.end(Probed { route: open.route, canary, end, reply: open.answer.and_then(|a| a.reply) }, tell);
            }
        }
    }

    fn end(&mut self, probed: Probed, tell: &mut impl FnMut(ProbeNews<'_>)) {
        tell(ProbeNews::Ended(&probed));
        self.ended.push(probed);
    }
}
