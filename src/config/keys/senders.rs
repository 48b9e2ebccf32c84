//! Keys of providers, kind by kind.

use super::general::TLS;
use super::{Key, Kind, Need};

/// Where Google gives out tokens.
const GOOGLE_TOKENS: &str = "\"https://oauth2.googleapis.com/token\"";

pub(super) const fn secret(name: &'static str, example: &'static str, doc: &'static str) -> Key {
    Key { name, kind: Kind::Secret, need: Need::Required, example, doc }
}

pub(super) const fn base_url(url: &'static str) -> Key {
    Key {
        name: "base_url",
        kind: Kind::Url { base: true },
        need: Need::Default(url),
        example: url,
        doc: "Where the API is. `http://` only on loopback.",
    }
}

/// The same, where it follows from the region.
const fn base_url_by_region(url: &'static str) -> Key {
    Key {
        name: "base_url",
        kind: Kind::Url { base: true },
        need: Need::Absent("the region's own"),
        example: url,
        doc: "Where the API is, if not where the `region` says. `http://` only on loopback.",
    }
}

/// What a webhook is signed by.
const fn webhook_secret(example: &'static str, doc: &'static str) -> Key {
    Key { name: "webhook_secret", kind: Kind::Secret, need: Need::Absent("its webhook is not taken in"), example, doc }
}

const REGION: Key = Key {
    name: "region",
    kind: Kind::Word(&["us", "eu"]),
    need: Need::Default("\"us\""),
    example: "\"eu\"",
    doc: "Where the account was made: accounts of one region are unknown in the other.",
};

pub(super) static SENDER: &[Key] = &[
    Key {
        name: "from",
        kind: Kind::Mailbox,
        need: Need::Required,
        example: "\"Example <no-reply@example.com>\"",
        doc: "Who canaries are from: the sender of your real mail.",
    },
    Key {
        name: "dkim_selectors",
        kind: Kind::Lines,
        need: Need::Absent("the usual ones of the kind are tried"),
        example: "[\"mte1\", \"mte2\"]",
        doc: "Selectors whose DKIM keys `check --live` looks up.",
    },
];

const VARIABLES: Key = Key {
    name: "variables",
    kind: Kind::Pairs,
    need: Need::Absent("the templates get `subject` and `token` alone"),
    example: "{ reset_url = \"https://example.com/reset/{token}\" }",
    doc: "What else the templates are filled with; `{token}` and `{subject}` are put in. A template that shows the token in its text is recognised even where headers are rewritten.",
};

/// Templates that the provider keeps under a name.
pub(super) static TEMPLATES: &[Key] = &[
    Key {
        name: "templates",
        kind: Kind::Pairs,
        need: Need::Absent("the canary's own text is sent"),
        example: "{ password-reset = \"password-reset-v2\" }",
        doc: "By stream, or \"*\" for all: the provider's own stored template that its canaries are made from, so that a broken template is found too. It gets `subject` and `token`.",
    },
    VARIABLES,
];

/// The same, under a number.
pub(super) static NUMBERED_TEMPLATES: &[Key] = &[
    Key {
        name: "templates",
        kind: Kind::Pairs,
        need: Need::Absent("the canary's own text is sent"),
        example: "{ password-reset = \"123\" }",
        doc: "By stream, or \"*\" for all: the number of the provider's own stored template that its canaries are made from, so that a broken template is found too. It gets `subject` and `token`.",
    },
    VARIABLES,
];

pub(super) static MANDRILL: &[Key] = &[
    secret("api_key", "{ credential = \"mandrill\" }", "The API key."),
    base_url("\"https://mandrillapp.com/api/1.0\""),
    Key {
        name: "subaccount",
        kind: Kind::Line(255),
        need: Need::Absent("none"),
        example: "\"canaries\"",
        doc: "The subaccount that canaries are sent by. A suspended one stops only its own mail: watch the one your customers' mail uses.",
    },
    webhook_secret(
        "{ credential = \"mandrill-webhook\" }",
        "The key of a webhook at `[http] public_url` with /hooks/NAME behind it: what it tells of canaries is believed. Needs `public_url`.",
    ),
];

pub(super) static SENDGRID: &[Key] = &[
    secret("api_key", "{ credential = \"sendgrid\" }", "An API key with the right to send mail."),
    base_url("\"https://api.sendgrid.com\""),
    Key {
        name: "webhook_public_key",
        kind: Kind::Line(255),
        need: Need::Absent("its webhook is not taken in"),
        example: "\"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==\"",
        doc: "The verification key of a signed event webhook that posts to /hooks/NAME: what it tells of canaries is believed.",
    },
];

pub(super) static POSTMARK: &[Key] = &[
    secret("api_key", "{ credential = \"postmark\" }", "The server's API token (not the account's)."),
    base_url("\"https://api.postmarkapp.com\""),
    Key {
        name: "message_stream",
        kind: Kind::Line(255),
        need: Need::Default("\"outbound\""),
        example: "\"outbound\"",
        doc: "The message stream: the one that your real mail takes.",
    },
    webhook_secret(
        "{ credential = \"postmark-webhook\" }",
        "User name and password, as `user:password`, that its webhook logs in with at /hooks/NAME: what it tells of canaries is believed.",
    ),
];

pub(super) static MAILGUN: &[Key] = &[
    secret("api_key", "{ credential = \"mailgun\" }", "The account's key or the domain's sending key."),
    Key {
        name: "domain",
        kind: Kind::Host,
        need: Need::Absent("the domain of `from`"),
        example: "\"mg.example.com\"",
        doc: "The domain that mail is sent by, as Mailgun knows it.",
    },
    REGION,
    base_url_by_region("\"https://api.eu.mailgun.net\""),
    webhook_secret(
        "{ credential = \"mailgun-webhook\" }",
        "The HTTP webhook signing key. What its webhook at /hooks/NAME tells of canaries is believed.",
    ),
];

pub(super) static SES: &[Key] = &[
    Key {
        name: "access_key_id",
        kind: Kind::Line(128),
        need: Need::Required,
        example: "\"AKIAIOSFODNN7EXAMPLE\"",
        doc: "The id of an access key that may `ses:SendEmail`.",
    },
    secret("secret_access_key", "{ credential = \"ses\" }", "Its secret."),
    Key {
        name: "session_token",
        kind: Kind::Secret,
        need: Need::Absent("none: the access key is a lasting one"),
        example: "{ file = \"/run/mailcanary/session-token\" }",
        doc: "The session token of a temporary access key, read at start.",
    },
    Key {
        name: "region",
        kind: Kind::Host,
        need: Need::Required,
        example: "\"eu-west-1\"",
        doc: "The region: identities and limits are its own.",
    },
    base_url_by_region("\"https://email.eu-west-1.amazonaws.com\""),
    Key {
        name: "configuration_set",
        kind: Kind::Line(64),
        need: Need::Absent("none, or the identity's own"),
        example: "\"transactional\"",
        doc: "The configuration set: the one that your real mail is sent with. It must not track opens and clicks.",
    },
];

pub(super) static SPARKPOST: &[Key] = &[
    secret("api_key", "{ credential = \"sparkpost\" }", "An API key that may write transmissions."),
    REGION,
    base_url_by_region("\"https://api.eu.sparkpost.com\""),
];

pub(super) static RESEND: &[Key] = &[
    secret("api_key", "{ credential = \"resend\" }", "An API key; one that may only send is enough."),
    base_url("\"https://api.resend.com\""),
    webhook_secret(
        "{ credential = \"resend-webhook\" }",
        "The signing secret, `whsec_…`, of a webhook that posts to /hooks/NAME: what it tells of canaries is believed.",
    ),
];

pub(super) static BREVO: &[Key] =
    &[secret("api_key", "{ credential = \"brevo\" }", "An API key (not the SMTP key)."), base_url("\"https://api.brevo.com\"")];

pub(super) static MAILJET: &[Key] = &[
    Key {
        name: "api_key",
        kind: Kind::Line(128),
        need: Need::Required,
        example: "\"0123456789abcdef0123456789abcdef\"",
        doc: "The public half of the key.",
    },
    secret("secret_key", "{ credential = \"mailjet\" }", "The secret half of the key."),
    base_url("\"https://api.mailjet.com\""),
];

pub(super) static MAILERSEND: &[Key] = &[
    secret("api_key", "{ credential = \"mailersend\" }", "An API token that may send mail."),
    base_url("\"https://api.mailersend.com\""),
    Key {
        name: "headers",
        kind: Kind::Flag,
        need: Need::Default("false"),
        example: "true",
        doc: "Whether canaries carry their headers too: only the higher plans allow headers, the others refuse the mail.",
    },
    webhook_secret(
        "{ credential = \"mailersend-webhook\" }",
        "The signing secret of a webhook that posts to /hooks/NAME: what it tells of canaries is believed.",
    ),
];

pub(super) static AZURE: &[Key] = &[
    Key {
        name: "base_url",
        kind: Kind::Url { base: true },
        need: Need::Required,
        example: "\"https://example.europe.communication.azure.com\"",
        doc: "The endpoint of the Communication Services resource. `http://` only on loopback.",
    },
    secret("access_key", "{ credential = \"azure\" }", "One of its access keys, in base64."),
];

pub(super) static GMAIL: &[Key] = &[base_url("\"https://gmail.googleapis.com\"")];

const fn refresh_token(need: Need) -> Key {
    Key {
        name: "refresh_token",
        kind: Kind::Secret,
        need,
        example: "{ credential = \"refresh-token\" }",
        doc: "An OAuth 2 refresh token, from which access tokens are got; needs `client_id`. Goes before `access_token`.",
    }
}

const fn client_id(need: Need) -> Key {
    Key {
        name: "client_id",
        kind: Kind::Line(255),
        need,
        example: "\"1234567890-abc.apps.googleusercontent.com\"",
        doc: "The OAuth 2 client that the refresh token was given to, or that logs in by itself.",
    }
}

const SCOPE: Key = Key {
    name: "scope",
    kind: Kind::Line(1000),
    need: Need::Absent("a refresh token has its own"),
    example: "\"https://outlook.office365.com/.default\"",
    doc: "What is asked for where the client logs in by itself (client credentials): with `client_id` and `client_secret` and no refresh token.",
};

const CLIENT_SECRET: Key = Key {
    name: "client_secret",
    kind: Kind::Secret,
    need: Need::Absent("a public client, which has none"),
    example: "{ credential = \"client-secret\" }",
    doc: "The client's secret. Google's clients have one.",
};

const TOKEN_URL: Key = Key {
    name: "token_url",
    kind: Kind::Url { base: false },
    need: Need::Default(GOOGLE_TOKENS),
    example: GOOGLE_TOKENS,
    doc: "Where access tokens are got: for Microsoft https://login.microsoftonline.com/TENANT/oauth2/v2.0/token. `http://` only on loopback.",
};

const fn access_token(meaning: &'static str) -> Key {
    Key {
        name: "access_token",
        kind: Kind::Secret,
        need: Need::Absent(meaning),
        example: "{ file = \"/run/mailcanary/access-token\" }",
        doc: "An OAuth 2 access token that something else keeps fresh. A file is read again at each log-in.",
    }
}

const SERVICE_ACCOUNT: Key = Key {
    name: "service_account",
    kind: Kind::Secret,
    need: Need::Absent("`refresh_token`, or another log-in"),
    example: "{ file = \"/etc/mailcanary/service-account.json\" }",
    doc: "The JSON key file of a Google service account with domain-wide delegation, as the console gives it. Goes before the other tokens.",
};

const ACTS_FOR: Key = Key {
    name: "acts_for",
    kind: Kind::Line(255),
    need: Need::Absent("the sender's address; with SMTP, the user name"),
    example: "\"no-reply@example.com\"",
    doc: "The mailbox in whose name the service account acts, where that is another.",
};

/// A log-in by OAuth 2.
pub(super) static OAUTH: &[Key] = &[
    refresh_token(Need::Instead("`access_token`")),
    client_id(Need::Instead("`access_token`")),
    CLIENT_SECRET,
    SCOPE,
    TOKEN_URL,
    access_token("got for the `refresh_token`"),
    SERVICE_ACCOUNT,
    ACTS_FOR,
];

/// The same, where there may be another log-in or none.
pub(super) static MAYBE_OAUTH: &[Key] = &[
    refresh_token(Need::Absent("`access_token`, or no OAuth 2")),
    client_id(Need::Absent("`access_token`, or no OAuth 2")),
    CLIENT_SECRET,
    SCOPE,
    TOKEN_URL,
    access_token("got for the `refresh_token`, or no OAuth 2"),
    SERVICE_ACCOUNT,
    ACTS_FOR,
];

pub(super) static SMTP_HOST: &[Key] =
    &[Key { name: "host", kind: Kind::Host, need: Need::Required, example: "\"smtp.example.net\"", doc: "Host name or address." }];

pub(super) static SMTP: &[Key] = &[
    Key {
        name: "port",
        kind: Kind::Port,
        need: Need::Absent("587; 465 with tls = \"implicit\", 25 with tls = \"none\""),
        example: "587",
        doc: "The port.",
    },
    Key {
        name: "tls",
        kind: Kind::Word(TLS),
        need: Need::Default("\"starttls\""),
        example: "\"starttls\"",
        doc: "\"starttls\" (demanded, never skipped), \"implicit\" (TLS from the first byte), or \"none\" (only to a loopback address).",
    },
    Key {
        name: "username",
        kind: Kind::Line(255),
        need: Need::Absent("no log-in"),
        example: "\"canary\"",
        doc: "The user name; needs `password`, or a token by OAuth 2 (XOAUTH2).",
    },
    Key {
        name: "password",
        kind: Kind::Secret,
        need: Need::Absent("no log-in, or one by OAuth 2"),
        example: "{ file = \"/etc/mailcanary/relay.password\" }",
        doc: "Where the password is: a file, an environment variable { env = \"NAME\" } or a systemd credential { credential = \"name\" }.",
    },
    Key {
        name: "hello",
        kind: Kind::Host,
        need: Need::Absent("the host's name"),
        example: "\"watch.example.com\"",
        doc: "What EHLO says. Some relays want a name that resolves.",
    },
];
