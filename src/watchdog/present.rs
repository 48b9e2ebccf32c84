//! What can be said of an open incident now: as it would be told if it were told now. What was told stands in its notices.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::drill;
use super::evidence;
use super::explain::{self, shorten};
use super::flaps;
use super::index::Index;
use super::judge::{Assessment, Finding};
use super::outbox::{AS_OF, DRILL, Incident};
use super::plan::Plan;
use super::sight::Blindness;
use super::state::State;
use super::view::Present;
use crate::model::proof::renew_ages;
use crate::model::{At, Culprit, Kind, Name, spoken};

/// Why what is well again is open all the same.
const KEPT_OPEN: &str = "it is kept open until it has been well for longer";

/// Inboxes that are listed with their reasons, and reasons in the page.
const LISTED: usize = 20;
const SAID: usize = 3;
/// Characters of a server's words.
const QUOTED: usize = 160;

/// Where the evidence says how long a page was held.
const HELD: &str = "held_for";

/// An open incident as it is now; `None`: there is no more to say than was told. What a drill has brought about says so.
pub(super) fn of(plan: &Plan, state: &State, ix: &Index, assessment: &Assessment, open: &Incident, now: At) -> Option<Present> {
    let mut present = as_it_is(plan, state, ix, assessment, open, now).or_else(|| as_last_known(plan, state, open, now))?;
    if let Some(drill) = open.shown.last.evidence.get(DRILL).and_then(Value::as_str)
        && let Some(evidence) = present.evidence.as_object_mut()
    {
        evidence.insert(DRILL.to_owned(), drill.into());
        evidence.extend(open.shown.last.evidence.get(drill::STEP).map(|step| (drill::STEP.to_owned(), step.clone())));
        present.summary = drill::marked(drill, &present.summary);
    }
    Some(present)
}

fn as_it_is(plan: &Plan, state: &State, ix: &Index, assessment: &Assessment, open: &Incident, now: At) -> Option<Present> {
    let shown = &open.shown;
    let delivers = flaps::is_calm(plan, state, open);
    // That it delivered when it was seen last says nothing of now.
    if delivers && shown.kind.is_delivery() && (state.cut_off_since.is_some() || all_blind(plan, state, now).is_some()) {
        return None;
    }
    let told = |summary: String| Present { summary, evidence: shown.last.evidence.clone(), delivers };
    let settles = || flaps::settles_at(plan, state, open).filter(|_| delivers);
    let until =
        || settles().map_or_else(|| KEPT_OPEN.to_owned(), |at| format!("it flaps, at present delivering: kept open until {}", at.second()));
    let calm = || told(format!("{}; {}", explain::recovery(plan, state, shown, now), until()));
    if !shown.kind.is_delivery() {
        if shown.kind == Kind::Blind && shown.culprit == (Culprit::Watcher {}) && shown.last.sink().is_none() {
            return all_blind(plan, state, now).map(|(summary, evidence)| Present { summary, evidence, delivers });
        }
        return unseen(state, &shown.culprit, shown.kind, now).map(told);
    }
    let now_so = |finding: &Finding, what: &str| {
        let mut evidence = explain::evidence(plan, state, ix, finding, now);
        if finding.culprit == shown.culprit {
            explain::keep_onset(&mut evidence, finding.kind, (shown.kind, &shown.last.evidence), now);
        }
        // How long it was held is over with its first notice.
        if let (Some(now), Some(held)) = (evidence.get_mut(HELD), shown.last.evidence.get(HELD)) {
            now.clone_from(held);
        }
        let flaps = flaps::said(state, shown).map_or_else(String::new, |flaps| format!("; {flaps}"));
        Present { summary: format!("{what}{}{flaps}", explain::summary(plan, state, ix, finding, now)), evidence, delivers }
    };
    let mut mine = assessment.findings.iter().filter(|f| f.culprit == shown.culprit);
    match mine.clone().find(|f| f.kind == shown.kind).or_else(|| mine.next()) {
        Some(_) if delivers => Some(calm()),
        Some(finding) if finding.kind == Kind::Stopped && !misses(plan, state, finding) => has_arrived(state, open).then(calm),
        Some(finding) => Some(now_so(finding, "")),
        None => match left(plan, assessment, open) {
            Some(part) if flaps::is_back(plan, state, open, part, now) => Some(now_so(part, "it is back: ")),
            Some(part) => Some(now_so(part, "what is left of it: ")),
            None => is_calm(state, open).then(calm),
        },
    }
}

/// The loudest failure of a part of what an incident is about.
fn left<'a>(plan: &Plan, assessment: &'a Assessment, open: &Incident) -> Option<&'a Finding> {
    let whole = plan.suspect(&open.shown.culprit)?;
    let inside = |f: &&Finding| !f.is_of_seed() && plan.suspect(&f.culprit).is_some_and(|part| part != whole && plan.within(part, whole));
    assessment.findings.iter().filter(inside).max_by_key(|f| f.severity)
}

/// What was told of a failure of which nothing new can be known: of when that is, and why there is no more.
fn as_last_known(plan: &Plan, state: &State, open: &Incident, now: At) -> Option<Present> {
    let last = &open.shown.last;
    let why = match (state.cut_off_since, all_blind(plan, state, now)) {
        _ if !open.shown.kind.is_delivery() => return None,
        (Some(_), _) => "the watcher has no network, and nothing is known of now",
        (None, Some(_)) => "no inbox can be read, and nothing is known of now",
        (None, None) => return None,
    };
    let mut evidence = last.evidence.clone();
    renew_ages(&mut evidence, now);
    // What was told again meanwhile was no newer.
    let known = last.evidence.get(AS_OF).and_then(Value::as_str).and_then(At::from_rfc3339);
    let as_of = known.unwrap_or_else(|| open.told_last_at());
    if let Some(evidence) = evidence.as_object_mut() {
        evidence.insert(AS_OF.to_owned(), as_of.rfc3339().into());
    }
    let summary = format!("{why}. As it was at {}: {}", as_of.second(), last.summary);
    Some(Present { summary, evidence, delivers: false })
}

/// How long an inbox could not be read.
pub(super) fn blind(name: &Name, blind: &Blindness, now: At) -> String {
    let why = blind.why.as_ref().map_or_else(String::new, |why| format!(": {}", spoken(&shorten(why, QUOTED))));
    format!("inbox `{name}` could not be read for {}{why}. Nothing is known of mail to it", now.since(blind.since))
}

/// That no inbox can be read, and what they have in common, in words and in numbers; `None`: one can.
pub(super) fn all_blind(plan: &Plan, state: &State, now: At) -> Option<(String, Value)> {
    let blind = |name| Some((name, state.inboxes.get(name)?.blind.as_ref()?));
    let all: Vec<(&Name, &Blindness)> = plan.inboxes.iter().map(blind).collect::<Option<_>>()?;
    let since = all.iter().map(|(_, b)| b.since).max()?;
    let server = |name: &Name| plan.servers.get(name).map_or("", String::as_str);
    let servers: BTreeSet<&str> = all.iter().map(|(name, _)| server(name)).collect();
    let (count, why) = (all.len(), |b: &Blindness| b.why.clone().unwrap_or_else(|| "it cannot be read".to_owned()));
    let said: BTreeSet<String> = all.iter().map(|(_, b)| why(b)).collect();
    let (common, next_step) = match (servers.first(), servers.len()) {
        (Some(one), 1) => (
            format!("all {count} are at `{one}`, so that the cause is that server or the way to it"),
            "log in to one of the mailboxes by hand, from the host that runs mailcanary: its mail server, its name and the way to it are what all of them need",
        ),
        (_, several) => (
            format!("they are at {several} servers, so that the cause is the watcher's host or network, or what they have in common"),
            "log in to two of the mailboxes by hand, from the host that runs mailcanary: check its network, resolver, firewall, proxy and clock, and the passwords if both refuse",
        ),
    };
    let first = said.first().map_or_else(String::new, |first| format!(": {}", spoken(&shorten(first, QUOTED))));
    let summary = format!("no inbox can be read for {}, and nothing is known of any route: {common}{first}", now.since(since));
    let each: Vec<Value> = all
        .iter()
        .take(LISTED)
        .map(|(name, b)| json!({ "inbox": name, "server": server(name), "since": b.since.rfc3339(), "class": b.class, "why": why(b) }))
        .collect();
    let evidence = json!({
        "since": since.rfc3339(), "inboxes": all.iter().map(|(name, _)| name).collect::<Vec<_>>(), "servers": servers, "unreadable": each,
        "why": said.iter().take(SAID).map(|why| shorten(why, 160)).collect::<Vec<_>>().join("; "), "next_step": next_step,
    });
    Some((summary, evidence))
}

/// How long there was no network.
pub(super) fn cut_off(since: At, now: At) -> String {
    format!("the watcher has had no network for {}: nothing is known of any route", now.since(since))
}

/// Of what hides deliveries, how long it has done so.
fn unseen(state: &State, culprit: &Culprit, kind: Kind, now: At) -> Option<String> {
    match (kind, culprit) {
        (Kind::Blind, Culprit::Inbox(name)) => Some(blind(name, state.inboxes.get(name)?.blind.as_ref()?, now)),
        (Kind::CutOff, _) => Some(cut_off(state.cut_off_since?, now)),
        _ => None,
    }
}

/// Whether anything of what a finding is about has not come.
fn misses(plan: &Plan, state: &State, finding: &Finding) -> bool {
    finding.routes.iter().any(|slot| {
        let tally = evidence::tally(plan, state, *slot);
        tally.row + tally.silent > 0
    })
}

/// Whether a failure of delivery of which nothing was found does not show any more, though its incident is open: it came and went before.
fn is_calm(state: &State, open: &Incident) -> bool {
    let shows = || state.alarms.iter().any(|a| a.culprit == open.shown.culprit);
    !open.is_of_seed() && !shows() && has_arrived(state, open)
}

/// Whether any of its mail that was sent since it was opened has arrived.
fn has_arrived(state: &State, open: &Incident) -> bool {
    let since = |at: At| at >= open.shown.opened_at;
    state.routes.iter().any(|r| open.shown.culprit.covers(&r.route) && r.good_sent_at.is_some_and(since))
}
