//! What stands in the body of a mail, behind whatever it is encoded with.

use std::borrow::Cow;
use std::collections::BTreeSet;

use mail_parser::{Message, MessageParser, PartType};
use percent_encoding::percent_decode_str;

use super::names::{address, host, is_known, organisation};
use crate::canary::MAX_SCANNED;
use crate::canary::entities::undone;
use crate::canary::look::links;
use crate::model::hides;

/// Hosts of links that are told of.
const MOST: usize = 32;
/// Characters before an `@` that may be an address.
const LOCAL: &str = ".!#$%&'*+/=?^_`{|}~-";

/// What stands before an address in a link, and links of that kind that are looked at.
const MAILTO: &str = "mailto:";
const MAILTOS: usize = 200;
/// Signs that count as those of an address (UTS 46 for dots; the others are what they look like).
const SIGNS: [(char, char); 5] = [('\u{ff20}', '@'), ('\u{fe6b}', '@'), ('\u{3002}', '.'), ('\u{ff0e}', '.'), ('\u{ff61}', '.')];

/// The readable parts of a mail.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// Of text/plain.
    pub(super) texts: Vec<String>,
    /// Of text/html.
    pub(super) pages: Vec<String>,
    /// How many others there are.
    pub(super) others: usize,
    /// There may be more of it than was read.
    pub(super) cut: bool,
}

impl Body {
    /// Reads at most 256 KiB of a message, header and all.
    pub(super) fn read(message: &[u8], cut: bool) -> Self {
        let cut = cut || message.len() >= MAX_SCANNED;
        let message = message.get(..MAX_SCANNED).unwrap_or(message);
        let body = MessageParser::default().parse(message).map(|parsed| Self::of(&parsed)).unwrap_or_default();
        Self { cut, ..body }
    }

    fn of(parsed: &Message<'_>) -> Self {
        let mut body = Self::default();
        for part in &parsed.parts {
            match &part.body {
                PartType::Text(text) => body.texts.push(text.to_string()),
                PartType::Html(page) => body.pages.push(page.to_string()),
                PartType::Binary(_) | PartType::InlineBinary(_) | PartType::Message(_) => body.others = body.others.saturating_add(1),
                PartType::Multipart(_) => {}
            }
        }
        body
    }

    /// All of it, as it reads.
    fn all(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.texts.iter().map(|text| Cow::Borrowed(text.as_str())).chain(self.pages.iter().map(|page| undone(page)))
    }

    /// The hosts of its links, the first of them.
    pub(super) fn link_hosts(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for name in self.all().flat_map(|text| links(&text)) {
            if found.len() >= MOST {
                break;
            }
            found.insert(host(&name).unwrap_or_else(|| super::names::cut(&super::names::printable(&name), 253)));
        }
        found
    }

    /// The addresses in it, as whoever reads or follows them takes them. What stands in a link is the link's.
    pub(super) fn addresses(&self) -> impl Iterator<Item = String> {
        self.all().flat_map(|text| addresses(&as_written_to(&text))).filter_map(|(local, domain)| address(&format!("{local}@{domain}")))
    }
}

/// A text in which what hides is left out, the signs of an address are the plain ones, and what stands behind `mailto:` is undone as a mail program
/// does it: `mailto:help%40b%C3%BCcher.example`.
fn as_written_to(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !hides(c) && !SIGNS.iter().any(|(sign, _)| *sign == c);
    let text = if text.chars().all(is_plain) {
        Cow::Borrowed(text)
    } else {
        let plain = |c: char| SIGNS.iter().find(|(sign, _)| *sign == c).map_or(c, |(_, plain)| *plain);
        Cow::Owned(text.chars().filter(|c| !hides(*c)).map(plain).collect())
    };
    if !text.contains('%') {
        return text;
    }
    let lower = text.to_ascii_lowercase();
    let (mut out, mut done) = (String::with_capacity(text.len()), 0_usize);
    for (at, _) in lower.match_indices(MAILTO).take(MAILTOS) {
        let (Some(before), Some(rest)) = (text.get(done..at), text.get(at..)) else { continue };
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>');
        let target = rest.split(ends).next().unwrap_or_default();
        out.push_str(before);
        out.extend(percent_decode_str(target).decode_utf8_lossy().chars().map(|c| if c.is_control() { ' ' } else { c }));
        done = at.saturating_add(target.len());
    }
    Cow::Owned(out + text.get(done..).unwrap_or_default())
}

/// The domains of the addresses in a text.
pub(super) fn domains(text: &str) -> Vec<String> {
    addresses(text).into_iter().map(|(_, domain)| domain).collect()
}

/// The addresses in a text: what stands before the `@`, as far as it reads like a name, and the domain.
pub(super) fn addresses(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@').take(500) {
        let before = text.get(..at).unwrap_or_default();
        let local: usize =
            before.chars().rev().take_while(|c| c.is_alphanumeric() || LOCAL.contains(*c)).take(65).map(char::len_utf8).sum();
        let ends = |c: &char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')');
        let in_link = before.chars().rev().take_while(|c| !ends(c)).take(300).collect::<String>().contains("//");
        let after = text.get(at.saturating_add(1)..).unwrap_or_default();
        let domain: String = after.chars().take(254).take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-')).collect();
        if local > 0
            && !in_link
            && let Some(name) = host(domain.trim_end_matches(['.', '-']))
            && is_known(&name)
            && organisation(&name).contains('.')
        {
            let local = before.get(before.len().saturating_sub(local)..).unwrap_or_default();
            found.push((called(local).to_owned(), name));
        }
    }
    found
}

/// The end of what may be the first half of an address, without what a page or a text glues to it: `title=help`, `/help`.
fn called(local: &str) -> &str {
    let glued = |c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-' | '_' | '+');
    let name = local.rsplit(glued).next().unwrap_or_default().trim_start_matches(['.', '-', '+']);
    if name.is_empty() { local } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_links_and_pictures() {
        let text = "Write to Help@Example.com, <a href=\"mailto:x@b\u{fc}cher.example?subject=a@\"> or https://u@evil.example/@me, \
            logo@2x.png @media a@b root@localhost me@sub.mail.test.";
        assert_eq!(domains(text), ["example.com", "xn--bcher-kva.example", "sub.mail.test"]);
        let whole = addresses("to=first.last+tag@a.example, 'x@b.example' {{x@c.example}} -me@d.example");
        let whole: Vec<String> = whole.into_iter().map(|(local, domain)| format!("{local}@{domain}")).collect();
        assert_eq!(whole, ["first.last+tag@a.example", "x@b.example", "x@c.example", "me@d.example"]);
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        let forms = [
            ("text/html", "<a href=\"mailto:spy%40b%C3%BCcher.example\">x</a>"),
            ("text/html", "<a href='MAILTO:?subject=a%20b&amp;cc=spy%40b%C3%BCcher.example'>x</a>"),
            ("text/html", "<a href=mailto:Spy@xn--bcher-kva.example>x</a>"),
            ("text/html", "spy&#64;b&#xfc;cher&period;example"),
            ("text/html", "spy&commat;b\u{fc}cher.example"),
            ("text/html", "sp&shy;y@b\u{fc}ch&#8203;er.example"),
            ("text/plain", "spy@B\u{dc}CHER.example."),
            ("text/plain", "spy\u{ff20}b\u{fc}cher\u{3002}example"),
            ("text/plain", "mailto:spy%40b%c3%bccher%2Eexample"),
        ];
        for (kind, text) in forms {
            let mail = format!("MIME-Version: 1.0\r\nContent-Type: {kind}; charset=utf-8\r\n\r\n{text}\r\n");
            let read = Body::read(mail.as_bytes(), false);
            assert_eq!(read.addresses().collect::<Vec<_>>(), ["spy@xn--bcher-kva.example"], "{text}");
            // The same with soft breaks within it.
            let quoted: String = text.bytes().map(|b| format!("={b:02X}=\r\n")).collect();
            let kind = format!("{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable");
            let read = Body::read(format!("MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{quoted}\r\n").as_bytes(), false);
            assert_eq!(read.addresses().collect::<Vec<_>>(), ["spy@xn--bcher-kva.example"], "{text}");
        }
        assert!(as_written_to("mailto:%00%ff%40%").contains('@') && as_written_to("100% of a%40b").ends_with("a%40b"));
    }

    #[test]
    fn what_is_encoded_is_read() {
        let mail = "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\
            Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\naHR0cHM6Ly9hLmV4YW1wbGUvMSBtZUB4LmV4YW1wbGU=\r\n--x\r\n\
            Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<a href=3D\"HTTPS://B.Exam=\r\nple/2\"><img src=3D'//c.example/i'>\r\n--x--\r\n";
        let body = Body::read(mail.as_bytes(), false);
        assert_eq!(body.link_hosts().into_iter().collect::<Vec<_>>(), ["a.example", "b.example", "c.example"]);
        assert_eq!(body.addresses().collect::<Vec<_>>(), ["me@x.example"]);
        assert_eq!((body.texts.len(), body.pages.len(), body.others), (1, 1, 0));
    }
}
