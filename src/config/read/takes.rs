//! What narrows a sink: severities, kinds, providers, streams, inboxes, hours, and the time that it waits.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use super::super::complaint::Fault;
use super::super::text::Section;
use super::super::value::Hours;
use super::super::{Scope, Takes};
use super::route::select;
use crate::model::{Kind, Name, Severity, Week};

/// Every name that stands in the text.
pub(super) struct Names<'n> {
    pub(super) providers: &'n [Name],
    pub(super) streams: &'n [Name],
    pub(super) inboxes: &'n [Name],
}

/// What a sink takes, and when.
pub(super) fn takes(section: &Section<'_>, names: &Names<'_>, zone: Option<Tz>) -> Option<Takes> {
    let (severities, kinds) = (section.get::<Vec<&'static str>>("severities"), kinds(section));
    let (scope, hours, after) = (scope(section, names), week(section, "hours", zone), section.maybe("after"));
    let words = severities?;
    let severities: Vec<Severity> = Severity::ALL.into_iter().filter(|s| words.contains(&s.as_str())).collect();
    if section.has("timezone") && !section.has("hours") && !section.has("try_at") {
        section.warn("timezone", "there is nothing that it is for", "write `hours` or `try_at`, or leave it out");
    }
    if section.has("after") && !severities.contains(&Severity::Page) {
        let fault = Fault::hinted("only pages are waited for, and it takes none", "add \"page\" to `severities`, or leave `after` out");
        section.refuse("after", fault);
        return None;
    }
    Some(Takes { severities, kinds: kinds?, scope: scope?, hours: hours?, after: after? })
}

/// The kinds of failure, if they are narrowed.
pub(super) fn kinds(section: &Section<'_>) -> Option<Option<Vec<Kind>>> {
    let words = section.maybe::<Vec<&'static str>>("kinds")?;
    Some(words.map(|words| Kind::ALL.into_iter().filter(|kind| words.contains(&kind.as_str())).collect()))
}

/// The routes that `provider`, `stream` and `inbox` leave.
pub(super) fn scope(section: &Section<'_>, names: &Names<'_>) -> Option<Scope> {
    let only = |key: &str, names: &[Name]| {
        let chosen = select(section, key, names)?;
        Some(section.has(key).then(|| BTreeSet::from_iter(chosen)))
    };
    let (providers, streams) = (only("provider", names.providers), only("stream", names.streams));
    let inboxes = only("inbox", names.inboxes);
    Some(Scope { providers: providers?, streams: streams?, inboxes: inboxes? })
}

/// The hours at `key`, by the clock of `zone`; of a zone that is none was complained.
pub(super) fn week(section: &Section<'_>, key: &'static str, zone: Option<Tz>) -> Option<Option<Week>> {
    let hours = section.maybe::<Hours>(key)?;
    let zone = zone?;
    Some(hours.map(|hours| hours.by(zone)))
}
