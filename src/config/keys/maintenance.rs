//! The keys of maintenance.

use super::sinks::KINDS;
use super::{Key, Kind, Need};

pub(super) static MAINTENANCE: &[Key] = &[
    Key {
        name: "every",
        kind: Kind::Hours,
        need: Need::Required,
        example: "\"Sun 02:00-04:00\"",
        doc: "The hours of the week in which such incidents are told to nobody; one or a list. What is still open at their end is told then. Not the whole week.",
    },
    Key { name: "timezone", kind: Kind::Zone, need: Need::Default("\"UTC\""), example: "\"Europe/Berlin\"", doc: "By whose clock." },
    Key {
        name: "provider",
        kind: Kind::Patterns,
        need: Need::Instead("`stream`, `inbox` or `kinds` must say what is meant"),
        example: "\"relay\"",
        doc: "Incidents of these providers and of parts of them, by name or with `*`; one or a list. What is larger, as a failure of everything, is told all the same.",
    },
    Key {
        name: "stream",
        kind: Kind::Patterns,
        need: Need::Absent("every stream"),
        example: "\"password-reset\"",
        doc: "Incidents of these streams, likewise. All that is given must fit.",
    },
    Key {
        name: "inbox",
        kind: Kind::Patterns,
        need: Need::Absent("every inbox"),
        example: "\"gmail-*\"",
        doc: "Incidents of these inboxes, likewise.",
    },
    Key {
        name: "kinds",
        kind: Kind::Words(KINDS),
        need: Need::Absent("every kind"),
        example: "[\"slow\", \"loss\"]",
        doc: "Kinds of failure.",
    },
    Key { name: "by", kind: Kind::Line(100), need: Need::Required, example: "\"ann\"", doc: "Who wants it." },
    Key {
        name: "reason",
        kind: Kind::Line(500),
        need: Need::Required,
        example: "\"the relay is restarted every week\"",
        doc: "Why, for whoever wonders at three in the morning.",
    },
    Key {
        name: "until",
        kind: Kind::Instant,
        need: Need::Absent("until it is taken out"),
        example: "\"2030-01-01T00:00:00Z\"",
        doc: "From then on it is over.",
    },
];
