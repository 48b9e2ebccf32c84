//! Domains at which anybody may have a mailbox: there one address says nothing of another.

use super::{organisation, registrable};

/// Domains of public mailboxes, the large ones of the world: of an organisation each, and all names under it.
const PUBLIC: &[&str] = &[
    "126.com",
    "139.com",
    "163.com",
    "189.cn",
    "aim.com",
    "aliyun.com",
    "alice.it",
    "aol.com",
    "arcor.de",
    "att.net",
    "bellsouth.net",
    "bigpond.com",
    "bk.ru",
    "bluewin.ch",
    "bol.com.br",
    "btinternet.com",
    "centrum.cz",
    "comcast.net",
    "cox.net",
    "daum.net",
    "duck.com",
    "email.cz",
    "fastmail.com",
    "fastmail.fm",
    "foxmail.com",
    "free.fr",
    "freemail.hu",
    "freenet.de",
    "gmail.com",
    "googlemail.com",
    "hanmail.net",
    "hey.com",
    "hushmail.com",
    "icloud.com",
    "inbox.lv",
    "inbox.ru",
    "interia.pl",
    "laposte.net",
    "libero.it",
    "list.ru",
    "mac.com",
    "mail.com",
    "mail.ru",
    "mailbox.org",
    "me.com",
    "msn.com",
    "naver.com",
    "o2.pl",
    "online.de",
    "onet.pl",
    "orange.fr",
    "pm.me",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rambler.ru",
    "rediffmail.com",
    "rocketmail.com",
    "sbcglobal.net",
    "seznam.cz",
    "sfr.fr",
    "sina.com",
    "sohu.com",
    "t-online.de",
    "tiscali.it",
    "tuta.com",
    "tutanota.com",
    "uol.com.br",
    "verizon.net",
    "virgilio.it",
    "web.de",
    "wp.pl",
    "ymail.com",
    "zoho.com",
    "zohomail.com",
];
/// Of some there is one in nearly every country: `yahoo.co.jp`, `yahoo.de`.
const EVERYWHERE: &[&str] = &["gmx", "hotmail", "live", "outlook", "windowslive", "ya", "yahoo", "yandex"];

/// Whether anybody may have a mailbox at a domain, so that it is nobody's.
#[must_use]
pub fn is_for_everybody(domain: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let whose = organisation(&domain);
    PUBLIC.contains(&whose) || whose.split_once('.').is_some_and(|(name, _)| EVERYWHERE.contains(&name))
}

/// Whom a value of a mail names: of an address or a host whose domain it is (below what a company lets to others each name is another's), of an
/// address that anybody may have at its domain the address itself.
#[must_use]
pub fn party(value: &str) -> &str {
    match value.rsplit_once('@') {
        Some((_, domain)) if is_for_everybody(domain) => value,
        Some((_, domain)) => registrable(domain),
        // A network or an address of a host is nobody's name.
        None if value.contains(['/', ':']) || value.ends_with(|c: char| c.is_ascii_digit()) => value,
        None => registrable(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_mailboxes_are_nobody_s_and_an_address_there_is_one_person_s() {
        for domain in ["gmail.com", "GMail.com.", "yahoo.co.jp", "yahoo.de", "mail.yandex.ru", "web.de"] {
            assert!(is_for_everybody(domain), "{domain}");
        }
        for domain in ["example.com", "gmail.com.example", "notgmail.com", "google.com", "com", ""] {
            assert!(!is_for_everybody(domain), "{domain}");
        }
        assert_eq!(party("spy@a.arxxwalls.com"), "arxxwalls.com");
        assert_eq!(party("spy@gmail.com"), "spy@gmail.com");
        assert_eq!((party("evil.s3.amazonaws.com"), party("spy@evil.github.io")), ("evil.s3.amazonaws.com", "evil.github.io"));
        assert_eq!((party("o1.ptr.sendgrid.net"), party("192.0.2.0/24"), party("")), ("sendgrid.net", "192.0.2.0/24", ""));
    }
}
