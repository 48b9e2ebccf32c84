//! Canaries that are being handed over. What a host or a provider does not keep up with waits in the schedule, and not in memory.

use std::collections::BTreeSet;

use super::canary::lower;
use super::flight::RouteState;
use super::index::Index;
use super::state::State;
use crate::model::{At, CanaryId, Span};

/// So many may be handed over at a time; beyond, one over each route. A submission under way takes some 10 KiB.
const AT_MOST: usize = 1024;
/// No submission lasts longer: what has not been answered by then never will be.
const LONGEST: Span = Span::from_secs(90);

/// The canaries of late that nobody has answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Handing {
    /// When each was sent, over which route, and the lower half of its id.
    unanswered: BTreeSet<(At, usize, u32)>,
    /// Whether answers come at all. Where none ever did, their lack says nothing.
    answers: bool,
}

impl Handing {
    /// A canary of a route is handed over.
    pub(super) fn begin(&mut self, at: At, slot: usize, serial: u32) {
        self.unanswered.insert((at, slot, serial));
    }

    /// It was answered, or has arrived, which tells as much.
    pub(super) fn end(&mut self, sent_at: At, slot: usize, id: CanaryId) {
        self.unanswered.remove(&(sent_at, slot, lower(id)));
    }

    /// A submission was answered: so they are.
    pub(super) const fn answered(&mut self) {
        self.answers = true;
    }

    /// Whether so many are under way at `now` that a route has to wait for its own.
    pub(super) fn is_full(&mut self, now: At) -> bool {
        while self.unanswered.first().is_some_and(|(sent, ..)| now.since(*sent) > LONGEST) {
            self.unanswered.pop_first();
        }
        self.answers && self.unanswered.len() >= AT_MOST
    }
}

impl RouteState {
    /// Takes up what of this route was under way at `now`.
    pub(super) fn resume_handing(&self, handing: &mut Handing, slot: usize, now: At) {
        handing.answers |= self.counts.accepted + self.counts.unknown > 0 || !self.counts.refused.is_empty();
        let recent = self.canaries.iter().rev().take_while(|c| now.since(c.sent_at()) <= LONGEST);
        handing.unanswered.extend(recent.filter(|c| c.outcome().is_none() && c.in_flight()).map(|c| (c.sent_at(), slot, c.serial)));
    }
}

/// Whether the newest canary of this route is still being handed over at `now`.
pub(super) fn is_under_way(state: &State, ix: &Index, slot: usize) -> bool {
    let newest = state.routes.get(slot).and_then(|r| r.canaries.back());
    newest.is_some_and(|c| ix.handing.unanswered.contains(&(c.sent_at(), slot, c.serial)))
}
