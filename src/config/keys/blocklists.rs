//! The keys of blocklists.

use super::{Key, Kind, Need};

pub(super) static BLOCKLIST: &[Key] = &[
    Key {
        name: "zone",
        kind: Kind::Host,
        need: Need::Required,
        example: "\"zen.spamhaus.org\"",
        doc: "Its zone. The answers of Spamhaus, SURBL and URIBL are known by it.",
    },
    Key {
        name: "lists",
        kind: Kind::Word(&["addresses", "domains"]),
        need: Need::Default("\"addresses\""),
        example: "\"domains\"",
        doc: "What it lists: then each public address that canaries came from is asked for, or each of your domains.",
    },
    Key {
        name: "listed",
        kind: Kind::Pairs,
        need: Need::Absent("what is known of the zone; or else every answer that is no refusal"),
        example: "{ \"127.0.0.2\" = \"spam source\", \"127.0.1.0/24\" = \"policy\" }",
        doc: "Its answers that are listings, each with what it means. Others are none.",
    },
    Key {
        name: "refused",
        kind: Kind::Lines,
        need: Need::Absent("what is known of the zone; or else 127.255.255.0/24"),
        example: "[\"127.255.255.0/24\"]",
        doc: "Its answers that say that it does not answer this resolver: no listing, and no word that there is none. Lists refuse public resolvers and many questions.",
    },
    Key {
        name: "key",
        kind: Kind::Secret,
        need: Need::Absent("none"),
        example: "{ credential = \"spamhaus-dqs\" }",
        doc: "A label that says who asks, put before the zone, as Spamhaus' Data Query Service has it (with the zone \"zen.dq.spamhaus.net\").",
    },
    Key {
        name: "severity",
        kind: Kind::Word(&["page", "warn", "info"]),
        need: Need::Default("\"warn\""),
        example: "\"page\"",
        doc: "How loud a listing is.",
    },
];
