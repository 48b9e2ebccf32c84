//! Keys of the user's own application as a provider.

use super::{Key, Kind, Need};

pub(super) static TRIGGER: &[Key] = &[
    Key {
        name: "stream",
        kind: Kind::Patterns,
        need: Need::Absent("every stream: the request says `{stream}`, or all of them are one flow"),
        example: "\"password-reset\"",
        doc: "The streams whose mail this request makes, by name or with `*` for any characters; one or a list. An application with two flows is two providers, one a flow.",
    },
    Key {
        name: "method",
        kind: Kind::Word(&["GET", "POST", "PUT", "PATCH"]),
        need: Need::Default("\"POST\""),
        example: "\"POST\"",
        doc: "The method of the request.",
    },
    Key {
        name: "url",
        kind: Kind::UrlToFill,
        need: Need::Required,
        example: "\"https://app.example.com/signup\"",
        doc: "Where the request goes. Here, in `headers`, `form` and `body`, {address} is the seeded address, {token} the canary's token, {stream} its stream and {canary} its id. The request must say {address}; and {token}, if the inboxes have no `plus_address`, in a field that the mail shows (a name, a company, a return path). `http://` only on loopback.",
    },
    Key {
        name: "headers",
        kind: Kind::Headers,
        need: Need::Absent("only the usual ones"),
        example: "{ Authorization = { credential = \"app\" }, X-Canary = \"{canary}\" }",
        doc: "Headers of the request. What nobody may read is written as { file = … }, { env = … } or { credential = … }, which holds the whole value (\"Bearer …\").",
    },
    Key {
        name: "form",
        kind: Kind::Pairs,
        need: Need::Instead("`body`, or nothing is sent along"),
        example: "{ email = \"{address}\", name = \"Canary {token}\" }",
        doc: "The fields of the form that your users fill in.",
    },
    Key {
        name: "body",
        kind: Kind::Text(16_384),
        need: Need::Absent("`form`, or nothing is sent along"),
        example: "'{\"email\": \"{address}\", \"name\": \"Canary {token}\"}'",
        doc: "The body of the request, instead of a form. It is JSON, unless `headers` has a Content-Type.",
    },
    Key {
        name: "expect",
        kind: Kind::Statuses,
        need: Need::Default("\"200..399\""),
        example: "[200, \"301..303\"]",
        doc: "Statuses that mean that the application took the request: one, a range, or a list of these. Redirects are not followed.",
    },
    Key {
        name: "failure_texts",
        kind: Kind::Lines,
        need: Need::Absent("the status alone tells"),
        example: "[\"too many attempts\", \"something went wrong\"]",
        doc: "Texts that mean failure though the status says success: looked for in the first 64 KiB of the answer and in its Location, in any case.",
    },
    Key {
        name: "mail_subject",
        kind: Kind::Line(255),
        need: Need::Absent("any subject"),
        example: "\"Welcome to Example*\"",
        doc: "What the subject of the mail is like; `*` stands for any characters. A mail with another subject or another sender than `from` is no arrival, though it has the token: a newsletter to the same address, for instance.",
    },
    Key {
        name: "mail_text",
        kind: Kind::Line(255),
        need: Need::Absent("any text"),
        example: "\"confirm your address\"",
        doc: "What stands somewhere in the text of the mail; `*` stands for any characters.",
    },
    Key {
        name: "mail_link_host",
        kind: Kind::Host,
        need: Need::Absent("links are not looked at"),
        example: "\"app.example.com\"",
        doc: "The host that a link in the mail must lead to. A mail whose links all lead elsewhere is no arrival: nobody can confirm or reset anything with it.",
    },
];
