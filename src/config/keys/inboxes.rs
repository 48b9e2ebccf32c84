//! What each kind of inbox needs.

use super::super::preset;
use super::general::{TLS, address};
use super::{Key, Kind, Need};

/// The examples differ, for no two inboxes have an address in common.
const fn aliases(example: &'static str) -> Key {
    Key {
        name: "aliases",
        kind: Kind::Addresses,
        need: Need::Absent("none"),
        example,
        doc: "Further addresses of the same mailbox: canaries go to each of all of them for a day (UTC), in turn, so that none is known as one that never answers.",
    }
}

const JUNK: Key = Key {
    name: "junk",
    kind: Kind::Lines,
    need: Need::Absent("found by the server's own marks, else by the usual names in many languages"),
    example: "[\"Junk\"]",
    doc: "The junk folders by name, if they are not found.",
};

pub(super) static IMAP: &[Key] = &[
    address("\"seed7f3@gmail.com\""),
    aliases("[\"seed1c9@example.com\"]"),
    Key {
        name: "preset",
        kind: Kind::Word(preset::NAMES),
        need: Need::Instead("`host`"),
        example: "\"gmail\"",
        doc: "A public host that mailcanary knows: stands for `host`, for `username` where that is the address, and for its habits.",
    },
    Key {
        name: "host",
        kind: Kind::Host,
        need: Need::Absent("the preset's; without a preset it must be there"),
        example: "\"imap.example.net\"",
        doc: "Host name or address.",
    },
    Key {
        name: "port",
        kind: Kind::Port,
        need: Need::Absent("993; 143 with tls = \"starttls\" or \"none\""),
        example: "993",
        doc: "The port.",
    },
    Key {
        name: "tls",
        kind: Kind::Word(TLS),
        need: Need::Default("\"implicit\""),
        example: "\"implicit\"",
        doc: "\"implicit\" (TLS from the first byte), \"starttls\" (demanded, never skipped), or \"none\" (only to a loopback address).",
    },
    Key {
        name: "username",
        kind: Kind::Line(255),
        need: Need::Absent("with a preset the address; without one it must be there"),
        example: "\"seed7f3@gmail.com\"",
        doc: "The user name, often the address.",
    },
    Key {
        name: "password",
        kind: Kind::Secret,
        need: Need::Instead("a token by OAuth 2"),
        example: "{ credential = \"gmail-1\" }",
        doc: "Where the password is. Public hosts want an app password, not the account's own.",
    },
    EXPIRES,
    JUNK,
    Key {
        name: "junk_tabs",
        kind: Kind::Words(TABS),
        need: Need::Absent("none: a tab is a part of the inbox"),
        example: "[\"promotions\"]",
        doc: "Tabs of Gmail's that count as junk. Without it they are told apart in pages, metrics and the API, and judged as the inbox.",
    },
];

/// Gmail's tabs besides the first.
const TABS: &[&str] = &["promotions", "social", "updates", "forums"];

const EXPIRES: Key = Key {
    name: "expires",
    kind: Kind::Day,
    need: Need::Absent("nothing is said before it ends"),
    example: "\"2027-01-31\"",
    doc: "The day on which the password, the client's secret or the refresh token ends. `check`, the status page and a rule of Prometheus warn of it 21 days before.",
};

pub(super) static JMAP: &[Key] = &[
    address("\"seed7f3@fastmail.com\""),
    aliases("[\"seed84e@example.com\"]"),
    Key {
        name: "preset",
        kind: Kind::Word(preset::WITH_JMAP),
        need: Need::Absent("none: `url` says where it is"),
        example: "\"fastmail\"",
        doc: "A public host that mailcanary knows: stands for `url`.",
    },
    Key {
        name: "url",
        kind: Kind::Url { base: true },
        need: Need::Instead("`preset`"),
        example: "\"https://jmap.example.net\"",
        doc: "The server, of which /.well-known/jmap is asked; or the session resource itself. `http://` only on loopback.",
    },
    Key {
        name: "username",
        kind: Kind::Line(255),
        need: Need::Absent("the address"),
        example: "\"seed7f3@fastmail.com\"",
        doc: "The user name, for a log-in with a password.",
    },
    Key {
        name: "password",
        kind: Kind::Secret,
        need: Need::Instead("`access_token` or another token"),
        example: "{ credential = \"jmap-1\" }",
        doc: "Where the password is (HTTP Basic authentication). An API token is no password: write it as `access_token`.",
    },
    Key {
        name: "account",
        kind: Kind::Line(255),
        need: Need::Absent("the account of who logs in"),
        example: "\"seeds@example.net\"",
        doc: "Whose mail is read, if several accounts can be: its id or its name.",
    },
    EXPIRES,
    JUNK,
];

pub(super) static MAILDIR: &[Key] = &[
    address("\"seed7f3@example.net\""),
    aliases("[\"seed2b7@example.net\"]"),
    Key {
        name: "path",
        kind: Kind::Path,
        need: Need::Required,
        example: "\"/home/seed/Maildir\"",
        doc: "The folder with `cur`, `new` and `tmp` in it. mailcanary's user must be able to read it; it changes nothing there unless `delete` is set.",
    },
    Key { need: Need::Absent("`.Junk` and the usual names in many languages"), ..JUNK },
];

pub(super) static MX: &[Key] = &[
    address("\"seed7f3@seed.example.net\""),
    aliases("[\"seed5d0@seed.example.net\"]"),
    Key {
        name: "listen",
        kind: Kind::Listen,
        need: Need::Required,
        example: "\"0.0.0.0:25\"",
        doc: "Address and port. Inboxes that say the same share one listener. A port below 1024 needs a socket unit or CAP_NET_BIND_SERVICE.",
    },
    Key {
        name: "host",
        kind: Kind::Host,
        need: Need::Absent("the domain of the address"),
        example: "\"mx.seed.example.com\"",
        doc: "What the server calls itself: the name in the MX record.",
    },
    Key {
        name: "certificate",
        kind: Kind::Path,
        need: Need::Absent("one that is signed by itself"),
        example: "\"/etc/mailcanary/mx.pem\"",
        doc: "The certificate for STARTTLS and its chain, in PEM form. Senders that check one (MTA-STS, DANE) want a real one.",
    },
    Key {
        name: "key",
        kind: Kind::Path,
        need: Need::Absent("made at the start"),
        example: "\"/etc/mailcanary/mx.key\"",
        doc: "The certificate's key, in PEM form.",
    },
];
