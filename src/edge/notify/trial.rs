//! A sink that is tried at once, by a person who looks.

use super::Outgoing;
use crate::model::{At, Change, Name, Notice, NoticeId, Severity};

/// Notices of trials that stand in no ledger have numbers that no ledger counts up to.
const UNRECORDED: u64 = 1 << 42;

/// What a sink is told to try it at `now`: that a trial began, and that it is over.
#[must_use]
pub fn trial(sink: &Name, severity: Severity, now: At) -> [Outgoing; 2] {
    let number = u64::try_from(now.as_ms()).unwrap_or(0);
    let notice = UNRECORDED.saturating_add(number);
    let opened = Notice::of_trial(sink, severity, NoticeId(notice), number, Change::Opened);
    let over = Notice::of_trial(sink, severity, NoticeId(notice.saturating_add(1)), number, Change::Resolved);
    [opened, over].map(|notice| Outgoing { notice: notice.into(), opened_at: now, at: now, perhaps_told: false })
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;

    #[test]
    fn a_trial_says_so_and_is_over_at_once() {
        let at = At::from_rfc3339("2022-08-08T19:30:00Z").unwrap();
        let [opened, over] = trial(&Name::new("pager").unwrap(), Severity::Page, at);
        assert!(opened.notice.is_trial() && over.notice.is_trial() && opened.notice.incident == over.notice.incident);
        assert!(opened.notice.notice < over.notice.notice && over.notice.notice.0 < 1 << 53, "exact in JSON");
        assert_eq!((opened.notice.change, over.notice.change), (Change::Opened, Change::Resolved));
        let [opened, over] = [opened, over].map(|out| nasty::pages().page(&out));
        assert_eq!((opened.title.as_str(), over.title.as_str()), ("TEST: nothing is wrong", "TEST, over"));
        assert_eq!(opened.link, None, "there is no such page");
    }
}
