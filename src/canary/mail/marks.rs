//! Who a mail says that it is from, as marks.

use std::borrow::Cow;
use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

use super::body::Body;
use super::head::Head;
use super::names::{address, cut, host, is_reserved, network, organisation, printable, steady, without_tag};
use crate::model::{Mark, Part, is_for_everybody, unnumbered};

/// Different marks of one part, where a mail has one or two.
const EACH: usize = 4;
/// The same of lists, and of whoever else is named.
const MANY: usize = 16;
/// The same of the addresses in a body.
const WRITTEN: usize = 32;

/// The marks of a header of a mail to whom `own` addresses belong.
pub(super) fn of_head(head: &Head, own: &[&str]) -> BTreeSet<Mark> {
    let mut marks = BTreeSet::new();
    let mut add = |part, values: &mut dyn Iterator<Item = String>| {
        let most = if matches!(part, Part::List | Part::Header) { MANY } else { EACH };
        let mut mine = BTreeSet::new();
        for value in values.filter(|value| !value.is_empty()) {
            if mine.len() >= most {
                break;
            }
            mine.insert(Mark { part, value: cut(&super::super::without_tokens(&value), 253) });
        }
        marks.append(&mut mine);
    };
    add(Part::From, &mut head.from.iter().cloned());
    add(Part::Sender, &mut head.sender.iter().cloned());
    add(Part::ReplyTo, &mut head.reply_to.iter().cloned());
    add(Part::ReturnPath, &mut head.return_domain().into_iter());
    add(Part::DkimDomain, &mut head.signatures.iter().map(|s| s.domain.clone()));
    add(Part::DkimSelector, &mut head.signatures.iter().map(|s| format!("{}._domainkey.{}", s.selector, s.domain)));
    add(Part::MessageId, &mut head.message_id.iter().filter_map(|id| id_domain(id)));
    add(Part::List, &mut head.lists.iter().flat_map(|(name, value)| list(name, value)));
    add(Part::Header, &mut head.others(own));
    add(Part::Network, &mut head.network().into_iter());
    marks
}

/// The marks of a body of a mail to whom `own` addresses belong.
pub(super) fn of_body(body: &Body, own: &[&str]) -> BTreeSet<Mark> {
    let mut addresses = BTreeSet::new();
    for address in body.addresses().filter(|address| !is_own(own, address)) {
        if addresses.len() >= WRITTEN {
            break;
        }
        addresses.insert(Mark { part: Part::Address, value: steady(&address).into_owned() });
    }
    let links =
        body.link_hosts().into_iter().map(|value| Mark { part: Part::Link, value: cut(&super::super::without_tokens(&value), 253) });
    addresses.into_iter().chain(links).collect()
}

/// Whether an address is one of these, or one of them with a tag.
fn is_own(own: &[&str], address: &str) -> bool {
    let plain = without_tag(address);
    own.iter().any(|own| own.eq_ignore_ascii_case(address) || plain.as_deref().is_some_and(|plain| own.eq_ignore_ascii_case(plain)))
}

impl Head {
    /// The domain of Return-Path.
    pub(super) fn return_domain(&self) -> Option<String> {
        let (_, domain) = self.return_path.as_deref()?.rsplit_once('@')?;
        host(domain).or_else(|| Some(cut(&printable(domain), 253)))
    }

    /// Whoever is named besides: those who get it too, by its own word or by a host's on the way, as whole addresses; the domains (at mailboxes of
    /// everybody the addresses) of those who stand aside, of addresses in From, Sender and Reply-To that are none of the authors', as in a name, and of those in any other field.
    fn others<'h>(&'h self, own: &'h [&str]) -> impl Iterator<Item = String> + 'h {
        let authors = || self.from.iter().chain(&self.sender).chain(&self.reply_to).filter_map(|address| address.rsplit_once('@'));
        let in_names = self.named.iter().filter(move |(_, domain)| authors().all(|(_, author)| author != domain));
        let copies = self.copies.iter().filter(move |address| !is_own(own, address)).cloned();
        let on_the_way = self.way.promised().filter(move |address| !is_own(own, address)).map(|address| steady(address).into_owned());
        let stands_aside = self.aside.iter().filter(move |(address, domain)| !(is_for_everybody(domain) && is_own(own, address)));
        let elsewhere = self.elsewhere.iter().filter(move |(address, _)| !is_own(own, address));
        let whose = stands_aside.chain(elsewhere).map(|(address, domain)| whose_mailbox(address, domain).into_owned());
        copies.chain(on_the_way).chain(in_names.map(|(_, domain)| domain.clone())).chain(whose)
    }

    /// Whose host handed the mail to the receiver, or in which network that was.
    pub(super) fn network(&self) -> Option<String> {
        let (_, border) = self.way.border()?;
        border.name.as_deref().map(|name| organisation(name).to_owned()).or_else(|| border.address.map(network))
    }
}

/// Whose an address is: its domain's; at a domain where everybody can have one, as far as it is not made for one mail, its own.
fn whose_mailbox<'a>(address: &'a str, domain: &'a str) -> Cow<'a, str> {
    if is_for_everybody(domain) { steady(address) } else { Cow::Borrowed(domain) }
}

/// Whose host a message's id was made at. A name of one label is no organisation's, but one host's: numbers in it, which tell one host of many from
/// another, are `#`, and so are several in a row; likewise in names that end as none in public does.
pub(super) fn id_domain(id: &str) -> Option<String> {
    let (_, domain) = id.trim().trim_end_matches('>').rsplit_once('@')?;
    let name = host(domain);
    let whose = name.as_deref().map_or_else(|| printable(domain), |name| organisation(name).to_owned());
    if name.is_some() && !is_reserved(&whose) {
        return Some(whose);
    }
    Some(unnumbered(&whose))
}

/// The id of a list; of addresses and links only whose they are.
pub(super) fn list(name: &str, value: &str) -> Vec<String> {
    let bracketed = value.split('<').skip(1).filter_map(|part| part.split('>').next());
    if name == "list-id" {
        let id = bracketed.last().unwrap_or(value);
        return vec![host(id).unwrap_or_else(|| cut(&printable(id), 253))];
    }
    let found: Vec<String> = bracketed.filter_map(whose).collect();
    // Some leave the brackets out.
    if found.is_empty() { whose(value).into_iter().collect() } else { found }
}

fn whose(target: &str) -> Option<String> {
    let url = url::Url::parse(target.trim()).ok()?;
    if let Some(name) = url.host_str() {
        return host(name);
    }
    // What is not ASCII, and the `@` itself, may be written with percent signs.
    let path = percent_decode_str(url.path()).decode_utf8_lossy();
    let (_, domain) = path.rsplit_once('@')?;
    let domain = host(domain)?;
    let whole = address(&path).unwrap_or_default();
    Some(if whole.is_empty() { domain } else { whose_mailbox(&whole, &domain).into_owned() })
}
