//! The keys of budgets and of what a provider is there for.

use super::general::{DAY, MINUTE, SECOND};
use super::{Key, Kind, Need};

/// Of providers and inboxes.
pub(super) static BUDGET: &[Key] = &[
    Key {
        name: "canaries_per_day",
        kind: Kind::Count(10_000_000),
        need: Need::Absent("it follows from the routes: the routine canaries and what `confirmations` allows"),
        example: "5000",
        doc: "The most canaries in any 24 hours, confirmations among them. What would break it waits, and nothing is called silent for that. It must hold the routine canaries.",
    },
    Key {
        name: "spacing",
        kind: Kind::Duration(1, 60 * MINUTE),
        need: Need::Absent("routine canaries are spread evenly, and confirmations on one route are 2s apart"),
        example: "\"2s\"",
        doc: "The least time between two canaries, over all routes.",
    },
];

/// Of providers alone.
pub(super) static DUTY: &[Key] = &[
    Key {
        name: "standby",
        kind: Kind::Flag,
        need: Need::Default("false"),
        example: "true",
        doc: "A provider that is kept warm for a failover: few canaries, and its failures warn and never page.",
    },
    Key {
        name: "every",
        kind: Kind::Duration(SECOND, DAY),
        need: Need::Absent("`every` of [watch]; 15m, if that is longer, on a stand-by"),
        example: "\"5m\"",
        doc: "One routine canary per route of this provider in this time.",
    },
    Key {
        name: "price_per_1000",
        kind: Kind::Amount,
        need: Need::Absent("`check` tells no cost"),
        example: "0.10",
        doc: "What a thousand mails cost, for the forecast of `check`.",
    },
    Key {
        name: "currency",
        kind: Kind::Label,
        need: Need::Absent("amounts without a unit"),
        example: "\"USD\"",
        doc: "In what the price is.",
    },
    Key {
        name: "trace",
        kind: Kind::Flag,
        need: Need::Default("true"),
        example: "false",
        doc: "Whether the provider is asked what became of canaries that do not arrive, where its API tells: at most one question in 30 s, and 12 an hour.",
    },
];
