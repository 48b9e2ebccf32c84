//! By which hosts the mails of canaries came, what filters wrote of them, and whether they were read to their end: written down beside the canary, for show.

use rusqlite::{Connection, Result, params};
use serde::Serialize;

use super::sql;
use crate::model::{CanaryId, Hop, Name};
use crate::watchdog::Event;

/// The hops of one mail, what the receiver's filter wrote of it, and whether that is all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hops {
    /// Whose.
    pub canary: CanaryId,
    /// The inbox that it was seen in.
    pub inbox: Name,
    /// The first first.
    pub hops: Vec<Hop>,
    /// A field each.
    pub filter: Vec<String>,
    /// It was not read to its end.
    pub cut: bool,
}

impl Hops {
    /// Those that an event tells of.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let Event::Examined { inbox, canary, mail } = event else { return None };
        let (hops, filter, cut) = (mail.hops.clone(), mail.filter.clone(), mail.cut);
        let is_some = cut || !(hops.is_empty() && filter.is_empty());
        is_some.then(|| Self { canary: *canary, inbox: inbox.clone(), hops, filter, cut })
    }

    /// Writes them down, without what follows from them. What is there stays.
    pub(super) fn keep(&self, tables: &Connection) -> Result<()> {
        let bare: Vec<Hop> = self.hops.iter().map(|hop| Hop { took: None, behind: None, ..hop.clone() }).collect();
        let values = params![self.canary.to_string(), text(&bare)?, self.inbox.as_str(), text(&self.filter)?, self.cut.then_some(1)];
        tables.prepare_cached(sql::HOPS)?.execute(values).map(|_| ())
    }
}

/// A list as JSON; nothing for an empty one.
fn text<T: Serialize>(list: &[T]) -> Result<Option<String>> {
    let text = (!list.is_empty()).then(|| serde_json::to_string(list)).transpose();
    text.map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}
