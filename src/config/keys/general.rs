//! Keys of everything but providers, in the order of the reference configuration.

use super::{Key, Kind, Need};

pub(super) const SECOND: u64 = 1000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const DAY: u64 = 24 * 60 * MINUTE;

/// Words of `tls`.
pub(super) const TLS: &[&str] = &["starttls", "implicit", "none"];

pub(super) static WATCH: &[Key] = &[
    Key {
        name: "instance",
        kind: Kind::Label,
        need: Need::Absent("the host's name"),
        example: "\"mx-watch-1\"",
        doc: "Names this installation in incident keys, so that two of them do not resolve each other's incidents.",
    },
    Key {
        name: "every",
        kind: Kind::Duration(SECOND, DAY),
        need: Need::Default("\"1m\""),
        example: "\"1m\"",
        doc: "One routine canary per route in this time, from 1s to 1d. Shorter finds faults sooner and sends more mail.",
    },
    Key {
        name: "confirmations",
        kind: Kind::Share,
        need: Need::Default("\"20%\""),
        example: "\"15%\"",
        doc: "Extra canaries that suspicion may spend, as a share of the routine ones in the long run. \"0%\" turns them off.",
    },
    Key {
        name: "false_pages",
        kind: Kind::Rate,
        need: Need::Default("\"1 per year\""),
        example: "\"1 per year\"",
        doc: "How often the whole installation may page without cause: \"N per day|month|year\". The thresholds follow from it; more patience means later pages.",
    },
    Key {
        name: "blind_after",
        kind: Kind::Duration(SECOND, DAY),
        need: Need::Default("\"5m\""),
        example: "\"5m\"",
        doc: "An inbox that cannot be read for this long is an incident of its own. Nothing is called lost meanwhile.",
    },
    Key {
        name: "cut_off_after",
        kind: Kind::Duration(SECOND, DAY),
        need: Need::Default("\"2m\""),
        example: "\"2m\"",
        doc: "A watcher that reaches nothing for this long is an incident: its own.",
    },
    Key {
        name: "remind_after",
        kind: Kind::Duration(0, DAY),
        need: Need::Default("\"30m\""),
        example: "\"30m\"",
        doc: "Whoever was paged and has not acknowledged is reminded after this long, then after twice as long, and so on up to 8h; of warnings once a day. \"0s\": never.",
    },
    Key {
        name: "hold_at_least",
        kind: Kind::Duration(0, DAY),
        need: Need::Default("\"0s\""),
        example: "\"1m\"",
        doc: "A page for mail that is missing or late waits this long at least; the verdict changes at once. Refusals that speak for themselves do not wait.",
    },
    Key {
        name: "hold_at_most",
        kind: Kind::Duration(0, DAY),
        need: Need::Default("\"2h\""),
        example: "\"10m\"",
        doc: "And no longer than this, however often the alarms of this culprit have resolved themselves.",
    },
    Key {
        name: "runbooks",
        kind: Kind::UrlToFill,
        need: Need::Absent("the daemon's own, under `[http] public_url`, if that is set"),
        example: "\"https://wiki.example.com/mail/{kind}\"",
        doc: "Where runbooks stand; `{kind}` is the kind of the incident, as `stopped`. Notices link to them.",
    },
    Key {
        name: "domains",
        kind: Kind::Lines,
        need: Need::Absent("only those of the providers' `from`"),
        example: "[\"example.com\"]",
        doc: "Domains that are yours besides those of the providers' `from`. Mail in a seeded inbox that claims one of them, or what is under it, and that nobody sent is an incident.",
    },
];

pub(super) static STREAM: &[Key] = &[
    Key {
        name: "subject",
        kind: Kind::Line(200),
        need: Need::Absent("the stream's name in words, as \"Password reset\""),
        example: "\"Reset your password\"",
        doc: "The subject of its canaries; a token is put behind it. Close to your real mail, so that filters judge it alike.",
    },
    Key {
        name: "deadline",
        kind: Kind::Duration(SECOND, 7 * DAY),
        need: Need::Default("\"15m\""),
        example: "\"15m\"",
        doc: "What comes later is as good as lost: the life of the reset link, the patience of the customer. From 1s to 7d.",
    },
    Key {
        name: "severity",
        kind: Kind::Word(&["page", "warn", "info"]),
        need: Need::Default("\"page\""),
        example: "\"warn\"",
        doc: "The most that an incident of this stream alone can be: nobody has to get up for a newsletter. What concerns a stream that may page, too, pages.",
    },
];

/// The address of a seed.
pub(super) const fn address(example: &'static str) -> Key {
    Key {
        name: "address",
        kind: Kind::Address,
        need: Need::Required,
        example,
        doc: "Its address. Use it for nothing else, and publish it nowhere.",
    }
}

pub(super) static INBOX: &[Key] = &[
    Key {
        name: "plus_address",
        kind: Kind::Flag,
        need: Need::Default("false"),
        example: "true",
        doc: "Put the token in the address too (local+TOKEN@domain), for providers that rewrite everything else. The host must know plus addresses, and 24 characters are left for the local part.",
    },
    Key {
        name: "honeytoken_of",
        kind: Kind::Line(64),
        need: Need::Absent("it is an ordinary seed"),
        example: "\"mailchimp\"",
        doc: "The one provider that knows this address: mail to it from anybody else says that the provider's list has leaked. Let no other provider send to it ([[route]]).",
    },
];

/// Where canaries lie about once they have been seen.
pub(super) static DELETE: &[Key] = &[Key {
    name: "delete",
    kind: Kind::Flag,
    need: Need::Default("false"),
    example: "true",
    doc: "Delete our own canaries once they are verified and counted, so that the mailbox does not fill. Other mail is never touched. Servers without UIDPLUS cannot: there canaries are only marked as deleted.",
}];

pub(super) static WIRE: &[Key] = &[
    Key {
        name: "ca_file",
        kind: Kind::Path,
        need: Need::Absent("the system's authorities alone"),
        example: "\"/etc/mailcanary/ca.pem\"",
        doc: "A PEM file with private certificate authorities, trusted besides the system's.",
    },
    Key {
        name: "proxy",
        kind: Kind::Proxy,
        need: Need::Absent("none"),
        example: "\"socks5://127.0.0.1:1080\"",
        doc: "Through whom it is reached: socks5://host:port or http://host:port (CONNECT).",
    },
    Key {
        name: "bind",
        kind: Kind::Ip,
        need: Need::Absent("the system's choice"),
        example: "\"192.0.2.7\"",
        doc: "The local address that connections come from.",
    },
    Key {
        name: "family",
        kind: Kind::Word(&["any", "ipv4", "ipv6"]),
        need: Need::Default("\"any\""),
        example: "\"ipv4\"",
        doc: "Which addresses are used: \"any\", \"ipv4\" or \"ipv6\".",
    },
];

/// Streams and inboxes by name or pattern, beside providers.
pub(super) const STREAMS: Key = Key {
    name: "stream",
    kind: Kind::Patterns,
    need: Need::Absent("every stream"),
    example: "\"password-reset\"",
    doc: "Streams, likewise.",
};
pub(super) const INBOXES: Key =
    Key { name: "inbox", kind: Kind::Patterns, need: Need::Absent("every inbox"), example: "\"*\"", doc: "Inboxes, likewise." };

pub(super) static ROUTE: &[Key] = &[
    Key {
        name: "provider",
        kind: Kind::Patterns,
        need: Need::Absent("every provider"),
        example: "[\"mailchimp\", \"relay*\"]",
        doc: "Providers, by name or with `*` for any characters; one or a list.",
    },
    STREAMS,
    INBOXES,
];

pub(super) static HTTP: &[Key] = &[
    Key {
        name: "listen",
        kind: Kind::Listen,
        need: Need::Default("\"127.0.0.1:9825\""),
        example: "\"127.0.0.1:9825\"",
        doc: "Address and port, or \"off\". On a loopback address reading is open; on any other it needs the token, a user of `web_config`, or `open`.",
    },
    Key {
        name: "public_url",
        kind: Kind::Url { base: true },
        need: Need::Absent("notices carry no links"),
        example: "\"https://mailcanary.example.com\"",
        doc: "The address that people and the webhooks of providers reach it by; links in notices begin with it.",
    },
    Key {
        name: "token",
        kind: Kind::Secret,
        need: Need::Absent("over HTTP nothing can be changed but by `writers`"),
        example: "{ credential = \"http\" }",
        doc: "Who sends it as `Authorization: Bearer` may read, acknowledge and close incidents and set silences. Without it that is done on the host alone, with `mailcanary incident` and `mailcanary silence`.",
    },
    Key {
        name: "open",
        kind: Kind::Flag,
        need: Need::Default("false"),
        example: "true",
        doc: "Let everybody read who reaches an address that is not loopback: where a firewall or a proxy with a log-in keeps others out.",
    },
    Key {
        name: "hosts",
        kind: Kind::Lines,
        need: Need::Absent("on loopback `localhost`, loopback addresses and the host of `public_url`; elsewhere every name"),
        example: "[\"canary.internal\"]",
        doc: "Further names, without a port, by which it may be asked. Others are refused, so that no page elsewhere can read it through a name of its own (DNS rebinding).",
    },
    Key {
        name: "web_config",
        kind: Kind::Path,
        need: Need::Absent("no TLS, and no users"),
        example: "\"/etc/mailcanary/web.yml\"",
        doc: "A file with TLS and basic auth, in the form of Prometheus's exporters (docs/api.md). It is read again when it changes.",
    },
    Key {
        name: "writers",
        kind: Kind::Lines,
        need: Need::Absent("the users of `web_config` can read only"),
        example: "[\"ann\"]",
        doc: "Users of `web_config` who may also acknowledge, close and silence. A scraper's user belongs not here.",
    },
];

pub(super) static LEDGER: &[Key] = &[
    Key {
        name: "path",
        kind: Kind::Path,
        need: Need::Default("\"/var/lib/mailcanary\""),
        example: "\"/var/lib/mailcanary\"",
        doc: "A folder, made if it is not there; in it `ledger.sqlite` and `canary.key`.",
    },
    Key {
        name: "keep",
        kind: Kind::Duration(MINUTE, 3650 * DAY),
        need: Need::Default("\"30d\""),
        example: "\"30d\"",
        doc: "How long canaries that arrived are kept. Not shorter than the longest deadline.",
    },
    Key {
        name: "keep_failures",
        kind: Kind::Duration(MINUTE, 3650 * DAY),
        need: Need::Default("\"400d\""),
        example: "\"400d\"",
        doc: "How long canaries that did not arrive, and incidents, are kept: a year and a bit, to compare with last year. Not shorter than `keep`.",
    },
];
