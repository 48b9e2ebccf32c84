//! The small things that every page is made of: instants, verdicts, foreign text, tables.

use std::cmp::Ordering;

use maud::{Markup, html};

use super::{prose, text};
use crate::model::{At, Own, Severity, Span, Verdict};
use crate::watchdog::RouteView;

/// An instant as people read it, to the second.
pub(super) fn clock(at: At) -> String {
    let text = at.rfc3339();
    match text.split_once('T') {
        Some((day, time)) => format!("{day} {} UTC", time.chars().take(8).collect::<String>()),
        None => text,
    }
}

/// The same as one word, which no line breaks.
pub(super) fn stamp(at: At) -> Markup {
    html! { time datetime=(at) { (clock(at)) } }
}

/// The time of day alone.
pub(super) fn hour(at: At) -> String {
    at.rfc3339().split_once('T').map_or_else(String::new, |(_, time)| time.chars().take(5).collect())
}

/// The time of day to the second.
pub(super) fn second(at: At) -> String {
    clock(at).chars().skip(11).collect()
}

/// The day alone, as `08-28`.
pub(super) fn day(at: At) -> String {
    at.rfc3339().chars().skip(5).take(5).collect()
}

/// An instant, and how long ago or from now that is.
pub(super) fn time(at: At, now: At) -> Markup {
    html! { time datetime=(at) { (clock(at)) } " " span.age { "(" (relative(at, now)) ")" } }
}

/// How long ago or from now an instant is; the instant itself is there for who asks.
pub(super) fn ago(at: At, now: At) -> Markup {
    html! { time datetime=(at) title=(clock(at)) { (relative(at, now)) } }
}

/// The same in words alone.
pub(super) fn relative(at: At, now: At) -> String {
    // Nobody reads milliseconds here.
    let second = Span::from_secs(1);
    match (at.since(now), now.since(at)) {
        (ahead, _) if ahead >= second => format!("in {ahead}"),
        (_, past) if past >= second => format!("{past} ago"),
        _ => "now".to_owned(),
    }
}

/// How long something took, to what people tell apart: `0.4s`, `4.1s`, `41s`, `1m30s`.
pub(super) fn took(span: Span) -> String {
    match span.as_ms() {
        ms @ 0..1000 => format!("{ms}ms"),
        ms @ 1000..10_000 => format!("{}.{}s", ms / 1000, ms % 1000 / 100),
        _ => span.to_string(),
    }
}

/// Text that others wrote: visible whatever it holds, and unable to turn the text around it.
pub(super) fn foreign(text: &str, limit: usize) -> Markup {
    html! { bdi { (text::plain(text, limit)) } }
}

/// Why something is as it is. Where an incident says so, it is named in place of its sentence, which stands once on its own page.
pub(super) fn reason(root: &str, text: &str, limit: usize) -> Markup {
    html! { @if let Some((number, _)) = incident(text) { (link(root, number)) } @else { (prose(text, limit)) } }
}

/// The same where nothing else is read: the incident that says so, and its sentence.
pub(super) fn whole_reason(root: &str, text: &str, limit: usize) -> Markup {
    html! { @if let Some((number, sentence)) = incident(text) { (link(root, number)) ": " (prose(sentence, limit)) } @else { (prose(text, limit)) } }
}

/// Why a route is as it is: what its own canaries show, and the failure that covers it.
pub(super) fn of_route(root: &str, route: &RouteView, limit: usize) -> Markup {
    html! {
        @match incident(&route.reason) {
            Some(_) => { (prose(&route.own_reason, limit)) ". " (whole_reason(root, &route.reason, limit)) }
            None => {
                @if is_covered(route) && route.own != Own::Delivering { (prose(&route.own_reason, limit)) "; " }
                (prose(&route.reason, limit))
            }
        }
    }
}

/// Whether the verdict of a route is that of a failure that covers it, and not what it itself shows.
pub(super) fn is_covered(route: &RouteView) -> bool {
    route.own.verdict() != route.verdict
}

/// What a route itself shows, as a sign and words.
pub(super) fn own(route: &RouteView) -> Markup {
    badge(route.own.verdict(), route.own.in_words())
}

/// The incident that a reason names, and what it says: alone, or after what a route says of itself.
pub(super) fn incident(reason: &str) -> Option<(u64, &str)> {
    let itself = || reason.strip_prefix("this route itself ")?.split_once("; incident ").map(|(_, rest)| rest);
    let (number, sentence) = reason.strip_prefix("incident ").or_else(itself)?.split_once(':')?;
    Some((number.parse().ok()?, sentence.trim_start()))
}

fn link(root: &str, number: u64) -> Markup {
    html! { a href=(format!("{root}incidents/{number}")) { "incident " (number) } }
}

/// With a capital at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// An instant where it matters how it compares with others of the same day.
pub(super) fn short(at: At, now: At) -> Markup {
    let (whole, today) = (clock(at), clock(now));
    let told = match (whole.split_once(' '), today.split_once(' ')) {
        (Some((day, time)), Some((same, _))) if day == same => time.trim_end_matches(" UTC").to_owned(),
        _ => format!("{} {}", day(at), hour(at)),
    };
    html! { time datetime=(at) title=(whole) { (told) } }
}

/// The sign of a verdict, which tells it without colour.
pub(super) const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Delivering => "✓",
        Verdict::Degraded => "▲",
        Verdict::Stopped => "✕",
        Verdict::Unknown => "?",
    }
}

/// A verdict as a sign and a word: never by colour alone.
pub(super) fn verdict(verdict: Verdict) -> Markup {
    badge(verdict, verdict.as_str())
}

/// A word in the colour and with the sign of a verdict.
pub(super) fn badge(tone: Verdict, word: &str) -> Markup {
    html! { span class=(format!("v {}", tone.as_str())) { span aria-hidden="true" { (sign(tone)) " " } (word) } }
}

/// A word that says neither good nor bad, and is no doubt either.
pub(super) fn label(word: &str) -> Markup {
    html! { span.v.unknown { (word) } }
}

/// A severity likewise.
pub(super) fn severity(severity: Severity) -> Markup {
    graded(severity, severity.as_str())
}

/// A word in the colour and with the sign of a severity: one that only informs is no doubt.
pub(super) fn graded(severity: Severity, word: &str) -> Markup {
    html! { span class=(format!("v {}", tone(severity).as_str())) { span aria-hidden="true" { (loud(severity)) " " } (word) } }
}

/// The sign of a severity.
pub(super) const fn loud(severity: Severity) -> &'static str {
    match severity {
        Severity::Page | Severity::Warn => sign(tone(severity)),
        Severity::Info => "i",
    }
}

/// The verdict whose colour a severity has.
pub(super) const fn tone(severity: Severity) -> Verdict {
    match severity {
        Severity::Page => Verdict::Stopped,
        Severity::Warn => Verdict::Degraded,
        Severity::Info => Verdict::Unknown,
    }
}

/// A table under a caption that is read aloud, which may be wider than the screen: its own place scrolls, and can be reached by keyboard.
/// A head that begins with `>` is that of a column of numbers.
pub(super) fn table(caption: &str, class: &str, heads: &[&str], rows: &Markup) -> Markup {
    html! {
        div.card.flush { div.wide role="region" aria-label=(format!("Table: {caption}")) tabindex="0" { table class=(class) {
            caption.vh { (caption) }
            thead { tr { @for head in heads {
                @if let Some(number) = head.strip_prefix('>') { th.num scope="col" { (number) } } @else { th scope="col" { (head) } }
            } } }
            tbody { (rows) }
        } } }
    }
}

/// The order in which people count: numbers in names by what they say, `box-2` before `box-10`.
pub(super) fn natural(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one.as_bytes(), other.as_bytes());
    while let (Some(x), Some(y)) = (a.first(), b.first()) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (left, right) = (number(&mut a), number(&mut b));
            left.len().cmp(&right.len()).then_with(|| left.cmp(right))
        } else {
            (a, b) = (a.get(1..).unwrap_or_default(), b.get(1..).unwrap_or_default());
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len()).then_with(|| one.cmp(other))
}

/// Takes the digits at the beginning; returned without zeros in front.
fn number<'t>(text: &mut &'t [u8]) -> &'t [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

/// A number and its word: `1 route`, `4 routes`.
pub(super) fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_found_behind_what_a_route_says_of_itself() {
        assert_eq!(incident("incident 7: it stopped"), Some((7, "it stopped")));
        assert_eq!(
            incident("this route itself delivers: all 9 arrived; incident 12: `p` loses mail: 1 of 2"),
            Some((12, "`p` loses mail: 1 of 2"))
        );
        assert_eq!(incident("provider says; incident 3: x"), None);
    }

    #[test]
    fn names_are_sorted_as_people_count() {
        let mut names = ["box-10", "box-2", "box-02", "box", "a9b1", "a10", "a9b", "box-1"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a9b", "a9b1", "a10", "box", "box-1", "box-02", "box-2", "box-10"]);
    }

    #[test]
    fn instants_and_durations_read_as_people_say_them() {
        let at = At::from_ms(1_659_987_000_123);
        assert_eq!(clock(at), "2022-08-08 19:30:00 UTC");
        assert_eq!((hour(at), day(at)), ("19:30".to_owned(), "08-08".to_owned()));
        assert_eq!(clock(At::from_ms(i64::MAX)), "+9223372036854775807ms");
        assert_eq!(relative(at, at.plus(Span::from_secs(90))), "1m30s ago");
        assert_eq!(relative(at.plus(Span::from_secs(40)), at), "in 40s");
        assert_eq!(relative(at, at.plus(Span::from_ms(999))), "now");
        let spans = [(0, "0ms"), (850, "850ms"), (4160, "4.1s"), (41_000, "41s"), (90_000, "1m30s")];
        spans.iter().for_each(|(ms, text)| assert_eq!(took(Span::from_ms(*ms)), *text));
    }
}
