//! Whose hosts the mail of each kind of provider comes from and is signed by.

/// Kinds of providers that are known by their hosts.
const KINDS: [&str; 11] =
    ["mandrill", "sendgrid", "postmark", "mailgun", "ses", "sparkpost", "resend", "brevo", "mailjet", "mailersend", "azure"];

/// The kind of provider whose host's organisation this is.
#[must_use]
pub fn kind_of(whose: &str) -> Option<&'static str> {
    KINDS.into_iter().find(|kind| hosts_of(kind).contains(&whose))
}

/// Whose hosts the mail of a kind of provider comes from and is signed by.
#[must_use]
pub fn hosts_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "mandrill" => &["mandrillapp.com", "mailchimpapp.net", "mcsv.net", "mcdlv.net", "rsgsv.net", "mailchimp.com"],
        "sendgrid" => &["sendgrid.net", "sendgrid.com", "sendgrid.info"],
        "postmark" => &["mtasv.net", "postmarkapp.com"],
        "mailgun" => &["mailgun.net", "mailgun.org", "mailgun.co"],
        "ses" => &["amazonses.com"],
        "sparkpost" => &["sparkpostmail.com", "mailspamprotection.com"],
        "resend" => &["resend.com", "resend.dev"],
        "brevo" => &["sendinblue.com", "brevo.com", "sendibm.com", "brevosend.com"],
        "mailjet" => &["mailjet.com", "mailjet.net"],
        "mailersend" => &["mailersend.net", "mlsend.com"],
        "azure" => &["azurecomm.net"],
        _ => &[],
    }
}
