//! The keys of drills.

use super::general::{MINUTE, SECOND};
use super::{Key, Kind, Need};

pub(super) static DRILL: &[Key] = &[
    Key {
        name: "provider",
        kind: Kind::Label,
        need: Need::Required,
        example: "\"mailchimp\"",
        doc: "Whose canaries are withheld, by its whole name.",
    },
    Key {
        name: "every",
        kind: Kind::Hours,
        need: Need::Required,
        example: "\"Tue 10:00-11:00\"",
        doc: "One drill in these hours, each time they come: as soon as they begin, or when no mail fails and no incident of the provider is open any more.",
    },
    Key { name: "timezone", kind: Kind::Zone, need: Need::Default("\"UTC\""), example: "\"Europe/Berlin\"", doc: "By whose clock." },
    Key {
        name: "lasts",
        kind: Kind::Duration(SECOND, 30 * MINUTE),
        need: Need::Default("\"10m\""),
        example: "\"10m\"",
        doc: "How long it waits for the page. Half a minute after the page it is over.",
    },
];
