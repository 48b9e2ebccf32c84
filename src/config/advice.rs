//! Warnings: what can be and is likely not meant.

use std::collections::BTreeMap;
use std::path::Path;

use super::preset::Preset as Known;
use super::read::Whole;
use super::text::Section;
use super::{Budget, ImapSettings, InboxKind, Proof, ProviderKind, Settings, SinkKind, Tls, WebhookSettings};
use crate::model::{Name, Route, Severity, grouped};

/// What is known of a public host. Only ever a reason to warn: hosts change their minds.
struct Preset {
    host: &'static str,
    port: u16,
    tls: Tls,
    /// Mails a day that it takes, as far as is known.
    per_day: Option<u32>,
}

/// Public hosts of mailboxes. Gmail's 60 a minute for one recipient are published; half of it is warned of.
const READ_FROM: &[Preset] = &[
    Preset { host: "imap.gmail.com", port: 993, tls: Tls::Implicit, per_day: Some(43_200) },
    Preset { host: "outlook.office365.com", port: 993, tls: Tls::Implicit, per_day: None },
    Preset { host: "imap-mail.outlook.com", port: 993, tls: Tls::Implicit, per_day: None },
    Preset { host: "imap.mail.yahoo.com", port: 993, tls: Tls::Implicit, per_day: None },
    Preset { host: "imap.aol.com", port: 993, tls: Tls::Implicit, per_day: None },
    Preset { host: "imap.mail.me.com", port: 993, tls: Tls::Implicit, per_day: None },
    Preset { host: "imap.fastmail.com", port: 993, tls: Tls::Implicit, per_day: None },
    Preset { host: "imap.gmx.net", port: 993, tls: Tls::Implicit, per_day: None },
];

/// Public hosts that take mail. 2,000 a day is the most that a paid Google account may send, 10,000 a Microsoft one.
const SENT_THROUGH: &[Preset] = &[
    Preset { host: "smtp.gmail.com", port: 587, tls: Tls::StartTls, per_day: Some(2000) },
    Preset { host: "smtp.office365.com", port: 587, tls: Tls::StartTls, per_day: Some(10_000) },
];

/// Sessions of one inbox at once: two that last, and one that deletes.
const SESSIONS: u32 = 3;

/// Gives every warning there is reason for.
pub(super) fn give(whole: &Whole<'_>) {
    let Some(settings) = &whole.settings else { return };
    too_few_to_blame(whole, settings);
    sinks(whole, settings);
    unused(whole, settings);
    http(whole, settings);
    inboxes(whole, settings);
    for (name, section) in &whole.providers {
        let Some(provider) = settings.providers.get(name) else { continue };
        let kind = &provider.kind;
        if let ProviderKind::Smtp(smtp) = kind {
            let per_day = capped(provider.budget, settings.canaries_per_day(|r| r.provider == *name));
            preset(SENT_THROUGH, section, &smtp.host, (smtp.port, smtp.tls), per_day);
        }
        template_without_headers(section, kind, settings, name);
        if let Some(key) = kind.hook_key() {
            hook_out_of_reach(section, key, &format!("/hooks/{name}"), settings);
        }
    }
}

/// Warns of templates whose mail nothing of the token is sure to be in.
fn template_without_headers(section: &Section<'_>, kind: &ProviderKind, settings: &Settings, name: &Name) {
    let bare = matches!(kind, ProviderKind::SparkPost(_)) || matches!(kind, ProviderKind::MailerSend(settings) if !settings.headers);
    let templates = kind.templates().is_some_and(|templates| !templates.by_stream.is_empty());
    let mut inboxes = settings.routes.iter().filter(|r| r.provider == *name).filter_map(|r| settings.inboxes.get(&r.inbox));
    if bare && templates && inboxes.any(|inbox| !inbox.plus_address) {
        let hint = "let each template show its variable `token`, or set `plus_address` for the inboxes; where neither is, canaries are not recognised";
        section.warn("templates", "headers are not sent along with a template", hint);
    }
}

/// Warns of webhooks that nobody can reach.
fn hook_out_of_reach(section: &Section<'_>, key: &'static str, path: &str, settings: &Settings) {
    let Some(http) = &settings.http else {
        section.warn(key, "nothing is taken in: HTTP is turned off", "set `listen` under [http], or leave this out");
        return;
    };
    if http.listen.ip().is_loopback() && http.public_url.is_none() {
        let what = format!("nobody outside can reach `{}`", http.listen);
        let hint = format!(
            "let a proxy that others reach pass POST {path} on, without a log-in of its own, and write its address as `public_url` under [http]"
        );
        section.warn(key, what, hint);
    }
}

fn too_few_to_blame(whole: &Whole<'_>, settings: &Settings) {
    let watched = |part: fn(&Route) -> &Name| settings.routes.iter().map(part).collect::<std::collections::BTreeSet<_>>().len();
    if watched(|r| &r.provider) == 1 {
        whole.root.warn("provider", "only one is watched: its faults cannot be told from those of all inboxes", "add a second provider");
    }
    if watched(|r| &r.inbox) == 1 {
        whole.root.warn(
            "inbox",
            "only one is watched: its faults cannot be told from those of all providers",
            "add a second inbox, at another host",
        );
    }
}

fn sinks(whole: &Whole<'_>, settings: &Settings) {
    for (name, section) in &whole.sinks {
        if settings.sinks.get(name).is_some_and(|sink| sink.kind.acknowledgements().is_some()) {
            hook_out_of_reach(section, "acknowledgements", &format!("/hooks/sinks/{name}"), settings);
        }
    }
    if settings.sinks.is_empty() {
        whole.root.warn(
            "sink",
            "there is none: nobody would be told",
            "add a sink, for example [sink.NAME.alertmanager] or [sink.NAME.webhook]",
        );
    } else if !settings.sinks.values().any(|s| s.takes.severities.contains(&Severity::Page)) {
        whole.root.warn("sink", "none takes pages: nobody would be woken", "give one of them \"page\" among its `severities`");
    }
    for (name, section) in &whole.sinks {
        if let Some(SinkKind::Webhook(WebhookSettings { secret: None, .. })) = settings.sinks.get(name).map(|s| &s.kind) {
            section.warn(
                "secret",
                "is missing: the receiver cannot tell our notices from anybody's",
                "give both the same secret, as { file = … }",
            );
        }
    }
}

fn unused(whole: &Whole<'_>, settings: &Settings) {
    in_no_route(settings, "provider", &whole.providers, |r| &r.provider);
    in_no_route(settings, "stream", &whole.streams, |r| &r.stream);
    in_no_route(settings, "inbox", &whole.inboxes, |r| &r.inbox);
}

fn in_no_route(settings: &Settings, group: &str, sections: &[(Name, Section<'_>)], part: fn(&Route) -> &Name) {
    for (name, section) in sections {
        if !settings.routes.iter().any(|r| part(r) == name) {
            section.warn_all(format!("this {group} is in no route: it is not watched"), "name it in a [[route]], or remove it");
        }
    }
}

fn http(whole: &Whole<'_>, settings: &Settings) {
    let Some(http) = &settings.http else { return };
    if http.listen.port() == 0 {
        whole.http.warn("listen", "port 0 is another port at every start", "write a port from 1 to 65535");
    }
    if !http.listen.ip().is_loopback() {
        let (listen, key) = (http.listen, "listen");
        if http.open {
            let what = format!("`{listen}` can be reached by others, and there is no log-in: everybody may read");
            whole.http.warn(key, what, "leave out `open`, or see that a firewall or a proxy with a log-in keeps others out");
        } else if http.web_config.is_some() {
            // It may have both TLS and users; what it has is not known here.
        } else if http.token.is_some() {
            let what = format!("`{listen}` can be reached by others, and the token goes there in the clear");
            whole.http.warn(key, what, "turn on TLS with a `web_config`, or listen on 127.0.0.1 behind a proxy that has it");
        } else {
            let what = format!("`{listen}` can be reached by others, and there is no log-in: nobody is let in");
            whole.http.warn(key, what, "write a `token` or a `web_config`, or `open = true` where a firewall keeps others out");
        }
    }
}

fn inboxes(whole: &Whole<'_>, settings: &Settings) {
    let mut seen: BTreeMap<(&str, u16, &str), &Name> = BTreeMap::new();
    let mut folders: BTreeMap<&Path, &Name> = BTreeMap::new();
    let mut accounts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for (name, section) in &whole.inboxes {
        let Some(inbox) = settings.inboxes.get(name) else { continue };
        let imap = match &inbox.kind {
            InboxKind::Imap(imap) => imap,
            InboxKind::Maildir(maildir) => {
                if let Some(first) = folders.insert(&maildir.path, name) {
                    let what = format!("this is the Maildir of inbox `{first}` too: each would see the other's canaries");
                    section.warn("path", what, "give each inbox a Maildir of its own");
                }
                continue;
            }
            InboxKind::Jmap(jmap) => {
                let whose = jmap.account.as_deref().unwrap_or(&jmap.username);
                if let Some(first) = seen.insert((jmap.host(), 0, whose), name) {
                    section.warn("username", what_of(first), "give each inbox a mailbox of its own");
                }
                continue;
            }
            InboxKind::Smtp(_) => continue,
        };
        if let Some(first) = seen.insert((&imap.host, imap.port, &imap.username), name) {
            section.warn("username", what_of(first), "give each inbox a mailbox of its own");
        }
        known_host(section, imap);
        let sessions = accounts.entry((&imap.host, &imap.username)).or_insert(0_u32);
        *sessions += SESSIONS;
        if let Some(known) = Known::of_host(&imap.host).filter(|known| *sessions > known.sessions) {
            let what = format!("`{}` bears {} sessions of an account, and these inboxes have up to {sessions}", imap.host, known.sessions);
            section.warn("username", what, "name further addresses of one mailbox as `aliases` of one inbox, or take another account");
        }
        let per_day = capped(inbox.budget, settings.canaries_per_day(|r| r.inbox == *name));
        preset(READ_FROM, section, &imap.host, (imap.port, imap.tls), per_day);
    }
}

fn what_of(first: &Name) -> String {
    format!("this is the mailbox of inbox `{first}` too: each would see the other's canaries")
}

/// Warns where a public host is named that there is a preset for, and where its habits forbid what is written.
fn known_host(section: &Section<'_>, imap: &ImapSettings) {
    let Some(known) = Known::of_host(&imap.host) else { return };
    if !known.passwords && matches!(imap.proof, Proof::Password(_)) {
        section.warn("password", format!("`{}` takes no passwords", imap.host), known.hint);
    }
    if imap.preset.is_none() {
        let hint = format!("write preset = \"{}\" too: it knows how long the host bears a silent connection", known.name);
        section.warn("host", "is a public host that mailcanary knows", hint);
    }
}

/// What a cap leaves of so many canaries a day.
fn capped(budget: Budget, per_day: f64) -> f64 {
    budget.canaries_per_day.map_or(per_day, |cap| per_day.min(f64::from(cap)))
}

/// Holds a server against what is known of it.
fn preset(presets: &[Preset], section: &Section<'_>, host: &str, (port, tls): (u16, Tls), per_day: f64) {
    let Some(known) = presets.iter().find(|p| p.host == host) else { return };
    if (port, tls) != (known.port, known.tls) && !(known.tls == Tls::StartTls && (port, tls) == (465, Tls::Implicit)) {
        let usual = format!("port = {} and tls = \"{}\" are what it is known for", known.port, known.tls.as_str());
        section.warn("host", format!("`{host}` is not known to answer on port {port} with tls = \"{}\"", tls.as_str()), usual);
    }
    if let Some(most) = known.per_day.filter(|most| per_day > f64::from(*most)) {
        let what = format!(
            "{} canaries a day are more than the {} that `{host}` is known to bear",
            grouped(per_day.round() as u64),
            grouped(u64::from(most))
        );
        section.warn("host", what, "raise `every`, or narrow the routes");
    }
}
