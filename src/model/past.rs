//! What people ask of the past, and what is found: bounded, whatever is asked.

use serde::{Deserialize, Serialize};

use super::dossier::Trace;
use super::way::{Instants, Legs, Trail};
use super::{At, CanaryId, Class, Culprit, Hop, IncidentId, Kind, Name, Outcome, Placement, Reason, Route, Severity, Span};

/// Points of one plot: a month of one canary a minute. The newest.
pub const POINTS: u32 = 45_000;

/// What became of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It is on its way, as far as is known.
    InFlight,
    /// It came in time.
    Arrived,
    /// It came after its deadline.
    Late,
    /// Its deadline passed, and it has not come.
    Lost,
    /// The provider did not take it.
    Refused,
    /// It was never seen, and is not looked for any more; or it was set aside.
    Forgotten,
}

impl Became {
    /// All, in the order that lists use.
    pub const ALL: [Self; 6] = [Self::InFlight, Self::Arrived, Self::Late, Self::Lost, Self::Refused, Self::Forgotten];

    /// The word in the ledger and in texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InFlight => "in flight",
            Self::Arrived => "arrived",
            Self::Late => "late",
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Forgotten => "forgotten",
        }
    }

    /// What a word of the ledger says.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|became| became.as_str() == word)
    }
}

/// One canary in the plot of its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Which.
    pub canary: CanaryId,
    /// When it was sent.
    pub sent_at: At,
    /// What became of it.
    pub became: Became,
    /// From sending to the receiver's time of arrival, if it came.
    pub latency: Option<Span>,
    /// Where it lay, if it came.
    pub placement: Option<Placement>,
}

/// Which canaries are wanted: all that is given must fit. The newest are found first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Through this provider.
    pub provider: Option<Name>,
    /// Of this stream.
    pub stream: Option<Name>,
    /// To this inbox.
    pub inbox: Option<Name>,
    /// Of which this became.
    pub became: Option<Became>,
    /// Sent then or later.
    pub from: At,
    /// Sent before then.
    pub to: At,
    /// Only those that come after this one in the list: the last of the page before.
    pub after: Option<(At, CanaryId)>,
    /// No more than this.
    pub most: u32,
}

/// One canary, with all that is kept of its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// Which.
    pub canary: CanaryId,
    /// Which way.
    pub route: Route,
    /// Why it was sent.
    pub reason: Reason,
    /// When it was sent.
    pub sent_at: At,
    /// What became of it.
    pub became: Became,
    /// When the provider answered, or was found not to have answered.
    pub answered_at: Option<At>,
    /// What the provider made of it.
    pub outcome: Option<Outcome>,
    /// The provider's own words. Foreign text.
    pub reply: Option<String>,
    /// The provider's own id. Foreign text.
    pub message_id: Option<String>,
    /// How long the parts of handing it over took: connect, TLS, auth, data.
    pub legs: [Option<Span>; 4],
    /// When it arrived, by the receiver's clock.
    pub arrived_at: Option<At>,
    /// When we saw it.
    pub seen_at: Option<At>,
    /// Where it lay.
    pub placement: Option<Placement>,
    /// The same as folder/UIDVALIDITY/UID. Foreign text.
    pub copy: Option<String>,
    /// When its deadline passed.
    pub lost_at: Option<At>,
    /// When it was looked for no more.
    pub forgotten_at: Option<At>,
    /// By which hosts its mail came, the first first: only looked up for one canary alone.
    pub hops: Vec<Hop>,
    /// What the receiver's filter wrote of its mail, a field each. Foreign text: only looked up for one canary alone.
    pub filter: Vec<String>,
    /// Its mail was not read to its end: what stands further behind was not looked at. Only looked up for one canary alone.
    pub cut: bool,
    /// Seen again, or elsewhere, or in another form: only looked up for one canary alone.
    pub sightings: Vec<Sighting>,
    /// What the provider said became of it: only looked up for one canary alone.
    pub traces: Vec<Trace>,
}

impl Way {
    /// From sending to the receiver's time of arrival. Receivers tell the second: never less than nothing.
    #[must_use]
    pub fn latency(&self) -> Option<Span> {
        Some(self.arrived_at?.since(self.sent_at))
    }

    /// What each leg of the whole way took, as clocks say.
    #[must_use]
    pub fn stretches(&self) -> Legs {
        let Trail { left, taken, .. } = Trail::of(&self.hops);
        let accepted = self.answered_at.filter(|_| self.outcome != Some(Outcome::Unknown));
        Instants { sent: self.sent_at, accepted, left, taken, arrived: self.arrived_at, seen: self.seen_at }.legs()
    }
}

/// The token of a canary, seen besides its first arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// `duplicate`, `replayed` or `mismatched`.
    pub what: String,
    /// Where.
    pub inbox: String,
    /// Where in there.
    pub placement: Option<String>,
    /// When it arrived, by the receiver's clock.
    pub arrived_at: Option<At>,
    /// When we saw it.
    pub seen_at: At,
}

/// Which incidents are wanted: all that is given must fit. The newest are found first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// With a lower number than this.
    pub before: Option<IncidentId>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Whether it is open, or has ended.
    pub open: Option<bool>,
    /// Whose culprit is this provider, stream or inbox, or has to do with it.
    pub party: Option<Name>,
    /// No more than this.
    pub most: u32,
}

impl Sought {
    /// The newest, whatever they are.
    #[must_use]
    pub fn newest(most: u32) -> Self {
        Self { most, ..Self::default() }
    }

    /// Whether this one is wanted.
    #[must_use]
    pub fn fits(&self, failure: &Failure) -> bool {
        let (provider, stream, inbox) = failure.culprit.parts();
        let named = |name: &Name| [provider, stream, inbox].contains(&Some(name));
        self.before.is_none_or(|before| failure.incident < before)
            && self.kind.is_none_or(|kind| kind == failure.kind)
            && self.open.is_none_or(|open| open == failure.resolved_at.is_none())
            && self.party.as_ref().is_none_or(named)
    }
}

/// An incident in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub incident: IncidentId,
    /// What kind of failure.
    pub kind: Kind,
    /// How loud it was told last.
    pub severity: Severity,
    /// Whose.
    pub culprit: Culprit,
    /// When what it is about began, as far as is known.
    pub since: At,
    /// When it was opened.
    pub opened_at: At,
    /// When it was told of last.
    pub updated_at: At,
    /// When it ended.
    pub resolved_at: Option<At>,
    /// The sentence of the last notice. It may hold foreign text.
    pub summary: String,
}

impl Failure {
    /// Whether it is that of a sink which takes nothing: no mail is concerned, and no sight.
    #[must_use]
    pub fn is_of_sink(&self) -> bool {
        self.summary.starts_with("sink `")
    }

    /// Whether it was held to see who is told: nothing was wrong. Of that is kept what was told.
    #[must_use]
    pub fn is_drill(&self) -> bool {
        self.summary.starts_with("DRILL")
    }
}

/// What a provider's answer was, from the two words that are kept of it.
#[must_use]
pub fn outcome(word: &str, class: Option<Class>) -> Option<Outcome> {
    match word {
        "accepted" => Some(Outcome::Accepted),
        "unknown" => Some(Outcome::Unknown),
        "refused" => Some(Outcome::Refused(class.unwrap_or(Class::Unknown))),
        _ => None,
    }
}
