//! Says why, in a sentence and in numbers.

mod figures;
mod filters;
mod next_step;
mod onset;
mod others;
mod recovery;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use self::figures::{how_many, newest, on_which, slow_leg, where_missing};
use self::next_step::next_step;
pub(super) use self::onset::keep_onset;
use self::onset::onset;
use self::others::others;
pub(super) use self::recovery::recovery;
use super::alarm;
use super::canary::Canary;
use super::evidence::{self, Tally};
use super::flight::RouteState;
use super::index::Index;
use super::judge::Finding;
use super::plan::Plan;
use super::state::State;
use super::together;
use super::trace::Said;
use super::travel;
use super::view::IncidentView;
pub(super) use crate::model::grouped;
use crate::model::{At, CanaryId, Class, Culprit, DeliveryKind, Kind, Name, Span, spoken};

/// Routes listed in full in the evidence; of more, the number is told.
const LIST_AT_MOST: usize = 20;
/// Odds below this many nats are not said: they convince nobody.
const SAID_ABOVE: f64 = 2.3;
/// Of what is open besides, so much is told.
const BESIDE: usize = 3;
/// More certain than this nobody is.
const MOST_CERTAIN: f64 = 0.9995;
/// Providers that refuse are named up to so many.
const NAMED: usize = 4;
/// What a provider said of canaries, in the evidence: of so many.
const SAID_AT_MOST: usize = 4;

/// A culprit in words: ``provider `mailchimp` ``.
pub(super) fn subject(culprit: &Culprit) -> String {
    match culprit {
        Culprit::Provider(p) => format!("provider `{p}`"),
        Culprit::Stream(p, s) => format!("stream `{s}` of provider `{p}`"),
        Culprit::Inbox(i) => format!("inbox `{i}`"),
        Culprit::Path(p, i) => format!("path `{p}/{i}`"),
        Culprit::Route(p, s, i) => format!("route `{p}/{s}/{i}`"),
        Culprit::Watcher {} => "the watcher, or a cause common to everything".to_owned(),
    }
}

/// A culprit as what a sentence is about: where nobody is to blame alone it is the mail, or whoever wakes up to it takes the watcher for dead.
fn about(culprit: &Culprit) -> String {
    if *culprit == (Culprit::Watcher {}) { "mail through every provider".to_owned() } else { subject(culprit) }
}

/// One sentence for the pager.
pub(super) fn summary(plan: &Plan, state: &State, ix: &Index, finding: &Finding, now: At) -> String {
    let culprit = about(&finding.culprit);
    let common = finding.culprit == (Culprit::Watcher {});
    let tallies = tallies(plan, state, finding);
    // Where nothing is on its way, all that it covers is meant.
    let own = plan.suspect(&finding.culprit).and_then(|s| plan.suspects.get(s)).filter(|_| finding.routes.is_empty());
    let inboxes = inboxes(plan, own.map_or(&finding.routes, |suspect| &suspect.routes)).len();
    let boxes = if inboxes == 1 { "1 inbox".to_owned() } else { format!("{inboxes} inboxes") };
    let others = others(plan, state, ix, finding);
    let odds = odds(plan, state, ix, finding).filter(|(odds, _)| *odds > SAID_ABOVE);
    let odds = odds.map_or_else(String::new, |(_, words)| format!("; {words}"));
    let usual = tallies.iter().filter_map(|t| t.usual).max().map_or_else(String::new, |u| format!(" (95 % took no more than {u})"));
    let words = match finding.kind.delivery() {
        Some(DeliveryKind::Refused) if finding.is_of_seed() => seed(plan, state, finding),
        Some(DeliveryKind::Refused) => {
            let class = finding.class.unwrap_or(Class::Unknown);
            let reply = quoted(reply(plan, state, finding));
            let who = if common { who_refuses(plan, state, finding) } else { format!("{culprit} refuses") };
            format!("{who} mail ({class}){reply}{}", on_which(plan, state, finding, &tallies))
        }
        Some(DeliveryKind::Stopped) if finding.class == Some(Class::Network) && !finding.alarm => {
            let count: u64 = tallies.iter().map(|t| t.row).sum();
            let reply = quoted(reply(plan, state, finding));
            format!("no provider can be reached (network{reply}): {count} canaries in a row could not be handed over")
        }
        Some(DeliveryKind::Loss) => {
            let (missing, sent) = evidence::lost_of(&tallies);
            let share = percent(missing, sent);
            let loses = if common { "is lost" } else { "loses mail" };
            let refused = finding.class.map_or_else(String::new, |class| format!(", the last of them refused ({class})"));
            let (newest, there) = (newest(&tallies), where_missing(plan, finding, &tallies));
            format!(
                "{culprit} {loses}, about {share} %: {missing} of the last {sent} canaries to {boxes} are missing{there}{refused}{newest}"
            )
        }
        Some(DeliveryKind::Slow) => {
            let times =
                times_slower(finding).map_or_else(|| "longer than".to_owned(), |times| format!("about {} times as long as", times.round()));
            let leg = travel::grown(state, &finding.routes, None).map_or_else(String::new, |leg| format!("; {}", leg.in_words()));
            format!("{culprit} is slow: mail to {boxes} takes {times} usual{usual}{leg}")
        }
        Some(DeliveryKind::Junked) => {
            let (junk, all) = evidence::in_junk(&tallies);
            let mail = if common { culprit } else { format!("mail of {culprit}") };
            let why = filters::in_words(plan, state, finding);
            format!("{mail} lands in junk in {boxes}: {junk} of the newest {all} that arrived{why}")
        }
        Some(DeliveryKind::Stopped) | None => {
            let missing: u64 = tallies.iter().map(|t| t.row + t.silent).sum();
            let oldest = tallies.iter().filter_map(|t| t.first_missing).min().map_or(Span::ZERO, |(at, _)| now.since(at));
            let canaries = if missing == 1 { "canary has" } else { "canaries have" };
            // Receivers tell the time of arrival to the second: anything shorter would be invented.
            let second = Span::from_secs(1);
            let words =
                |u: Span| if u < second { format!("; 9 in 10 before took under {second}") } else { format!("; 9 in 10 before took {u}") };
            let took = lately_took(state, finding).filter(|took| *took < oldest).map_or_else(String::new, words);
            format!("{culprit} stopped: {missing} {canaries} not arrived in {boxes}, the oldest after {oldest}{took}")
        }
    };
    let standby = if plan.spares(&finding.culprit, &finding.routes) { "; a stand-by: nothing in use is touched" } else { "" };
    let mismatch = mismatch(plan, state, finding).map_or_else(String::new, |why| format!("; mail came, but {}", shorten(&why, 160)));
    let said = if finding.is_of_seed() { String::new() } else { says(plan, state, finding) };
    let cause = if common { "; the cause is common to everything, or the watcher itself" } else { "" };
    format!("{words}{mismatch}{said}{others}{cause}{odds}{standby}")
}

/// How many times as long mail takes that is slow, if that is known: on the way back to health it is not.
fn times_slower(finding: &Finding) -> Option<f64> {
    Some(finding.size).filter(|times| finding.kind == Kind::Slow && *times >= 1.5)
}

/// Of what is refused everywhere, who refuses it: every provider, unless some take mail.
fn who_refuses(plan: &Plan, state: &State, finding: &Finding) -> String {
    let refused = |slot: &&usize| state.routes.get(**slot).is_some_and(|r| r.refusal.is_some());
    let routes = finding.routes.iter().filter(refused).filter_map(|slot| plan.routes.get(*slot));
    let names: BTreeSet<&Name> = routes.map(|r| &r.route.provider).collect();
    if names.is_empty() || names.len() >= plan.providers.len() {
        return "every provider refuses".to_owned();
    }
    let (more, listed) = (names.len().saturating_sub(NAMED), names.iter().take(NAMED).map(|name| format!("`{name}`")).collect::<Vec<_>>());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    if names.len() == 1 {
        format!("provider {} refuses", listed.join(", "))
    } else {
        format!("providers {}{more} refuse", listed.join(", "))
    }
}

/// A provider's words behind what they are about.
fn quoted(words: Option<String>) -> String {
    words.map_or_else(String::new, |w| format!(": {}", spoken(&shorten(&w, 160))))
}

fn percent(part: u64, whole: u64) -> u64 {
    (part * 100 + whole / 2) / whole.max(1)
}

/// A seed that its provider does not write to, in a sentence.
fn seed(plan: &Plan, state: &State, finding: &Finding) -> String {
    let Some(route) = finding.routes.first().and_then(|slot| plan.routes.get(*slot)).map(|r| &r.route) else { return String::new() };
    let said = quoted(suppression(state, finding).or_else(|| reply(plan, state, finding)));
    let does = if finding.class == Some(Class::Recipient) { "does not know" } else { "suppresses" };
    format!("no outage: provider `{}` {does} the seed of inbox `{}`{said}", route.provider, route.inbox)
}

/// What a provider said when it was asked after a seed that it suppresses.
fn suppression(state: &State, finding: &Finding) -> Option<String> {
    finding.routes.iter().filter_map(|slot| state.routes.get(*slot)?.suppressed.as_ref()).find_map(|s| s.words.clone())
}

/// What the provider said of the missing canaries that tells most.
fn says(plan: &Plan, state: &State, finding: &Finding) -> String {
    let said = evidence::said(plan, state, &finding.routes);
    let Some(((route, _), best)) = said.first() else { return String::new() };
    let alike = said.iter().filter(|(_, other)| other.fate == best.fate).count();
    let name = format!("`{}`", route.route.provider);
    let words = best.words.as_ref().map_or_else(String::new, |w| format!(" ({})", spoken(&shorten(w, 160))));
    format!("; asked after {alike} of them, {name} says: {}{words}", best.fate.in_words())
}

/// How long nine in ten of the newest arrivals on the finding's routes took.
fn lately_took(state: &State, finding: &Finding) -> Option<Span> {
    let routes = finding.routes.iter().filter_map(|slot| state.routes.get(*slot));
    let mut took: Vec<Span> = routes.flat_map(|r| r.canaries.iter().filter_map(Canary::latency)).collect();
    took.sort_unstable();
    took.get(took.len() * 9 / 10).copied()
}

/// How much likelier this failure is than health, as a logarithm and in words.
fn odds(plan: &Plan, state: &State, ix: &Index, finding: &Finding) -> Option<(f64, String)> {
    let suspect = plan.suspect(&finding.culprit).filter(|s| finding.alarm && ix.alarmed.contains(s))?;
    let odds = alarm::odds(plan, state, suspect);
    let what = if finding.kind == Kind::Loss {
        "a loss"
    } else if finding.kind == Kind::Slow {
        "a delay"
    } else {
        "a stop"
    };
    let times = odds.clamp(0.0, 13.8).exp();
    let figures = 10.0_f64.powi(times.log10().floor() as i32);
    let rounded = (times / figures).round() * figures;
    let more = if odds > 13.8 { "more than a million".to_owned() } else { grouped(rounded as u64) };
    Some((odds, format!("{what} of {} is {more} times likelier than health", about(&finding.culprit))))
}

fn tallies(plan: &Plan, state: &State, finding: &Finding) -> Vec<Tally> {
    finding.routes.iter().map(|slot| evidence::tally(plan, state, *slot)).collect()
}

/// The proof: an object of plain facts.
pub(super) fn evidence(plan: &Plan, state: &State, ix: &Index, finding: &Finding, now: At) -> Value {
    let tallies = tallies(plan, state, finding);
    let (first_bad, last_good) = onset(plan, state, finding, &tallies);
    let about = |found: Option<(At, CanaryId)>| {
        found.map(|(at, id)| json!({ "canary": id, "sent_at": at.rfc3339(), "age": now.since(at).to_string() }))
    };
    let (missing, well) = missing_on(plan, finding, &tallies);
    let routes: Vec<&String> = missing.iter().chain(&well).take(LIST_AT_MOST).collect();
    let also: Vec<String> = finding.also.iter().map(subject).collect();
    let seen_in = inboxes(plan, &finding.routes);
    let (certainty, rivals) = certainty(plan, state, ix, finding);
    let how_many = how_many(plan, state, finding, &tallies, first_bad.map(|(at, _)| at));
    let lost = evidence::lost_of(&tallies);
    let raised = state.alarms.iter().find(|a| finding.alarm && a.culprit == finding.culprit);
    let mut facts = json!({
        "at": now.rfc3339(),
        "since": first_bad.map(|(at, _)| at.rfc3339()),
        "first_bad": about(first_bad),
        "last_good": about(last_good),
        "not_arrived": tallies.iter().map(|t| t.row + t.silent).sum::<u64>(),
        "missing": missing_of(how_many.as_ref(), "count"),
        "of": missing_of(how_many.as_ref(), "of"),
        "how_many": how_many,
        "usual": tallies.iter().filter_map(|t| t.usual).max().filter(|_| finding.kind == Kind::Slow).map(|u| u.to_string()),
        "certainty": certainty,
        "certain_by": finding.is_said().then_some("the provider's own answer"),
        "rivals": rivals,
        "nats": odds(plan, state, ix, finding).map(|(odds, _)| round(odds, 10.0)),
        "share_in_junk": (finding.kind == Kind::Junked).then(|| round(finding.size, 100.0)),
        "share_lost": (finding.kind == Kind::Loss).then(|| round(lost.0 as f64 / lost.1.max(1) as f64, 100.0)),
        "times_slower": times_slower(finding).map(|times| round(times, 10.0)),
        "alarm_at": raised.map(|a| a.since.rfc3339()),
        "held_for": raised.map(|a| now.since(a.since).to_string()),
        "routes": routes,
        "routes_count": finding.routes.len(),
        "routes_missing": missing.iter().take(LIST_AT_MOST).collect::<Vec<_>>(),
        "routes_missing_count": missing.len(),
        "streams": streams(plan, finding),
        "inboxes": seen_in,
        "class": finding.class,
        "reply": reply(plan, state, finding),
        "cannot_be_told_apart": also,
        "others": others(plan, state, ix, finding).trim_start_matches("; "),
        "open_too": open_too(state, &finding.culprit),
        "next_step": next_step(plan, state, finding, mismatch(plan, state, finding).is_some()),
    });
    if plan.spares(&finding.culprit, &finding.routes)
        && let Some(object) = facts.as_object_mut()
    {
        object.insert("standby".to_owned(), json!(true));
    }
    if let Some(object) = facts.as_object_mut() {
        told(plan, state, finding, object);
        object.extend(slow_leg(state, finding, first_bad.map(|(at, _)| at)).map(|leg| ("slow_leg".to_owned(), leg)));
    }
    if let (Some(why), Some(object)) = (mismatch(plan, state, finding), facts.as_object_mut()) {
        object.insert("mismatch".to_owned(), json!(why));
    }
    if let (Some(caution), Some(object)) = (caution(plan, finding, &seen_in), facts.as_object_mut()) {
        object.insert("caution".to_owned(), json!(caution));
    }
    facts
}

/// The routes of a finding that miss mail, and the others, each in the order of the plan: which of them has a canary on its way changes
/// from moment to moment.
fn missing_on(plan: &Plan, finding: &Finding, tallies: &[Tally]) -> (Vec<String>, Vec<String>) {
    let mut all: Vec<(usize, &Tally)> = finding.routes.iter().copied().zip(tallies).collect();
    all.sort_by_key(|(slot, _)| *slot);
    let named = |slot: usize| plan.routes.get(slot).map(|planned| planned.route.to_string());
    let (missing, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, tally)| tally.row > 0 || tally.missing > 0);
    let names = |these: Vec<(usize, &Tally)>| these.into_iter().filter_map(|(slot, _)| named(slot)).collect();
    (names(missing), names(others))
}

/// Who else may be the cause of what shows in one place alone. Who refuses at the door has not asked the inbox.
fn caution(plan: &Plan, finding: &Finding, seen_in: &BTreeSet<Name>) -> Option<String> {
    match (&finding.culprit, others::only_provider(plan, finding)) {
        _ if finding.kind == Kind::Refused => None,
        (Culprit::Provider(_), _) if seen_in.len() == 1 => {
            Some("seen in one inbox only: the inbox's own server may be the cause".to_owned())
        }
        (_, Some(only)) => Some(format!("only mail through `{only}` is missing there: that provider may be the cause")),
        _ => None,
    }
}

/// What providers said when they were asked, and whose suppression list it is; and why mail lies in Junk.
fn told(plan: &Plan, state: &State, finding: &Finding, facts: &mut Map<String, Value>) {
    if finding.kind == Kind::Junked {
        facts.insert(filters::FILTERS.to_owned(), filters::facts(plan, state, finding));
    }
    let said = evidence::said(plan, state, &finding.routes);
    if !said.is_empty() {
        let one = |((route, canary), said): &((&RouteState, &Canary), &Said)| {
            let (sent_at, said_at) = (canary.sent_at().rfc3339(), said.at.rfc3339());
            json!({ "canary": route.id(canary.serial), "sent_at": sent_at, "fate": said.fate, "said_at": said_at, "words": said.words })
        };
        facts.insert("provider_says".to_owned(), said.iter().take(SAID_AT_MOST).map(one).collect());
    }
    let Some(route) = finding.routes.first().and_then(|slot| plan.routes.get(*slot)).filter(|_| finding.is_of_seed()) else { return };
    facts.insert("suppressed_by".to_owned(), json!(route.route.provider));
    if let Some(words) = suppression(state, finding) {
        facts.insert("reply".to_owned(), json!(words));
    }
}

/// A figure of how many are missing; nothing where something else is counted.
fn missing_of(how_many: Option<&Value>, figure: &str) -> Option<Value> {
    let counts = |found: &&Value| matches!(found.get("what").and_then(Value::as_str), Some("missing" | "refused"));
    how_many.filter(counts)?.get(figure).cloned()
}

/// How sure the blame is, and who else it could be.
fn certainty(plan: &Plan, state: &State, ix: &Index, finding: &Finding) -> (Option<f64>, Vec<String>) {
    let Some(suspect) = plan.suspect(&finding.culprit).filter(|_| finding.alarm) else { return (None, Vec::new()) };
    let sure = together::certainty(plan, state, ix, suspect, together::parts(plan, state, ix), None);
    let rivals = together::rivals(plan, state, ix, suspect).filter_map(|s| plan.suspects.get(s));
    let mut named = if sure < 0.9 { rivals.map(|s| subject(&s.culprit)).take(LIST_AT_MOST).collect() } else { Vec::new() };
    // Of what shows where a provider and an inbox meet it is not known which of them it is.
    let other = others::meets(plan, finding).map(|other| subject(&other)).filter(|other| !named.contains(other));
    let sure = if other.is_some() { sure.min(0.5) } else { sure };
    named.extend(other);
    // Rounded it would be whole, which it never is.
    (Some(round(sure, 1000.0).min(MOST_CERTAIN)), named)
}

fn round(value: f64, by: f64) -> f64 {
    (value * by).round() / by
}

/// What is known of the same provider or inbox besides that mail does not come: a foreign address that has stood there since yesterday may be
/// the whole story.
fn open_too(state: &State, culprit: &Culprit) -> Option<Vec<String>> {
    let (provider, _, inbox) = culprit.parts();
    let same = |other: &Culprit| match (provider, inbox, other.parts()) {
        (Some(mine), _, (Some(other), ..)) => mine == other,
        (None, Some(mine), (None, _, Some(other))) => mine == other,
        _ => false,
    };
    let open = state.open().map(|i| &i.shown).filter(|shown| !shown.kind.is_delivery() && same(&shown.culprit));
    let told = |shown: &IncidentView| {
        let (kind, since) = (shown.kind.as_str().replace('_', " "), shown.opened_at.second());
        format!("incident {}, {kind} since {since}: {}", shown.incident, shorten(&shown.last.summary, 160))
    };
    Some(open.take(BESIDE).map(told).collect()).filter(|all: &Vec<String>| !all.is_empty())
}

/// The streams whose mail it touches.
pub(super) fn streams(plan: &Plan, finding: &Finding) -> BTreeSet<Name> {
    finding.routes.iter().filter_map(|i| plan.routes.get(*i)).map(|r| r.route.stream.clone()).collect()
}

fn inboxes(plan: &Plan, routes: &[usize]) -> BTreeSet<Name> {
    routes.iter().filter_map(|i| plan.routes.get(*i)).map(|r| r.route.inbox.clone()).collect()
}

/// The provider's newest words about a canary of this finding that is missing; of a refusal, those that refuse. Of mail in Junk nothing is
/// missing: what was said of other mail before has nothing to do with it.
fn reply(plan: &Plan, state: &State, finding: &Finding) -> Option<String> {
    if finding.kind == Kind::Junked {
        return None;
    }
    let newest =
        |r: &RouteState, c: &Canary| r.canaries.reply(c).is_some() && !c.has_arrived() && (finding.kind != Kind::Refused || c.refused());
    let routes = finding.routes.iter().filter(|slot| **slot < plan.routes.len()).filter_map(|slot| state.routes.get(*slot));
    let mut found: Vec<(&RouteState, &Canary)> =
        routes.filter_map(|r| Some((r, r.canaries.iter().rev().find(|c| newest(r, c))?))).collect();
    found.sort_by_key(|(_, c)| c.sent_at());
    found.last().and_then(|(r, c)| r.canaries.reply(c)).map(str::to_owned)
}

/// What is wrong with the mail that came in the stead of the newest canaries of this finding.
fn mismatch(plan: &Plan, state: &State, finding: &Finding) -> Option<String> {
    let routes = finding.routes.iter().filter(|slot| **slot < plan.routes.len()).filter_map(|slot| state.routes.get(*slot));
    let missing = routes.flat_map(|r| r.canaries.iter().rev().take_while(|c| !c.has_arrived()).map(move |c| (r, c)));
    missing.filter_map(|(r, c)| Some((c.sent_at(), r.canaries.mismatch(c)?))).max_by_key(|(at, _)| *at).map(|(_, why)| why.to_owned())
}

/// Cuts on a character boundary.
pub(super) fn shorten(text: &str, most: usize) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if flat.chars().count() <= most { flat } else { flat.chars().take(most).chain(std::iter::once('…')).collect() }
}
