//! `[[honeytoken]]`: addresses that exist in one provider's list alone.

use std::collections::BTreeSet;

use super::super::complaint::{Fault, quoted};
use super::super::keys;
use super::super::text::{Root, Section};
use super::super::{Honeytoken, Inbox};
use super::Read;
use super::route::nothing;
use crate::model::Name;

/// Every `[[honeytoken]]`, and each as bait of its inbox; `None` if a complaint leaves a hole.
pub(super) fn tokens(root: &Root<'_>, providers: &[Name], inboxes: &mut Read<'_, Inbox>) -> Option<Vec<Honeytoken>> {
    let Some(tables) = root.list(keys::table("honeytoken")?) else { return Some(Vec::new()) };
    let mut seen = BTreeSet::new();
    let all: Vec<Option<Honeytoken>> = tables.iter().map(|table| one(table, providers, inboxes, &mut seen)).collect();
    let all: Vec<Honeytoken> = all.into_iter().collect::<Option<_>>()?;
    for token in &all {
        if let Some(inbox) = inboxes.parts.get_mut(&token.inbox) {
            inbox.baits.push(token.address.clone());
        }
    }
    Some(all)
}

fn one(table: &Section<'_>, providers: &[Name], inboxes: &Read<'_, Inbox>, seen: &mut BTreeSet<String>) -> Option<Honeytoken> {
    let address = table.get::<String>("address").map(|address| address.to_lowercase());
    let inbox = named(table, "inbox", &inboxes.names);
    let provider = named(table, "provider", providers);
    let address = address?;
    let own = |inbox: &Inbox| inbox.addresses().position(|own| own.eq_ignore_ascii_case(&address));
    if let Some((name, place)) = inboxes.parts.iter().find_map(|(name, inbox)| Some((name, own(inbox)?))) {
        let hint =
            "every provider sends canaries there: take another address of that mailbox, or write `honeytoken_of` in the inbox's table";
        let whose =
            if place == 0 { format!("the address of inbox `{name}` itself") } else { format!("one of the aliases of inbox `{name}`") };
        table.refuse("address", Fault::hinted(format!("{} is {whose}", quoted(&address)), hint));
        return None;
    }
    if !seen.insert(address.clone()) {
        let hint = "an address that two lists have tells of neither: one for each provider";
        table.refuse("address", Fault::hinted(format!("{} stands in another [[honeytoken]] already", quoted(&address)), hint));
        return None;
    }
    Some(Honeytoken { address, inbox: inbox?, provider: provider? })
}

/// The part that a key names.
fn named(table: &Section<'_>, key: &'static str, names: &[Name]) -> Option<Name> {
    let text = table.get::<String>(key)?;
    let found = names.iter().find(|name| name.as_str() == text);
    if found.is_none() {
        table.refuse(key, nothing(key, &text, names));
    }
    found.cloned()
}
