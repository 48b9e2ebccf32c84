//! Values as people write them, made what the mail's own are: what is approved has to be what is found.

use std::net::IpAddr;

use super::content::is_word;
use super::head::host_or_label;
use super::marks::{id_domain, list};
use super::names::{address, cut, host, network, organisation, printable, steady};
use crate::model::{Part, is_suffix};

/// What a mail that has this there has as its mark; or what would have to be written, where none can.
///
/// # Errors
///
/// In words, if no mail can have it.
pub fn normal(part: Part, text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    // Who writes a star means all that is below.
    let below = text.strip_prefix("*.").or_else(|| text.strip_prefix("*@")).filter(|_| may_be_domain(part));
    let text = below.unwrap_or(text);
    if text.replace("mc-***", "").contains('*') {
        return Err(whole_of(part));
    }
    let found = made_alike(part, text)?;
    // Without a star such a name stands for itself: there are links to it.
    if below.is_some() && is_suffix(&found) {
        return Err("whose it is: a domain stands for all below it, as `example.com`, and below this one is everybody");
    }
    match found.chars().any(char::is_alphanumeric) {
        true => Ok(found),
        false if part == Part::Network => Err("an address, a network or a host: `192.0.2.0/24`, `example.com`"),
        false => Err("a domain: `example.com`"),
    }
}

fn made_alike(part: Part, text: &str) -> Result<String, &'static str> {
    let domain = || text.rsplit_once('@').map_or(text, |(_, domain)| domain).trim_matches(['<', '>']);
    let shown = |text: &str| cut(&printable(text), 253);
    match part {
        Part::From | Part::Sender | Part::ReplyTo => address(text).ok_or("a whole address: `help@example.com`"),
        Part::ReturnPath => Ok(host(domain()).unwrap_or_else(|| shown(domain()))),
        Part::DkimDomain => host_or_label(domain()).ok_or("a domain: `example.com`"),
        Part::DkimSelector => {
            // A token in it is masked, and no name then.
            let named = |name: &str| host_or_label(name).unwrap_or_else(|| shown(name));
            let parts = text.split_once("._domainkey.").filter(|(selector, domain)| !selector.is_empty() && !domain.is_empty());
            parts
                .map(|(selector, domain)| format!("{}._domainkey.{}", named(selector), named(domain)))
                .ok_or("the selector and the domain: `selector._domainkey.example.com`")
        }
        Part::MessageId => id_domain(&format!("x@{}", domain())).ok_or("a domain: `example.com`"),
        Part::List => {
            let of_link = text.contains(':').then(|| list("list-help", text).into_iter().next()).flatten();
            Ok(of_link.or_else(|| list("list-id", text).into_iter().next()).unwrap_or_default())
        }
        Part::Header => Ok(address(text).or_else(|| host(text)).unwrap_or_else(|| shown(text))),
        Part::Network => of_network(text),
        Part::Address => {
            let whole = address(text).map(|address| steady(&address).into_owned());
            whole.or_else(|| host(text)).ok_or("an address or a domain: `help@example.com`, `example.com`")
        }
        Part::Link => {
            let of_url = url::Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
            let text = text.trim_start_matches(['/', '\\']);
            let ends: &[char] = if text.starts_with('[') { &['/'] } else { &['/', ':'] };
            let name = of_url.unwrap_or_else(|| text.split(ends).next().unwrap_or_default().to_owned());
            Ok(host(&name).unwrap_or_else(|| shown(&name)))
        }
        Part::Content if is_word(text) => Ok(text.to_owned()),
        Part::Content => Err("one of the words for what was changed, as `html-added`"),
    }
}

/// Whether a domain stands for all hosts below it there.
const fn may_be_domain(part: Part) -> bool {
    match part {
        Part::ReturnPath | Part::DkimDomain | Part::MessageId | Part::List | Part::Header | Part::Network | Part::Address | Part::Link => {
            true
        }
        Part::From | Part::Sender | Part::ReplyTo | Part::DkimSelector | Part::Content => false,
    }
}

/// What is written for all of many.
const fn whole_of(part: Part) -> &'static str {
    match part {
        Part::From | Part::Sender | Part::ReplyTo => "a whole address: `help@example.com`",
        Part::DkimSelector => "a whole one; for whatever selector approve its domain, as `dkim_domain example.com`",
        Part::Content => "a word without a star: `html-added` stands for whatever is added",
        Part::Network => "a network, as `192.0.0.0/16`, or `example.com` for all its hosts",
        Part::ReturnPath | Part::DkimDomain | Part::MessageId | Part::List | Part::Header | Part::Address | Part::Link => {
            "a domain, which stands for all below it: `example.com`"
        }
    }
}

/// The network of an address, a network, or whose host a name is. What is narrower than what mails are told by is made as wide.
fn of_network(text: &str) -> Result<String, &'static str> {
    const RIGHT: &str = "an address, a network or a host: `192.0.2.0/24`, `192.0.0.0/16`, `example.com`";
    let (first, bits) = text.split_once('/').map_or((text, None), |(first, bits)| (first, Some(bits)));
    let Ok(address) = first.parse::<IpAddr>() else {
        return Ok(host(text).map_or_else(|| printable(first), |name| organisation(&name).to_owned()));
    };
    let told = if address.is_ipv4() { 24 } else { 48 };
    let widest = if address.is_ipv4() { 32 } else { 128 };
    match bits.map(str::parse::<u8>) {
        None => Ok(network(address)),
        Some(Ok(bits)) if bits >= told && bits <= widest => Ok(network(address)),
        Some(Ok(bits @ 1..)) if bits < told => Ok(format!("{}/{bits}", masked(address, bits))),
        Some(_) => Err(RIGHT),
    }
}

/// The first address of the network of so many bits.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & !u32::MAX.checked_shr(bits.into()).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::MAX.checked_shr(bits.into()).unwrap_or(0)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_what_mails_have() {
        for (part, text, value) in [
            (Part::From, "Help@Example.COM", "help@example.com"),
            (Part::ReturnPath, "<bounce+1@em.example.com>", "em.example.com"),
            (Part::DkimDomain, "@example.com", "example.com"),
            (Part::DkimSelector, "K1._domainkey.Example.com", "k1._domainkey.example.com"),
            (Part::MessageId, "<x@mta-7.eu.sender.com>", "sender.com"),
            (Part::MessageId, "mta-7.eu.sender.com", "sender.com"),
            (Part::List, "<https://example.com/unsubscribe?x>", "example.com"),
            (Part::List, "mailto:leave@example.com", "example.com"),
            (Part::List, "news.example.com", "news.example.com"),
            (Part::Header, "Spy@example.com", "spy@example.com"),
            (Part::Header, "Example.com", "example.com"),
            (Part::Network, "192.0.2.5", "192.0.2.0/24"),
            (Part::Network, "192.0.2.128/25", "192.0.2.0/24"),
            (Part::Network, "205.201.131.7/16", "205.201.0.0/16"),
            (Part::Network, "2001:db8:1:2::3/32", "2001:db8::/32"),
            (Part::Network, "*.sendgrid.net", "sendgrid.net"),
            (Part::Link, "*.esp-cdn.com", "esp-cdn.com"),
            (Part::ReturnPath, "*.esp.com", "esp.com"),
            (Part::Network, "2001:db8:1:2::3", "2001:db8:1::/48"),
            (Part::Network, "o1.ptr7.sendgrid.net", "sendgrid.net"),
            (Part::Address, "help@gmail.com", "help@gmail.com"),
            (Part::Address, "gmail.com", "gmail.com"),
            (Part::Link, "https://example.com/path?x", "example.com"),
            (Part::Link, "example.com/path", "example.com"),
            (Part::Link, "//cdn.example/x", "cdn.example"),
            (Part::Link, "/\\cdn.example", "cdn.example"),
            (Part::Link, "[::1]", "[::1]"),
            (Part::Link, "https://s3.amazonaws.com/bucket/x", "s3.amazonaws.com"),
            (Part::Address, "seller2022@gmail.com", "seller2022@gmail.com"),
            (Part::Address, "ops+20220808@gmail.com", "ops@gmail.com"),
            (Part::DkimSelector, "mc-***._domainkey.example.com", "mc-***._domainkey.example.com"),
            (Part::Content, "html-added:0a1b2c3d", "html-added:0a1b2c3d"),
            (Part::Content, "html-added", "html-added"),
        ] {
            assert_eq!(normal(part, text).as_deref(), Ok(value), "{part:?} {text}");
        }
    }

    #[test]
    fn what_no_mail_can_have_is_refused_with_what_would_be_right() {
        for (part, text) in [
            (Part::From, "example.com"),
            (Part::DkimSelector, "k1"),
            (Part::DkimDomain, "not a domain"),
            (Part::Address, "help"),
            (Part::Content, "footer"),
            (Part::ReturnPath, "<>"),
            (Part::MessageId, "@"),
            (Part::DkimDomain, "@"),
            (Part::List, "<>"),
            (Part::Header, "<>"),
            (Part::Network, "/24"),
            (Part::Network, "192.0.2.0/33"),
            (Part::Network, "0.0.0.0/0"),
            (Part::Link, "img-*.esp-cdn.com"),
            (Part::Link, "*.co.uk"),
            (Part::Link, "*.s3.amazonaws.com"),
            (Part::DkimSelector, "*._domainkey.example.com"),
            (Part::Content, "html-added:*"),
            (Part::Link, "//"),
            (Part::Link, ""),
        ] {
            assert!(normal(part, text).is_err_and(|why| why.contains('`')), "{part:?} {text}");
        }
    }
}
