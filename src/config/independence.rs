//! Whether pages travel on a path that is watched: what fails would take its own alarm with it.

use std::collections::BTreeSet;

use url::Url;

use super::complaint::Fault;
use super::read::Whole;
use super::text::Section;
use super::value::is_loopback_host;
use super::{EmailSettings, ProviderKind, Proxy, Settings, SinkKind, Wire};
use crate::model::Name;

/// The key that says that a shared path is meant.
const KEY: &str = "shares_path";

/// Where providers take mail over SMTP whose API is elsewhere: the kind, and what the host ends with.
const SMTP: &[(&str, &str)] = &[
    ("mandrill", "mandrillapp.com"),
    ("sendgrid", "sendgrid.net"),
    ("postmark", "postmarkapp.com"),
    ("mailgun", "mailgun.org"),
    ("ses", "amazonaws.com"),
    ("sparkpost", "sparkpostmail.com"),
    ("resend", "resend.com"),
    ("brevo", "brevo.com"),
    ("brevo", "sendinblue.com"),
    ("mailjet", "mailjet.com"),
    ("mailersend", "mailersend.net"),
    ("azure", "azurecomm.net"),
    ("gmail", "gmail.com"),
];

/// Complains of sinks whose own path is watched, and asks for one that is not mail.
pub(super) fn demand(whole: &Whole<'_>, settings: &Settings) {
    for (name, section) in &whole.sinks {
        let Some(sink) = settings.sinks.get(name) else { continue };
        let shared = shared(&sink.kind, section, settings).or_else(|| by_proxy(&sink.wire, settings));
        match (shared, section.get::<bool>(KEY).unwrap_or_default()) {
            (Some((key, what)), false) => {
                let hint = format!("take another path, or write {KEY} = true if it is meant and another sink tells of that failure");
                section.refuse(key, Fault::hinted(what, hint));
            }
            (None, true) => section.warn(KEY, "it shares no path with what is watched, as far as can be seen", "leave it out"),
            (Some(_), true) | (None, false) => {}
        }
    }
    let mail = settings.sinks.values().filter(|sink| matches!(sink.kind, SinkKind::Email(_))).count();
    if mail > 0 && mail == settings.sinks.len() {
        let what = "all of them are mail: when mail fails, so may the page about it";
        whole.root.warn("sink", what, "add one that is not: a pager, a chat, a webhook, Alertmanager, a command");
    }
}

/// The key by which a sink's path is one that is watched, and what it shares.
fn shared(sink: &SinkKind, section: &Section<'_>, settings: &Settings) -> Option<(&'static str, String)> {
    if let SinkKind::Email(email) = sink {
        return by_server(email, settings).map(|what| ("host", what)).or_else(|| by_inbox(email, settings).map(|what| ("to", what)));
    }
    let urls = section.peek::<Vec<String>>("urls").unwrap_or_default().into_iter().map(|url| ("urls", url));
    let single = ["url", "base_url"].into_iter().filter_map(|key| Some((key, section.peek::<String>(key)?)));
    urls.chain(single).find_map(|(key, url)| {
        let host = host_of(&url)?;
        let (provider, _) = watched(settings).find(|(_, kind)| host_of_provider(kind).as_deref() == Some(&host))?;
        Some((key, format!("`{host}` is also what provider `{provider}` is reached by: when that fails, nobody hears of it here")))
    })
}

/// Whether a sink goes out by what a watched provider is reached by.
fn by_proxy(wire: &Wire, settings: &Settings) -> Option<(&'static str, String)> {
    let (Proxy::Socks5 { host, .. } | Proxy::Http { host, .. }) = wire.proxy.as_ref()?;
    let host = Some(host.to_ascii_lowercase()).filter(|host| !is_loopback_host(host))?;
    let (provider, _) = watched(settings).find(|(_, kind)| host_of_provider(kind).as_deref() == Some(&host))?;
    Some(("proxy", format!("`{host}` is also what provider `{provider}` is reached by: when that fails, nobody hears of it here")))
}

/// Whether an e-mail sink sends by a provider that is watched.
fn by_server(email: &EmailSettings, settings: &Settings) -> Option<String> {
    let host = Some(email.smtp.host.to_ascii_lowercase()).filter(|host| !is_loopback_host(host))?;
    let below = |end: &str| host.strip_suffix(end).is_some_and(|head| head.is_empty() || head.ends_with('.'));
    let same = |kind: &ProviderKind| {
        let by_smtp = SMTP.iter().any(|(word, end)| *word == kind.as_str() && below(end));
        by_smtp || host_of_provider(kind).as_deref() == Some(&host)
    };
    let (provider, _) = watched(settings).find(|(_, kind)| same(kind))?;
    Some(format!("`{host}` is provider `{provider}`, which is watched: a page about it would travel by the mail that fails"))
}

/// Whether an e-mail sink sends to an inbox that is watched, or beside one.
fn by_inbox(email: &EmailSettings, settings: &Settings) -> Option<String> {
    let names: BTreeSet<&Name> = settings.routes.iter().map(|route| &route.inbox).collect();
    let inboxes: Vec<_> = names.into_iter().filter_map(|name| Some((name, settings.inboxes.get(name)?))).collect();
    let to = email.to.to_ascii_lowercase();
    let domain = to.rsplit_once('@').map_or(to.as_str(), |(_, domain)| domain);
    if let Some((name, _)) = inboxes.iter().find(|(_, inbox)| inbox.address.eq_ignore_ascii_case(&to)) {
        return Some(format!("it is inbox `{name}`, which is watched and which nobody reads"));
    }
    let (name, _) = inboxes.iter().find(|(_, inbox)| inbox.domain().eq_ignore_ascii_case(domain))?;
    Some(format!("`{domain}` is also where inbox `{name}` is: a page about it would not arrive either"))
}

/// Providers that canaries go through.
fn watched(settings: &Settings) -> impl Iterator<Item = (&Name, &ProviderKind)> {
    let used = |name: &Name| settings.routes.iter().any(|route| route.provider == *name);
    settings.providers.iter().filter(move |(name, _)| used(name)).map(|(name, provider)| (name, &provider.kind))
}

/// The host that a provider is reached by; none on this machine.
fn host_of_provider(kind: &ProviderKind) -> Option<String> {
    if let ProviderKind::Smtp(smtp) = kind {
        return Some(smtp.host.to_ascii_lowercase()).filter(|host| !is_loopback_host(host));
    }
    if let ProviderKind::HttpTrigger(trigger) = kind { host_of(&trigger.url) } else { host_of(&kind.place()) }
}

/// The host of a web address; none on this machine.
fn host_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    Some(url.host_str()?.to_ascii_lowercase()).filter(|host| !is_loopback_host(host.trim_matches(['[', ']'])))
}
