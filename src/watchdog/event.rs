//! What can happen: the only way in.

use serde::{Deserialize, Serialize};

use crate::model::way::Trail;
use crate::model::{
    At, CanaryId, Class, Examination, Fate, IncidentId, Leg, Looked, Mark, Name, NoticeId, Outcome, Placement, Sign, Span, Stranger,
    Subject, Which,
};

/// Something that happened. The shapes are those of `mailcanary step`; fields beyond its documentation are optional.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The first start of an installation. First, and once.
    Started {
        /// Every choice that must not be guessable from outside follows from it.
        seed: u64,
        /// How an inbox's horizon moves.
        #[serde(default)]
        reads: Reads,
    },
    /// Time passed.
    Woke {},
    /// A submission ended.
    Answered {
        /// Which canary.
        canary: CanaryId,
        /// How.
        outcome: Outcome,
        /// The provider's own words, cut to 4 KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<String>,
        /// What to mend first, in our words, where the answer gives away more than its class; cut to 500 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
        /// The provider's id of the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<String>,
        /// How long each leg took.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        legs: Vec<(Leg, Span)>,
        /// The provider wants no mail for so long (`Retry-After`): it is sent none meanwhile, for an hour at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<Span>,
    },
    /// A provider said what became of a canary that has not arrived: the answer to a `trace`.
    Traced {
        /// Which canary.
        canary: CanaryId,
        /// What became of it, by its provider.
        fate: Fate,
        /// The provider's own words, or the receiver's that it passes on, cut to 4 KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<String>,
    },
    /// A provider said how its account stands: the answer to a `poll`.
    Signs {
        /// Which.
        provider: Name,
        /// What it said; the first eight are looked at.
        signs: Vec<Sign>,
    },
    /// A provider was asked how its account stands, and did not say. That is no sign.
    NoSigns {
        /// Which.
        provider: Name,
        /// What kind of failure.
        class: Class,
        /// The provider's own words, or ours, cut to 4 KiB.
        #[serde(default)]
        why: String,
        /// It wants no more questions for so long (`Retry-After`): it is asked none meanwhile, for a day at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<Span>,
    },
    /// A canary was seen in an inbox.
    Sighted {
        /// Whose mailbox it stood in.
        inbox: Name,
        /// Which canary.
        canary: CanaryId,
        /// In what kind of folder.
        placement: Placement,
        /// When the receiving server had it, by that server's clock.
        arrived_at: At,
        /// When we saw it; the event's own time if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen_at: Option<At>,
        /// Names this copy within the inbox (`folder/UIDVALIDITY/UID`), so that reading it twice is not two copies.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        copy: Option<String>,
    },
    /// A mail that has a canary's token and does not look as it should: no arrival.
    Mismatched {
        /// Whose mailbox it stood in.
        inbox: Name,
        /// Which canary.
        canary: CanaryId,
        /// What is wrong with it, in words.
        why: String,
    },
    /// The mail of a canary that was seen was looked at.
    Examined {
        /// Whose mailbox it stood in.
        inbox: Name,
        /// Which canary.
        canary: CanaryId,
        /// What it says of itself.
        mail: Examination,
    },
    /// What hosts wrote down of a canary's way, where its mail says nothing else that is new.
    Travelled {
        /// Whose mailbox it stood in.
        inbox: Name,
        /// Which canary.
        canary: CanaryId,
        /// The stamps.
        trail: Trail,
    },
    /// A mail in a seeded inbox that is no canary.
    Strange {
        /// Where it was seen.
        inbox: Name,
        /// Which.
        mail: Stranger,
    },
    /// A person says that a value in the mail of a provider and stream is right.
    Approved {
        /// Which provider's.
        provider: Name,
        /// Which stream's.
        stream: Name,
        /// What.
        mark: Mark,
        /// Who, cut to 100 bytes.
        by: String,
    },
    /// A person says that a value in the mail of a provider and stream is right no more, or that all but what was approved is to be learnt anew.
    Unlearnt {
        /// Which provider's.
        provider: Name,
        /// Which stream's.
        stream: Name,
        /// What; all of it if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mark: Option<Mark>,
        /// Who, cut to 100 bytes.
        by: String,
    },
    /// The DNS was asked; those that are not asked about here say nothing.
    LookedUp {
        /// How each question ended.
        answers: Vec<Looked>,
    },
    /// A person says that what stands in the DNS is right.
    Accepted {
        /// Of which subject.
        subject: Subject,
        /// Who, cut to 100 bytes.
        by: String,
    },
    /// A canary of ours, past what the watchdog remembers.
    Stale {
        /// Where it was seen.
        inbox: Name,
    },
    /// A token that is not ours.
    Forged {
        /// Where it was seen.
        inbox: Name,
    },
    /// An inbox cannot be read.
    Blind {
        /// Which.
        inbox: Name,
        /// What kind of failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<Class>,
        /// In words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// An inbox can be read again.
    Sight {
        /// Which.
        inbox: Name,
    },
    /// The watcher has no network.
    CutOff {},
    /// The watcher has network again.
    Connected {},
    /// All that lay in an inbox up to an instant has been reported.
    Read {
        /// Which.
        inbox: Name,
        /// Up to when; the event's own time if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to: Option<At>,
        /// Where the reader stands, for it alone to understand. Kept, and handed back after a restart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// The wall clock was set.
    ClockJumped {
        /// By how much, in milliseconds.
        by_ms: i64,
    },
    /// A notice's way to one sink ended.
    Noticed {
        /// Which notice.
        notice: NoticeId,
        /// Which sink.
        sink: Name,
        /// How.
        outcome: Delivery,
        /// What the sink said last, if it did not take it, cut to 300 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Sinks were set up anew, by a start, another configuration or a person who has mended one: what they refused and is still open they are
    /// told once more, and those that refuse are tried.
    SinksRenewed {
        /// This one alone; all if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        only: Option<Name>,
    },
    /// The process died between recording a canary and learning its fate.
    Orphaned {
        /// Which.
        canary: CanaryId,
    },
    /// A person has seen an incident: no more reminders, nobody else is called.
    Acknowledged {
        /// Which.
        incident: IncidentId,
        /// Who, cut to 100 bytes.
        by: String,
        /// What about it, cut to 500 bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// When it was said, by the clock of who passes it on. What was said before, or with, what is known already changes nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said_at: Option<At>,
        /// The sink where it was said, if it was said at one: it knows already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via: Option<Name>,
    },
    /// Nobody sees to an incident any more: reminders go on, and others are called.
    Unacknowledged {
        /// Which.
        incident: IncidentId,
        /// Who, cut to 100 bytes.
        by: String,
        /// See [`Event::Acknowledged`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said_at: Option<At>,
    },
    /// A person says that an incident is over. If mail that is sent from now on is lost, it opens again.
    Closed {
        /// Which.
        incident: IncidentId,
        /// Who, cut to 100 bytes.
        by: String,
        /// Why, cut to 500 bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Nobody is to be told of some incidents for a while. What is still open then is told.
    Silenced {
        /// Which.
        which: Which,
        /// From when; from now on if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<At>,
        /// Until when.
        until: At,
        /// Who wants it, cut to 100 bytes.
        by: String,
        /// Why, cut to 500 bytes.
        reason: String,
    },
    /// A drill: the canaries of one provider are withheld, so that it looks stopped. It ends by itself soon after the page.
    DrillBegan {
        /// Whose.
        provider: Name,
        /// Until when at the latest; 30 min at most.
        until: At,
        /// Who wants it, cut to 100 bytes.
        by: String,
    },
    /// The drill is ended before its time.
    DrillStopped {
        /// Who wants it.
        by: String,
    },
    /// A silence ends before its time.
    Unsilenced {
        /// Its number: they count from 1.
        silence: u64,
        /// Who wants it.
        by: String,
    },
}

impl Event {
    /// The canary that it is about.
    #[must_use]
    pub const fn canary(&self) -> Option<CanaryId> {
        if let Self::Answered { canary, .. }
        | Self::Traced { canary, .. }
        | Self::Sighted { canary, .. }
        | Self::Mismatched { canary, .. }
        | Self::Examined { canary, .. }
        | Self::Travelled { canary, .. }
        | Self::Orphaned { canary } = self
        {
            return Some(*canary);
        }
        None
    }

    /// What is left of a look at a mail that says nothing new: how it travelled, if that is known.
    pub(super) fn way_alone(self) -> Option<Self> {
        let Self::Examined { inbox, canary, mail } = self else { return None };
        let trail = Trail::of(&mail.hops);
        (!trail.is_empty()).then_some(Self::Travelled { inbox, canary, trail })
    }

    /// The inbox that it is about.
    #[must_use]
    pub const fn inbox(&self) -> Option<&Name> {
        if let Self::Sighted { inbox, .. }
        | Self::Mismatched { inbox, .. }
        | Self::Examined { inbox, .. }
        | Self::Travelled { inbox, .. }
        | Self::Strange { inbox, .. }
        | Self::Stale { inbox }
        | Self::Forged { inbox }
        | Self::Blind { inbox, .. }
        | Self::Sight { inbox }
        | Self::Read { inbox, .. } = self
        {
            return Some(inbox);
        }
        None
    }

    /// The incident that it is about.
    #[must_use]
    pub const fn incident(&self) -> Option<IncidentId> {
        if let Self::Acknowledged { incident, .. } | Self::Unacknowledged { incident, .. } | Self::Closed { incident, .. } = self {
            return Some(*incident);
        }
        None
    }

    /// The provider whose account it is about.
    #[must_use]
    pub const fn account(&self) -> Option<&Name> {
        if let Self::Signs { provider, .. } | Self::NoSigns { provider, .. } = self { Some(provider) } else { None }
    }
}

/// How an inbox's horizon (up to when we could have seen) moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reads {
    /// Every line with a later time completes the reads before it.
    #[default]
    Implied,
    /// Only [`Event::Read`] moves it.
    Explicit,
}

/// How a notice's way to one sink ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// The sink took it.
    Delivered,
    /// The sink refused it for good.
    Refused,
    /// Given up: too old, or overtaken.
    Dropped,
}

impl Delivery {
    /// Every outcome, in the order that lists use.
    pub const ALL: [Self; 3] = [Self::Delivered, Self::Refused, Self::Dropped];
    /// The word in labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
        }
    }
}
