//! What is known of a provider's mail, and how its checks stand: a part of its page, and a page of its own. All of it is written by others.

mod checks;

use std::collections::BTreeMap;
use std::net::IpAddr;

use maud::{Markup, html};

use super::bits::{badge, count, label, short, time};
use super::incident::configuration;
use super::{dns, foreign, page, strip, table, text};
use crate::model::{At, Name, Part, Verdict, typed};
use crate::watchdog::{IdentityView, MarkView, View};

/// The way from the page of a provider's mail to the status page.
const ROOT: &str = "../../";
/// Bytes of a value.
const VALUE: usize = 253;
/// Values of one part that are listed, and foreign ones.
const VALUES: usize = 6;
const FOREIGN: usize = 32;
/// Addresses that are listed.
const HOSTS: usize = 32;
/// With more streams than this those are folded away of which nothing has to be looked at.
const FEW: usize = 3;
/// Inboxes that are named for one check.
const SAID: usize = 3;

/// What is known of the mail of one provider, stream by stream.
fn mine<'v>(view: &'v View, provider: &str) -> Vec<&'v IdentityView> {
    view.identities.iter().filter(|identity| identity.provider.as_str() == provider).collect()
}

/// The part of a provider's page. `root`: the way to the status page.
pub(super) fn summary(view: &View, root: &str, provider: &str) -> Markup {
    let all = mine(view, provider);
    html! {
        section aria-labelledby="mail" { h2 #mail { "What its mail says" }
            @if all.is_empty() { p { (NOTHING) } } @else {
                (table("What the mail of each stream says", "stack", &["stream", "from", "signed by", "foreign", "checks"], &html! {
                    @for one in &all { (line(one)) }
                }))
                p { a href=(format!("{root}providers/{provider}/mail")) { "All that is known of its mail" } ", since when, and how each check stands" }
            }
        }
    }
}

const NOTHING: &str = "No mail of it was looked at yet. Until then its From alone is known, as it is configured.";

fn line(one: &IdentityView) -> Markup {
    let pending = one.marks.iter().filter(|mark| mark.foreign).count();
    html! {
        tr {
            th scope="row" { (one.stream) }
            td data-k="from" { (values(one, Part::From)) }
            td data-k="signed by" { (values(one, Part::DkimDomain)) }
            td data-k="foreign" { @if pending > 0 { (badge(Verdict::Degraded, &count(pending, "value"))) } @else if one.known { "nothing" } @else { (learning(one)) } }
            td data-k="checks" { (checks::summary(one, SAID)) }
        }
    }
}

fn learning(one: &IdentityView) -> Markup {
    label(&format!("learnt from {} so far", strip::canaries(one.seen as usize)))
}

/// The values of one part that are known, the first of them.
fn values(one: &IdentityView, part: Part) -> Markup {
    let known: Vec<&MarkView> = one.marks.iter().filter(|mark| mark.mark.part == part && !mark.foreign).collect();
    html! {
        @for (place, mark) in known.iter().take(SAID).enumerate() { @if place > 0 { ", " } (foreign(&mark.mark.value, VALUE)) }
        @if known.len() > SAID { " and " (known.len() - SAID) " more" }
        @if known.is_empty() { span.dim { "none" } }
    }
}

/// `/providers/NAME/mail`; nothing if there is no provider of this name.
pub(super) fn mail(view: &View, name: &str) -> Option<Markup> {
    let party = view.providers.iter().find(|party| party.name.as_str() == name)?;
    let all = mine(view, name);
    let (loud, well): (Vec<&IdentityView>, Vec<&IdentityView>) =
        all.iter().partition(|one| all.len() <= FEW || one.marks.iter().any(|mark| mark.foreign) || checks::is_broken(one));
    let body = html! {
        h1 { "Mail of provider " (party.name) }
        p { "Who its mail says that it is, as its canaries showed it, and whether that holds. " a href=(format!("{ROOT}providers/{name}")) { "The provider" } }
        @if all.is_empty() { p.note { (NOTHING) } }
        @for one in &loud { (stream(view, one)) }
        @if !well.is_empty() {
            section aria-labelledby="others" {
                h2 #others { "Streams in whose mail nothing is foreign and nothing fails" }
                @for one in &well { details id=(format!("of-{}", one.stream)) { summary { (one.stream) } (parts(view, one)) } }
            }
        }
        (hosts(view, &all))
        (dns::of(view, ROOT, |one| one.providers.contains(&party.name)))
    };
    Some(page(view, ROOT, &format!("Mail of {}", party.name), &body))
}

fn stream(view: &View, one: &IdentityView) -> Markup {
    let id = format!("s-{}", one.stream);
    html! { section aria-labelledby=(id) { h2 id=(id) { "Stream " (one.stream) } (parts(view, one)) } }
}

fn parts(view: &View, one: &IdentityView) -> Markup {
    html! {
        p.small {
            @if one.known { (badge(Verdict::Delivering, "known")) ": what is new in it is foreign." } @else { (learning(one)) ": what it has until ten were looked at is its own." }
            " Looked at last " (time(one.at, view.at)) "; of its mails the first ten are written down, then one an hour, and each that says anything new: " (count(one.written as usize, "mail")) "."
        }
        (pending(view, one))
        h3 { "Checks" }
        (checks::checks(view, one))
        h3 { "What is known" }
        (known(view, one))
    }
}

/// What is foreign, and how a person says that it is right.
fn pending(view: &View, one: &IdentityView) -> Markup {
    let foreign: Vec<&MarkView> = one.marks.iter().filter(|mark| mark.foreign).collect();
    if foreign.is_empty() {
        return html! {};
    }
    let rows = html! { @for mark in foreign.iter().take(FOREIGN) { (strange(view, one, mark)) } };
    let caption = format!("What has not stood in the mail of {} before", one.stream);
    html! {
        h3 { "What has not stood there before" }
        (table(&caption, "stack", &["where", "value", "since", "seen", "if it is right"], &rows))
        @if foreign.len() > FOREIGN { p.dim { "and " (foreign.len() - FOREIGN) " more" } }
    }
}

fn strange(view: &View, one: &IdentityView, mark: &MarkView) -> Markup {
    let (provider, stream, part) = (&one.provider, &one.stream, mark.mark.part.as_str());
    let value = text::plain(&typed(&mark.mark.value), VALUE + 2);
    html! {
        tr {
            th scope="row" { (mark.mark.part.title()) br; (badge(Verdict::Degraded, "pending")) }
            td.value { code { (foreign(&mark.mark.value, VALUE)) } (added(mark)) }
            td data-k="since" { (time(mark.since, view.at)) }
            td data-k="seen" {
                @if let Some((canaries, first, inbox)) = &mark.canaries {
                    "in " (count(*canaries as usize, "mail")) ", the first " a href=(format!("{ROOT}canaries/{first}")) { (first) } " in " a href=(format!("{ROOT}inboxes/{inbox}")) { (inbox) }
                    @if *canaries > 1 { ", the last " (short(mark.last, view.at)) }
                    @if mark.inboxes.len() > 1 || !mark.not_in.is_empty() {
                        br; span.dim { "stands in " (named(&mark.inboxes)) @if !mark.not_in.is_empty() { ", not in " (named(&mark.not_in)) } }
                    }
                }
            }
            td.value { code { "mailcanary identity approve -c " (configuration(view)) " " (provider) " " (stream) " " (part) " -- " bdi { (value) } } }
        }
    }
}

/// What was added to a mail, as it begins.
fn added(mark: &MarkView) -> Markup {
    html! { @if let Some(words) = &mark.words { br; q { (foreign(words, VALUE)) } } }
}

/// Inboxes, the first few by name.
fn named(inboxes: &[Name]) -> String {
    let more = inboxes.len().saturating_sub(SAID);
    let shown = inboxes.iter().take(SAID).map(Name::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// What is known, part by part.
fn known(view: &View, one: &IdentityView) -> Markup {
    let mut by_part: BTreeMap<Part, Vec<&MarkView>> = BTreeMap::new();
    for mark in one.marks.iter().filter(|mark| !mark.foreign) {
        by_part.entry(mark.mark.part).or_default().push(mark);
    }
    if by_part.is_empty() {
        return html! { p { "Nothing is known of it yet." } };
    }
    let rows = html! {
        @for (part, marks) in &mut by_part { (of_part(view, one, *part, marks)) }
    };
    table(
        &format!("What stands in the mail of {}", one.stream),
        "stack",
        &["where", "value", "since", "last seen", "in", "known by"],
        &rows,
    )
}

/// The newest values of a part. Of one that differs from mail to mail, that.
fn of_part(view: &View, one: &IdentityView, part: Part, marks: &mut [&MarkView]) -> Markup {
    marks.sort_by_key(|mark| (std::cmp::Reverse((mark.told, mark.approved, mark.last)), mark.mark.value.clone()));
    let most = if one.varying.contains(&part) { 1 } else { VALUES };
    let more = marks.len().saturating_sub(most);
    html! {
        @for mark in marks.iter().take(most) {
            tr {
                th scope="row" { (part.title()) }
                td.value { code { (foreign(&mark.mark.value, VALUE)) } (added(mark)) @if most == 1 { br; span.dim { "differs from mail to mail: " (more) " others" } } }
                td data-k="since" { (short(mark.since, view.at)) }
                td data-k="last seen" { (short(mark.last, view.at)) }
                td.nw data-k="in" { @if mark.mails > 0 { (mark.mails) " of " (count(one.written as usize, "mail")) } @else { span.dim { "none so far" } } }
                td data-k="known by" { @if mark.told { "the configuration" } @else if mark.approved { "an approval" } @else { "its mail" } }
            }
        }
        @if more > 0 && most > 1 { tr { th scope="row" { (part.title()) } td colspan="5" { span.dim { "and " (more) " more that were seen longer ago" } } } }
    }
}

/// The addresses that its mail came from, over all its streams.
fn hosts(view: &View, all: &[&IdentityView]) -> Markup {
    let mut hosts: BTreeMap<IpAddr, At> = BTreeMap::new();
    for (host, last) in all.iter().flat_map(|one| &one.hosts) {
        let known = hosts.entry(*host).or_insert(*last);
        *known = (*known).max(*last);
    }
    if hosts.is_empty() {
        return html! {};
    }
    let more = hosts.len().saturating_sub(HOSTS);
    html! {
        section aria-labelledby="hosts" {
            h2 #hosts { "Addresses that its mail came from" }
            p.small { "By the receivers’ own word; public ones alone." }
            ul.card.plain { @for (host, last) in hosts.iter().take(HOSTS) { li { code { (host) } ", last seen " (short(*last, view.at)) } } @if more > 0 { li.dim { "and " (more) " more" } } }
        }
    }
}
