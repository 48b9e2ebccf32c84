//! The small things that every page is made of: instants, verdicts, foreign text, tables.

use maud::{Markup, html};

use super::{prose, text};
use crate::model::{At, Severity, Span, Verdict};

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

/// The incident that a reason names, and what it says.
pub(super) fn incident(reason: &str) -> Option<(u64, &str)> {
    let (number, sentence) = reason.strip_prefix("incident ")?.split_once(':')?;
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

/// A severity likewise.
pub(super) fn severity(severity: Severity) -> Markup {
    badge(tone(severity), severity.as_str())
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

/// A number and its word: `1 route`, `4 routes`.
pub(super) fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

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
