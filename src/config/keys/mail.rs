//! Keys of what mail may say of itself: our domains, mail that may come, and the name servers that are asked.

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

pub(super) static DNS: &[Key] = &[Key {
    name: "server",
    kind: Kind::Label,
    need: Need::Default("\"system\""),
    example: "\"127.0.0.1:53\"",
    doc: "Whom mail is checked with (SPF, DKIM, DMARC, ARC): \"system\" (`/etc/resolv.conf`), an address with a port, or \"off\": then only the receivers' own checks are read.",
}];
