//! Maintenance that comes back every week.

use super::Scope;
use crate::model::{At, Culprit, Kind, Week};

/// `[maintenance.NAME]`: such incidents are told to nobody in these hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// When. Never the whole week.
    pub every: Week,
    /// Whose. Narrow, unless `kinds` is given.
    pub scope: Scope,
    /// What kinds of failure. All unless narrowed.
    pub kinds: Option<Vec<Kind>>,
    /// Who wants it. Foreign text.
    pub by: String,
    /// Why. Foreign text.
    pub reason: String,
    /// From then on it is over.
    pub until: Option<At>,
}

impl Maintenance {
    /// Until when it goes on, if it does.
    #[must_use]
    pub fn ends_at(&self, now: At) -> Option<At> {
        if !self.every.contains(now) || self.until.is_some_and(|until| until <= now) {
            return None;
        }
        [self.every.changes_at(now), self.until].into_iter().flatten().min()
    }

    /// When it goes on next, if it does not now.
    #[must_use]
    pub fn begins_at(&self, now: At) -> Option<At> {
        let begins = self.every.changes_at(now).filter(|_| !self.every.contains(now))?;
        self.until.is_none_or(|until| begins < until).then_some(begins)
    }

    /// Whether an incident is meant. What is larger than what is named is not.
    #[must_use]
    pub fn fits(&self, kind: Kind, culprit: &Culprit) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind)) && self.scope.holds(culprit)
    }

    /// What is meant, in words: `provider relay, kind slow or loss`.
    #[must_use]
    pub fn which(&self) -> String {
        let scope = Some(self.scope.to_string()).filter(|_| self.scope.is_narrow());
        let kinds = self.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" or "));
        scope.into_iter().chain(kinds.map(|kinds| format!("kind {kinds}"))).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{DAY, Name};

    #[test]
    fn it_covers_its_parts_in_its_hours_until_it_is_over() {
        let name = |text: &str| Name::new(text).unwrap();
        let at = |text: &str| At::from_rfc3339(text).unwrap();
        let sunday = 6 * DAY;
        let mut window = Maintenance {
            every: Week::new([(sunday + 120, sunday + 240)], "Europe/Berlin".parse().unwrap(), "Sun 02:00-04:00"),
            scope: Scope { providers: Some(BTreeSet::from([name("a"), name("b")])), ..Scope::default() },
            kinds: Some(vec![Kind::Slow, Kind::Stopped]),
            by: "ann".to_owned(),
            reason: "they move house".to_owned(),
            until: None,
        };
        assert_eq!(window.which(), "provider a or b, kind slow or stopped");
        assert!(
            window.fits(Kind::Slow, &Culprit::Stream(name("a"), name("s"))) && window.fits(Kind::Stopped, &Culprit::Provider(name("b")))
        );
        for other in [Culprit::Provider(name("c")), Culprit::Inbox(name("i")), Culprit::Watcher {}] {
            assert!(!window.fits(Kind::Slow, &other), "{other}");
        }
        assert!(!window.fits(Kind::Refused, &Culprit::Provider(name("a"))));
        let (before, within) = (at("2023-12-02T12:00:00Z"), at("2023-12-03T02:30:00+01:00"));
        assert_eq!((window.ends_at(before), window.begins_at(before)), (None, Some(at("2023-12-03T02:00:00+01:00"))));
        assert_eq!((window.ends_at(within), window.begins_at(within)), (Some(at("2023-12-03T04:00:00+01:00")), None));
        window.until = Some(at("2023-12-03T03:00:00+01:00"));
        assert_eq!(window.ends_at(within), window.until);
        window.until = Some(at("2023-12-03T01:00:00+01:00"));
        assert_eq!((window.ends_at(within), window.begins_at(before)), (None, None));
    }
}
