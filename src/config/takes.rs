//! What a sink takes of what there is to tell, and when.

use std::collections::BTreeSet;
use std::fmt;

use crate::model::{At, Culprit, Kind, Name, Route, Severity, Span, Week};

/// Which routes are meant. All of them unless narrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Those of these providers.
    pub providers: Option<BTreeSet<Name>>,
    /// Those of these streams.
    pub streams: Option<BTreeSet<Name>>,
    /// Those to these inboxes.
    pub inboxes: Option<BTreeSet<Name>>,
}

impl Scope {
    /// Whether a route is meant.
    #[must_use]
    pub fn covers(&self, route: &Route) -> bool {
        let within = |names: &Option<BTreeSet<Name>>, name: &Name| names.as_ref().is_none_or(|names| names.contains(name));
        within(&self.providers, &route.provider) && within(&self.streams, &route.stream) && within(&self.inboxes, &route.inbox)
    }

    /// Whether a culprit is meant, or a part of what is. What is larger is not.
    #[must_use]
    pub fn holds(&self, culprit: &Culprit) -> bool {
        let (provider, stream, inbox) = culprit.parts();
        let within = |names: &Option<BTreeSet<Name>>, name: Option<&Name>| {
            names.as_ref().is_none_or(|names| name.is_some_and(|name| names.contains(name)))
        };
        within(&self.providers, provider) && within(&self.streams, stream) && within(&self.inboxes, inbox)
    }

    /// Whether it leaves out anything.
    #[must_use]
    pub const fn is_narrow(&self) -> bool {
        self.providers.is_some() || self.streams.is_some() || self.inboxes.is_some()
    }
}

/// What a sink takes, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Takes {
    /// The severities. All unless narrowed.
    pub severities: Vec<Severity>,
    /// The kinds of failure. All unless narrowed.
    pub kinds: Option<Vec<Kind>>,
    /// Incidents that touch any of these routes.
    pub scope: Scope,
    /// When it takes what it has not heard of; always unless narrowed.
    pub hours: Option<Week>,
    /// It is called when an incident has been paged for so long and nobody has acknowledged it; none: at once.
    pub after: Option<Span>,
}

/// Everything, at once.
impl Default for Takes {
    fn default() -> Self {
        Self { severities: Severity::ALL.to_vec(), kinds: None, scope: Scope::default(), hours: None, after: None }
    }
}

impl Takes {
    /// The quietest that it takes: what a test notice is.
    #[must_use]
    pub fn quietest(&self) -> Severity {
        self.severities.iter().min().copied().unwrap_or(Severity::Page)
    }

    /// Whether it takes such an incident, whatever it is about and whenever it is.
    #[must_use]
    pub fn likes(&self, kind: Kind, severity: Severity) -> bool {
        self.severities.contains(&severity) && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }

    /// Whether it takes what it has not heard of at this hour.
    #[must_use]
    pub fn listens(&self, at: At) -> bool {
        self.hours.as_ref().is_none_or(|hours| hours.contains(at))
    }
}

/// `provider a, stream s`; nothing if all are meant.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("provider", &self.providers), ("stream", &self.streams), ("inbox", &self.inboxes)];
        let given = parts.iter().filter_map(|(what, names)| {
            let names: Vec<&str> = names.as_ref()?.iter().map(Name::as_str).collect();
            Some(format!("{what} {}", names.join(" or ")))
        });
        f.write_str(&given.collect::<Vec<_>>().join(", "))
    }
}

/// `page, warn; provider a; Mon-Fri 08:00-18:00 (UTC); after 10m`.
impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severities: Vec<&str> = self.severities.iter().rev().map(|s| s.as_str()).collect();
        f.write_str(&severities.join(", "))?;
        if let Some(kinds) = &self.kinds {
            write!(f, "; {}", kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "))?;
        }
        if self.scope.is_narrow() {
            write!(f, "; {}", self.scope)?;
        }
        if let Some(hours) = &self.hours {
            write!(f, "; {hours}")?;
        }
        self.after.map_or(Ok(()), |after| write!(f, "; after {after}"))
    }
}
