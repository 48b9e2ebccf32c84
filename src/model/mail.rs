//! What a mail says of itself: who it is from, who signed it, which hosts it came by. What of it is foreign is the watchdog's business.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{At, Name, Placement, Span};

/// Where in a mail a mark stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The address in From.
    From,
    /// The address in Sender.
    Sender,
    /// The address in Reply-To.
    ReplyTo,
    /// The domain of Return-Path: what stands before it often names the mail.
    ReturnPath,
    /// The domain of a DKIM signature.
    DkimDomain,
    /// The selector of a DKIM signature, as `selector._domainkey.domain`.
    DkimSelector,
    /// Whose host made Message-ID: its organisation; where it is none, the host with numbers as `#`.
    MessageId,
    /// The id of a list, or whose the addresses and links of its headers are: List-Id, List-Unsubscribe, List-Post and their like.
    List,
    /// Whoever else the header names: an address in To, Cc or Bcc, or behind `for` of a host before the receiver, that is none of the inbox's; the
    /// domain of one in Errors-To, Resent-From and their like, in the name of an author, or in any field without a meaning here: the whole address
    /// where everybody can have one at that domain.
    Header,
    /// The organisation of the host that handed the mail to the receiver, by its name as the receiver wrote it down; without a name, its
    /// network: `192.0.2.0/24`, `2001:db8:1::/48`.
    Network,
    /// An address in the body that is none of the inbox's; of one that seems to be made for one mail the domain.
    Address,
    /// The host of a link in the body.
    Link,
    /// What was changed on the way, as far as what was sent is known: `subject-changed`, `text-added`, `text-cut`, `text-changed`,
    /// `text-missing`, the same of `html`, `links-rewritten`, `attachment-added`. Behind what was added stands which, in short: `text-added:1f0c77e2`.
    Content,
}

impl Part {
    /// Every part, in the order that lists use.
    pub const ALL: [Self; 13] = [
        Self::From,
        Self::Sender,
        Self::ReplyTo,
        Self::ReturnPath,
        Self::DkimDomain,
        Self::DkimSelector,
        Self::MessageId,
        Self::List,
        Self::Header,
        Self::Network,
        Self::Address,
        Self::Link,
        Self::Content,
    ];

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::Sender => "sender",
            Self::ReplyTo => "reply_to",
            Self::ReturnPath => "return_path",
            Self::DkimDomain => "dkim_domain",
            Self::DkimSelector => "dkim_selector",
            Self::MessageId => "message_id",
            Self::List => "list",
            Self::Header => "header",
            Self::Network => "network",
            Self::Address => "address",
            Self::Link => "link",
            Self::Content => "content",
        }
    }

    /// As the person who is told reads it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::From => "From",
            Self::Sender => "Sender",
            Self::ReplyTo => "Reply-To",
            Self::ReturnPath => "Return-Path",
            Self::DkimDomain => "DKIM domain",
            Self::DkimSelector => "DKIM selector",
            Self::MessageId => "Message-ID",
            Self::List => "List header",
            Self::Header => "address in the header",
            Self::Network => "sending network",
            Self::Address => "address in the text",
            Self::Link => "link",
            Self::Content => "content",
        }
    }
}

/// One value that a mail carries in one place: lower case, printable, at most 253 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Where.
    pub part: Part,
    /// What.
    pub value: String,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Whether the sending host may send for the envelope's domain (RFC 7208).
    Spf,
    /// Whether a signature holds (RFC 6376).
    Dkim,
    /// Whether one of them is of the domain in From (RFC 7489).
    Dmarc,
    /// Whether the chain of those who passed it on holds (RFC 8617).
    Arc,
}

impl Method {
    /// Every method, in the order that lists use.
    pub const ALL: [Self; 4] = [Self::Spf, Self::Dkim, Self::Dmarc, Self::Arc];

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Dmarc => "dmarc",
            Self::Arc => "arc",
        }
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// There is nothing to hold: no record, no signature; or the record says nothing either way.
    None,
    /// It cannot be said: the name server did not answer. That is nobody's fault but ours.
    Unsure,
}

impl Finding {
    /// Every finding, in the order that lists use.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::None, Self::Unsure];

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::None => "none",
            Self::Unsure => "unsure",
        }
    }
}

/// A name without what tells one host of many from another: each number in it is `#`, and so are several in a row.
#[must_use]
pub fn unnumbered(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            _ => out.push(c),
        }
    }
    while let Some(row) = ["#-#", "#.#"].into_iter().find(|row| out.contains(row)) {
        out = out.replace(row, "#");
    }
    out
}

/// One check of one mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What was checked.
    pub method: Method,
    /// How it ended.
    pub finding: Finding,
    /// It is the receiver's word, and not ours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_receiver: bool,
    /// Of which domain, and why: one line, at most 200 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// Whose host a hop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The provider's.
    Provider,
    /// Somebody's between them: a gateway, a forwarder.
    Between,
    /// The receiver's.
    Receiver,
}

impl Side {
    /// The word in texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Between => "between",
            Self::Receiver => "receiver",
        }
    }
}

/// One host on a mail's way, the first first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hop {
    /// Who wrote it down: the host's name, at most 253 bytes; empty where it has none.
    pub by: String,
    /// Whom it had it from: name or address, at most 253 bytes; empty where it does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// The address that it had it from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// When, by its own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    /// How long the mail lay before it, since the hop before or since sending; never negative, and without what clocks are seen to differ by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<Span>,
    /// By so much its clock stands behind that of the hop before, or the watcher's; more than the second that stamps tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Span>,
    /// Whose it is, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
}

impl Hop {
    /// What each of these took since the one before it, or since `sent_at`, and which clocks stand behind. The first first.
    ///
    /// A clock that is ahead makes its own hop longer and the next one negative: what cannot be true of one is taken off the nearest others.
    pub fn time(hops: &mut [Self], sent_at: Option<At>) {
        let mut before = sent_at;
        let mut took: Vec<Option<i64>> = Vec::with_capacity(hops.len());
        for hop in &mut *hops {
            let ms = hop.at.zip(before).map(|(at, before)| at.as_ms().saturating_sub(before.as_ms()));
            hop.behind = ms.filter(|ms| *ms < -super::way::STEP).map(|ms| Span::from_ms(ms.unsigned_abs()));
            took.push(ms);
            before = hop.at.or(before);
        }
        let mut row: Vec<i64> = took.iter().map(|ms| ms.unwrap_or(0)).collect();
        let mut off = vec![0; row.len()];
        // Where all of it together takes less than nothing, the last clock is wrong, and tells nothing of those before it.
        if row.iter().fold(0_i64, |sum, ms| sum.saturating_add(*ms)) >= -super::way::STEP {
            super::way::level(&mut row, &mut off);
        }
        for ((hop, ms), level) in hops.iter_mut().zip(took).zip(row) {
            hop.took = ms.map(|_| Span::from_ms(u64::try_from(level).unwrap_or(0)));
        }
    }
}

/// What a canary's mail says of itself. Foreign text, made safe to show and bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examination {
    /// At most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// It was not read to its end: what stands further behind was not looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// At most 16.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// At most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
    /// Where it came from, by the receiver's own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<IpAddr>,
    /// What the receiver's filter wrote down of it, a field each: at most 8, of 200 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<String>,
    /// Whose hosts it came by, from its receiver back to the relay that had it from us: of a relay of our own alone. At most 253 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// By what in its header the provider tells its customers apart, each behind a word for where that stands: at most 16, of 120 bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account: Vec<String>,
    /// What was added to its words, by the mark that it is: `html-added:1f0c77e2`. At most 2.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub added: BTreeMap<String, Added>,
}

/// What was added to the words of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Added {
    /// How it begins: 80 characters.
    pub words: String,
    /// Whose names stand in it, besides those of links: of hosts and of addresses, at most 8.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub names: BTreeSet<String>,
}

/// A mail in a seeded inbox that is no canary of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stranger {
    /// The address in From, at most 253 bytes; empty where there is none. Of several the first that is in our name.
    pub from: String,
    /// Where it names us, if that is not its sender: in Sender, in Reply-To, or in what stands in From besides; an address or a domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Mark>,
    /// It is in nobody's name of ours: it came through a relay that is ours alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nameless: bool,
    /// It was not read to its end: what stands further behind was not looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Its subject, at most 200 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// In what kind of folder it lay.
    pub placement: Placement,
    /// When the receiving server had it, by that server's clock.
    pub arrived_at: At,
    /// What makes it more than spam.
    pub claim: Claim,
    /// The honeytoken that it came to, if it is one of several addresses of the inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Names this copy within the inbox, so that reading it twice is not two mails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
    /// The rule of `[[expected_mail]]` that allows it, in words, if it is to be held against what such mail carried before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The providers of ours that it may have come through, by hosts and signatures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<Name>,
    /// Whom it names that is neither we nor the inbox, if it is in our name (at most 16) or may come (at most 48).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Who of ours, of the inbox's or of the rule's stands in From, Sender and Reply-To of one that may come: at most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ours: Vec<Mark>,
    /// By what a provider tells its customers apart, as of canaries; only of mail that may have come through one of ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account: Vec<String>,
}

/// What a mail that is no canary has to do with us. In JSON a word, or an object with exactly one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// Nothing: spam that any address gets.
    Nothing,
    /// The configuration allows it.
    Allowed,
    /// It says that it is from one of our domains, and no provider of ours is known to have sent it.
    OurDomain,
    /// It came through this provider of ours: in our name, or through a relay that is ours alone.
    Provider(Name),
    /// It came to an address that only this provider knows, from somebody else.
    Honeytoken(Name),
}
