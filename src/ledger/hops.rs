//! By which hosts the mails of canaries came: written down beside the canary, for show.

use rusqlite::{Connection, Result, params};

use super::sql;
use crate::model::{CanaryId, Hop, Name};
use crate::watchdog::Event;

/// The hops of one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hops {
    /// Whose.
    pub canary: CanaryId,
    /// The inbox that it was seen in.
    pub inbox: Name,
    /// The first first.
    pub hops: Vec<Hop>,
}

impl Hops {
    /// Those that an event tells of.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let Event::Examined { inbox, canary, mail } = event else { return None };
        (!mail.hops.is_empty()).then(|| Self { canary: *canary, inbox: inbox.clone(), hops: mail.hops.clone() })
    }

    /// Writes them down, without what follows from them. What is there stays.
    pub(super) fn keep(&self, tables: &Connection) -> Result<()> {
        let bare: Vec<Hop> = self.hops.iter().map(|hop| Hop { took: None, behind: None, ..hop.clone() }).collect();
        let text = serde_json::to_string(&bare).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
        tables.prepare_cached(sql::HOPS)?.execute(params![self.canary.to_string(), text, self.inbox.as_str()]).map(|_| ())
    }
}
