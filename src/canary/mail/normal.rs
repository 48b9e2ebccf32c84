//! Values as people write them, made what the mail's own are: what is approved has to be what is found.

use super::content::is_word;
use super::head::host_or_label;
use super::marks::{id_domain, list};
use super::names::{address, cut, host, network, organisation, printable, steady};
use crate::model::Part;

/// What a mail that has this there has as its mark; or what would have to be written, where none can.
///
/// # Errors
///
/// In words, if no mail can have it.
pub fn normal(part: Part, text: &str) -> Result<String, &'static str> {
    let found = made_alike(part, text.trim())?;
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
        Part::Network => Ok(of_network(text)),
        Part::Address => {
            let whole = address(text).map(|address| steady(&address).to_owned());
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

/// The network of an address, the beginning of one, or whose host a name is.
fn of_network(text: &str) -> String {
    let (first, _) = text.split_once('/').unwrap_or((text, ""));
    first.parse().map(network).ok().or_else(|| host(text).map(|name| organisation(&name).to_owned())).unwrap_or_else(|| printable(first))
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
            (Part::Network, "2001:db8:1:2::3", "2001:db8:1::/48"),
            (Part::Network, "o1.ptr7.sendgrid.net", "sendgrid.net"),
            (Part::Address, "help@gmail.com", "help@gmail.com"),
            (Part::Address, "gmail.com", "gmail.com"),
            (Part::Link, "https://example.com/path?x", "example.com"),
            (Part::Link, "example.com/path", "example.com"),
            (Part::Link, "//cdn.example/x", "cdn.example"),
            (Part::Link, "/\\cdn.example", "cdn.example"),
            (Part::Link, "[::1]", "[::1]"),
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
            (Part::Link, "//"),
            (Part::Link, ""),
        ] {
            assert!(normal(part, text).is_err_and(|why| why.contains('`')), "{part:?} {text}");
        }
    }
}
