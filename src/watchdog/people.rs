//! What people say of incidents: that they have seen one, that it is over, or that they want to hear nothing of some for a while.

use std::collections::BTreeSet;

use super::Watchdog;
use super::event::Event;
use super::index::Index;
use super::outbox::{Incident, OPEN_FOR};
use super::plan::Plan;
use super::state::State;
use super::step::Unfit;
use super::view::{MaintenanceView, Word};
use crate::config::Maintenance;
use crate::model::{At, Culprit, IncidentId, Kind, Name, Severity, Silence, Span, Which};

/// Silences that are remembered; beyond, the one that ends first is forgotten.
const SILENCES: usize = 200;
/// Bytes of a name that a person gives, and of a reason.
const NAME: usize = 100;
const REASON: usize = 500;
/// Names that are told to who asked for one that there is not.
const NAMED: usize = 50;
/// Words of others beside the first that an incident keeps.
const ALSO: usize = 20;
/// Reminders of a page come after twice the time of the one before, and no further apart than this.
const REMINDED_AT_LEAST: Span = Span::from_secs(8 * 3600);
/// What is told so shortly before a reminder is due is the reminder.
const REMINDED_WITH: Span = Span::from_secs(30);
/// Of what can wait until working hours one is reminded once a day.
const WARNED_AGAIN: Span = Span::from_secs(24 * 3600);

impl State {
    /// Somebody has seen it.
    pub(super) fn acknowledge(&mut self, at: At, incident: IncidentId, by: &str, note: Option<&str>, said_at: Option<At>) {
        let Some(known) = self.spoken_of(at, incident, said_at) else { return };
        let said = word(at, by, note);
        let first = known.shown.acknowledged.is_none();
        // Who saw it first stays the one who has it; what others say is kept beside it.
        if known.shown.acknowledged.is_none() {
            known.shown.acknowledged = Some(said);
        } else {
            known.shown.also.push(said);
            let more = known.shown.also.len().saturating_sub(ALSO);
            known.shown.also.drain(..more);
        }
        if first {
            self.withdraw_calls(incident);
        }
    }

    /// Whoever had seen it does not see to it any more: it is told again as if it had been told just now.
    pub(super) fn take_back(&mut self, at: At, incident: IncidentId, said_at: Option<At>) {
        if let Some(known) = self.spoken_of(at, incident, said_at).filter(|i| i.shown.acknowledged.is_some()) {
            known.call_again(at);
        }
    }

    /// The open incident that something new is said of.
    fn spoken_of(&mut self, at: At, incident: IncidentId, said_at: Option<At>) -> Option<&mut Incident> {
        let known = self.incidents.get_mut(&incident).filter(|i| i.shown.resolved_at.is_none())?;
        if known.spoken_at.is_some_and(|last| said_at.is_some_and(|said| said <= last)) {
            return None;
        }
        known.spoken_at = Some(said_at.unwrap_or(at));
        Some(known)
    }

    /// Somebody says that it is over. Mail that was sent until now is not held against it any more; what is sent from now on is. What shows
    /// by itself whether it goes on, as a mailbox that cannot be read, is only acknowledged; a sink that refuses is tried at once.
    pub(super) fn close_by_hand(&mut self, plan: &Plan, ix: &mut Index, at: At, incident: IncidentId, by: &str, note: Option<&str>) {
        self.acknowledge(at, incident, by, note, None);
        let sink = self.incidents.get(&incident).and_then(|i| i.shown.last.sink()).map(str::to_owned);
        if let Some(sink) = sink {
            self.want_trials(Some(&sink));
        }
        let Some(known) = self.incidents.get_mut(&incident).filter(|i| i.is_closed_by_hand()) else { return };
        known.shown.closed = Some(word(at, by, note));
        if known.shown.kind.is_of_mail() || known.shown.kind.is_of_dns() {
            return;
        }
        let culprit = known.shown.culprit.clone();
        self.calm(plan, ix, at, &culprit);
        for slot in 0..self.routes.len() {
            let Some(route) = self.routes.get_mut(slot).filter(|r| culprit.covers(&r.route)) else { continue };
            route.judged_before = Some(at);
            route.refusal = None;
            ix.note(self, slot);
        }
    }

    /// A silence begins, now or later.
    pub(super) fn silence(&mut self, at: At, which: &Which, (from, until): (Option<At>, At), by: &str, reason: &str) {
        self.silences.retain(|s| s.until > at);
        if self.silences.len() >= SILENCES {
            let first = self.silences.iter().enumerate().min_by_key(|(_, s)| s.until).map(|(place, _)| place);
            first.into_iter().for_each(|place| drop(self.silences.remove(place)));
        }
        self.next_silence += 1;
        let Word { by, note, .. } = word(at, by, Some(reason));
        let (silence, from) = (self.next_silence, from.unwrap_or(at));
        self.silences.push(Silence { silence, which: which.clone(), from, until, by, reason: note.unwrap_or_default() });
    }

    /// A silence ends before its time.
    pub(super) fn unsilence(&mut self, silence: u64) {
        self.silences.retain(|s| s.silence != silence);
    }

    /// What keeps such an incident back the longest, in words, if anything does.
    pub(super) fn kept_back_by(&self, plan: &Plan, kind: Kind, culprit: &Culprit, now: At) -> Option<String> {
        let on = self.silences.iter().filter(|s| s.from <= now && now < s.until && s.which.fits(kind, culprit));
        let asked_for = on.map(|s| (s.until, format!("silence {} by {}", s.silence, s.by), &s.reason));
        let windows = plan.maintenance.iter().filter(|(_, window)| window.fits(kind, culprit));
        let every_week = windows.filter_map(|(name, w)| Some((w.ends_at(now)?, format!("maintenance `{name}` by {}", w.by), &w.reason)));
        let (until, what, reason) = asked_for.chain(every_week).max_by_key(|(until, ..)| *until)?;
        Some(format!("{what}, until {}: {reason}", until.second()))
    }

    /// Until when such an incident is not told of, if it is not.
    pub(super) fn silenced_until(&self, plan: &Plan, kind: Kind, culprit: &Culprit, now: At) -> Option<At> {
        let on = self.silences.iter().filter(|s| s.from <= now && now < s.until);
        let asked_for = on.filter(|s| s.which.fits(kind, culprit)).map(|s| s.until);
        let every_week = plan.maintenance.values().filter(|window| window.fits(kind, culprit)).filter_map(|window| window.ends_at(now));
        asked_for.chain(every_week).max()
    }
}

/// Maintenance that comes back every week, at `now`.
pub(super) fn maintenance(plan: &Plan, now: At) -> Vec<MaintenanceView> {
    let of = |(name, window): (&Name, &Maintenance)| MaintenanceView {
        name: name.clone(),
        window: window.clone(),
        which: window.which(),
        every: window.every.to_string(),
        now_until: window.ends_at(now),
        next: window.begins_at(now),
        by: window.by.clone(),
        reason: window.reason.clone(),
        until: window.until,
    };
    plan.maintenance.iter().map(of).collect()
}

impl Watchdog {
    /// Whether a silence names what there is, and whether there is one to be ended.
    pub(super) fn check_silence(&self, event: &Event) -> Result<(), Unfit> {
        if let Event::Unsilenced { silence, .. } = event
            && self.state.silences.iter().all(|s| s.silence != *silence)
        {
            return Err(Unfit::UnknownSilence(*silence));
        }
        let Event::Silenced { which, .. } = event else { return Ok(()) };
        let streams: BTreeSet<&Name> = self.plan.routes.iter().map(|r| &r.route.stream).collect();
        let known = |what, name: &Option<Name>, known: Vec<&Name>| match name {
            Some(name) if !known.contains(&name) => {
                let known = known.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
                Err(Unfit::UnknownName { what, name: name.clone(), known })
            }
            Some(_) | None => Ok(()),
        };
        known("provider", &which.provider, self.plan.providers.iter().collect())?;
        known("stream", &which.stream, streams.into_iter().collect())?;
        known("inbox", &which.inbox, self.plan.inboxes.iter().collect())
    }
}

impl Incident {
    /// Whether a person's word ends it.
    fn is_closed_by_hand(&self) -> bool {
        self.shown.resolved_at.is_none()
            && (self.shown.kind.is_delivery() || self.shown.kind.is_of_mail() || self.shown.kind.is_of_dns())
            && !self.is_of_seed()
    }

    /// When its next reminder is due: at growing intervals after the last notice that anybody heard, unless a person has seen it.
    pub(super) fn remind_at(&self, plan: &Plan) -> Option<At> {
        let shown = &self.shown;
        let is_seen = shown.acknowledged.is_some() || self.is_of_sink_in_part();
        if shown.resolved_at.is_some() || is_seen || self.quiet || plan.remind_after == Span::ZERO {
            return None;
        }
        let doubled = 1_u64.checked_shl(self.reminders).unwrap_or(u64::MAX);
        let after = match shown.severity {
            Severity::Page => plan.remind_after.scaled(doubled, 1).min(REMINDED_AT_LEAST.max(plan.remind_after)),
            Severity::Warn => WARNED_AGAIN,
            Severity::Info => return None,
        };
        Some(self.told_at?.plus(after))
    }

    /// Whether it is told when its silence ends: who has seen it meanwhile need not be called.
    pub(super) const fn waits_for_silence(&self) -> bool {
        self.quiet && self.shown.acknowledged.is_none()
    }

    /// Whether what is told of it now is its reminder, too, because that is due or nearly so.
    pub(super) fn is_reminded_with(&self, plan: &Plan, now: At) -> bool {
        self.remind_at(plan).is_some_and(|at| at <= now.plus(REMINDED_WITH))
    }

    /// How long it has been open, and that nobody sees to it.
    pub(super) fn open_for(&self, now: At) -> String {
        let since = self.former.as_ref().map_or_else(String::new, |word| format!(" since {} did at {}", word.by, word.at.second()));
        format!("{OPEN_FOR}{}, nobody has acknowledged it{since}", now.since(self.shown.opened_at))
    }
}

fn word(at: At, by: &str, note: Option<&str>) -> Word {
    Word { at, by: cut_name(by), note: note.map(|note| cut(note, REASON)) }
}

/// A name that a person gave, as long as it may be.
pub(super) fn cut_name(name: &str) -> String {
    cut(name, NAME)
}

fn cut(text: &str, most: usize) -> String {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default().to_owned()
}
