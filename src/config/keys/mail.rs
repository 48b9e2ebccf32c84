//! Keys of what mail may say of itself: our domains, mail that may come, and the name servers that are asked.

use super::general::{DAY, SECOND};
use super::{INBOXES, Key, Kind, Need};

pub(super) static EXPECTED_MAIL: &[Key] = &[
    Key {
        name: "from",
        kind: Kind::Patterns,
        need: Need::Absent("from anybody"),
        example: "\"*@mailchimp.com\"",
        doc: "The sender's address, with `*` for any characters; one or a list.",
    },
    Key {
        name: "subject",
        kind: Kind::Line(200),
        need: Need::Absent("with any subject"),
        example: "\"Welcome to *\"",
        doc: "Its subject, likewise; upper and lower case are alike.",
    },
    INBOXES,
];

pub(super) static HONEYTOKEN: &[Key] = &[
    Key {
        name: "address",
        kind: Kind::Address,
        need: Need::Required,
        example: "\"ada.quill@example.net\"",
        doc: "An address that nothing but this provider's list has: an alias of the seed's mailbox, say. Mail to it from anybody else says that the list has leaked.",
    },
    Key { name: "inbox", kind: Kind::Line(64), need: Need::Required, example: "\"gmail-1\"", doc: "The inbox that its mail arrives in." },
    Key { name: "provider", kind: Kind::Line(64), need: Need::Required, example: "\"mailchimp\"", doc: "The one provider that knows it." },
];

pub(super) static DNS: &[Key] = &[
    Key {
        name: "server",
        kind: Kind::Line(253),
        need: Need::Default("\"system\""),
        example: "\"127.0.0.1:53\"",
        doc: "Whom mail is checked with (SPF, DKIM, DMARC, ARC) and records are asked for: \"system\" (`/etc/resolv.conf`), an address with a port, \"tls://1.1.1.1#cloudflare-dns.com\", \"https://dns.google/dns-query\", or \"off\": then only the receivers' own checks are read, and no record is watched.",
    },
    Key {
        name: "servers",
        kind: Kind::Lines,
        need: Need::Absent("`server`"),
        example: "[\"tls://1.1.1.1#cloudflare-dns.com\", \"tls://9.9.9.9#dns.quad9.net\"]",
        doc: "Several of them, in place of `server`: the next where one does not answer. Also \"udp://\" and \"tcp://\". What stands behind `#` is the name in the certificate.",
    },
    Key {
        name: "watch",
        kind: Kind::Flag,
        need: Need::Default("true"),
        example: "false",
        doc: "Whether SPF, DKIM, DMARC, MX, MTA-STS, TLS-RPT, DNSSEC, the names of sending addresses and blocklists are watched; a change is an incident.",
    },
    Key {
        name: "every",
        kind: Kind::Duration(SECOND, DAY),
        need: Need::Default("\"5m\""),
        example: "\"10m\"",
        doc: "The time between two questions after the same record. A change is asked for again within a minute before it is believed.",
    },
    Key {
        name: "lists_every",
        kind: Kind::Duration(SECOND, DAY),
        need: Need::Default("\"30m\""),
        example: "\"2h\"",
        doc: "The same of blocklists: they count what they are asked.",
    },
    Key {
        name: "ca_file",
        kind: Kind::Path,
        need: Need::Absent("the system's authorities alone"),
        example: "\"/etc/mailcanary/ca.pem\"",
        doc: "A PEM file with private certificate authorities, trusted besides the system's: for name servers over TLS and HTTPS, and for policies of MTA-STS.",
    },
    Key {
        name: "proxy",
        kind: Kind::Proxy,
        need: Need::Absent("none"),
        example: "\"socks5://127.0.0.1:1080\"",
        doc: "Through whom policies of MTA-STS are fetched: socks5://host:port or http://host:port (CONNECT). Name servers are asked without it.",
    },
];
