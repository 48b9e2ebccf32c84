//! What Alertmanager is to know, and when each instance is to hear of it. Pure: time comes in, decisions go out.

use std::collections::{BTreeMap, BTreeSet};

use super::super::pace::{Due, Pace};
use super::super::queue::DOUBTS;
use super::super::{Attempt, Origin};
use super::Alert;
use crate::model::{At, Change, IncidentId, Notice, NoticeId, Severity, Span};
use crate::watchdog::IncidentView;

/// Every alert that fires, and those that ended lately.
#[derive(Debug)]
pub struct Board {
    origin: Origin,
    severities: Vec<Severity>,
    pace: Pace,
    standing: BTreeMap<BTreeMap<&'static str, String>, Standing>,
    version: u64,
}

#[derive(Debug)]
struct Standing {
    incident: IncidentId,
    notice: NoticeId,
    alert: Alert,
    /// The version of the board in which it changed last.
    changed: u64,
    /// Whether any instance has it as it is.
    known: bool,
}

impl Board {
    /// An empty board for a sink that takes `severities`.
    #[must_use]
    pub const fn new(origin: Origin, severities: Vec<Severity>, pace: Pace) -> Self {
        Self { origin, severities, pace, standing: BTreeMap::new(), version: 0 }
    }

    /// Puts up what stood before a restart: incidents that are open, and those that ended lately.
    pub fn restore(&mut self, incidents: &[IncidentView], now: At) {
        let recent = |ended: At| now.since(ended) < self.pace.linger;
        let mine: Vec<_> =
            incidents.iter().filter(|i| i.resolved_at.is_none_or(recent) && self.severities.contains(&i.last.severity)).collect();
        for incident in mine {
            self.stand(&incident.last, incident.opened_at, incident.opened_at, incident.resolved_at);
        }
    }

    /// Puts up what a notice says and returns the version of the board that says it. What is older than what stands changes nothing.
    pub fn take(&mut self, notice: &Notice, opened_at: At, at: At) -> u64 {
        self.stand(notice, opened_at, at, (notice.change == Change::Resolved).then_some(at))
    }

    /// What open incidents are like now, where their alerts still fire under the same labels: it goes out with the next sending, which calls
    /// nobody.
    pub fn renew(&mut self, incidents: &[IncidentView]) {
        for incident in incidents.iter().filter(|i| i.resolved_at.is_none()) {
            let Some(present) = &incident.present else { continue };
            let (summary, evidence) = (present.summary.clone(), present.evidence.clone());
            let now = Alert::new(&self.origin, &Notice { summary, evidence, ..incident.last.clone() }, incident.opened_at, None);
            if let Some(standing) = self.standing.get_mut(&now.labels).filter(|s| s.alert.ended.is_none()) {
                standing.alert.annotations = now.annotations;
            }
        }
    }

    fn stand(&mut self, notice: &Notice, opened_at: At, at: At, ended: Option<At>) -> u64 {
        let newer = self.standing.values().find(|s| s.incident == notice.incident && s.notice >= notice.notice);
        if let Some(newer) = newer {
            return newer.changed;
        }
        self.version += 1;
        let changed = self.version;
        let alert = Alert::new(&self.origin, notice, opened_at, ended);
        for (labels, other) in &mut self.standing {
            if other.incident == notice.incident && other.alert.ended.is_none() && *labels != alert.labels {
                other.alert.ended = Some(at);
                other.alert.annotations.insert("description", moved(notice));
                (other.changed, other.known) = (changed, false);
            }
        }
        let standing = Standing { incident: notice.incident, notice: notice.notice, alert, changed, known: false };
        self.standing.insert(standing.alert.labels.clone(), standing);
        changed
    }

    /// Rises with every change.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.standing.is_empty()
    }

    /// The JSON array to post: all that fires, and all that ended lately.
    #[must_use]
    pub fn post(&self, now: At) -> Vec<u8> {
        let alerts: Vec<Alert> = self.standing.values().map(|s| s.alert.clone()).collect();
        Alert::post(&alerts, now.plus(self.pace.resend.scaled(4, 1)))
    }

    /// Takes in that an instance has the board as it was in `version`.
    pub fn known(&mut self, version: u64) {
        for standing in self.standing.values_mut().filter(|s| s.changed <= version) {
            standing.known = true;
        }
    }

    /// Takes down what ended long enough ago, and returns the incidents whose end nobody could be told.
    pub fn prune(&mut self, now: At) -> BTreeSet<IncidentId> {
        let pace = self.pace;
        let mut untold = BTreeSet::new();
        self.standing.retain(|_, s| {
            let Some(ended) = s.alert.ended else { return true };
            let since = now.since(ended);
            if !s.known && since >= pace.give_up {
                untold.insert(s.incident);
            }
            since < pace.linger || (!s.known && since < pace.give_up)
        });
        untold
    }
}

/// What an alert says whose incident goes on under other labels.
fn moved(notice: &Notice) -> String {
    let (incident, severity, culprit) = (notice.incident, notice.severity.as_str(), &notice.culprit);
    format!("incident {incident} goes on as `{severity}` of {culprit}")
}

/// Where one instance stands.
#[derive(Debug, Default)]
pub struct Instance {
    tried: u64,
    refused: u64,
    failures: u32,
    /// Doubtful refusals in a row, and since when: perhaps since before this process.
    doubts: u32,
    doubted: Option<At>,
    flying: bool,
    asked_to_wait: bool,
    due: Option<Due>,
}

impl Instance {
    /// One of which an earlier process knows since when it refuses as if it were being replaced.
    #[must_use]
    pub fn doubted_since(since: Option<At>) -> Self {
        Self { doubted: since, ..Self::default() }
    }

    /// Since when it refuses so, if it does.
    #[must_use]
    pub const fn doubted(&self) -> Option<At> {
        self.doubted
    }

    /// When it is to be told, if it is: at once of what is new, then every `resend`; after a failure by the back-off, which a change of the
    /// board cuts short unless the instance asked for the wait.
    #[must_use]
    pub fn wake_at(&self, board: &Board, now: At) -> Option<At> {
        if self.flying || board.is_empty() {
            return None;
        }
        let Some(due) = self.due else { return Some(now) };
        let news = board.version() > self.tried && !self.asked_to_wait;
        Some(if news || due.has_come(now) { now } else { due.at })
    }

    /// Whether it is to be told now.
    #[must_use]
    pub fn is_due(&self, board: &Board, now: At) -> bool {
        self.wake_at(board, now).is_some_and(|at| at <= now)
    }

    /// Notes that the board is on its way, and returns its version.
    pub const fn start(&mut self, board: &Board) -> u64 {
        self.flying = true;
        self.tried = board.version();
        self.tried
    }

    /// Takes in how an attempt with the board of `version` ended. `salt` scatters the back-off, which never exceeds the time of a resend:
    /// the alerts that stand must not end by themselves.
    pub fn finished(&mut self, version: u64, attempt: &Attempt, pace: &Pace, salt: u64, now: At) {
        self.flying = false;
        self.asked_to_wait = false;
        let doubtful = matches!(attempt, Attempt::Doubtful { .. });
        self.doubts = if doubtful { self.doubts.saturating_add(1) } else { 0 };
        self.doubted = self.doubted.filter(|since| *since <= now).or(Some(now)).filter(|_| doubtful);
        let wait = match attempt {
            Attempt::Delivered => {
                self.failures = 0;
                pace.resend
            }
            Attempt::Refused { .. } | Attempt::Gone { .. } => {
                self.failures = self.failures.saturating_add(1);
                self.refused = version;
                pace.resend
            }
            Attempt::Doubtful { .. } => {
                self.failures = self.failures.saturating_add(1);
                let lasts = self.doubted.map_or(Span::ZERO, |since| now.since(since));
                if self.doubts > DOUBTS || lasts > pace.resend.scaled(u64::from(DOUBTS), 1) {
                    self.refused = version;
                }
                pace.resend
            }
            Attempt::Retry { after, .. } => {
                self.failures = self.failures.saturating_add(1);
                self.asked_to_wait = after.is_some();
                after.unwrap_or_default().max(pace.back_off(self.failures, pace.cap.min(pace.resend), salt))
            }
        };
        self.due = Some(Due { since: now, at: now.plus(wait) });
    }

    /// Whether it refused the board of `version` or a later one.
    #[must_use]
    pub const fn refused(&self, version: u64) -> bool {
        self.refused >= version
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
