//! The state as people and metrics see it: a copy, made on request.

use std::collections::BTreeMap;

use super::count::Histogram;
use super::drill::{DrillView, DrilledView};
use super::event::Delivery;
use super::portrait::IdentityView;
use super::zone::DnsView;
use crate::config::Maintenance;
use crate::model::past::Became;
use crate::model::{
    At, CanaryId, Class, Culprit, HookCounts, IncidentId, Kind, Leg, Loaded, Name, Notice, Own, Placement, Pulse, Route, Severity, Sign,
    Silence, Span, Standing, Verdict,
};

/// Everything that is shown, at one instant.
#[derive(Clone, Debug)]
pub struct View {
    /// When it was taken.
    pub at: At,
    /// The installation's name.
    pub instance: String,
    /// Where people reach the status page, without a slash at its end, where that is known.
    pub url: Option<String>,
    /// When the installation began.
    pub began: At,
    /// Since when the watcher has had no network.
    pub cut_off_since: Option<At>,
    /// What keeps the watchdog itself from working, in words: a ledger that cannot be written.
    pub trouble: Option<String>,
    /// What is waited for next, in words, and until when.
    pub next: Option<(At, String)>,
    /// The evidence, in nats, at which the verdict changes.
    pub suspicion_threshold: f64,
    /// Every configured route, sorted.
    pub routes: Vec<RouteView>,
    /// Every configured provider, sorted.
    pub providers: Vec<PartyView>,
    /// Every account that is asked about, by provider.
    pub accounts: BTreeMap<Name, AccountView>,
    /// Every stream of every provider, sorted by provider, then stream.
    pub streams: Vec<(Name, PartyView)>,
    /// Every configured inbox, sorted.
    pub inboxes: Vec<InboxView>,
    /// What mail looks like, by provider and stream: those whose mail was looked at.
    pub identities: Vec<IdentityView>,
    /// What the DNS says.
    pub dns: DnsView,
    /// Mail that is no canary, by inbox and by what it has to do with us.
    pub strangers: BTreeMap<(Name, &'static str), u64>,
    /// Silences that have not ended, in the order in which they were asked for.
    pub silences: Vec<Silence>,
    /// Maintenance that comes back every week, by its name.
    pub maintenance: Vec<MaintenanceView>,
    /// The last trial of each sink that is tried, by its name.
    pub trials: Vec<TrialView>,
    /// Sinks that refuse what they are told, or some of it.
    pub refusing: Vec<Name>,
    /// The drill that goes on.
    pub drill: Option<DrillView>,
    /// The last drill that is over.
    pub drilled: Option<DrilledView>,
    /// Every open incident, then those that ended lately, newest first.
    pub incidents: Vec<IncidentView>,
    /// How notices ended, by sink. Every configured sink and outcome is there.
    pub notices: BTreeMap<(Name, Delivery), u64>,
    /// Notices on their way, by sink. Every configured sink is there.
    pub notices_pending: BTreeMap<Name, u64>,
    /// Canaries that are being handed over to their providers; filled in by whoever hands them over.
    pub submissions: u64,
    /// Canaries' mails that were not looked at since the process started, for there being too many; filled in by whoever looks at them.
    pub unexamined: u64,
    /// What came in by webhooks since the process started, by provider. Every provider that has one is there.
    pub hooks: BTreeMap<Name, HookCounts>,
    /// What came in from each sink where people may acknowledge; filled in by whoever counts.
    pub replies: BTreeMap<Name, HookCounts>,
    /// The heartbeats out.
    pub heartbeats: BTreeMap<Name, Pulse>,
    /// How the running configuration stands.
    pub configuration: Loaded,
    /// How long the legs of the whole way took, by provider and inbox. All that are watched are there.
    pub travels: BTreeMap<(Name, Name), [Histogram; 5]>,
    /// How long legs took. Every leg is there.
    pub legs: BTreeMap<Leg, Histogram>,
}

/// One route.
#[derive(Clone, Debug)]
pub struct RouteView {
    /// Which.
    pub route: Route,
    /// How it is doing: the worst of what covers it, its culprit's failure too.
    pub verdict: Verdict,
    /// Why we think so: one sentence.
    pub reason: String,
    /// What its own canaries show, whoever is to blame.
    pub own: Own,
    /// Why that is said: one sentence.
    pub own_reason: String,
    /// The incident by which the verdict is as it is.
    pub incident: Option<IncidentId>,
    /// The evidence against it, in nats.
    pub suspicion: f64,
    /// What comes later is as good as lost.
    pub deadline: Span,
    /// Canaries on their way.
    pub in_flight: u64,
    /// The receiver's time of the newest arrival.
    pub last_arrival: Option<At>,
    /// The newest canaries, newest first, at most 50; then older ones that the listed incidents name and that are remembered.
    pub recent: Vec<CanaryView>,
    /// What was counted since the installation began.
    pub counts: RouteCounts,
    /// From sending to the receiver's time of arrival: what a user of the mail would wait.
    pub latency: Histogram,
}

/// What is counted for each route, since the installation began.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RouteCounts {
    /// Submissions that the provider took.
    pub accepted: u64,
    /// Submissions refused, by class.
    pub refused: BTreeMap<Class, u64>,
    /// Submissions whose fate is unknown.
    pub unknown: u64,
    /// First arrivals, by placement.
    pub arrived: BTreeMap<Placement, u64>,
    /// Deadlines that passed.
    pub lost: u64,
    /// Arrivals after the deadline.
    pub late: u64,
    /// Second and further copies in the same inbox.
    pub duplicate: u64,
    /// Canaries in whose stead a mail came that does not look as it should.
    #[serde(default)]
    pub mismatched: u64,
    /// Arrivals within the deadline, outside Junk. Each canary is counted once, here or as missed.
    #[serde(default)]
    pub in_time: u64,
    /// Canaries that did not do so: lost, late, in Junk, or refused for what is not the seed's and not the watcher's.
    #[serde(default)]
    pub missed: u64,
}

/// One canary, in a route's list.
#[derive(Clone, Debug)]
pub struct CanaryView {
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
    /// Where it is, in a few words: `in flight`, `arrived in 4.1s`, `lost`, `refused: auth`.
    pub state: String,
}

/// A provider or a stream of one.
#[derive(Clone, Debug)]
pub struct PartyView {
    /// Which.
    pub name: Name,
    /// How it is doing.
    pub verdict: Verdict,
    /// Why we think so: one sentence.
    pub reason: String,
    /// What is sent through it, and how old what we know is.
    pub traffic: Traffic,
}

/// What is sent through a provider or a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// It is kept warm for a failover.
    pub standby: bool,
    /// The time between two routine canaries of one of its routes; of several, the shortest.
    pub every: Span,
    /// When its newest canary was sent.
    pub last_sent: Option<At>,
    /// The receiver's time of its newest arrival.
    pub last_arrival: Option<At>,
    /// Its cap for any 24 hours, and what of it is used up, if it was set; none for a stream.
    pub budget: Option<(u32, u32)>,
    /// Its provider wants no mail before then: nothing is sent, and nothing follows from that.
    pub held_until: Option<At>,
}

/// An account at a provider, as it was said to stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountView {
    /// The time between two questions.
    pub every: Span,
    /// When it was read last; what follows is of then.
    pub read_at: Option<At>,
    /// What the provider said.
    pub signs: Vec<Sign>,
    /// Whether it may send, where the provider says so.
    pub standing: Option<Standing>,
    /// Of these signs the ones that worry.
    pub worries: Vec<Sign>,
    /// Why it cannot be read, since it could last.
    pub unread: Option<Unread>,
    /// Questions that were answered, since the installation began.
    pub read: u64,
    /// Questions that the provider had no time for.
    pub throttled: u64,
    /// Questions that were not answered otherwise.
    pub not_read: u64,
}

/// Why an account cannot be read.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Unread {
    /// Since when.
    pub since: At,
    /// What kind of failure it was last.
    pub class: Class,
    /// In words; the provider's own, if it had any.
    pub why: String,
}

/// One inbox.
#[derive(Clone, Debug)]
pub struct InboxView {
    /// Which.
    pub name: Name,
    /// How it is doing.
    pub verdict: Verdict,
    /// Why we think so: one sentence.
    pub reason: String,
    /// Whether we can see into it. `None` before the first try.
    pub sight: Option<bool>,
    /// Up to when everything that lay in it is known.
    pub horizon: Option<At>,
    /// Tokens that were not ours.
    pub forged: u64,
    /// Canaries of ours seen in the wrong inbox, or after they were forgotten.
    pub replayed: u64,
    /// Its cap for any 24 hours, and what of it is used up, if it was set.
    pub budget: Option<(u32, u32)>,
    /// When what it is logged in to with ends, if that is known.
    pub expires: Option<At>,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct IncidentView {
    /// Its number.
    pub incident: IncidentId,
    /// What kind of failure.
    pub kind: Kind,
    /// How loud.
    pub severity: Severity,
    /// Whose.
    pub culprit: Culprit,
    /// When it was opened.
    pub opened_at: At,
    /// When it ended.
    pub resolved_at: Option<At>,
    /// What was told of it last.
    pub last: Notice,
    /// What can be said of it now, while it is open and there is more to say than was told. No state: it is made anew for each view.
    #[serde(skip)]
    pub present: Option<Present>,
    /// Who has seen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Word>,
    /// Who has seen it, too, since then: the last few.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Word>,
    /// Who said that it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Word>,
    /// Mail arrives again; it is kept open because it came and went before, or because little has been sent since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delivers: bool,
    /// Until when nobody is told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silenced_until: Option<At>,
}

/// What can be said of an open incident at the time of a view: as it would be told now.
#[derive(Clone, Debug, PartialEq)]
pub struct Present {
    /// One sentence.
    pub summary: String,
    /// The proof. An object.
    pub evidence: serde_json::Value,
    /// Mail arrives again.
    pub delivers: bool,
}

/// Maintenance that comes back every week.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MaintenanceView {
    /// Which.
    pub name: Name,
    /// The window itself: whom it covers, and when.
    #[serde(skip)]
    pub window: Maintenance,
    /// What it is about, in words.
    pub which: String,
    /// When, in words.
    pub every: String,
    /// It goes on, until then.
    pub now_until: Option<At>,
    /// It does not go on, and begins then.
    pub next: Option<At>,
    /// Who wants it. Foreign text.
    pub by: String,
    /// Why. Foreign text.
    pub reason: String,
    /// From then on it is over.
    pub until: Option<At>,
}

/// The last trial of a sink.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TrialView {
    /// Which sink.
    pub sink: Name,
    /// When it was tried last, if it was.
    pub at: Option<At>,
    /// Whether it took the test notice, once that is known.
    pub taken: Option<bool>,
}

/// What a person said of an incident.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Word {
    /// When.
    pub at: At,
    /// Who. Foreign text.
    pub by: String,
    /// What about it. Foreign text.
    pub note: Option<String>,
}

impl IncidentView {
    /// How it is, in a sentence: now, or as it was told last.
    #[must_use]
    pub fn summary(&self) -> &str {
        self.present.as_ref().map_or(&self.last.summary, |present| &present.summary)
    }

    /// The proof: as it is now, or as it was told last.
    #[must_use]
    pub fn evidence(&self) -> &serde_json::Value {
        self.present.as_ref().map_or(&self.last.evidence, |present| &present.evidence)
    }

    /// The same without what is of the moment: what else differs has happened.
    #[must_use]
    pub fn told(&self) -> Self {
        Self { present: None, ..self.clone() }
    }

    /// When what it is about began, as far as is known: before it was opened, for that takes proof.
    #[must_use]
    pub fn since(&self) -> At {
        let told = |evidence: &serde_json::Value| evidence.get("since").and_then(serde_json::Value::as_str).and_then(At::from_rfc3339);
        let present = self.present.as_ref().and_then(|present| told(&present.evidence));
        // After a part of the recovery the first that is missing is another.
        [told(&self.last.evidence), present].into_iter().flatten().fold(self.opened_at, At::min)
    }

    /// How long it lasted, or has lasted by `now`.
    #[must_use]
    pub fn age(&self, now: At) -> Span {
        self.resolved_at.unwrap_or(now).since(self.since())
    }
}
