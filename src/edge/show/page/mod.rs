//! The pages: HTML made here, without scripts, pictures or anything from elsewhere.

mod accounts;
mod canary;
mod configuration;
mod form;
mod heartbeats;
mod incident;
mod people;
mod status;
mod text;

pub(super) use canary::canary;
pub(super) use form::{Form, form};
pub(super) use incident::incident;
pub(super) use status::{sentence, status};

use data_encoding::BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::model::{At, Severity, Verdict};

const STYLE: &str = include_str!("style.css");

/// The style sheet's hash, as the content security policy wants it.
pub(super) fn style_hash() -> String {
    format!("sha256-{}", BASE64.encode(&Sha256::digest(STYLE)))
}

/// A page that says that something is not there.
pub(super) fn missing(title: &str, why: &str) -> Markup {
    let body = html! {
        h1 { (title) }
        p { (why) }
    };
    layout(title, None, &body)
}

/// A page that reads as a document.
pub(super) fn document(title: &str, body: &Markup) -> Markup {
    layout(title, None, body)
}

/// The frame of every page. `refresh`: seconds until it loads itself again.
fn layout(title: &str, refresh: Option<u32>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(secs) = refresh { meta http-equiv="refresh" content=(secs); }
                title { (title) " · mailcanary" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    }
}

/// An instant, and how long ago or from now that is.
fn time(at: At, now: At) -> Markup {
    html! {
        time datetime=(at) { (at) } " "
        span.age { @if at > now { "(in " (at.since(now)) ")" } @else { "(" (now.since(at)) " ago)" } }
    }
}

/// Text that others wrote: visible whatever it holds, and unable to turn the text around it.
fn foreign(text: &str, limit: usize) -> Markup {
    html! { bdi { (text::plain(text, limit)) } }
}

/// A verdict as a sign and a word: never by colour alone.
fn verdict(verdict: Verdict) -> Markup {
    let sign = match verdict {
        Verdict::Delivering => "✓",
        Verdict::Degraded => "▲",
        Verdict::Stopped => "✕",
        Verdict::Unknown => "?",
    };
    html! { span class=(format!("v {}", verdict.as_str())) { (sign) " " (verdict.as_str()) } }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "v stopped",
        Severity::Warn => "v degraded",
        Severity::Info => "v unknown",
    }
}
