//! What the header of a mail says, read once.

use std::net::IpAddr;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::account;
use super::body::{addresses as written, domains};
use super::fields::{fields, unfolded};
use super::filter;
use super::hops::{Ends, Way};
use super::names::{address, host};
use super::results::identity;
use crate::model::Part;

/// Fields of one kind that are looked at: a mail has one, two of its signatures and seldom more.
const EACH: usize = 8;
/// Domains that fields about the author name, from which on no more of these are looked at.
const NAMED: usize = 1024;
/// Fields of checks that are looked at.
const RESULTS: usize = 16;
/// Fields of lists that are looked at: a list's mail has six or seven.
const LISTS: usize = 24;
/// Addresses that are looked at besides those of the author, of To and its like and of others.
const OTHERS: usize = 64;
/// Fields that may name the provider's customer.
const ACCOUNT: usize = 8;

/// Fields that are searched for addresses, of those that have no meaning here.
const SEARCHED: usize = 256;
/// Parts of the names of fields whose addresses are none, or differ from mail to mail: ids, what was checked, what a filter wrote, the trace.
const NO_ADDRESSES: [&str; 14] = [
    "received",
    "arc-",
    "dkim-",
    "domainkey-",
    "authentication-results",
    "message-id",
    "content-",
    "in-reply-to",
    "references",
    "thread-",
    "return-path",
    "subject",
    "spam",
    "virus",
];

/// Recipients that are looked at, of all fields together.
const RECIPIENTS: usize = 256;
/// Fields with recipients, of one kind each: what the envelope said, as receivers write it down, and what the mail says itself.
const TO: [&str; 9] =
    ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "original-recipient", "apparently-to", "to", "cc"];

/// Fields that say who gets a mail besides whom it was sent to.
const COPIES: [&str; 5] = ["to", "cc", "bcc", "resent-to", "resent-cc"];
/// Fields that name somebody else who is written to, or who wrote.
const ASIDE: [&str; 8] = [
    "errors-to",
    "resent-from",
    "resent-sender",
    "resent-reply-to",
    "mail-reply-to",
    "mail-followup-to",
    "disposition-notification-to",
    "return-receipt-to",
];

/// A signature's domain and selector, whether it holds or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    /// `d=`.
    pub(super) domain: String,
    /// `s=`.
    pub(super) selector: String,
}

/// The header of a mail.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub(super) way: Way,
    pub(super) from: Vec<String>,
    pub(super) sender: Vec<String>,
    pub(super) reply_to: Vec<String>,
    /// The domains of whatever looks like an address in From, Sender and Reply-To, wherever it stands in them.
    pub(super) named: Vec<(Part, String)>,
    /// The address in the topmost Return-Path; empty: a mail of nobody's, as reports are. None: no such field.
    pub(super) return_path: Option<String>,
    pub(super) signatures: Vec<Signature>,
    pub(super) message_id: Option<String>,
    pub(super) lists: Vec<(String, String)>,
    /// The addresses in To, Cc and their like.
    pub(super) copies: Vec<String>,
    /// The addresses, and their domains, in fields that name somebody else.
    pub(super) aside: Vec<(String, String)>,
    /// The addresses, and their domains, in fields that have no meaning here.
    pub(super) elsewhere: Vec<(String, String)>,
    /// Fields of Authentication-Results, and how many of Received stand above each.
    pub(super) results: Vec<(usize, String)>,
    /// Fields of spam filters, each once: its place in their list, and what it says.
    pub(super) filters: Vec<(usize, String)>,
    /// Fields that may name the provider's customer: name and value.
    pub(super) account: Vec<(String, String)>,
    pub(super) subject: String,
    /// To whom it was, by its receiver's word and by its own: addresses in lower case.
    pub(super) to: Vec<String>,
}

/// Whose hosts are the receiver's of an inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receiver {
    /// Where it is read, and where mail for its domain goes.
    pub hosts: Vec<String>,
    /// Organisations of ours: what comes from their hosts was handed over.
    pub ours: Vec<String>,
}

/// How a mail came to its receiver, by the receiver's own word: what SPF is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The host that handed it over.
    pub address: IpAddr,
    /// What that host called itself.
    pub helo: String,
    /// The receiver.
    pub by: String,
    /// The address that reports go to; empty where there is none, absent where the receiver does not say.
    pub return_path: Option<String>,
}

impl Head {
    /// Reads the header that `message` begins with. Takes anything, in one pass.
    #[must_use]
    pub fn read(message: &[u8]) -> Self {
        let mut head = Self::default();
        let (mut received, mut searched, mut ends): (usize, usize, _) = (0, 0, Ends::default());
        for (name, value) in fields(message) {
            let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
            if account::is_field(name) && head.account.len() < ACCOUNT {
                head.account.push((String::from_utf8_lossy(name).to_ascii_lowercase(), unfolded(value)));
            }
            if is("received") {
                received = received.saturating_add(1);
                ends.push(value);
            } else if is("authentication-results") && head.results.len() < RESULTS {
                head.results.push((received, unfolded(value)));
            } else if is("return-path") && head.return_path.is_none() {
                head.return_path = Some(path(&unfolded(value)));
            } else if is("dkim-signature") && head.signatures.len() < EACH {
                head.signatures.extend(signature(&unfolded(value)));
            } else if let Some(part) = author(name) {
                head.note_author(part, value);
            } else if TO.iter().chain(&COPIES).any(|field| is(field)) {
                head.note_recipients(name, value);
            } else if is("subject") && head.subject.is_empty() {
                head.subject = text(value);
            } else if is("message-id") && head.message_id.is_none() {
                head.message_id = Some(unfolded(value));
            } else if name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"list-")) && head.lists.len() < LISTS {
                head.lists.push((String::from_utf8_lossy(name).to_ascii_lowercase(), unfolded(value)));
            } else if head.aside.len() < OTHERS && ASIDE.iter().any(|field| is(field)) {
                head.aside.extend(whole_and_domain(value));
            } else if let Some(place) = filter::place(name) {
                head.note_filter(place, value);
            } else if searched < SEARCHED && value.contains(&b'@') && may_have_addresses(name) {
                searched = searched.saturating_add(1);
                head.note_elsewhere(value);
            }
        }
        head.way = ends.read();
        head.to.extend(head.way.recipients().map(str::to_owned));
        head
    }

    /// The same of a mail whose receiver has these hosts, too, by the settings of the inbox and by its MX; and the name that it checked mail under.
    #[must_use]
    pub fn at(mut self, receiver: &Receiver) -> Self {
        let checked: Vec<String> = self.results.iter().filter(|(received, _)| *received == 0).map(|(_, text)| identity(text)).collect();
        self.way.belong_to(receiver.hosts.iter().chain(&checked).map(String::as_str), &receiver.ours);
        self
    }

    /// Takes in a field that says who wrote the mail, or who is to be answered.
    fn note_author(&mut self, part: Part, value: &[u8]) {
        if self.named.len() < NAMED {
            let line = text(&without_controls(value));
            self.named.extend(domains(&line).into_iter().map(|domain| (part, domain)));
        }
        let list = if part == Part::Sender {
            &mut self.sender
        } else if part == Part::ReplyTo {
            &mut self.reply_to
        } else {
            &mut self.from
        };
        if list.len() < EACH {
            list.extend(addresses(value));
        }
    }

    /// Takes in a field that says who gets the mail.
    fn note_recipients(&mut self, name: &[u8], value: &[u8]) {
        let is_one_of = |fields: &[&str]| fields.iter().any(|field| name.eq_ignore_ascii_case(field.as_bytes()));
        let copies = is_one_of(&COPIES) && self.copies.len() < OTHERS;
        let envelope = is_one_of(&TO) && self.to.len() < RECIPIENTS;
        if !copies && !envelope {
            return;
        }
        let found = recipients(value);
        if copies {
            self.copies.extend(found.iter().take(OTHERS).cloned());
        }
        if envelope {
            self.to.extend(found);
        }
    }

    fn note_filter(&mut self, place: usize, value: &[u8]) {
        if self.filters.iter().all(|(known, _)| *known != place) {
            self.filters.push((place, unfolded(value)));
        }
    }

    /// Takes in the addresses of a field that has no meaning here.
    fn note_elsewhere(&mut self, value: &[u8]) {
        for (whole, domain) in whole_and_domain(value) {
            if self.elsewhere.len() < OTHERS && self.elsewhere.iter().all(|(known, _)| *known != whole) {
                self.elsewhere.push((whole, domain));
            }
        }
    }

    /// How the mail came to its receiver, if the receiver wrote it down.
    #[must_use]
    pub fn envelope(&self) -> Option<Envelope> {
        let (_, border) = self.way.border()?;
        let (helo, by) = (border.helo.clone(), border.by.clone());
        Some(Envelope { address: border.address?, helo, by, return_path: self.return_path.clone() })
    }
}

/// Which field about the author it is.
fn author(name: &[u8]) -> Option<Part> {
    let of = [("from", Part::From), ("sender", Part::Sender), ("reply-to", Part::ReplyTo)];
    of.into_iter().find(|(field, _)| name.eq_ignore_ascii_case(field.as_bytes())).map(|(_, part)| part)
}

/// Whether addresses in a field of this name are worth a look.
fn may_have_addresses(name: &[u8]) -> bool {
    let name = name.get(..128).unwrap_or(name).to_ascii_lowercase();
    let has = |part: &str| name.windows(part.len()).any(|window| window == part.as_bytes());
    !NO_ADDRESSES.iter().any(|part| has(part)) && !name.starts_with(b"list-")
}

/// The addresses that are written in a field, and their domains.
fn whole_and_domain(value: &[u8]) -> Vec<(String, String)> {
    let all = written(&text(&without_controls(value))).into_iter();
    all.filter_map(|(local, domain)| Some((address(&format!("{local}@{domain}"))?, domain))).collect()
}

/// What stands between the brackets of a path.
fn path(text: &str) -> String {
    let inner = text.split_once('<').map_or(text, |(_, rest)| rest.split('>').next().unwrap_or_default());
    inner.trim().chars().filter(|c| !c.is_control() && !c.is_whitespace()).take(320).collect()
}

fn signature(text: &str) -> Option<Signature> {
    let tag = |wanted: &str| {
        let found = text.split(';').filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
        found.and_then(|(_, value)| host_or_label(&value.split_whitespace().collect::<String>()))
    };
    Some(Signature { domain: tag("d")?, selector: tag("s")? })
}

/// A name of one label or more.
pub(super) fn host_or_label(text: &str) -> Option<String> {
    let label = |t: &str| t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) && (1..=63).contains(&t.len());
    host(text).or_else(|| label(text).then(|| text.to_ascii_lowercase()))
}

fn parsed<'x, T>(value: &'x [u8], parse: impl FnOnce(&mut MessageStream<'x>) -> T) -> T {
    parse(&mut MessageStream::new(value))
}

/// The addresses in a field, the first few; what does not print is left out of them.
pub(in crate::canary) fn addresses(value: &[u8]) -> Vec<String> {
    listed(value, EACH)
}

/// The value without NUL and its like, which programs leave out, or break off at: folds and tabs stay.
fn without_controls(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|byte| !byte.is_ascii_control() || matches!(byte, b'\r' | b'\n' | b'\t')).collect()
}

fn listed(value: &[u8], most: usize) -> Vec<String> {
    // The parser reads up to a line's end that is not folded.
    let closed = [without_controls(value.trim_ascii_end()).as_slice(), b"\r\n"].concat();
    match parsed(&closed, MessageStream::parse_address) {
        HeaderValue::Address(all) => all.iter().filter_map(|one| address(one.address()?)).take(most).collect(),
        HeaderValue::Text(_)
        | HeaderValue::TextList(_)
        | HeaderValue::DateTime(_)
        | HeaderValue::ContentType(_)
        | HeaderValue::Received(_)
        | HeaderValue::Empty => Vec::new(),
    }
}

/// Every address in a field, in lower case: those that the parser finds, or what stands there bare.
fn recipients(value: &[u8]) -> Vec<String> {
    let found = listed(value, RECIPIENTS);
    if !found.is_empty() {
        return found;
    }
    // `rfc822;ada@example.net` (RFC 3798), or a bare address that is none by the letter.
    let line = unfolded(value);
    address(&path(line.rsplit_once(';').map_or(line.as_str(), |(_, to)| to))).into_iter().collect()
}

/// A text with its encoded words decoded, without tokens, on one line.
pub(in crate::canary) fn text(value: &[u8]) -> String {
    let closed = [value.trim_ascii_end(), b"\r\n"].concat();
    let decoded = parsed(&closed, MessageStream::parse_unstructured).into_text().map(std::borrow::Cow::into_owned).unwrap_or_default();
    unfolded(super::super::without_tokens(&decoded).as_bytes())
}
