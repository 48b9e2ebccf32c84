//! The keys of early signs: how often a provider is asked how its account stands, and what of that warns. In the tables of those kinds that
//! have such a question.

use super::general::{DAY, SECOND};
use super::{Key, Kind, Need};

/// Of every kind that can be asked.
pub(super) static SIGNS: &[Key] = &[
    Key {
        name: "signs",
        kind: Kind::Flag,
        need: Need::Default("true"),
        example: "false",
        doc: "Whether the daemon asks how the account stands and warns of what comes before a stop. What the key needs for it: docs/providers.md.",
    },
    Key {
        name: "signs_every",
        kind: Kind::Duration(SECOND, DAY),
        need: Need::Default("\"15m\""),
        example: "\"1h\"",
        doc: "The least time between two such questions; each is one request. After failures it doubles, up to eight times, and a Retry-After is obeyed.",
    },
    Key {
        name: "signs_per_day",
        kind: Kind::Count(86_400),
        need: Need::Absent("as many as `signs_every` makes"),
        example: "48",
        doc: "The most such questions in any 24 hours, spread evenly.",
    },
];

const QUOTA_WARNING: Key = Key {
    name: "quota_warning",
    kind: Kind::Share,
    need: Need::Default("\"20%\""),
    example: "\"10%\"",
    doc: "Warns when less than this share of the quota is left; also when, with less than half of it left, it ends at the present pace before it renews.",
};

const CREDITS_WARNING: Key = Key {
    name: "credits_warning",
    kind: Kind::Count(1_000_000_000),
    need: Need::Default("100"),
    example: "5000",
    doc: "Warns when fewer credits than this are left; also when at the present pace they end within six hours.",
};

/// Of kinds that tell a quota and its limit.
pub(super) static QUOTA: &[Key] = &[QUOTA_WARNING];

/// Of kinds that tell what is left, and not of how much.
pub(super) static CREDITS: &[Key] = &[CREDITS_WARNING];

/// Of kinds that tell a backlog and a reputation.
pub(super) static BACKLOG: &[Key] = &[
    Key {
        name: "backlog_warning",
        kind: Kind::Count(1_000_000_000),
        need: Need::Default("10"),
        example: "500",
        doc: "Warns when the provider holds back at least so many mails, and more than twice as many as at most in the last days.",
    },
    Key {
        name: "reputation_warning",
        kind: Kind::Count(100),
        need: Need::Default("40"),
        example: "60",
        doc: "Warns when the account's reputation, of 100, is below this.",
    },
];
