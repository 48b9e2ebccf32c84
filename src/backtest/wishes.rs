//! Confirmations that would have been asked for: those that were sent then too, and those that were not.

use std::collections::BTreeMap;

use crate::model::{At, Route, Span};

/// A confirmation that was not sent would have been fresh for so long: no other would have been asked for instead of it.
const FRESH: Span = Span::from_secs(30);

/// How many.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Over which route one is wished for now, and since when: it may be sent the same instant.
    open: Option<(At, Route)>,
    /// When one that was not sent was last counted over each route.
    last: BTreeMap<Route, At>,
    /// Wished for, and sent then.
    pub(super) granted: u64,
    /// Wished for, and not sent: one for each half minute and route, however many it would have been.
    pub(super) in_vain: u64,
}

impl Wishes {
    /// What is wished for at `at`, after all that happened until then.
    pub(super) fn wish(&mut self, at: At, route: Option<&Route>) {
        if let Some((since, route)) = self.open.take()
            && since < at
            && self.last.get(&route).is_none_or(|last| since.since(*last) >= FRESH)
        {
            self.in_vain += 1;
            self.last.insert(route, since);
        }
        self.open = route.map(|route| (at, route.clone()));
    }

    /// A confirmation was sent.
    pub(super) fn sent(&mut self, at: At, route: &Route) {
        if self.open.take_if(|(since, wished)| *since == at && wished == route).is_some() {
            self.granted += 1;
        }
    }
}
