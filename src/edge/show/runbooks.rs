//! `/runbooks/KIND`: what to do about an incident of a kind, from the documents that this program was built with: a page at night may be all that works.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::page;

/// Every runbook, by the kind that it is about.
const ALL: [(&str, &str); 14] = [
    ("stopped", include_str!("../../../docs/runbooks/stopped.md")),
    ("loss", include_str!("../../../docs/runbooks/loss.md")),
    ("slow", include_str!("../../../docs/runbooks/slow.md")),
    ("junked", include_str!("../../../docs/runbooks/junked.md")),
    ("refused", include_str!("../../../docs/runbooks/refused.md")),
    ("blind", include_str!("../../../docs/runbooks/blind.md")),
    ("cut_off", include_str!("../../../docs/runbooks/cut_off.md")),
    ("identity", include_str!("../../../docs/runbooks/identity.md")),
    ("unexpected_mail", include_str!("../../../docs/runbooks/unexpected_mail.md")),
    ("authentication", include_str!("../../../docs/runbooks/authentication.md")),
    ("sink", include_str!("../../../docs/runbooks/sink.md")),
    ("dns", include_str!("../../../docs/runbooks/dns.md")),
    ("listed", include_str!("../../../docs/runbooks/listed.md")),
    ("early_sign", include_str!("../../../docs/runbooks/early_sign.md")),
];

/// The one for what Prometheus says: a section for each alert that is about no kind of incident.
const ALERTS: (&str, &str) = ("alerts", include_str!("../../../docs/runbooks/alerts.md"));

fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.into_iter().chain([ALERTS])
}

/// How the names of alerts begin.
const ALERT: &str = "Mailcanary";

/// Whether there is one of this name.
pub(super) fn is_there(name: &str) -> bool {
    all().any(|(known, _)| known == name)
}

/// The paths. They need nothing of the watchdog, and answer while it does not.
pub(super) fn paths() -> Router {
    Router::new().route("/runbooks", get(list)).route("/runbooks/{kind}", get(one))
}

async fn list() -> Response {
    let body = html! {
        h1 { "Runbooks" }
        ul { @for (kind, text) in all() { li { a href=(format!("runbooks/{kind}")) { (title(text)) } } } }
        footer { p { a href="." { "Status" } } }
    };
    answer(StatusCode::OK, &page::document(Some("./"), "Runbooks", &body))
}

async fn one(Path(kind): Path<String>) -> Response {
    match all().find(|(known, _)| *known == kind) {
        Some((_, text)) => {
            let body = html! {
                (written(text))
                footer { p { a href="../runbooks" { "All runbooks" } " · " a href=".." { "Status" } } }
            };
            answer(StatusCode::OK, &page::document(Some("../"), title(text), &body))
        }
        None => answer(
            StatusCode::NOT_FOUND,
            &page::missing(Some("../"), "No such runbook", "There is one for each kind of incident: see /runbooks."),
        ),
    }
}

fn answer(status: StatusCode, page: &Markup) -> Response {
    (status, Html(page.clone().into_string())).into_response()
}

/// The first heading.
fn title(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_start_matches("# ")
}

/// A document as HTML. Links to documents that are not served are left out, and their words stay.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is no link passes as it is, whatever it is")]
fn written(text: &str) -> Markup {
    let mut kept = Vec::new();
    let mut parsed = Parser::new_ext(text, Options::ENABLE_TABLES).peekable();
    // The section of an alert can be led to.
    let anchored = std::iter::from_fn(move || {
        let event = parsed.next()?;
        Some(match (event, parsed.peek()) {
            (Event::Start(Tag::Heading { level: level @ HeadingLevel::H2, classes, attrs, .. }), Some(Event::Text(words)))
                if words.starts_with(ALERT) =>
            {
                Event::Start(Tag::Heading { level, id: Some(anchor(words).into()), classes, attrs })
            }
            (event, _) => event,
        })
    });
    let events = anchored.filter_map(|event| match event {
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let to = address(&dest_url);
            kept.push(to.is_some());
            Some(Event::Start(Tag::Link { link_type, dest_url: to?, title, id }))
        }
        Event::End(TagEnd::Link) => kept.pop()?.then_some(Event::End(TagEnd::Link)),
        other => Some(other),
    });
    let mut body = String::with_capacity(text.len() * 2);
    pulldown_cmark::html::push_html(&mut body, events);
    html! { (PreEscaped(body)) }
}

/// The words of a heading as people write them behind a `#`.
fn anchor(words: &str) -> String {
    words.to_lowercase().chars().filter_map(|c| if c == ' ' { Some('-') } else { (c.is_alphanumeric() || c == '-').then_some(c) }).collect()
}

/// Where a link of a document leads here.
fn address(link: &str) -> Option<CowStr<'static>> {
    let kind = link.strip_suffix(".md").filter(|kind| is_there(kind));
    // Beside this one, whatever path a proxy puts before it.
    let own = kind.map(str::to_owned);
    own.or_else(|| link.starts_with("https://").then(|| link.to_owned())).map(CowStr::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    #[test]
    fn every_kind_that_is_told_of_has_one() {
        let kinds = ALL.map(|(kind, _)| kind);
        // That a sink takes nothing is no kind of failure of mail, and has one of its own.
        let kinds: Vec<&str> = kinds.into_iter().filter(|kind| *kind != "sink").collect();
        assert_eq!(Kind::ALL.map(Kind::as_str).to_vec(), kinds);
        for (kind, text) in ALL {
            for part in [
                "**What the page means.**",
                "## The first five minutes",
                "## True or false",
                "## Who to call",
                "## Silence",
                "## When it ends",
            ] {
                assert!(text.contains(part), "{kind}: {part}");
            }
        }
    }

    #[test]
    fn links_lead_to_what_is_served_and_tables_are_tables() {
        let (_, loss) = ALL[1];
        let page = written(loss).into_string();
        assert!(page.contains("<a href=\"junked\">junked</a>") && page.contains("<h1>Loss"), "{page}");
        let (_, junked) = ALL[3];
        let page = written(junked).into_string();
        assert!(page.contains("See the FAQ.") && !page.contains("faq.md"), "{page}");
        assert!(written(ALERTS.1).into_string().contains("<h2 id=\"mailcanarydown\">MailcanaryDown</h2>"));
        assert!(written(ALL[4].1).into_string().contains("<td><code>suspended</code></td>"));
    }
}
