//! Verdicts, culprits, incidents and the notices that tell of them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Name, Route};

/// How a route, provider, stream or inbox is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Mail arrives as it should.
    Delivering,
    /// Some is lost, late or in the wrong place.
    Degraded,
    /// None arrives.
    Stopped,
    /// We cannot tell, or not yet.
    Unknown,
}

impl Verdict {
    /// Every verdict, in the order that lists use.
    pub const ALL: [Self; 4] = [Self::Delivering, Self::Degraded, Self::Stopped, Self::Unknown];

    /// Its place in a list that has the worst first.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::Degraded => 1,
            Self::Unknown => 2,
            Self::Delivering => 3,
        }
    }

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivering => "delivering",
            Self::Degraded => "degraded",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }
}

/// Who a failure belongs to. In JSON an object with exactly one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Culprit {
    /// A provider, everywhere.
    Provider(Name),
    /// One stream of a provider: `[provider, stream]`.
    Stream(Name, Name),
    /// An inbox, for everyone.
    Inbox(Name),
    /// What one provider sends to one inbox, whatever the stream: `[provider, inbox]`.
    Path(Name, Name),
    /// One route alone: `[provider, stream, inbox]`.
    Route(Name, Name, Name),
    /// The watcher itself, or a cause common to everything.
    Watcher {},
}

impl Culprit {
    /// The provider, the stream and the inbox that it names.
    #[must_use]
    pub const fn parts(&self) -> (Option<&Name>, Option<&Name>, Option<&Name>) {
        match self {
            Self::Provider(p) => (Some(p), None, None),
            Self::Stream(p, s) => (Some(p), Some(s), None),
            Self::Inbox(i) => (None, None, Some(i)),
            Self::Path(p, i) => (Some(p), None, Some(i)),
            Self::Route(p, s, i) => (Some(p), Some(s), Some(i)),
            Self::Watcher {} => (None, None, None),
        }
    }

    /// The culprit that a text names, as written by its `Display`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        if text == "watcher" {
            return Some(Self::Watcher {});
        }
        let (what, names) = text.split_once(':')?;
        let names: Vec<Name> = names.split('/').map(Name::new).collect::<Result<_, _>>().ok()?;
        match (what, names.as_slice()) {
            ("provider", [p]) => Some(Self::Provider(p.clone())),
            ("stream", [p, s]) => Some(Self::Stream(p.clone(), s.clone())),
            ("inbox", [i]) => Some(Self::Inbox(i.clone())),
            ("path", [p, i]) => Some(Self::Path(p.clone(), i.clone())),
            ("route", [p, s, i]) => Some(Self::Route(p.clone(), s.clone(), i.clone())),
            _ => None,
        }
    }

    /// Whether the failure of this culprit would touch `route`.
    #[must_use]
    pub fn covers(&self, route: &Route) -> bool {
        match self {
            Self::Provider(p) => *p == route.provider,
            Self::Stream(p, s) => *p == route.provider && *s == route.stream,
            Self::Inbox(i) => *i == route.inbox,
            Self::Path(p, i) => *p == route.provider && *i == route.inbox,
            Self::Route(p, s, i) => *p == route.provider && *s == route.stream && *i == route.inbox,
            Self::Watcher {} => true,
        }
    }
}

/// As in the metric label: `provider:a`, `stream:a/s`, `inbox:i`, `path:a/i`, `route:a/s/i`, `watcher`.
impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(p) => write!(f, "provider:{p}"),
            Self::Stream(p, s) => write!(f, "stream:{p}/{s}"),
            Self::Inbox(i) => write!(f, "inbox:{i}"),
            Self::Path(p, i) => write!(f, "path:{p}/{i}"),
            Self::Route(p, s, i) => write!(f, "route:{p}/{s}/{i}"),
            Self::Watcher {} => f.write_str("watcher"),
        }
    }
}

/// What kind of failure an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nothing arrives.
    Stopped,
    /// A share is lost.
    Loss,
    /// Mail takes much longer than it should.
    Slow,
    /// Mail lands in Junk.
    Junked,
    /// The provider says no.
    Refused,
    /// An inbox cannot be read.
    Blind,
    /// The watcher has no network.
    CutOff,
    /// Mail carries a foreign identity.
    Identity,
    /// Mail that nobody asked for.
    UnexpectedMail,
    /// A signature or policy check fails.
    Authentication,
    /// A DNS record changed.
    Dns,
    /// A sending address is on a blocklist.
    Listed,
    /// A provider says of the account what comes before a stop.
    EarlySign,
}

/// How the end of an incident begins that another has taken over.
pub const PART_OF: &str = "part of a larger failure: ";

/// In which way mail fails: these kinds share one open incident for each culprit. What each means says [`Kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are those of `Kind`")]
pub enum DeliveryKind {
    Stopped,
    Loss,
    Slow,
    Junked,
    Refused,
}

impl Kind {
    /// Every kind, in the order that lists use.
    pub const ALL: [Self; 13] = [
        Self::Stopped,
        Self::Loss,
        Self::Slow,
        Self::Junked,
        Self::Refused,
        Self::Blind,
        Self::CutOff,
        Self::Identity,
        Self::UnexpectedMail,
        Self::Authentication,
        Self::Dns,
        Self::Listed,
        Self::EarlySign,
    ];

    /// The kind of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether it is a failure of delivery: these share one open incident for each culprit.
    #[must_use]
    pub const fn is_delivery(self) -> bool {
        self.delivery().is_some()
    }

    /// Whether it is a failure of delivery in which mail arrives: some of it, late, or in Junk.
    #[must_use]
    pub const fn is_partial(self) -> bool {
        matches!(self.delivery(), Some(DeliveryKind::Loss | DeliveryKind::Slow | DeliveryKind::Junked))
    }

    /// In which way mail fails; `None`: it is about something else.
    #[must_use]
    pub const fn delivery(self) -> Option<DeliveryKind> {
        match self {
            Self::Stopped => Some(DeliveryKind::Stopped),
            Self::Loss => Some(DeliveryKind::Loss),
            Self::Slow => Some(DeliveryKind::Slow),
            Self::Junked => Some(DeliveryKind::Junked),
            Self::Refused => Some(DeliveryKind::Refused),
            Self::Blind
            | Self::CutOff
            | Self::Identity
            | Self::UnexpectedMail
            | Self::Authentication
            | Self::Dns
            | Self::Listed
            | Self::EarlySign => None,
        }
    }

    /// Whether it is about what the mail itself says.
    #[must_use]
    pub const fn is_of_mail(self) -> bool {
        matches!(self, Self::Identity | Self::UnexpectedMail | Self::Authentication)
    }

    /// Whether it is about what the DNS says: of our domains, and of those that mail comes from.
    #[must_use]
    pub const fn is_of_dns(self) -> bool {
        matches!(self, Self::Dns | Self::Listed)
    }

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Loss => "loss",
            Self::Slow => "slow",
            Self::Junked => "junked",
            Self::Refused => "refused",
            Self::Blind => "blind",
            Self::CutOff => "cut_off",
            Self::Identity => "identity",
            Self::UnexpectedMail => "unexpected_mail",
            Self::Authentication => "authentication",
            Self::Dns => "dns",
            Self::Listed => "listed",
            Self::EarlySign => "early_sign",
        }
    }
}

/// How loud a notice is. Ordered from quiet to loud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// To be read some time.
    Info,
    /// To be looked at in working hours.
    Warn,
    /// Somebody has to get up.
    Page,
}

impl Severity {
    /// Every severity, from quiet to loud.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warn, Self::Page];

    /// The word in labels and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Page => "page",
        }
    }
}

/// Numbers incidents from 1, for the life of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub u64);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Numbers notices from 1, for the life of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoticeId(pub u64);

impl fmt::Display for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a notice tells of its incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It began.
    Opened,
    /// Kind, severity or blame moved.
    Updated,
    /// It goes on.
    Reminder,
    /// Somebody has seen it. Only sinks that keep that themselves are told.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Opened, Self::Updated, Self::Reminder, Self::Acknowledged, Self::Resolved];

    /// The word in texts and in a webhook's `type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Reminder => "reminder",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// One message about an incident. Every change carries every field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Its number.
    pub notice: NoticeId,
    /// The incident that it tells of.
    pub incident: IncidentId,
    /// What happened to it.
    pub change: Change,
    /// The failure.
    pub kind: Kind,
    /// How loud.
    pub severity: Severity,
    /// Whose.
    pub culprit: Culprit,
    /// One sentence for the pager. Plain text; the sink escapes it.
    pub summary: String,
    /// The proof: since when, how many of how many, the provider's own words. An object.
    pub evidence: Value,
}

impl Notice {
    /// Whether it goes out because nobody has acknowledged its incident.
    #[must_use]
    pub fn asks_for_somebody(&self) -> bool {
        let escalates = || matches!(self.change, Change::Opened | Change::Updated) && self.evidence.get("escalation").is_some();
        self.change == Change::Reminder || escalates()
    }

    /// The name of the runbook that says what to do about it: that of its kind, but for sinks.
    #[must_use]
    pub fn runbook(&self) -> &'static str {
        if self.sink().is_some() { "sink" } else { self.kind.as_str() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_culprit_is_read_as_it_is_written() {
        for text in ["provider:a", "stream:a/s", "inbox:i-1", "path:a/i-1", "route:a/s/i", "watcher"] {
            assert_eq!(Culprit::from_text(text).map(|culprit| culprit.to_string()).as_deref(), Some(text));
        }
        for text in ["", "provider:", "provider:a/b", "inbox:A", "stream:a", "somebody:a"] {
            assert_eq!(Culprit::from_text(text), None, "{text}");
        }
    }
}
