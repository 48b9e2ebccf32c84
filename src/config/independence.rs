//! Whether pages travel on a path that is watched: what fails would take its own alarm with it.
//!
//! What is the same host, or of a house that is known ([`House`]), is refused unless it is meant. Two hosts of one's own domain may have
//! nothing in common but the name: where both are of mail it is asked about, and otherwise nothing is said.

use std::collections::BTreeSet;

use url::Url;

use super::complaint::Fault;
use super::houses::House;
use super::read::Whole;
use super::secret_url::SecretUrl;
use super::text::{Section, join};
use super::value::is_loopback_host;
use super::{Complaint, EmailSettings, Inbox, InboxKind, ProviderKind, Proxy, Secrets, Settings, SinkKind, Wire};
use crate::model::Name;

/// The key that says that a shared path is meant.
const KEY: &str = "shares_path";
/// What to do about a path that is shared, or that may be.
const MEANT: &str = "take another path, or write shares_path = true if it is meant and another sink tells of that failure";
const HARMLESS: &str = "if they have no machine and no line in common, write shares_path = true to say that it is meant";

/// A path that a sink shares with what is watched.
struct Shared {
    key: &'static str,
    what: String,
    /// Whether it is known to be one path, and not only one domain.
    sure: bool,
}

/// Complains of sinks whose own path is watched, and asks for one that is not mail. Says which sinks are meant to share theirs.
pub(super) fn demand(whole: &Whole<'_>, settings: &Settings) -> BTreeSet<Name> {
    let mut meant = BTreeSet::new();
    for (name, section) in &whole.sinks {
        let Some(sink) = settings.sinks.get(name) else { continue };
        let shared = shared(&sink.kind, section, settings).or_else(|| by_proxy(&sink.wire, settings));
        match (shared, section.get::<bool>(KEY).unwrap_or_default()) {
            (Some(Shared { key, what, sure: true }), false) => section.refuse(key, Fault::hinted(what, MEANT)),
            (Some(Shared { key, what, sure: false }), false) => section.warn(key, what, HARMLESS),
            // Where a secret leads is not known before it is read.
            (None, true) if secret_urls(&sink.kind).next().is_none() => {
                section.warn(KEY, "it shares no path with what is watched, as far as can be seen", "leave it out");
            }
            (_, true) => _ = meant.insert((*name).clone()),
            (None, false) => {}
        }
    }
    let mail = settings.sinks.values().filter(|sink| matches!(sink.kind, SinkKind::Email(_))).count();
    if mail > 0 && mail == settings.sinks.len() {
        let what = "all of them are mail: when mail fails, so may the page about it";
        whole.root.warn(
            "sink",
            what,
            "add one that is not: a pager, a chat, a webhook, Alertmanager, or a command that sends no mail, which mailcanary cannot know",
        );
    }
    meant
}

/// The same of sinks whose address is a secret, now that it has been read. Shows none of it.
pub(super) fn of_secrets(settings: &Settings, secrets: &Secrets, meant: &BTreeSet<Name>) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (name, sink) in settings.sinks.iter().filter(|(name, _)| !meant.contains(*name)) {
        for at in secret_urls(&sink.kind) {
            let url = secrets.get(at).and_then(|secret| SecretUrl::new(secret).ok());
            let host = url.as_ref().and_then(|url| host_of(url.expose().as_str()));
            let Some(host) = host else { continue };
            let whose = match (by_provider(&host, settings), at_an_inbox(&host, settings)) {
                (Some((provider, true)), _) => format!("provider `{provider}`"),
                (_, Some((inbox, true))) => format!("inbox `{inbox}`"),
                _ => continue,
            };
            let key = format!("{}.{}.url", join("sink", name.as_str()), sink.kind.as_str());
            let what = format!("the address in the secret leads to the house of {whose}: when that fails, nobody hears of it here");
            complaints.push(Complaint { place: None, key, what, hint: Some(MEANT.to_owned()) });
        }
    }
    complaints
}

/// Where a sink's address is, if that is a secret.
fn secret_urls(sink: &SinkKind) -> impl Iterator<Item = &super::SecretRef> {
    sink.secrets().into_iter().filter(|(key, _)| *key == "url").map(|(_, at)| at)
}

/// The key by which a sink's path is one that is watched, and what it shares.
fn shared(sink: &SinkKind, section: &Section<'_>, settings: &Settings) -> Option<Shared> {
    if let SinkKind::Email(email) = sink {
        return worst([by_server(email, settings), beside_an_inbox(email, settings), by_inbox(email, settings)]);
    }
    let urls = section.peek::<Vec<String>>("urls").unwrap_or_default().into_iter().map(|url| ("urls", url));
    let single = ["url", "base_url"].into_iter().filter_map(|key| Some((key, section.peek::<String>(key)?)));
    worst(urls.chain(single).map(|(key, url)| by_host(key, &host_of(&url)?, settings)))
}

/// What is known to be shared, or else what may be.
fn worst(found: impl IntoIterator<Item = Option<Shared>>) -> Option<Shared> {
    found.into_iter().flatten().max_by_key(|shared| shared.sure)
}

/// Whether a sink goes out by what a watched provider is reached by, or an inbox is read at.
fn by_proxy(wire: &Wire, settings: &Settings) -> Option<Shared> {
    let (Proxy::Socks5 { host, .. } | Proxy::Http { host, .. }) = wire.proxy.as_ref()?;
    let host = Some(host.to_ascii_lowercase()).filter(|host| !is_loopback_host(host))?;
    by_host("proxy", &host, settings)
}

/// Whether a host is what a watched provider is reached by, or an inbox is read at, or of the same house.
fn by_host(key: &'static str, host: &str, settings: &Settings) -> Option<Shared> {
    let provider = || {
        let (provider, _) = by_provider(host, settings).filter(|(_, sure)| *sure)?;
        let how = how(host, host_of_provider(&settings.providers.get(provider)?.kind).as_deref());
        Some(format!("{how} provider `{provider}` is reached by"))
    };
    let inbox = || {
        let (inbox, _) = at_an_inbox(host, settings).filter(|(_, sure)| *sure)?;
        let how = how(host, inbox_host(settings.inboxes.get(inbox)?).as_deref());
        Some(format!("{how} inbox `{inbox}` is read at"))
    };
    let whose = provider().or_else(inbox)?;
    Some(Shared { key, what: format!("`{host}` is also {whose}: when that fails, nobody hears of it here"), sure: true })
}

/// The watched inbox that is read at this host, or at one of the same house; and whether that is sure.
fn at_an_inbox<'s>(host: &str, settings: &'s Settings) -> Option<(&'s Name, bool)> {
    let house = House::of(host);
    let same = |(name, inbox): (&'s Name, &'s Inbox)| {
        let theirs = inbox_host(inbox)?;
        let exact = theirs == host;
        (exact || House::of(&theirs) == house).then_some((name, exact || house.is_known()))
    };
    inboxes(settings).filter_map(same).max_by_key(|(_, sure)| *sure)
}

/// The watched provider that is reached by this host, or is of the same house; and whether that is sure.
fn by_provider<'s>(host: &str, settings: &'s Settings) -> Option<(&'s Name, bool)> {
    let house = House::of(host);
    let same = |(name, kind): (&'s Name, &'s ProviderKind)| {
        let theirs = host_of_provider(kind);
        let exact = theirs.as_deref() == Some(host);
        let alike = House::of_kind(kind.as_str()).as_ref() == Some(&house) || theirs.is_some_and(|theirs| House::of(&theirs) == house);
        (exact || alike).then_some((name, exact || house.is_known()))
    };
    watched(settings).filter_map(same).max_by_key(|(_, sure)| *sure)
}

/// How near two hosts are, in words.
fn how(host: &str, other: Option<&str>) -> String {
    match other {
        Some(other) if other != host => format!("of the house of `{other}`, which"),
        Some(_) => "what".to_owned(),
        None => "of the house which".to_owned(),
    }
}

/// Whether an e-mail sink sends by a provider that is watched.
fn by_server(email: &EmailSettings, settings: &Settings) -> Option<Shared> {
    let host = Some(email.smtp.host.to_ascii_lowercase()).filter(|host| !is_loopback_host(host))?;
    let (provider, sure) = by_provider(&host, settings)?;
    let is = if sure { "is" } else { "may be" };
    let what = format!("`{host}` {is} provider `{provider}`, which is watched: a page about it would travel by the mail that fails");
    Some(Shared { key: "host", what, sure })
}

/// Whether an e-mail sink sends by the house that an inbox is at.
fn beside_an_inbox(email: &EmailSettings, settings: &Settings) -> Option<Shared> {
    let host = Some(email.smtp.host.to_ascii_lowercase()).filter(|host| !is_loopback_host(host))?;
    let (name, sure) = at_an_inbox(&host, settings)?;
    let what = format!("`{host}` is of the house that inbox `{name}` is at, which is watched: a page about it would not leave either");
    Some(Shared { key: "host", what, sure })
}

/// Whether an e-mail sink sends to an inbox that is watched, or beside one.
fn by_inbox(email: &EmailSettings, settings: &Settings) -> Option<Shared> {
    let to = email.to.to_ascii_lowercase();
    let domain = to.rsplit_once('@').map_or(to.as_str(), |(_, domain)| domain);
    if let Some((name, _)) = inboxes(settings).find(|(_, inbox)| inbox.address.eq_ignore_ascii_case(&to)) {
        let what = format!("it is inbox `{name}`, which is watched and which nobody reads");
        return Some(Shared { key: "to", what, sure: true });
    }
    let house = House::of(domain);
    let same = |(name, inbox): (&Name, &Inbox)| {
        let exact = inbox.domain().eq_ignore_ascii_case(domain);
        let at_host = || house.is_known() && inbox_host(inbox).is_some_and(|host| House::of(&host) == house);
        let alike = House::of(inbox.domain()) == house || at_host();
        (exact || alike).then(|| (name.clone(), exact || house.is_known()))
    };
    let (name, sure) = inboxes(settings).filter_map(same).max_by_key(|(_, sure)| *sure)?;
    let what = format!("`{domain}` is also where inbox `{name}` is: a page about it would not arrive either");
    Some(Shared { key: "to", what, sure })
}

/// Inboxes that canaries go to.
fn inboxes(settings: &Settings) -> impl Iterator<Item = (&Name, &Inbox)> {
    let names: BTreeSet<&Name> = settings.routes.iter().map(|route| &route.inbox).collect();
    names.into_iter().filter_map(|name| Some((name, settings.inboxes.get(name)?)))
}

/// The host that an inbox is read at; none on this machine.
fn inbox_host(inbox: &Inbox) -> Option<String> {
    let host = match &inbox.kind {
        InboxKind::Imap(imap) => imap.host.to_ascii_lowercase(),
        InboxKind::Jmap(jmap) => return host_of(&jmap.url),
        InboxKind::Maildir(_) | InboxKind::Smtp(_) => return None,
    };
    Some(host).filter(|host| !is_loopback_host(host))
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
