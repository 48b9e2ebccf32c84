//! The pages: HTML made here, without pictures or anything from elsewhere. They are whole without scripts; with them they are kept fresh in place.

mod accounts;
mod bits;
mod calendar;
mod canary;
mod configuration;
mod days;
mod dns;
mod form;
mod heartbeats;
mod incident;
mod incidents;
mod lately;
mod mail;
mod matrix;
mod open;
mod party;
mod paths;
mod people;
mod plot;
mod prose;
mod public;
mod route;
mod routes;
mod spread;
mod status;
mod strip;
mod text;
mod unwatched;
mod waterfall;

use bits::{ago, foreign, severity, table, time};
pub(super) use form::{Form, form};
pub(super) use paths::paths;
use prose::prose;
pub(super) use public::public;
pub(super) use status::sentence;

use data_encoding::BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::icon;
use crate::watchdog::View;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Bytes of the reason why something is not there.
const REASON: usize = 1000;
/// Seconds until a page loads itself again where there are no scripts.
const REFRESH: u32 = 30;

/// What the content security policy has to know of each page: where styles and scripts may come from, and whom they may ask.
pub(super) fn sources() -> String {
    let hash = |text: &str| format!("sha256-{}", BASE64.encode(&Sha256::digest(text)));
    format!("style-src '{}'; script-src '{}'; connect-src 'self'; img-src 'self'", hash(STYLE), hash(SCRIPT))
}

/// A page that says that something is not there. `root`: the way from it to the status page, where that is known.
pub(super) fn missing(root: Option<&str>, title: &str, why: &str) -> Markup {
    let body = html! {
        h1 { (title) }
        p { (prose(why, REASON)) }
    };
    document(root, title, &body)
}

/// A page that stays as it is, and reads as a document.
pub(super) fn document(root: Option<&str>, title: &str, body: &Markup) -> Markup {
    let whole = html! {
        a.skip href="#main" { "Skip to content" }
        header.top { div.in {
            @if let Some(root) = root { a.brand href=(home(root)) { "mailcanary" } nav aria-label="Elsewhere" { a href=(home(root)) { "Status" } a href=(format!("{root}incidents")) { "Incidents" } } }
            @else { span.brand { "mailcanary" } }
        } }
        main #main tabindex="-1" { (body) }
    };
    frame(root, title, &html! {}, &whole)
}

/// A page about what is in a view. `root`: the way from it to the status page.
fn page(view: &View, root: &str, title: &str, body: &Markup) -> Markup {
    let body = html! {
        a.skip href="#main" { "Skip to content" }
        header.top {
            div.in {
                a.brand href=(home(root)) { "mailcanary" }
                span.where { (foreign(&view.instance, 200)) }
                nav aria-label="Elsewhere" {
                    a href=(home(root)) { "Status" }
                    a href=(format!("{root}incidents")) { "Incidents" }
                    a href=(format!("{root}dns")) { "DNS" }
                    a href=(format!("{root}metrics")) { "Metrics" }
                    a href=(format!("{root}api/v1")) { "JSON" }
                }
                (fresh(&bits::second(view.at), &bits::clock(view.at)))
            }
        }
        (said())
        main #main tabindex="-1" { (body) }
        footer {
            p {
                @if let Some((at, what)) = &view.next { "Next: " (foreign(what, 240)) ", " (ago(*at, view.at)) ". " }
                "Counting since " (time(view.began, view.at)) ". mailcanary " (env!("CARGO_PKG_VERSION")) ". Times are UTC."
            }
        }
        (script())
    };
    frame(Some(root), title, &refresh(), &body)
}

/// Without scripts a page loads itself again.
fn refresh() -> Markup {
    html! { noscript { meta http-equiv="refresh" content=(REFRESH); } }
}

/// How fresh a page is; with scripts, a way to keep it still.
fn fresh(short: &str, whole: &str) -> Markup {
    html! { p.asof { span #asof title=(whole) { "as of " (short) } button #pause type="button" hidden { "Pause refresh" } } }
}

/// Where it is said aloud that something has changed.
fn said() -> Markup {
    html! { p.vh #said role="status" {} }
}

/// What keeps a page fresh.
fn script() -> Markup {
    html! { script { (PreEscaped(SCRIPT)) } }
}

/// A link to the status page from a page that is `root` away from it.
fn home(root: &str) -> &str {
    if root.is_empty() { "./" } else { root }
}

fn frame(root: Option<&str>, title: &str, head: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Where the way is not known, browsers ask for it at the host's root.
                @if let Some(root) = root { link rel="icon" type="image/svg+xml" href=(format!("{root}{}", icon::NAME)); }
                (head)
                title { (text::plain(title, 200)) " · mailcanary" }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
}
