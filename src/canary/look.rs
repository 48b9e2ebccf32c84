//! Whether a mail that an application sent looks as it should: a token in a newsletter, or behind a dead link, is no arrival.

use std::borrow::Cow;

use mail_parser::{MessageParser, PartType};
use url::Url;

use super::entities::{is_left_out, undone};
use crate::config::{Look, matches};

/// Links that are looked at; a mail that people read has a dozen.
const MAX_LINKS: usize = 200;
/// Characters of a link.
const LONGEST: usize = 2048;
/// What browsers take for a slash in front of a host, one or more of them.
const SLASHES: [char; 2] = ['/', '\\'];
/// Hosts that are named in a reason.
const NAMED: usize = 3;

/// What a mail of one application looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The sender's address.
    pub from: String,
    /// The rest.
    pub look: Look,
}

impl Expected {
    /// Why `message`, headers and a body that may be cut, is not as expected; nothing if it is.
    #[must_use]
    pub fn unlike(&self, message: &[u8]) -> Option<String> {
        let parsed = MessageParser::default().parse(message)?;
        let from = parsed.from().and_then(|from| from.first()).and_then(|one| one.address()).unwrap_or_default();
        if !from.eq_ignore_ascii_case(&self.from) {
            return Some(format!("it is from `{}`, not from `{}`", shown(from), self.from));
        }
        let subject = parsed.subject().unwrap_or_default();
        if let Some(pattern) = self.look.subject.as_ref().filter(|pattern| !matches(pattern, &unspaced(subject))) {
            return Some(format!("its subject is `{}`, not `{pattern}`", shown(subject)));
        }
        let texts: Vec<Cow<'_, str>> = parsed
            .parts
            .iter()
            .filter_map(|part| match &part.body {
                PartType::Text(text) => Some(Cow::Borrowed(text.as_ref())),
                PartType::Html(page) => Some(undone(page)),
                PartType::Binary(_) | PartType::InlineBinary(_) | PartType::Message(_) | PartType::Multipart(_) => None,
            })
            .collect();
        if let Some(pattern) = &self.look.text
            && !(0..parsed.text_body_count())
                .filter_map(|n| parsed.body_text(n))
                .any(|text| matches(&format!("*{pattern}*"), &unspaced(&text)))
        {
            return Some(format!("`{pattern}` does not stand in its text"));
        }
        let host = self.look.link_host.as_ref()?;
        let hosts: Vec<String> = texts.iter().flat_map(|text| links(text)).take(MAX_LINKS).collect();
        (!hosts.iter().any(|found| found == host)).then(|| no_link(host, hosts))
    }
}

fn no_link(host: &str, mut hosts: Vec<String>) -> String {
    hosts.sort();
    hosts.dedup();
    let named: Vec<String> = hosts.iter().take(NAMED).map(|host| format!("`{}`", shown(host))).collect();
    match (named.is_empty(), hosts.len().saturating_sub(NAMED)) {
        (true, _) => format!("it has no link, and one to `{host}` is expected"),
        (false, 0) => format!("no link in it leads to `{host}`, but to {}", named.join(", ")),
        (false, more) => format!("no link in it leads to `{host}`, but to {} and {more} more", named.join(", ")),
    }
}

/// The hosts of the web addresses in a text or a page, as a browser takes them; in a page also of those that begin with `//`.
pub(super) fn links(text: &str) -> Vec<String> {
    let lower = joined(&text.to_ascii_lowercase());
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | ')' | ',' | ';');
    let slashes = |rest: &str, least: usize| rest.chars().take(least).filter(|c| SLASHES.contains(c)).count() == least;
    let leads = |rest: &str| {
        let rest = rest.strip_prefix("http").map(|rest| rest.strip_prefix('s').unwrap_or(rest));
        rest.and_then(|rest| rest.strip_prefix(':')).is_some_and(|rest| slashes(rest, 1))
    };
    let http = lower.match_indices("http").map(|(at, _)| at).filter(|at| lower.get(*at..).is_some_and(leads));
    let bare = lower.match_indices('=').filter_map(|(at, _)| {
        let value = lower.get(at.saturating_add(1)..)?.trim_start();
        let value = value.strip_prefix(['"', '\'']).unwrap_or(value).trim_start();
        slashes(value, 2).then(|| lower.len().saturating_sub(value.len()))
    });
    let mut starts: Vec<usize> = http.take(MAX_LINKS).chain(bare.take(MAX_LINKS)).collect();
    starts.sort_unstable();
    starts
        .into_iter()
        .take(MAX_LINKS)
        .filter_map(|at| {
            // No browser follows a longer one, and a longer search would not be one pass.
            let address: String = lower.get(at..)?.chars().take(LONGEST).take_while(|c| !ends(*c)).collect();
            let whole = if address.starts_with(SLASHES) { format!("https:{address}") } else { address };
            Some(Url::parse(&whole).ok()?.host_str()?.trim_end_matches('.').to_owned())
        })
        .collect()
}

/// A page whose quoted values have no tabs and no ends of lines, as browsers take links.
fn joined(page: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(page.len()), page);
    while let Some((before, after)) = rest.split_once('=') {
        (out, rest) = (out + before + "=", after);
        let value = after.trim_start();
        let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
        let length: usize = value.chars().skip(1).take(LONGEST).take_while(|c| *c != quote).map(char::len_utf8).sum();
        let (value, after) = value.split_at_checked(length.saturating_add(1)).unwrap_or((value, ""));
        if after.starts_with(quote) && value.contains(is_left_out) {
            let joined: String = value.chars().filter(|c| !is_left_out(*c)).collect();
            let link = joined.trim_start_matches(|c: char| c == quote || c.is_whitespace());
            // In a text of somebody's own a line that ends is one.
            if link.starts_with("http") || link.starts_with(SLASHES) {
                (out, rest) = (out + &joined, after);
            }
        }
    }
    out + rest
}

/// One line, single spaces: neither a fold nor the width of a text is a difference.
fn unspaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What somebody else wrote, made safe to show.
fn shown(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '?' } else { c }).map(|c| if c == '`' { '\'' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From: Shop <No-Reply@shop.example>\r\nSubject: =?utf-8?Q?Confirm_your?=\r\n =?utf-8?Q?_address?=\r\n\
        Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        <p>Please confirm\r\n  your address: <a href=3D\"https://app.shop.example/c?a=3D1&amp;b\">go</a></p> <a href=3D'HTTP://Shop.Example'>us</a>";

    fn unlike(look: Look) -> Option<String> {
        Expected { from: "no-reply@shop.example".to_owned(), look }.unlike(MAIL.as_bytes())
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn sender_subject_text_and_link_are_looked_at() {
        let good = Look { subject: some("Confirm your *"), text: some("please confirm*ddress"), link_host: some("app.shop.example") };
        assert_eq!(unlike(Look { text: some("Please confirm your"), ..good.clone() }), None);
        assert_eq!(unlike(good.clone()).as_deref(), Some("`please confirm*ddress` does not stand in its text"));
        assert_eq!(
            unlike(Look { subject: some("Confirm"), ..good }).as_deref(),
            Some("its subject is `Confirm your address`, not `Confirm`")
        );
        let elsewhere = Look { link_host: some("shop.test"), ..Look::default() };
        assert_eq!(unlike(elsewhere).as_deref(), Some("no link in it leads to `shop.test`, but to `app.shop.example`, `shop.example`"));
        let other = Expected { from: "a@b.example".to_owned(), look: Look::default() }.unlike(MAIL.as_bytes());
        assert_eq!(other.as_deref(), Some("it is from `No-Reply@shop.example`, not from `a@b.example`"));
    }

    #[test]
    fn a_link_leads_where_a_browser_would_go() {
        assert_eq!(links("see https://app.example@evil.example/x."), ["evil.example"]);
        assert_eq!(links("<a href=https://a.example:8443/x>b</a>, (http://127.0.0.1) https:// httpx://c"), ["a.example", "127.0.0.1"]);
        assert!(links("nothing http").is_empty());
        for page in [
            "https:/\\evil.example/x",
            "http:/evil.example",
            "HTTPS:\\\\\\evil.example",
            "<a href=\"/\\evil.example\">",
            "<a href='\\\\evil.example/x'>",
            "<a href=//evil.example>",
            "<a href = \n'//evil.example'>",
            "<a href=\" //evil.example\">",
            "<a href=\"ht\ttps:\r\n//evil.\nexample\"\nclass='x'>",
            "<a\nhref='\t/\n/evil.example'>",
        ] {
            assert_eq!(links(page), ["evil.example"], "{page}");
        }
    }
}
