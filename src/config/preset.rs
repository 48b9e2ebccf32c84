//! What is known of public hosts of mailboxes. It only fills in what is not written, and hosts change their minds.

use std::time::Duration;

/// A public host of mailboxes.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its word in the configuration.
    pub name: &'static str,
    /// Where its IMAP is. All of them speak TLS from the first byte, on 993.
    pub host: &'static str,
    /// Other names of the same servers.
    pub also: &'static [&'static str],
    /// Its JMAP session, if it has JMAP. It takes bearer tokens there, and no passwords.
    pub jmap: Option<&'static str>,
    /// What its junk folder is called.
    pub junk: &'static str,
    /// Whether it takes passwords at all: app passwords, that is.
    pub passwords: bool,
    /// How long one `IDLE` lasts there.
    pub idle: Duration,
    /// Sessions at once that it bears for one account; an inbox has up to three.
    pub sessions: u32,
    /// What to see to in the account, for when it cannot be read or its junk is not found.
    pub hint: &'static str,
}

/// All of them.
static PRESETS: &[Preset] = &[
    Preset {
        name: "gmail",
        host: "imap.gmail.com",
        also: &["imap.googlemail.com"],
        jmap: None,
        junk: "[Gmail]/Spam",
        passwords: true,
        // It ends sessions in IDLE after some ten minutes.
        idle: Duration::from_secs(240),
        sessions: 15,
        hint: "turn on two-step verification and make an app password, or use `service_account` (Workspace) or `refresh_token`; Settings, Labels: \"Show in IMAP\" for Spam",
    },
    Preset {
        name: "outlook",
        host: "outlook.office365.com",
        also: &["imap-mail.outlook.com"],
        jmap: None,
        junk: "Junk Email",
        passwords: false,
        idle: Duration::from_secs(240),
        sessions: 20,
        hint: "it takes OAuth 2 alone: `client_id`, `client_secret`, `scope` and `token_url` for an application of your tenant, or a `refresh_token`; turn IMAP on for the mailbox",
    },
    Preset {
        name: "yahoo",
        host: "imap.mail.yahoo.com",
        also: &["export.imap.mail.yahoo.com", "imap.aol.com", "export.imap.aol.com"],
        jmap: None,
        junk: "Bulk",
        passwords: true,
        // EmailEngine: what is longer than three minutes ends without a word.
        idle: Duration::from_secs(170),
        sessions: 5,
        hint: "make an app password; it gives OAuth 2 to no new clients",
    },
    Preset {
        name: "icloud",
        host: "imap.mail.me.com",
        also: &[],
        jmap: None,
        junk: "Junk",
        passwords: true,
        idle: Duration::from_secs(240),
        sessions: 10,
        hint: "make an app-specific password; the user name is the whole @icloud.com address, or the part before the @",
    },
    Preset {
        name: "fastmail",
        host: "imap.fastmail.com",
        also: &[],
        jmap: Some("https://api.fastmail.com/jmap/session"),
        junk: "Spam",
        passwords: true,
        idle: Duration::from_secs(240),
        sessions: 10,
        hint: "make an app password with the right to read mail over IMAP; for `jmap` an API token with read-only access to mail",
    },
];

/// Their words.
pub(super) const NAMES: &[&str] = &["gmail", "outlook", "yahoo", "icloud", "fastmail"];
/// Those of them that have JMAP.
pub(super) const WITH_JMAP: &[&str] = &["fastmail"];

impl Preset {
    /// The one with this word.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// The one whose servers answer to this name.
    #[must_use]
    pub fn of_host(host: &str) -> Option<&'static Self> {
        let is = |name: &str| name.eq_ignore_ascii_case(host);
        PRESETS.iter().find(|preset| is(preset.host) || preset.also.iter().any(|other| is(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_one_and_each_host_leads_back() {
        assert_eq!(PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>(), NAMES);
        for preset in PRESETS {
            assert_eq!(Preset::named(preset.name), Some(preset));
            assert!(std::iter::once(&preset.host).chain(preset.also).all(|host| Preset::of_host(host) == Some(preset)));
            assert!(preset.sessions >= 3 && preset.idle < Duration::from_secs(29 * 60), "{}", preset.name);
        }
        let with_jmap = PRESETS.iter().filter(|preset| preset.jmap.is_some()).map(|preset| preset.name);
        assert_eq!(with_jmap.collect::<Vec<_>>(), WITH_JMAP);
        assert_eq!(Preset::of_host("IMAP.Gmail.com").map(|preset| preset.name), Some("gmail"));
        assert_eq!(Preset::of_host("imap.example.net"), None);
    }
}
