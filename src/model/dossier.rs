//! All that is kept of one incident: the rows as they stand, for people to be told of.

use std::collections::BTreeMap;

use super::{At, Examination, Hop, Notice};

/// One incident.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dossier {
    /// When it was opened.
    pub opened_at: At,
    /// When it ended, if it did.
    pub resolved_at: Option<At>,
    /// The notices, the oldest first.
    pub notices: Vec<Told>,
    /// What people said of it.
    pub words: Vec<Said>,
    /// What changed of the sight of inboxes and of the watcher meanwhile.
    pub sight: Vec<Sight>,
    /// When mailcanary was started meanwhile, and in which version.
    pub starts: Vec<(At, String)>,
    /// What was sent meanwhile, by route: provider, stream, inbox.
    pub routes: BTreeMap<[String; 3], Tally>,
    /// The canaries of those that did not simply arrive, the oldest first.
    pub canaries: Vec<Failed>,
    /// The mails that were the first with something foreign in them, or came last when a check began to fail; the oldest first.
    pub first_mails: Vec<Failed>,
    /// What stood in the headers of a few that arrived.
    pub headers: Vec<Header>,
    /// What providers said became of canaries.
    pub traces: Vec<Trace>,
    /// Whether there is more of anything than is listed.
    pub cut: bool,
}

/// One notice, and to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// When.
    pub at: At,
    /// The message.
    pub notice: Notice,
    /// Each sink with how it ended there, and since when.
    pub sinks: Vec<(String, String, At)>,
}

/// What a person said. Foreign texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// When.
    pub at: At,
    /// Who.
    pub who: String,
    /// The word for it.
    pub said: String,
    /// What about it.
    pub note: Option<String>,
}

/// A change of sight.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// When.
    pub at: At,
    /// Whose; none: the watcher's.
    pub inbox: Option<String>,
    /// What: blind, sight, cut off, connected, slept, clock jumped.
    pub what: String,
    /// Why. Foreign text.
    pub why: Option<String>,
}

/// What became of what was sent over one route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All.
    pub sent: u64,
    /// By state; what has arrived and lies in Junk is counted as `in junk` alone.
    pub states: BTreeMap<String, u64>,
    /// When the newest was sent that arrived before the first that failed.
    pub last_good: Option<At>,
    /// When the first was sent that failed.
    pub first_bad: Option<At>,
}

/// A canary that did not simply arrive.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// Which.
    pub canary: String,
    /// Its route: provider, stream, inbox.
    pub route: [String; 3],
    /// When it was sent.
    pub sent_at: At,
    /// In flight, late, lost, refused, forgotten; or arrived, but in junk.
    pub state: String,
    /// What the provider made of it.
    pub outcome: Option<String>,
    /// Of a refusal.
    pub class: Option<String>,
    /// The provider's own words. Foreign text.
    pub reply: Option<String>,
    /// The provider's own id. Foreign text.
    pub message_id: Option<String>,
    /// When the provider answered.
    pub answered_at: Option<At>,
    /// When it arrived after all.
    pub arrived_at: Option<At>,
    /// Where it lay then.
    pub placement: Option<String>,
    /// When its deadline passed.
    pub lost_at: Option<At>,
    /// By which hosts its mail came, if it came and was looked at. Foreign text.
    pub hops: Vec<Hop>,
    /// Its mail was not read to its end: what stands further behind was not looked at.
    pub cut: bool,
}

/// What stood in the header of a canary that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Which.
    pub canary: String,
    /// Its route: provider, stream, inbox.
    pub route: [String; 3],
    /// When it was sent.
    pub sent_at: At,
    /// When it arrived.
    pub arrived_at: Option<At>,
    /// In what state it is.
    pub state: String,
    /// Where it lay.
    pub placement: Option<String>,
    /// The lines. Foreign text.
    pub text: String,
    /// Its hops, checks and marks, if it was looked at. Foreign text.
    pub mail: Option<Examination>,
}

/// What a provider said became of a canary.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// When.
    pub at: At,
    /// Which.
    pub canary: String,
    /// Our word for it.
    pub fate: String,
    /// Its own. Foreign text.
    pub words: Option<String>,
}
