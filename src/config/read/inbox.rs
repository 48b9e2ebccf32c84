//! `[inbox.NAME.KIND]`: one function a protocol.

use std::collections::BTreeMap;

use super::super::complaint::Fault;
use super::super::text::Section;
use super::super::{ImapSettings, Inbox, InboxKind, Wire};
use super::Read;
use super::budget::budget;
use super::mail::honeytoken;
use super::wire::{server, wire};
use crate::model::Name;

/// `+` and a token: 26 characters of canary and time, 13 of signature.
const PLUS_TOKEN: usize = 1 + 39;
/// RFC 5321 4.5.3.1.1: the longest local part.
const LOCAL_MOST: usize = 64;

/// Reads one inbox.
pub(super) fn read(_kind: &str, section: &Section<'_>) -> Option<Inbox> {
    let address = section.get::<String>("address");
    let plus_address = section.get::<bool>("plus_address");
    let delete = section.get("delete");
    let (honeytoken_of, budget) = (honeytoken(section), budget(section));
    let wire = wire(section);
    let kind = imap(section, wire.as_ref()).map(InboxKind::Imap);
    if let (Some(address), Some(true)) = (&address, plus_address) {
        room_for_token(section, address);
    }
    let (plus_address, delete) = (plus_address?, delete?);
    let honeytoken_of = honeytoken_of?;
    Some(Inbox { address: address?, plus_address, delete, honeytoken_of, budget: budget?, kind: kind?, wire: wire? })
}

fn imap(section: &Section<'_>, wire: Option<&Wire>) -> Option<ImapSettings> {
    let server = server(section, wire, [143, 993, 143]);
    let username = section.get("username");
    let password = section.get("password");
    let junk = section.maybe("junk");
    let server = server?;
    Some(ImapSettings { host: server.host, port: server.port, tls: server.tls, username: username?, password: password?, junk: junk? })
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
        if let Some(first) = seen.insert(inbox.address.to_lowercase(), name) {
            let what = format!("`{}` is the address of inbox `{first}` already", inbox.address);
            section.refuse("address", Fault::hinted(what, "each inbox needs a mailbox of its own"));
        }
    }
}
