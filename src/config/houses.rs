//! Which names on the network belong together: what is run by one house fails together.

use std::net::IpAddr;

/// Houses, the kinds of provider that they are, and the names that are theirs, with all that is below.
const HOUSES: &[(&str, &[&str], &[&str])] = &[
    ("Mailchimp", &["mandrill"], &["mandrillapp.com", "mailchimp.com"]),
    ("SendGrid", &["sendgrid"], &["sendgrid.com", "sendgrid.net"]),
    ("Postmark", &["postmark"], &["postmarkapp.com", "mtasv.net"]),
    ("Mailgun", &["mailgun"], &["mailgun.net", "mailgun.org", "mailgun.com"]),
    ("Amazon SES", &["ses"], &["amazonses.com"]),
    ("SparkPost", &["sparkpost"], &["sparkpost.com", "sparkpostmail.com", "sparkpostelite.com"]),
    ("Resend", &["resend"], &["resend.com"]),
    ("Brevo", &["brevo"], &["brevo.com", "sendinblue.com"]),
    ("Mailjet", &["mailjet"], &["mailjet.com"]),
    ("MailerSend", &["mailersend"], &["mailersend.com", "mailersend.net"]),
    ("Azure Communication Services", &["azure"], &["communication.azure.com", "azurecomm.net"]),
    ("Gmail", &["gmail"], &["gmail.com", "googlemail.com", "gmail.googleapis.com"]),
    ("Outlook", &[], &["outlook.com", "hotmail.com", "live.com", "msn.com", "office365.com", "outlook.office.com"]),
    ("Yahoo", &[], &["yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "yahoo.co.jp", "yahoo.co.uk", "yahoo.de", "yahoo.fr"]),
    ("iCloud", &[], &["icloud.com", "me.com", "mac.com"]),
    ("Fastmail", &[], &["fastmail.com", "fastmail.fm", "messagingengine.com"]),
    ("GMX and WEB.DE", &[], &["gmx.net", "gmx.de", "gmx.com", "gmx.at", "gmx.ch", "web.de"]),
    ("Proton", &[], &["proton.me", "protonmail.com", "pm.me"]),
];

/// Below these, services have nothing in common but the bill.
const CLOUDS: &[&str] = &[
    "amazonaws.com",
    "amazonaws.com.cn",
    "azure.com",
    "windows.net",
    "microsoft.com",
    "office.com",
    "google.com",
    "googleapis.com",
    "cloudflare.com",
];

/// Who runs what answers to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum House {
    /// A house that is known by its name.
    Known(&'static str),
    /// Whoever has this domain, or this address.
    Of(String),
}

impl House {
    /// The house of a host, or of the domain of an address.
    pub(super) fn of(host: &str) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
            return Self::Of(host);
        }
        let known = HOUSES.iter().find(|(_, _, names)| names.iter().any(|name| is_below(&host, name)));
        if let Some((house, ..)) = known {
            return Self::Known(house);
        }
        let cloud = CLOUDS.iter().any(|cloud| is_below(&host, cloud));
        if cloud && host.starts_with("email") && host.contains(".amazonaws.com") {
            return Self::Known("Amazon SES");
        }
        if cloud { Self::Of(host) } else { Self::Of(psl::domain_str(&host).unwrap_or(&host).to_owned()) }
    }

    /// The house of a kind of provider, if that is one.
    pub(super) fn of_kind(kind: &str) -> Option<Self> {
        HOUSES.iter().find(|(_, kinds, _)| kinds.contains(&kind)).map(|(house, ..)| Self::Known(house))
    }

    /// Whether it is known to be one house, and not only one domain.
    pub(super) const fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }
}

/// Whether a host has this name, or one below it.
fn is_below(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siblings_are_of_one_house_and_neighbours_in_a_cloud_are_not() {
        for (one, other) in [
            ("api.mailgun.net", "hooks.mailgun.net"),
            ("api.mailgun.net", "smtp.mailgun.org"),
            ("gmail.com", "GoogleMail.com"),
            ("imap.gmail.com", "smtp.gmail.com."),
            ("gmail.googleapis.com", "imap.googlemail.com"),
            ("outlook.office365.com", "hotmail.com"),
            ("email.eu-west-1.amazonaws.com", "email-smtp.us-east-1.amazonaws.com"),
            ("a.shop.example", "b.shop.example"),
            ("a.shop.co.uk", "b.shop.co.uk"),
            ("192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(House::of(one), House::of(other), "{one}, {other}");
        }
        for (one, other) in [
            ("a.co.uk", "b.co.uk"),
            ("a.github.io", "b.github.io"),
            ("192.0.2.7", "192.0.2.8"),
            ("x.communication.azure.com", "prod-1.westeurope.logic.azure.com"),
            ("email.eu-west-1.amazonaws.com", "sns.eu-west-1.amazonaws.com"),
            ("gmail.googleapis.com", "chat.googleapis.com"),
            ("notmailgun.net", "mailgun.net"),
        ] {
            assert_ne!(House::of(one), House::of(other), "{one}, {other}");
        }
        assert_eq!(House::of_kind("mandrill"), Some(House::of("smtp.mandrillapp.com")));
        assert_eq!(House::of_kind("smtp"), None);
    }
}
