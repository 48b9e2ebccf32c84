//! Host names and mail addresses.

use std::net::IpAddr;

use super::super::Mailbox;
use super::super::complaint::{Fault, quoted};
use super::line;

/// RFC 5321 4.5.3.1.1: the longest local part.
const LOCAL_MOST: usize = 64;
/// RFC 5321 4.5.3.1.3, less the brackets: the longest address.
const ADDRESS_MOST: usize = 254;

/// A host name in its A-label form, or an IP address.
pub(super) fn host(text: &str) -> Result<String, Fault> {
    let text = line(text, 253)?;
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(&text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(ip.to_string());
    }
    if text.contains("://") || text.contains('/') {
        return Err(Fault::hinted(format!("{} is a web address, not a host", quoted(&text)), "write the host's name alone"));
    }
    if let Some((name, port)) = text.rsplit_once(':')
        && port.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(Fault::hinted(format!("{} has a port in it", quoted(&text)), format!("write host = \"{name}\" and port = {port}")));
    }
    domain(&text).map_err(|why| Fault::new(format!("{} is not a host name: {why}", quoted(&text))))
}

/// A domain name in its A-label form, without a dot at its end; or what is wrong with it.
fn domain(text: &str) -> Result<String, String> {
    let ascii = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii_strict(text).or(Err("it cannot be written in ASCII"))?
    };
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    if name.is_empty() || name.len() > 253 {
        return Err(format!("it has {} characters", name.len()));
    }
    for label in name.split('.') {
        if label.is_empty() || label.len() > 63 {
            return Err(format!("a part between its dots has {} characters", label.len()));
        }
        if let Some(c) = label.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-' && *c != '_') {
            return Err(format!("it has `{c}` in it"));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("a part begins or ends with `-`".to_owned());
        }
    }
    if name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return Err("its last part is a number".to_owned());
    }
    Ok(name.to_owned())
}

/// `local@domain`, the domain in its A-label form.
pub(super) fn address(text: &str) -> Result<String, Fault> {
    let text = line(text, 320)?;
    let wrong = |why: &str| Fault::new(format!("{} is not an address: {why}", quoted(&text)));
    if text.contains('<') || text.contains('>') {
        return Err(Fault::hinted(wrong("it has brackets").what, "write the address alone, without a name"));
    }
    let (local, domain_text) = text.rsplit_once('@').ok_or_else(|| wrong("there is no `@`"))?;
    if local.is_empty() {
        return Err(wrong("there is nothing before the `@`"));
    }
    if local.len() > LOCAL_MOST {
        return Err(wrong("more than 64 characters before the `@`"));
    }
    if !local.is_ascii() {
        return Err(Fault::hinted(
            wrong("it is not ASCII before the `@`").what,
            "not every provider takes such addresses: use one in ASCII",
        ));
    }
    // RFC 5322 3.2.3, dot-atom; quoted local parts are refused: providers rewrite or reject them.
    if let Some(c) = local.chars().find(|c| !c.is_ascii_alphanumeric() && !"!#$%&'*+-/=?^_`{|}~.".contains(*c)) {
        return Err(wrong(&format!("it has `{c}` before the `@`")));
    }
    if local.split('.').any(str::is_empty) {
        return Err(wrong("a dot at the wrong place before the `@`"));
    }
    if domain_text.is_empty() {
        return Err(wrong("there is nothing behind the `@`"));
    }
    let domain = domain(domain_text).map_err(|why| wrong(&format!("its domain is none: {why}")))?;
    let address = format!("{local}@{domain}");
    if address.len() > ADDRESS_MOST { Err(wrong("it is longer than 254 characters")) } else { Ok(address) }
}

/// `Name <local@domain>`, `"Name" <local@domain>` or `local@domain`.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, Fault> {
    let text = line(text, 500)?;
    let Some((name, rest)) = text.rsplit_once('<') else {
        return address(&text).map(|address| Mailbox { name: None, address });
    };
    let inner = rest.strip_suffix('>').ok_or_else(|| Fault::new(format!("{} has no `>` at its end", quoted(&text))))?;
    let address = address(inner)?;
    let name = name.trim();
    let name = match name.strip_prefix('"').map(|n| n.strip_suffix('"')) {
        Some(Some(inner)) => unescaped(inner),
        Some(None) => return Err(Fault::new(format!("{} has a quotation mark that is not closed", quoted(&text)))),
        None => name.to_owned(),
    };
    if name.contains("=?") {
        return Err(Fault::hinted(format!("{} is encoded", quoted(&name)), "write the name as people read it; mailcanary encodes it"));
    }
    if name.contains(['<', '>', '@']) {
        return Err(Fault::new(format!("{} is not a name: it has `<`, `>` or `@` in it", quoted(&name))));
    }
    Ok(Mailbox { name: (!name.is_empty()).then_some(name), address })
}

/// A quoted string without its backslashes.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_read_as_people_write_them() {
        let cases = [
            ("a@example.com", None, "a@example.com"),
            ("<a@example.com>", None, "a@example.com"),
            ("Example <No-Reply@EXAMPLE.com>", Some("Example"), "No-Reply@example.com"),
            ("\"Example, \\\"Inc\\\"\" <a@b.example>", Some("Example, \"Inc\""), "a@b.example"),
            ("Grüße <a@bücher.example>", Some("Grüße"), "a@xn--bcher-kva.example"),
            ("root@localhost", None, "root@localhost"),
        ];
        for (text, name, address) in cases {
            assert_eq!(mailbox(text).unwrap(), Mailbox { name: name.map(str::to_owned), address: address.to_owned() }, "{text}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "a",
            "a@",
            "@b",
            "a b@c.de",
            "a@b c",
            "a..b@c.de",
            "a@-b.de",
            "a@b..de",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "ä@b.de",
            "A <a@b.de",
            "a\"@b.de",
            "A <B <a@b.de>",
            &long,
            "a@b.de\r\nBcc: x@y",
        ] {
            assert!(mailbox(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        for (text, host_name) in [
            ("Mail.Example.NET.", "mail.example.net"),
            ("[::1]", "::1"),
            ("127.0.0.1", "127.0.0.1"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("my_mx", "my_mx"),
        ] {
            assert_eq!(host(text).unwrap(), host_name);
        }
        for bad in ["", "a:25", "https://a", "a b", "300.1.1.1", "a..b", "-a", ".", &"a".repeat(64)] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
    }
}
