//! `[drill.NAME]`: drills that come back.

use std::collections::BTreeMap;

use super::super::Drill;
use super::super::keys;
use super::super::text::{Root, Section};
use super::route::nothing;
use super::takes::week;
use crate::model::{Name, Route};

/// Every drill; `None` if a complaint leaves a hole.
pub(super) fn drills(root: &Root<'_>, providers: &[Name], routes: Option<&[Route]>) -> Option<BTreeMap<Name, Drill>> {
    let table = keys::table("drill.NAME")?;
    let one = |section: &Section<'_>| {
        let (provider, every, lasts) =
            (provider(section, providers), week(section, "every", section.get("timezone")), section.get("lasts"));
        let drill = Drill { provider: provider?, every: every??, lasts: lasts? };
        if !routes.unwrap_or_default().iter().any(|route| route.provider == drill.provider) {
            section.warn("provider", "it is in no route: there is nothing to withhold", "name one that is watched");
        }
        Some(drill)
    };
    let all: Vec<_> = root.named("drill").into_iter().map(|named| (named.name.clone(), one(&named.section(table)))).collect();
    all.into_iter().map(|(name, drill)| Some((name?, drill?))).collect()
}

/// The one provider that is named.
fn provider(section: &Section<'_>, providers: &[Name]) -> Option<Name> {
    let text = section.get::<String>("provider")?;
    let found = providers.iter().find(|name| name.as_str() == text);
    if found.is_none() {
        section.refuse("provider", nothing("provider", &text, providers));
    }
    found.cloned()
}
