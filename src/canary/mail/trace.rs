//! One `Received` field, in the many ways that it is written: RFC 5321 has a grammar for it, and few keep to it.

use std::net::{IpAddr, Ipv6Addr};

use super::date::{begins_as_date, instant};
use super::names::{address, host};
use crate::model::At;

/// Comments in comments that are told apart.
const DEEPEST: usize = 16;
/// Words of a date, and of what may stand behind it.
const LAST_WORDS: usize = 10;

/// What one host wrote down of a mail that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trace {
    /// Who wrote it; empty where it does not say.
    pub(super) by: String,
    /// What the other called itself; empty where it does not say.
    pub(super) helo: String,
    /// What the other is called, as the writer found out: by the name server, and not by the other's word.
    pub(super) name: Option<String>,
    /// Where the other was.
    pub(super) address: Option<IpAddr>,
    /// How it was handed over: `ESMTPS`, `LMTP`.
    pub(super) with: String,
    /// To whom it was.
    pub(super) to: Option<String>,
    /// When.
    pub(super) at: Option<At>,
}

/// A word, or what stands in brackets.
enum Token {
    Word(String),
    Comment(String),
}

impl Trace {
    /// Reads the value of a field, on one line. Never fails: what is not understood is left out.
    pub(super) fn read(text: &str) -> Self {
        // The date stands behind the last semicolon; behind it there may be a comment that has one.
        let (clauses, at) = dated(text);
        let mut trace = Self { at, ..Self::default() };
        let mut clause = String::new();
        let mut from: Vec<Token> = Vec::new();
        for token in tokens(clauses) {
            match token {
                Token::Word(word) => match (is_keyword(&word), clause.as_str()) {
                    (true, _) => clause = word.to_ascii_lowercase(),
                    (false, "from") => from.push(Token::Word(word)),
                    (false, "by") if trace.by.is_empty() => trace.by = called(&word),
                    (false, "for") if trace.to.is_none() => trace.to = address(word.trim_matches(['<', '>', ';'])),
                    (false, "with") if trace.with.is_empty() => trace.with = word,
                    (false, _) => {}
                },
                Token::Comment(comment) if clause == "from" => from.push(Token::Comment(comment)),
                Token::Comment(_) => {}
            }
        }
        trace.take_from(&from, text.contains("(Exim"));
        trace
    }

    fn take_from(&mut self, from: &[Token], exim: bool) {
        let mut words = from.iter().filter_map(|t| if let Token::Word(word) = t { Some(word.as_str()) } else { None });
        let first = words.next().unwrap_or_default();
        self.helo = called(first);
        let comments = || from.iter().filter_map(|t| if let Token::Comment(comment) = t { Some(comment.as_str()) } else { None });
        let forged = comments().any(|comment| comment.contains("may be forged"));
        for comment in comments() {
            let said = said_helo(comment);
            // What the other said of itself may look like an address, and is none that anybody has seen.
            let seen = said.map_or(comment, |(seen, _)| seen);
            let address = bracketed(seen).or_else(|| bare(seen));
            let before = comment.split('[').next().unwrap_or_default().trim();
            let found = if said.is_some() || (exim && before.is_empty()) {
                // qmail, Yahoo and Exim: what they found out stands first, and what the other said in brackets.
                host(first)
            } else {
                host(before.rsplit_once('@').map_or(before, |(_, name)| name)).filter(|_| comment.contains('['))
            };
            self.name = self.name.take().or(found.filter(|_| !forged && (address.is_some() || said.is_some())));
            self.address = self.address.or(address);
            if let Some((_, said)) = said {
                self.helo = called(said);
            }
        }
        self.address = self.address.or_else(|| bracketed(first)).or_else(|| plain(first));
    }

    /// Whether it says nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.by.is_empty() && self.helo.is_empty() && self.address.is_none() && self.at.is_none()
    }

    /// By what the other is known: its name, or else its address, or else what it called itself.
    pub(super) fn whom(&self) -> String {
        self.name.clone().or_else(|| self.address.map(|a| a.to_string())).unwrap_or_else(|| self.helo.clone())
    }
}

fn is_keyword(word: &str) -> bool {
    ["from", "by", "via", "with", "id", "for", "envelope-from"].iter().any(|k| word.eq_ignore_ascii_case(k))
}

/// A host as it calls itself: a name, or whatever else, made safe.
fn called(word: &str) -> String {
    let word = word.trim_matches(|c| matches!(c, '[' | ']' | ';' | ',' | '<' | '>'));
    host(word).unwrap_or_else(|| super::names::cut(&super::names::printable(word), 253))
}

/// What stands before what the other said at the beginning, and that: `HELO x` (qmail), `EHLO x` (Yahoo), `helo=x` (Exim).
fn said_helo(comment: &str) -> Option<(&str, &str)> {
    let mut at = 0_usize;
    for word in comment.split([' ', ',']) {
        let (before, end) = (comment.get(..at)?, at.saturating_add(word.len()).saturating_add(1));
        if word.eq_ignore_ascii_case("helo") || word.eq_ignore_ascii_case("ehlo") {
            return comment.get(end..)?.split([' ', ',']).next().map(|said| (before, said));
        }
        if let Some(helo) = word.strip_prefix("helo=") {
            return Some((before, helo.trim_end_matches(')')));
        }
        at = end;
    }
    None
}

/// The address between square brackets: `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `[::ffff:192.0.2.1]:25`.
fn bracketed(text: &str) -> Option<IpAddr> {
    text.split('[').skip(1).take(4).find_map(|part| plain(part.split(']').next()?))
}

/// An address that stands alone in its brackets, as Exchange and qmail write it: `(192.0.2.1)`, `(ident@192.0.2.1)`.
fn bare(comment: &str) -> Option<IpAddr> {
    comment.split([' ', ',']).take(4).find_map(|word| plain(word.rsplit_once('@').map_or(word, |(_, address)| address)))
}

fn plain(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.get(..5).filter(|start| start.eq_ignore_ascii_case("ipv6:")).map_or(text, |_| text.get(5..).unwrap_or_default());
    let text = text.split('%').next()?;
    // KumoMTA tells the port, too: `192.0.2.1:45012`.
    let without_port = || text.rsplit_once(':').filter(|(host, _)| !host.contains(':')).and_then(|(host, _)| host.parse().ok());
    match text.parse().ok().or_else(without_port)? {
        IpAddr::V6(v6) => Some(v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)),
        v4 @ IpAddr::V4(_) => Some(v4),
    }
    .filter(|address| *address != IpAddr::V6(Ipv6Addr::UNSPECIFIED))
}

/// What stands before the date, and the date.
fn dated(text: &str) -> (&str, Option<At>) {
    let Some((clauses, date)) = text.rsplit_once(';') else { return undivided(text) };
    match instant(date) {
        Some(at) => (clauses, Some(at)),
        // A semicolon within a comment behind the date, or within what is no date at all.
        None => match clauses.rsplit_once(';') {
            Some((before, date)) if instant(date).is_some() => (before, instant(date)),
            _ => (clauses, None),
        },
    }
}

/// The same where no semicolon stands before the date, as SendGrid writes it: the first of the last words from which on it is one.
fn undivided(text: &str) -> (&str, Option<At>) {
    let starts: Vec<usize> = text.rmatch_indices(' ').take(LAST_WORDS).map(|(at, _)| at).collect();
    let date = |at: usize| {
        let (before, date) = text.split_at_checked(at)?;
        Some((before, Some(instant(date).filter(|_| begins_as_date(date.trim_start()))?)))
    };
    starts.into_iter().rev().find_map(date).unwrap_or((text, None))
}

/// Words and comments; a bracket that is never closed holds the rest.
fn tokens(text: &str) -> Vec<Token> {
    let (mut all, mut word, mut depth) = (Vec::new(), String::new(), 0_usize);
    let finish = |word: &mut String, all: &mut Vec<Token>| {
        if !word.is_empty() {
            all.push(Token::Word(std::mem::take(word)));
        }
    };
    for c in text.chars() {
        match c {
            '(' if depth == 0 => {
                finish(&mut word, &mut all);
                depth = 1;
            }
            '(' if depth < DEEPEST => {
                depth = depth.saturating_add(1);
                word.push(' ');
            }
            ')' if depth == 1 => {
                all.push(Token::Comment(std::mem::take(&mut word)));
                depth = 0;
            }
            ')' if depth > 1 => {
                depth = depth.saturating_sub(1);
                word.push(' ');
            }
            ' ' if depth == 0 => finish(&mut word, &mut all),
            _ => word.push(c),
        }
    }
    if depth > 0 {
        all.push(Token::Comment(word))
    } else {
        finish(&mut word, &mut all)
    }
    all
}
