//! `[maintenance.NAME]`: when it is expected that something fails.

use std::collections::BTreeMap;

use super::super::complaint::Fault;
use super::super::keys;
use super::super::text::{Root, Section};
use super::super::{Maintenance, Scope};
use super::takes::{Names, kinds, scope, week};
use crate::model::{Kind, Name};

/// Every window; `None` if a complaint leaves a hole.
pub(super) fn windows(root: &Root<'_>, names: &Names<'_>) -> Option<BTreeMap<Name, Maintenance>> {
    let table = keys::table("maintenance.NAME")?;
    let all: Vec<_> = root.named("maintenance").into_iter().map(|named| (named.name.clone(), one(&named.section(table), names))).collect();
    all.into_iter().map(|(name, window)| Some((name?, window?))).collect()
}

fn one(section: &Section<'_>, names: &Names<'_>) -> Option<Maintenance> {
    let (every, scope, kinds) = (week(section, "every", section.get("timezone")), scope(section, names), kinds(section));
    let (by, reason, until) = (section.get("by"), section.get("reason"), section.maybe("until"));
    let (every, scope, kinds) = (every??, scope?, kinds?);
    fits(section, &scope, kinds.as_deref())?;
    if every.is_whole() {
        let hint = "take what is never to be told of out of the configuration, or write `severities` and `kinds` for the sinks";
        section.refuse("every", Fault::hinted("it never ends: it is the whole week", hint));
        return None;
    }
    Some(Maintenance { every, scope, kinds, by: by?, reason: reason?, until: until? })
}

/// Complains of a window that would hide everything.
fn fits(section: &Section<'_>, scope: &Scope, kinds: Option<&[Kind]>) -> Option<()> {
    if scope.is_narrow() || kinds.is_some() {
        return Some(());
    }
    let hint = format!("write whose it is under [{}], for example provider = \"relay\"", section.path);
    section.lacking("provider", Fault::hinted("is missing, and so are `stream`, `inbox` and `kinds`: it would hide everything", hint));
    None
}
