//! `[[expected_mail]]`, `[dns]`, and what the watch and the inboxes say of mail that nobody sent.

use super::super::complaint::{Fault, quoted};
use super::super::keys;
use super::super::text::{Root, Section};
use super::super::{ExpectedMail, Inbox, NameServer, Records, Upstream, Wire};
use super::Read;
use super::route::{nothing, select};
use crate::model::{Name, Route, is_for_everybody};

/// Every `[[expected_mail]]`; `None` if a complaint leaves a hole.
pub(super) fn expected(root: &Root<'_>, inboxes: &[Name]) -> Option<Vec<ExpectedMail>> {
    let Some(tables) = root.list(keys::table("expected_mail")?) else { return Some(Vec::new()) };
    let read = |table: &Section<'_>| {
        let from = table.maybe::<Vec<String>>("from");
        let subject = table.maybe::<String>("subject");
        let known = select(table, "inbox", inboxes);
        let inbox = table.maybe::<Vec<String>>("inbox");
        if !table.has("from") && !table.has("subject") {
            let hint = "write `from = \"*@mailchimp.com\"`, for instance, or a `subject`";
            table.refuse("from", Fault::hinted("any mail at all would be expected", hint));
            return None;
        }
        known?;
        let lower = |patterns: Option<Vec<String>>| patterns.unwrap_or_default().iter().map(|p| p.to_lowercase()).collect();
        Some(ExpectedMail { from: lower(from?), subject: subject?.map(|s| s.to_lowercase()), inbox: inbox?.unwrap_or_default() })
    };
    let all: Vec<Option<ExpectedMail>> = tables.iter().map(read).collect();
    all.into_iter().collect()
}

/// `[dns]`: whom to ask, and how records are watched.
pub(super) fn dns(root: &Root<'_>) -> Option<(NameServer, Records)> {
    let section = root.single(keys::table("dns")?);
    let server = name_server(&section);
    let (watched, every, lists_every) = (section.get("watch"), section.get("every"), section.get("lists_every"));
    let wire = Wire { ca_file: section.maybe("ca_file")?, proxy: section.maybe("proxy")?, ..Wire::default() };
    Some((server?, Records { watched: watched?, every: every?, lists_every: lists_every?, wire }))
}

fn name_server(section: &Section<'_>) -> Option<NameServer> {
    let several = section.maybe::<Vec<String>>("servers")?;
    if let Some(several) = several {
        if section.has("server") {
            section.refuse("servers", Fault::hinted("`server` says already whom to ask", "write all of them here, and leave `server` out"));
            return None;
        }
        return several.iter().map(|text| upstream(section, "servers", text)).collect::<Option<Vec<_>>>().map(NameServer::Servers);
    }
    let text = section.get::<String>("server")?;
    match text.as_str() {
        "system" => Some(NameServer::System),
        "off" => Some(NameServer::Off),
        other => upstream(section, "server", other).map(|one| NameServer::Servers(vec![one])),
    }
}

fn upstream(section: &Section<'_>, key: &str, text: &str) -> Option<Upstream> {
    let read = Upstream::read(text);
    if read.is_none() {
        let words = if key == "server" { "write \"system\", \"off\", or" } else { "write" };
        let hint = format!(
            "{words} an address and a port: \"127.0.0.1:53\", \"[::1]:53\"; or \"tls://1.1.1.1#cloudflare-dns.com\", \"https://dns.google/dns-query\""
        );
        section.refuse(key, Fault::hinted(format!("{} is no name server", quoted(text)), hint));
    }
    read
}

/// `[watch] domains`: lower case, A-labels.
pub(super) fn domains(section: &Section<'_>) -> Option<Vec<String>> {
    let written = section.maybe::<Vec<String>>("domains")?.unwrap_or_default();
    let mut domains = Vec::new();
    for text in &written {
        let bare = text.trim_end_matches('.');
        match idna::domain_to_ascii_strict(bare) {
            Ok(domain) if is_for_everybody(&domain) => {
                let what = format!("anybody may have a mailbox at `{domain}`: it is not counted as yours");
                section.warn("domains", what, "leave it out; the addresses in `from` of providers count as yours, each as a whole");
            }
            Ok(domain) if domain.contains('.') => domains.push(domain),
            Ok(_) | Err(_) => {
                let fault = Fault::hinted(format!("{} is no domain", quoted(text)), "write what stands behind the `@`: \"example.com\"");
                section.refuse("domains", fault);
                return None;
            }
        }
    }
    Some(domains)
}

/// The provider that alone knows the address of an inbox; of one that is none is complained once all are known.
pub(super) fn honeytoken(section: &Section<'_>) -> Option<Option<Name>> {
    let text = section.maybe::<String>("honeytoken_of")?;
    let Some(text) = text else { return Some(None) };
    match Name::new(&text) {
        Ok(name) => Some(Some(name)),
        Err(why) => {
            section.refuse("honeytoken_of", Fault::hinted(format!("{} is no provider's name", quoted(&text)), why.to_string()));
            None
        }
    }
}

/// Complains of bait for a provider that is none, and warns where others know it too.
pub(super) fn honeytokens(inboxes: &Read<'_, Inbox>, providers: &[Name], routes: &[Route]) {
    for (name, section) in &inboxes.sections {
        let Some(of) = inboxes.parts.get(name).and_then(|inbox| inbox.honeytoken_of.as_ref()) else { continue };
        if !providers.contains(of) {
            section.refuse("honeytoken_of", nothing("provider", of.as_str(), providers));
            continue;
        }
        let other = routes.iter().find(|route| route.inbox == *name && route.provider != *of);
        if let Some(other) = other {
            let what = format!("provider `{}` sends canaries to it, and so knows the address too", other.provider);
            section.warn("honeytoken_of", what, format!("narrow the routes with [[route]], so that only `{of}` sends to `{name}`"));
        }
    }
}
