//! The list of all tables and keys, in the order of the reference configuration.

use super::Table;
use super::budget::{BUDGET, DUTY};
use super::general::{ALERTMANAGER, HTTP, IMAP, INBOX, LEDGER, ROUTE, SINK, STREAM, WATCH, WEBHOOK, WIRE};
use super::senders::{
    AZURE, BREVO, GMAIL, MAILERSEND, MAILGUN, MAILJET, MANDRILL, MAYBE_OAUTH, NUMBERED_TEMPLATES, OAUTH, POSTMARK, RESEND, SENDER,
    SENDGRID, SES, SMTP, SPARKPOST, TEMPLATES,
};
use super::signs::{BACKLOG, CREDITS, QUOTA, SIGNS};
use super::trigger::TRIGGER;

/// Every table.
pub(in crate::config) static TABLES: &[Table] = &[
    Table { path: "watch", name: "", shown: true, groups: &[WATCH], doc: "How the watch is kept." },
    Table {
        path: "stream.NAME",
        name: "password-reset",
        shown: true,
        groups: &[STREAM],
        doc: "One kind of transactional mail. At least one; the name in the header is yours and appears in metrics and pages.",
    },
    Table {
        path: "provider.NAME.mandrill",
        name: "mailchimp",
        shown: true,
        groups: &[SENDER, MANDRILL, TEMPLATES, SIGNS, BACKLOG, DUTY, BUDGET, WIRE],
        doc: "An account at Mailchimp Transactional (Mandrill). At least one provider of any kind; two or more, so that a fault of one can be told from a fault of an inbox.",
    },
    Table {
        path: "provider.NAME.sendgrid",
        name: "sendgrid",
        shown: true,
        groups: &[SENDER, SENDGRID, TEMPLATES, SIGNS, QUOTA, DUTY, BUDGET, WIRE],
        doc: "An account at SendGrid.",
    },
    Table {
        path: "provider.NAME.postmark",
        name: "postmark",
        shown: true,
        groups: &[SENDER, POSTMARK, TEMPLATES, DUTY, BUDGET, WIRE],
        doc: "A server at Postmark. A template is named by its alias or its number.",
    },
    Table {
        path: "provider.NAME.mailgun",
        name: "mailgun",
        shown: true,
        groups: &[SENDER, MAILGUN, TEMPLATES, DUTY, BUDGET, WIRE],
        doc: "A domain at Mailgun.",
    },
    Table {
        path: "provider.NAME.ses",
        name: "ses",
        shown: true,
        groups: &[SENDER, SES, TEMPLATES, SIGNS, QUOTA, DUTY, BUDGET, WIRE],
        doc: "An account at Amazon SES (v2), in one region.",
    },
    Table {
        path: "provider.NAME.sparkpost",
        name: "sparkpost",
        shown: true,
        groups: &[SENDER, SPARKPOST, TEMPLATES, SIGNS, DUTY, BUDGET, WIRE],
        doc: "An account at SparkPost (Bird).",
    },
    Table {
        path: "provider.NAME.resend",
        name: "resend",
        shown: true,
        groups: &[SENDER, RESEND, TEMPLATES, DUTY, BUDGET, WIRE],
        doc: "A team at Resend.",
    },
    Table {
        path: "provider.NAME.brevo",
        name: "brevo",
        shown: true,
        groups: &[SENDER, BREVO, NUMBERED_TEMPLATES, SIGNS, CREDITS, DUTY, BUDGET, WIRE],
        doc: "An account at Brevo. By default it takes calls from known addresses only: allow this host's there.",
    },
    Table {
        path: "provider.NAME.mailjet",
        name: "mailjet",
        shown: true,
        groups: &[SENDER, MAILJET, NUMBERED_TEMPLATES, DUTY, BUDGET, WIRE],
        doc: "An account at Mailjet.",
    },
    Table {
        path: "provider.NAME.mailersend",
        name: "mailersend",
        shown: true,
        groups: &[SENDER, MAILERSEND, TEMPLATES, SIGNS, QUOTA, DUTY, BUDGET, WIRE],
        doc: "An account at MailerSend.",
    },
    Table {
        path: "provider.NAME.azure",
        name: "azure",
        shown: true,
        groups: &[SENDER, AZURE, DUTY, BUDGET, WIRE],
        doc: "An e-mail resource of Azure Communication Services. It keeps no templates, and its first limits are low: 10 mails an hour from its own domains.",
    },
    Table {
        path: "provider.NAME.gmail",
        name: "workspace",
        shown: true,
        groups: &[SENDER, GMAIL, OAUTH, DUTY, BUDGET, WIRE],
        doc: "A Google account, by the Gmail API; the token needs the scope `gmail.send`. It keeps no templates.",
    },
    Table {
        path: "provider.NAME.smtp",
        name: "relay",
        shown: true,
        groups: &[SENDER, SMTP, MAYBE_OAUTH, DUTY, BUDGET, WIRE],
        doc: "A relay, or any provider's SMTP submission.",
    },
    Table {
        path: "provider.NAME.http-trigger",
        name: "sign-up",
        shown: true,
        groups: &[SENDER, TRIGGER, DUTY, BUDGET, WIRE],
        doc: "Your own application: a request that makes its sign-up or reset flow send its mail to a seeded address. `from` is the sender of that mail; mail from others is no arrival.",
    },
    Table {
        path: "inbox.NAME.imap",
        name: "gmail-1",
        shown: true,
        groups: &[INBOX, IMAP, BUDGET, WIRE],
        doc: "A seeded mailbox, read over IMAP. At least one; two or more at different hosts, so that a fault of one can be told from a fault of a provider.",
    },
    Table {
        path: "sink.NAME.alertmanager",
        name: "alertmanager",
        shown: true,
        groups: &[ALERTMANAGER, SINK, WIRE],
        doc: "Notices to Prometheus Alertmanager, all instances of one cluster. Without a sink nobody is told; the status page and the metrics still are.",
    },
    Table {
        path: "sink.NAME.webhook",
        name: "hook",
        shown: true,
        groups: &[WEBHOOK, SINK, WIRE],
        doc: "Notices to a webhook, one POST each, signed after the Standard Webhooks specification.",
    },
    Table {
        path: "route",
        name: "",
        shown: false,
        groups: &[ROUTE],
        doc: "What is watched. Without it: every provider with every stream to every inbox. With it: what any of the [[route]] tables names.",
    },
    Table { path: "http", name: "", shown: true, groups: &[HTTP], doc: "Metrics, status page and API." },
    Table { path: "ledger", name: "", shown: true, groups: &[LEDGER], doc: "The durable record: everything sent, seen and told." },
];
