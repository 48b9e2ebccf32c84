//! How it went with each provider and each inbox: a row of bars for each, a bar a day, and how much of the time was without trouble.

use maud::{Markup, html};

use super::super::days::{DAYS, Days, renewed};
use super::super::months::{Known, Past};
use super::bits::foreign;
use super::days::{Bars, MONTH, legend, share};
use super::status::by_trouble;
use crate::model::Name;
use crate::watchdog::View;

/// With more parties than this a shorter time is drawn: the page is asked for again and again.
const CROWD: usize = 16;
/// Rows of each group that lie open. What else there is is folded away.
const OPEN: usize = 12;
/// Rows of each group in all; every party has its bars on its own page.
const MOST: usize = 40;

/// The bars of all providers and inboxes.
pub(super) fn calendar(view: &View, past: &Past) -> Markup {
    let many = if view.providers.len() + view.inboxes.len() > CROWD { MONTH } else { DAYS };
    html! {
        section aria-labelledby="days" {
            h2 #days { "The last " (many) " days" }
            @match past {
                Ok(known) => { (groups(view, &renewed(view, known), many)) }
                Err(why) => { p.note { "The ledger could not be asked (" (foreign(why, 300)) ")." } }
            }
        }
    }
}

fn groups(view: &View, known: &Known, many: u64) -> Markup {
    let providers: Vec<&Name> =
        by_trouble(&view.providers, |party| party.verdict, |party| &party.name).into_iter().map(|p| &p.name).collect();
    let boxes: Vec<&Name> = by_trouble(&view.inboxes, |inbox| inbox.verdict, |inbox| &inbox.name).into_iter().map(|i| &i.name).collect();
    html! {
        div.card.calendar {
            (group("Provider", "providers", &providers, |name| Days::of_provider(view, known, name, many)))
            (group("Inbox", "inboxes", &boxes, |name| Days::of_inbox(view, known, name, many)))
            (legend())
        }
    }
}

/// `what` each of them is; `folder`: the way to their pages.
fn group(what: &str, folder: &str, names: &[&Name], days: impl Fn(&Name) -> Days) -> Markup {
    let rows = |some: &[&Name]| html! { ul.plain { @for name in some { (row(what, folder, name, &days(name))) } } };
    let (open, more) = names.split_at(names.len().min(OPEN));
    let (folded, left) = more.split_at(more.len().min(MOST - OPEN));
    html! {
        @if !names.is_empty() {
            h3 { @if folder == "inboxes" { "Inboxes" } @else { "Providers" } }
            (rows(open))
            @if !folded.is_empty() {
                details id=(format!("days-{folder}")) {
                    summary { (more.len()) " more" }
                    (rows(folded))
                    @if !left.is_empty() { p.dim { "and " (left.len()) " more, each on its own page" } }
                }
            }
        }
    }
}

fn row(what: &str, folder: &str, name: &Name, days: &Days) -> Markup {
    let (id, called) = (format!("days-{folder}/{name}"), format!("{what} {name}"));
    let bars = Bars { name: &called, days };
    html! {
        li id=(id) {
            a href=(format!("{folder}/{name}")) { (name) }
            div { (bars.draw()) (bars.ends(None)) }
            span.share { (share(days)) }
            (bars.listed(&format!("{id}/told"), &html! { p { a href=(format!("incidents?party={name}")) { "Incidents of " (name) } } }))
        }
    }
}
