//! What the DNS says: a part of the status page where something has changed, and a page with all of it.

use maud::{Markup, html};

use super::bits::{badge, capital, count};
use super::{foreign, page, severity, table, time};
use crate::model::{Answer, Grade, Name, Topic, Verdict};
use crate::watchdog::{SubjectView, View};

/// Bytes of a record.
const RECORD: usize = 300;
/// Rows of a table.
const ROWS: usize = 600;

/// What has changed or is listed, on the status page; nothing where nothing is watched.
pub(super) fn dns(view: &View) -> Markup {
    if view.dns.subjects.is_empty() {
        return html! {};
    }
    let changed: Vec<&SubjectView> = view.dns.subjects.iter().filter(|s| s.severity.is_some()).collect();
    html! {
        section aria-labelledby="dns" { h2 #dns { "DNS and reputation" }
        (silent(view))
        @if changed.is_empty() {
            p { "Nothing has changed that would have to be looked at, of " (count(view.dns.subjects.len(), "record")) ". " a href="dns" { "What stands there" } }
        } @else {
            (rows(view, "What has changed in the DNS", &changed, true))
            p { a href="dns" { "All that is watched" } }
        }
        }
    }
}

/// `/dns`: everything that is asked.
pub(super) fn whole(view: &View) -> Markup {
    let groups = Topic::ALL.map(|topic| (topic, view.dns.subjects.iter().filter(|s| s.subject.topic == topic).collect::<Vec<_>>()));
    let body = html! {
        h1 { "DNS and reputation" }
        (silent(view))
        @if view.dns.subjects.is_empty() { p { "Nothing is watched: " code { "[dns] watch" } " or " code { "server" } " is off, or no mail was looked at yet." } }
        @for (topic, subjects) in groups.iter().filter(|(_, subjects)| !subjects.is_empty()) {
            section aria-labelledby=(topic.as_str()) { h2 id=(topic.as_str()) { (heading(*topic)) } (rows(view, heading(*topic), subjects, false)) }
        }
        p { (view.dns.answered) " questions were answered since the start, " (view.dns.failed) " were not, " (view.dns.refused) " were refused by blocklists." }
    };
    page(view, "", "DNS and reputation", &body)
}

/// What some mail rests on, on a page of its own. `root`: the way to the status page.
pub(super) fn of(view: &View, root: &str, which: impl Fn(&SubjectView) -> bool) -> Markup {
    let mine: Vec<&SubjectView> = view.dns.subjects.iter().filter(|subject| which(subject)).collect();
    html! {
        @if !mine.is_empty() {
            section aria-labelledby="dns" { h2 #dns { "What it rests on in the DNS" }
                (rows(view, "What it rests on in the DNS", &mine, true))
                p { a href=(format!("{root}dns")) { "All that is watched" } }
            }
        }
    }
}

const fn heading(topic: Topic) -> &'static str {
    match topic {
        Topic::Spf => "SPF",
        Topic::Dkim => "DKIM keys",
        Topic::Dmarc => "DMARC",
        Topic::Mx => "Where mail for the inboxes goes (MX)",
        Topic::Reverse => "Names of sending addresses",
        Topic::MtaSts => "MTA-STS",
        Topic::TlsRpt => "TLS-RPT",
        Topic::Dnssec => "DNSSEC",
        Topic::Listed => "Blocklists",
    }
}

fn silent(view: &View) -> Markup {
    html! {
        @if let Some((since, why)) = &view.dns.mute {
            p { (badge(Verdict::Unknown, "no answer")) " No name server has answered since " (time(*since, view.at)) ": " (foreign(why, RECORD)) ". Nothing follows from that for anybody." }
        }
    }
}

/// `mixed`: of several topics, so that each says of which it is.
fn rows(view: &View, caption: &str, subjects: &[&SubjectView], mixed: bool) -> Markup {
    table(
        caption,
        "stack",
        &["of", "state", "what stands there", "whose"],
        &html! {
            @for one in subjects.iter().take(ROWS) { (row(view, one, mixed)) }
        },
    )
}

fn row(view: &View, one: &SubjectView, mixed: bool) -> Markup {
    let grade = one.answer.as_ref().map(|answer| answer.grade);
    html! {
        tr {
            th scope="row" { @if mixed { span.dim { (capital(one.subject.topic.title())) } br; } (foreign(&one.subject.name, RECORD)) @if let Some(list) = &one.subject.list { br; span.dim { "on " (list) } } }
            td {
                (state(one, grade))
                @if let (Some(level), Some(since)) = (one.severity, one.since) { br; (severity(level)) " since " (time(since, view.at)) }
            }
            td.why {
                @if let Some(answer) = &one.answer {
                    @if answer.text.is_empty() { span.dim { "nothing" @if answer.grade == Grade::Absent { (meaning(one.subject.topic).1) } } } @else { code { (foreign(&answer.text, RECORD)) } }
                    @if let Some(lookups) = answer.lookups { " " span.dim { "(" (lookups) " of 10 look-ups)" } }
                    @for note in &answer.notes { br; (foreign(note, RECORD)) }
                    (inside(one, answer))
                }
                @if let Some(before) = &one.before {
                    br; "before: " @if before.text.is_empty() { "nothing" } @else { code { (foreign(&before.text, RECORD)) } }
                }
                @if let Some((since, why)) = &one.unanswered { @if one.answer.is_some() || one.before.is_some() { br; } span.dim { "no answer since " (time(*since, view.at)) ": " (foreign(why, RECORD)) } }
            }
            td { (names(&one.providers)) @if !one.providers.is_empty() && !one.inboxes.is_empty() { ", " } (names(&one.inboxes)) }
        }
    }
}

/// What a record includes that is another than before, and which hosts it does not let send; what else it includes, on demand.
fn inside(one: &SubjectView, answer: &Answer) -> Markup {
    let changed = one.before.as_ref().map_or_else(Vec::new, |before| before.changed_inside(answer));
    let lost: Vec<String> = one.before.iter().flat_map(|before| before.lost(answer)).map(|host| host.to_string()).collect();
    let shut: Vec<String> = answer.hosts.iter().filter(|(_, passes)| !**passes).map(|(host, _)| host.to_string()).collect();
    let record = |text: &str| html! { @if text.is_empty() { "nothing" } @else { code { (foreign(text, RECORD)) } } };
    html! {
        @if !lost.is_empty() { br; (badge(Verdict::Stopped, "shut out")) " " (lost.join(", ")) ", from where mail comes, may not send any more" }
        @else if !shut.is_empty() { br; (badge(Verdict::Degraded, "not let pass")) " " (shut.join(", ")) ", from where mail comes" }
        @for (domain, before, after) in &changed { br; (foreign(domain, RECORD)) ", on which it rests: " (record(after)) ", before: " (record(before)) }
        @if !answer.includes.is_empty() {
            details id=(format!("in-{}", one.subject.name)) {
                summary { "what it includes" }
                ul.plain { @for (domain, text) in &answer.includes { li { (foreign(domain, RECORD)) ": " (record(text)) } } }
            }
        }
    }
}

fn state(one: &SubjectView, grade: Option<Grade>) -> Markup {
    let listed = one.subject.topic == Topic::Listed;
    match grade {
        None if one.refused => badge(Verdict::Unknown, "refuses"),
        None => badge(Verdict::Unknown, "not known"),
        Some(Grade::Absent) => badge(meaning(one.subject.topic).0, "absent"),
        Some(Grade::Broken) => badge(Verdict::Stopped, if listed { "listed" } else { "broken" }),
        Some(Grade::Weak) => badge(Verdict::Degraded, "weak"),
        Some(Grade::Fair) => badge(Verdict::Delivering, "fair"),
        Some(Grade::Sound) => badge(Verdict::Delivering, if listed { "not listed" } else { "sound" }),
    }
}

/// What it means that there is none: a finding where mail is the worse for it.
const fn meaning(topic: Topic) -> (Verdict, &'static str) {
    match topic {
        Topic::Mx => (Verdict::Degraded, ": mail goes to the address of the name itself (RFC 5321, 5.1), if it has one"),
        Topic::Spf => (Verdict::Degraded, ": receivers cannot tell who may send for it"),
        Topic::Dkim => (Verdict::Degraded, ": signatures by this key cannot be checked"),
        Topic::Dmarc => (Verdict::Degraded, ": large receivers ask for it"),
        Topic::Reverse => (Verdict::Degraded, ": large receivers refuse mail from addresses without a name"),
        Topic::MtaSts | Topic::TlsRpt | Topic::Dnssec => (Verdict::Unknown, ": nobody asks for it"),
        Topic::Listed => (Verdict::Unknown, ""),
    }
}

fn names(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}
