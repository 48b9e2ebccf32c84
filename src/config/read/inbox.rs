//! `[inbox.NAME.KIND]`: one function a protocol.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::super::complaint::Fault;
use super::super::preset::Preset;
use super::super::text::Section;
use super::super::{ImapSettings, Inbox, InboxKind, JmapSettings, MaildirSettings, MxSettings, Proof, SecretRef, Wire};
use super::Read;
use super::budget::budget;
use super::field::{BY_TOKEN, oauth};
use super::mail::honeytoken;
use super::wire::{clear_only_on_loopback, server_at, wire};
use crate::model::{Name, Placement};

/// `+` and a token: 26 characters of canary and time, 13 of signature.
const PLUS_TOKEN: usize = 1 + 39;
/// RFC 5321 4.5.3.1.1: the longest local part.
const LOCAL_MOST: usize = 64;

/// Reads one inbox.
pub(super) fn read(kind: &str, section: &Section<'_>) -> Option<Inbox> {
    let address = section.get::<String>("address");
    let aliases = section.maybe::<Vec<String>>("aliases");
    let plus_address = section.get::<bool>("plus_address");
    let delete = if section.knows("delete") { section.get("delete") } else { Some(false) };
    let (honeytoken_of, budget) = (honeytoken(section), budget(section));
    let wire = if section.knows("family") { wire(section) } else { Some(Wire::default()) };
    let kind = match kind {
        "maildir" => maildir(section).map(InboxKind::Maildir),
        "smtp" => smtp(section, address.as_deref()).map(InboxKind::Smtp),
        "jmap" => jmap(section, address.as_deref()).map(InboxKind::Jmap),
        _ => imap(section, wire.as_ref(), address.as_deref()).map(InboxKind::Imap),
    };
    if let (Some(address), Some(true)) = (&address, plus_address) {
        let aliases = aliases.iter().flatten().flatten();
        std::iter::once(address).chain(aliases).for_each(|address| room_for_token(section, address));
    }
    let aliases = aliases?.unwrap_or_default();
    let (plus_address, delete) = (plus_address?, delete?);
    let honeytoken_of = honeytoken_of?;
    Some(Inbox {
        address: address?,
        aliases,
        baits: Vec::new(),
        plus_address,
        delete,
        honeytoken_of,
        budget: budget?,
        kind: kind?,
        wire: wire?,
    })
}

fn imap(section: &Section<'_>, wire: Option<&Wire>, address: Option<&str>) -> Option<ImapSettings> {
    let preset = section.maybe::<&'static str>("preset").map(|name| name.and_then(Preset::named));
    let known = preset.flatten();
    let server = server_at(section, or_of(section, "host", known.map(|preset| preset.host)), wire, [143, 993, 143]);
    let username = or_of(section, "username", address.filter(|_| known.is_some()));
    let proof = proof(section, known.filter(|preset| !preset.passwords), known.map(|preset| preset.hint));
    let (junk, expires) = (section.maybe("junk"), section.maybe("expires"));
    let junk_tabs = section.maybe::<Vec<&'static str>>("junk_tabs");
    let (server, preset) = (server?, preset?);
    let junk_tabs = junk_tabs?.unwrap_or_default();
    Some(ImapSettings {
        host: server.host,
        port: server.port,
        tls: server.tls,
        username: username?,
        proof: proof?,
        expires: expires?,
        junk: junk?,
        junk_tabs: Placement::ALL.into_iter().filter(|placement| junk_tabs.contains(&placement.as_str())).collect(),
        preset,
    })
}

/// A key, or what stands for it where a preset is chosen.
fn or_of(section: &Section<'_>, key: &'static str, other: Option<&str>) -> Option<String> {
    if let Some(written) = section.maybe::<String>(key)? {
        return Some(written);
    }
    if other.is_none() && !section.has("preset") {
        let hint = "write it, or the `preset` of a public host: gmail, outlook, yahoo, icloud or fastmail";
        section.lacking(key, Fault::hinted("is missing", hint));
    }
    other.map(str::to_owned)
}

fn jmap(section: &Section<'_>, address: Option<&str>) -> Option<JmapSettings> {
    let preset = section.maybe::<&'static str>("preset").map(|name| name.and_then(Preset::named));
    let known = preset.flatten();
    let written = section.maybe::<String>("url");
    if let Some(Some(url)) = &written {
        clear_only_on_loopback(section, "url", url);
    }
    let url = written.and_then(|written| written.or_else(|| known.and_then(|preset| preset.jmap).map(str::to_owned)));
    if url.is_none() && !section.has("url") && !section.has("preset") {
        section.lacking("url", Fault::hinted("is missing", "write the server, as \"https://jmap.example.net\", or preset = \"fastmail\""));
    }
    let (username, account) = (section.maybe::<String>("username"), section.maybe("account"));
    let proof = proof(section, known, known.map(|preset| preset.hint));
    let (junk, expires) = (section.maybe("junk"), section.maybe("expires"));
    let username = username?.or_else(|| address.map(str::to_owned));
    let (url, preset, username, proof) = (url?, preset?, username?, proof?);
    Some(JmapSettings { url, username, proof, expires: expires?, account: account?, junk: junk?, preset })
}

/// A password, or a token by OAuth 2; of `token_only`, a host that takes no passwords, only the latter. `hint`: what to see to at the host.
fn proof(section: &Section<'_>, token_only: Option<&Preset>, hint: Option<&str>) -> Option<Proof> {
    let password = section.maybe::<SecretRef>("password");
    let oauth = oauth(section);
    let by_token = BY_TOKEN.into_iter().find(|key| section.has(key)).or_else(|| section.has("client_id").then_some("client_id"));
    if section.has("password") && by_token.is_some() {
        section.warn("password", "is not used: there is a token", "leave one of the two out");
    }
    if section.has("password") && by_token.is_none() && token_only.is_some() {
        let hint = hint.unwrap_or_default();
        section.refuse("password", Fault::hinted("this host takes no passwords", hint));
    }
    if !section.has("password") && by_token.is_none() {
        let hint = hint
            .unwrap_or("write where the password is, or `refresh_token` and `client_id`, `client_id` and `scope`, or `service_account`");
        section.lacking("password", Fault::hinted("is missing, and there is no token either", hint));
    }
    let (password, oauth) = (password?, oauth?);
    oauth.map(Proof::OAuth).or(password.map(Proof::Password))
}

fn maildir(section: &Section<'_>) -> Option<MaildirSettings> {
    let (path, junk) = (section.get("path"), section.maybe("junk"));
    Some(MaildirSettings { path: path?, junk: junk? })
}

fn smtp(section: &Section<'_>, address: Option<&str>) -> Option<MxSettings> {
    let listen = section.get::<Option<SocketAddr>>("listen").and_then(|listen| {
        if listen.is_none() {
            section.refuse("listen", Fault::hinted("without a port nothing arrives", "write an address and a port, as \"0.0.0.0:25\""));
        }
        listen
    });
    let host = section.maybe::<String>("host");
    let certificate = section.maybe::<PathBuf>("certificate");
    let key = section.maybe::<PathBuf>("key");
    match (section.has("certificate"), section.has("key")) {
        (true, false) => section.refuse("certificate", Fault::hinted("there is no `key` to it", "write its key file too")),
        (false, true) => section.refuse("key", Fault::hinted("there is no `certificate` to it", "write the certificate's file too")),
        (true, true) | (false, false) => {}
    }
    let domain = address.and_then(|address| address.rsplit_once('@')).map(|(_, domain)| domain.to_owned());
    let certificate = certificate?.zip(key?);
    Some(MxSettings { listen: listen?, host: host?.or(domain)?, certificate })
}

fn room_for_token(section: &Section<'_>, address: &str) {
    let local = address.split('@').next().map_or(0, str::len);
    let most = LOCAL_MOST - PLUS_TOKEN;
    if local > most {
        let what =
            format!("the address has {local} characters before the `@`, and a token needs {PLUS_TOKEN} of the {LOCAL_MOST} there may be");
        section.refuse(
            "plus_address",
            Fault::hinted(what, format!("use an address with at most {most} characters before the `@`, or leave `plus_address` out")),
        );
    }
}

/// Two inboxes with one address would see each other's canaries.
pub(super) fn no_address_twice(inboxes: &Read<'_, Inbox>) {
    let mut seen: BTreeMap<String, &Name> = BTreeMap::new();
    for (name, section) in &inboxes.sections {
        let Some(inbox) = inboxes.parts.get(name) else { continue };
        for (n, address) in inbox.addresses().enumerate() {
            if let Some(first) = seen.insert(address.to_lowercase(), name) {
                let what = format!("`{address}` is the address of inbox `{first}` already");
                let key = if n == 0 { "address" } else { "aliases" };
                section.refuse(key, Fault::hinted(what, "each inbox needs a mailbox of its own"));
            }
        }
    }
}
