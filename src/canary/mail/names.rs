//! Names of hosts, as they are compared: lower case, A-labels, without the dot at the end; and whom a name belongs to.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::model::is_for_everybody;
pub(super) use crate::model::organisation;

/// RFC 1035 2.3.4.
const LONGEST: usize = 253;
/// What a `Value` may not exceed.
const VALUE: usize = 253;
/// Ends of names that exist in no public list and in many networks and documents (RFC 2606, RFC 6762, RFC 8375, RFC 9476, ICANN).
const RESERVED: [&str; 14] = [
    "alt",
    "arpa",
    "corp",
    "example",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "private",
    "test",
];

/// `text` as the name of a host with at least two labels; nothing if it cannot be one.
pub(super) fn host(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('.');
    if text.is_empty() || text.len() > LONGEST || !text.contains('.') {
        return None;
    }
    let name = idna::domain_to_ascii(text).ok()?;
    let fits = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    (name.len() <= LONGEST && !numeric && name.split('.').all(fits)).then_some(name)
}

/// Whether the end of a name is one that names have.
pub(super) fn is_known(name: &str) -> bool {
    psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known()) || is_reserved(name)
}

/// Whether a name ends as no public one does.
pub(super) fn is_reserved(name: &str) -> bool {
    name.rsplit('.').next().is_some_and(|last| RESERVED.contains(&last))
}

/// The network that an address is in, as far as it is given to one: /24 or /48.
pub(super) fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{}/48", std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// Whether an address is one that the whole world can reach.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            // RFC 6598: addresses behind a provider's NAT.
            let shared = matches!(v4.octets(), [100, 64..=127, ..]);
            !(shared || v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified())
        }
        IpAddr::V6(v6) => {
            let local = v6.segments().first().is_some_and(|first| first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80);
            !(local || v6.is_loopback() || v6.is_unspecified())
        }
    }
}

/// An address of mail, safe to show: lower case, the domain in A-labels, nothing that does not print, at most 253 bytes.
pub(super) fn address(text: &str) -> Option<String> {
    let (local, domain) = text.trim().rsplit_once('@')?;
    let domain = host(domain).or_else(|| Some(printable(domain)).filter(|d| !d.is_empty() && d.is_ascii()))?;
    let local = printable(&super::super::without_tokens(local));
    (!local.is_empty()).then(|| cut(&format!("{local}@{domain}"), VALUE))
}

/// An address without what stands behind its `+`, if it has one.
pub(super) fn without_tag(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    Some(format!("{}@{domain}", local.split_once('+')?.0))
}

/// An address as it is compared from mail to mail: whole; its domain alone where what stands before the `@` seems to be made for one mail. At a
/// domain where everybody can have one it is one person's all the same, and only what stands behind its `+` may be made for one mail.
pub(super) fn steady(address: &str) -> Cow<'_, str> {
    match address.rsplit_once('@') {
        Some((local, domain)) if local.split(|c: char| !c.is_alphanumeric()).any(is_made) => match is_for_everybody(domain) {
            true => without_tag(address).map_or(Cow::Borrowed(address), Cow::Owned),
            false => Cow::Borrowed(domain),
        },
        _ => Cow::Borrowed(address),
    }
}

/// Whether a word looks like a number, a hash or chance.
pub(super) fn is_made(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let all_hex = word.bytes().all(|b| b.is_ascii_hexdigit());
    digits >= 4 || digits >= 1 && word.len() >= 8 && all_hex || digits >= 2 && word.len() >= 12
}

/// Lower case, and `?` for whatever does not print or would turn the text around.
pub(super) fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_ascii_graphic() || (!c.is_ascii() && c.is_alphanumeric()) { c } else { '?' };
    // In this order: the small letter of one character may be two, of which the second does not print.
    text.chars().take(2 * VALUE).flat_map(char::to_lowercase).map(shown).collect()
}

/// At most so many bytes of it, in whole characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    let end = text.char_indices().map(|(at, c)| at.saturating_add(c.len_utf8())).take_while(|end| *end <= most).last().unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_alike_or_refused() {
        for (text, name) in
            [("MX.Example.COM.", "mx.example.com"), ("bücher.example", "xn--bcher-kva.example"), ("a_b.example", "a_b.example")]
        {
            assert_eq!(host(text).as_deref(), Some(name));
        }
        for text in ["", "localhost", "1.2.3.4", "a b.example", "a..b", "x.\u{202e}moc", "a.b@c", "[1.2.3.4]"] {
            assert_eq!(host(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_shown_prints_in_small_letters_too() {
        assert_eq!(printable("A\u{130}b \u{202e}Ä\u{307}"), "ai?b??ä?");
    }

    #[test]
    fn ends_of_names_are_known() {
        assert!(is_known("a.example") && is_known("a.com") && !is_known("logo@2x.png"));
    }

    #[test]
    fn networks_are_what_is_given_to_one() {
        assert_eq!(network("192.0.2.77".parse().unwrap()), "192.0.2.0/24");
        assert_eq!(network("2001:db8:1:2::3".parse().unwrap()), "2001:db8:1::/48");
        for private in ["127.0.0.1", "10.1.2.3", "100.64.0.1", "169.254.1.1", "::1", "fd00::1", "fe80::1", "0.0.0.0"] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        assert!(is_public("192.0.2.1".parse().unwrap()) && is_public("2603:10b6::1".parse().unwrap()));
    }

    #[test]
    fn addresses_are_safe_to_show_and_without_tokens() {
        let token = format!("mc-{}", "a2".repeat(18));
        assert_eq!(address(&format!("Seed+{token}@BÜCHER.example")).as_deref(), Some("seed+mc-***@xn--bcher-kva.example"));
        assert_eq!(address("a\u{202e}\u{7}b@x.example").as_deref(), Some("a??b@x.example"));
        assert_eq!(address("root@localhost").as_deref(), Some("root@localhost"));
        assert_eq!((address("nobody"), address("@x.example"), address("a@")), (None, None, None));
        assert!(address(&format!("{}@x.example", "ü".repeat(5000))).unwrap().len() <= 253);
    }

    #[test]
    fn an_address_that_is_made_for_one_mail_is_compared_by_its_domain() {
        for (address, value) in [
            ("help@gmail.com", "help@gmail.com"),
            ("seed+mc-***@x.example", "seed+mc-***@x.example"),
            ("team24@x.example", "team24@x.example"),
            ("bounce+20260814@x.example", "x.example"),
            ("u-1f3a9c0b7d@x.example", "x.example"),
            ("reply-k2j4hx9qwzpt@x.example", "x.example"),
            ("4711@x.example", "x.example"),
        ] {
            assert_eq!(steady(address), value);
        }
    }
}
