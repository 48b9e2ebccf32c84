//! How the checks of a stream's mail stand at each inbox: ours, and the receiver's own word beside it.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::super::bits::{badge, short};
use super::super::{foreign, table};
use super::ROOT;
use crate::model::{Method, Name, Verdict};
use crate::watchdog::{CheckView, IdentityView, View};

/// Bytes of a reason.
const WHY: usize = 200;

/// Whether a check has held, and does not any more.
pub(super) fn is_broken(one: &IdentityView) -> bool {
    one.checks.iter().any(|check| check.failing_since.is_some())
}

/// All checks in a few words, and at which inboxes one fails.
pub(super) fn summary(one: &IdentityView, most: usize) -> Markup {
    html! {
        @if one.checks.is_empty() { span.dim { "none yet" } }
        @for method in Method::ALL {
            @let mine: Vec<&CheckView> = one.checks.iter().filter(|check| check.method == method).collect();
            @let failing = mine.iter().filter(|check| check.failing_since.is_some()).max_by_key(|check| check.broken_since.is_some());
            @if let Some(worst) = failing {
                (badge(tone(worst).0, &format!("{} fails", title(method)))) " at " (inboxes(&mine, most)) " "
            } @else if !mine.is_empty() {
                (badge(if mine.iter().any(|check| check.sound) { Verdict::Delivering } else { Verdict::Unknown }, title(method))) " "
            }
        }
    }
}

/// The inboxes at which a check fails.
fn inboxes(mine: &[&CheckView], most: usize) -> String {
    let all: BTreeSet<&str> = mine.iter().filter(|check| check.failing_since.is_some()).map(|check| check.inbox.as_str()).collect();
    let named = all.iter().take(most).copied().collect::<Vec<_>>().join(", ");
    if all.len() > most { format!("{named} and {} more", all.len() - most) } else { named }
}

/// The table of one stream.
pub(super) fn checks(view: &View, one: &IdentityView) -> Markup {
    let mut by_inbox: BTreeMap<&Name, Vec<&CheckView>> = BTreeMap::new();
    for check in &one.checks {
        by_inbox.entry(&check.inbox).or_default().push(check);
    }
    if by_inbox.is_empty() {
        return html! { p.dim { "No check has been made yet, here or by a receiver." } };
    }
    let methods: Vec<Method> = Method::ALL.into_iter().filter(|m| *m != Method::Arc || one.checks.iter().any(|c| c.method == *m)).collect();
    let heads: Vec<&str> = std::iter::once("at inbox").chain(methods.iter().map(|method| title(*method))).collect();
    let rows = html! {
        @for (inbox, checks) in &by_inbox {
            tr {
                th scope="row" { a href=(format!("{ROOT}inboxes/{inbox}")) { (inbox) } }
                @for method in &methods {
                    @let [ours, theirs] = [false, true].map(|by| checks.iter().find(|c| c.method == *method && c.by_receiver == by));
                    td.check {
                        span.slim { strong { (title(*method)) } }
                        @if ours.is_some() || theirs.is_some() { (said(view, "by mailcanary", ours)) (said(view, "by the receiver", theirs)) }
                        @else { p.dim { "not there" } }
                    }
                }
            }
        }
    };
    table(&format!("How the mail of {} is checked", one.stream), "stack", &heads, &rows)
}

fn said(view: &View, by: &str, check: Option<&&CheckView>) -> Markup {
    html! {
        p {
            @match check {
                None => { span.dim { "no word " (by) } }
                Some(check) => {
                    @let (tone, word) = tone(check);
                    (badge(tone, &word)) " " span.dim { (by) }
                    @if let Some(since) = check.failing_since { " since " (short(since, view.at)) }
                    @if !check.why.is_empty() { br; span.small { (foreign(&check.why, WHY)) } }
                }
            }
        }
    }
}

fn tone(check: &CheckView) -> (Verdict, String) {
    match check.passed {
        _ if check.broken_since.is_some() => (Verdict::Stopped, "fails".to_owned()),
        _ if check.failing_since.is_some() => (Verdict::Degraded, "failed once".to_owned()),
        _ if check.sound => (Verdict::Delivering, "passes".to_owned()),
        0 => (Verdict::Unknown, "has never passed".to_owned()),
        times => (Verdict::Unknown, format!("passed {times} of 3 times")),
    }
}

const fn title(method: Method) -> &'static str {
    match method {
        Method::Spf => "SPF",
        Method::Dkim => "DKIM",
        Method::Dmarc => "DMARC",
        Method::Arc => "ARC",
    }
}
