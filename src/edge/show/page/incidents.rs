//! `/incidents`: every incident that the ledger keeps, the newest first, by page; all, or those of one state, kind or party.

use std::collections::BTreeSet;

use maud::{Markup, html};
use url::form_urlencoded;

use super::super::days::failure;
use super::super::quiet;
use super::bits::{badge, count, foreign, graded, label, severity, table, time};
use super::paths::{Misasked, understood};
use super::status::{culprit, hushed, summary, what, who};
use super::{page, prose};
use crate::model::past::{Failure, Sought};
use crate::model::{IncidentId, Kind, Name, Verdict};
use crate::watchdog::{IncidentView, View};

/// Entries of a page.
pub(super) const PAGE: u32 = 50;
/// Bytes of a summary; the whole is on the incident's page.
const SENTENCE: usize = 200;
/// Parties that there are links for.
const PARTIES: usize = 100;

/// The states by which incidents are sought, and whether those are open.
const STATES: [(&str, bool); 2] = [("open", true), ("over", false)];

/// Everything. One more than is shown tells whether there is another page.
fn all() -> Sought {
    Sought::newest(PAGE + 1)
}

/// What is asked for by what stands behind the `?`.
///
/// # Errors
/// What is not understood, and what would be.
pub(super) fn sought(query: Option<&str>) -> Result<Sought, Misasked> {
    let state = |word: &str| STATES.into_iter().find(|(known, _)| *known == word).map(|(_, open)| open);
    let number = |text: &str| text.parse().ok().map(IncidentId);
    Ok(Sought {
        before: understood(query, "before", number, "the number of an incident")?,
        kind: understood(query, "kind", Kind::from_word, Kind::ALL.map(Kind::as_str).join(", "))?,
        open: understood(query, "state", state, STATES.map(|(word, _)| word).join(", "))?,
        party: understood(query, "party", |name| Name::new(name).ok(), "the name of a provider, a stream or an inbox")?,
        ..all()
    })
}

/// The page: what was found, or why nothing was looked up; then it is what the watchdog itself remembers.
pub(super) fn incidents(view: &View, sought: &Sought, found: Result<Vec<Failure>, String>) -> Markup {
    let (mut found, why) = match found {
        Ok(found) => (found, None),
        Err(why) => (remembered(view, sought), Some(why)),
    };
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let body = html! {
        h1 { "Incidents" }
        (filters(view, sought))
        @if let Some(why) = &why { p.note { "The ledger could not be asked (" (foreign(why, 300)) "): here is what the watchdog itself remembers." } }
        @if found.is_empty() {
            p { @if *sought == all() { "There was none yet." } @else { "There is none of these." } }
        } @else { (rows(view, &found)) }
        @if sought.before.is_some() || more {
            nav.tabs aria-label="Pages" {
                @if sought.before.is_some() { a href=(href(&Sought { before: None, ..sought.clone() })) { "Newest" } }
                @if let Some(last) = found.last().filter(|_| more) { a href=(href(&Sought { before: Some(last.incident), ..sought.clone() })) { "Older" } }
            }
        }
        p.dim.small { "They are kept for as long as " code { "[ledger] keep_failures" } " says. For programs: " a href="api/v1/history" { "api/v1/history" } "." }
    };
    page(view, "", "Incidents", &body)
}

fn rows(view: &View, found: &[Failure]) -> Markup {
    // Of what is open the ledger has what was told last, and the watchdog how it is now.
    let now = |one: &Failure| view.incidents.iter().find(|i| i.incident == one.incident && i.resolved_at.is_none());
    let rows = html! {
        @for one in found {
            @let now = now(one).filter(|_| one.resolved_at.is_none());
            @let loud = now.map_or(one.severity, |now| now.severity);
            tr id=(format!("i{}", one.incident)) {
                th scope="row" { a href=(format!("incidents/{}", one.incident)) { "Incident " (one.incident) } }
                td {
                    @if one.resolved_at.is_some() { (badge(Verdict::Delivering, "over")) } @else { (graded(loud, "open")) } " " (severity(loud))
                    @if let Some(now) = now { " " (said(view, now)) }
                }
                td.why {
                    @if let Some(now) = now { strong { (who(now)) ": " (what(now)) } br; span.small { (prose(summary(now), SENTENCE)) } }
                    @else { strong { (culprit(&one.culprit)) ": " (word(one.kind)) } br; span.small { (prose(&one.summary, SENTENCE)) } }
                }
                td data-k="began" { (time(one.since, view.at)) }
                td.num data-k=(if one.resolved_at.is_some() { "lasted" } else { "has lasted" }) { (one.resolved_at.unwrap_or(view.at).since(one.since)) }
            }
        }
    };
    table("Incidents, the newest first", "stack", &["incident", "state", "whose, and what", "began", ">lasted"], &rows)
}

/// What people have said of one that is open, and whether mail is well at present.
fn said(view: &View, now: &IncidentView) -> Markup {
    html! {
        @if let Some(word) = &now.acknowledged { (label("acknowledged")) " " span.dim { "by " (foreign(&word.by, 60)) } " " }
        @if let Some(quiet) = quiet::of(view, now) { (hushed(view, &quiet)) " " }
        @if now.delivers { (badge(Verdict::Delivering, "at present delivering")) }
    }
}

/// Ways to see fewer.
fn filters(view: &View, sought: &Sought) -> Markup {
    let first = Sought { before: None, ..sought.clone() };
    let tab = |wanted: Sought, words: &str| html! { a href=(href(&wanted)) aria-current=[(wanted == first).then_some("true")] { (words) } };
    let parties: BTreeSet<&Name> = view.routes.iter().flat_map(|r| [&r.route.provider, &r.route.stream, &r.route.inbox]).collect();
    let narrowed = usize::from(sought.kind.is_some()) + usize::from(sought.party.is_some());
    html! {
        nav.tabs aria-label="State" {
            @for (open, words) in [(None, "all"), (Some(true), "open"), (Some(false), "over")] { (tab(Sought { open, ..first.clone() }, words)) }
        }
        details #narrow {
            summary { "By kind or party" @if narrowed > 0 { " (" (count(narrowed, "filter")) ")" } }
            nav.tabs aria-label="Kind" {
                (tab(Sought { kind: None, ..first.clone() }, "every kind"))
                @for kind in Kind::ALL { (tab(Sought { kind: Some(kind), ..first.clone() }, &word(kind))) }
            }
            nav.tabs aria-label="Provider, stream or inbox" {
                (tab(Sought { party: None, ..first.clone() }, "everybody"))
                @for party in parties.into_iter().take(PARTIES) { (tab(Sought { party: Some(party.clone()), ..first.clone() }, party.as_str())) }
            }
        }
        @if narrowed > 0 {
            p { "Only " @if let Some(kind) = sought.kind { strong { (word(kind)) } } @if narrowed > 1 { " of " }
                @if let Some(party) = &sought.party { strong { (party) } } ". " a href=(href(&Sought { kind: None, party: None, ..first })) { "Show all" } }
        }
    }
}

fn word(kind: Kind) -> String {
    kind.as_str().replace('_', " ")
}

/// The address of what is sought.
fn href(sought: &Sought) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(open) = sought.open {
        query.append_pair("state", if open { "open" } else { "over" });
    }
    if let Some(kind) = sought.kind {
        query.append_pair("kind", kind.as_str());
    }
    if let Some(party) = &sought.party {
        query.append_pair("party", party.as_str());
    }
    if let Some(before) = sought.before {
        query.append_pair("before", &before.to_string());
    }
    let query = query.finish();
    if query.is_empty() { "incidents".to_owned() } else { format!("incidents?{query}") }
}

/// What the view has, as it would stand in a list.
pub(super) fn remembered(view: &View, sought: &Sought) -> Vec<Failure> {
    let mut all: Vec<Failure> = view.incidents.iter().map(failure).filter(|one| sought.fits(one)).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.incident));
    all
}
