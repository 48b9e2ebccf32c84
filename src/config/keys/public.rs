//! `[public]`: what everybody may see.

use super::{Key, Kind, Need};

pub(super) static PUBLIC: &[Key] = &[
    Key {
        name: "listen",
        kind: Kind::Listen,
        need: Need::Default("\"off\""),
        example: "\"127.0.0.1:9826\"",
        doc: "Address and port of a listener that has this one page and nothing else, or \"off\". Put what speaks TLS before it.",
    },
    Key {
        name: "title",
        kind: Kind::Line(100),
        need: Need::Default("\"Mail delivery\""),
        example: "\"Mail from Example\"",
        doc: "The heading.",
    },
    Key {
        name: "streams",
        kind: Kind::Pairs,
        need: Need::Absent("every stream, by its own name"),
        example: "{ password-reset = \"Password resets\" }",
        doc: "What streams are called there. With it, only these are shown.",
    },
];
