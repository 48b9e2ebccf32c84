//! Whom a name on the network belongs to, by the public suffix list.

use std::net::IpAddr;

/// Whose a name is: what was registered under the public part of it, by the public suffix list. Parts that companies let to others, as
/// `compute.amazonaws.com`, count as the company's.
#[must_use]
pub fn organisation(name: &str) -> &str {
    let mut left = name;
    loop {
        let private = psl::suffix(left.as_bytes()).is_some_and(|suffix| suffix.typ() == Some(psl::Type::Private));
        match left.split_once('.') {
            Some((_, above)) if private && above.contains('.') => left = above,
            _ => return psl::domain_str(left).unwrap_or(left),
        }
    }
}

/// Who writes what stands at a name: likewise, but below what a company lets to others each name is another's: `evil.s3.amazonaws.com`.
#[must_use]
pub fn registrable(name: &str) -> &str {
    let is_address = name.starts_with('[') || name.parse::<IpAddr>().is_ok();
    if is_address { name } else { psl::domain_str(name).unwrap_or(name) }
}

/// Whether a name is the public end of others', as `co.uk`, or lets to others all that is below it, as `github.io`.
#[must_use]
pub fn is_suffix(name: &str) -> bool {
    psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_belongs_to_whoever_registered_it() {
        for (name, whose) in [
            ("o1.ptr123.sendgrid.net", "sendgrid.net"),
            ("a.b.example.co.uk", "example.co.uk"),
            ("ec2-1-2-3-4.compute-1.amazonaws.com", "amazonaws.com"),
            ("mx.mail.test", "mail.test"),
            ("com", "com"),
        ] {
            assert_eq!(organisation(name), whose);
        }
    }

    #[test]
    fn what_is_let_to_others_is_theirs() {
        for (name, whose) in [
            ("click7.esp.com", "esp.com"),
            ("evil.s3.amazonaws.com", "evil.s3.amazonaws.com"),
            ("a.b.github.io", "b.github.io"),
            ("192.0.2.7", "192.0.2.7"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(registrable(name), whose);
        }
        assert!(is_suffix("co.uk") && is_suffix("github.io") && !is_suffix("example.com") && !is_suffix("mail.test"));
    }
}
