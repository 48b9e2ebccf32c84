//! Configurations: good ones, bad ones with their exact messages, and the reference.

use std::net::SocketAddr;

use mailcanary::config::{self, ImapSettings, Inbox, InboxKind, ProviderKind, SecretRef, SinkKind, Tls};
use mailcanary::model::{Severity, Span};

/// The configuration of the design, but for the kinds of sinks that are not there yet.
const EXAMPLE: &str = r#"
[watch]
every = "1m"
confirmations = "15%"
false_pages = "1 per year"

[stream.password-reset]
subject = "Reset your password"
deadline = "15m"

[provider.mailchimp.mandrill]
from = "Example <no-reply@example.com>"
api_key = { credential = "mandrill" }

[provider.relay.smtp]
from = "Example <no-reply@example.com>"
host = "smtp.example.net"
port = 587
tls = "starttls"
username = "canary"
password = { file = "/etc/mailcanary/relay.password" }

[inbox.gmail-1.imap]
address = "seed7f3@gmail.com"
host = "imap.gmail.com"
username = "seed7f3@gmail.com"
password = { credential = "gmail-1" }

[sink.alertmanager.alertmanager]
urls = ["http://127.0.0.1:9093"]

[sink.hook.webhook]
url = "https://hooks.example.net/mail"
secret = { credential = "hook" }

[http]
listen = "127.0.0.1:9825"

[ledger]
path = "/var/lib/mailcanary"
"#;

fn good(text: &str) -> config::Checked {
    config::parse(text, "watch-1")
        .unwrap_or_else(|complaints| panic!("{}", complaints.iter().map(|c| format!("{c}\n")).collect::<String>()))
}

#[test]
fn the_example_is_understood_to_the_last_key() {
    let settings = good(EXAMPLE).settings;
    assert_eq!(settings.watch.instance, "watch-1");
    assert_eq!((settings.watch.every, settings.watch.confirmations), (Span::from_secs(60), 0.15));
    assert_eq!((settings.watch.blind_after, settings.watch.cut_off_after), (Span::from_secs(300), Span::from_secs(120)));
    assert_eq!(
        settings.routes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["mailchimp/password-reset/gmail-1", "relay/password-reset/gmail-1"]
    );
    let ProviderKind::Smtp(smtp) = &settings.providers["relay"].kind else { panic!("not SMTP") };
    assert_eq!((smtp.host.as_str(), smtp.port, smtp.tls), ("smtp.example.net", 587, Tls::StartTls));
    assert_eq!(smtp.login, Some(("canary".to_owned(), SecretRef::File("/etc/mailcanary/relay.password".into()))));
    let ProviderKind::Mandrill(mandrill) = &settings.providers["mailchimp"].kind else { panic!("not Mandrill") };
    assert_eq!((mandrill.base_url.as_str(), &mandrill.subaccount), ("https://mandrillapp.com/api/1.0", &None));
    assert_eq!(settings.providers["relay"].from.name.as_deref(), Some("Example"));
    let inbox = &settings.inboxes["gmail-1"];
    let imap = ImapSettings {
        host: "imap.gmail.com".to_owned(),
        port: 993,
        tls: Tls::Implicit,
        username: "seed7f3@gmail.com".to_owned(),
        password: SecretRef::Credential("gmail-1".to_owned()),
        junk: None,
    };
    let address = "seed7f3@gmail.com".to_owned();
    assert_eq!(*inbox, Inbox { address, plus_address: false, delete: false, kind: InboxKind::Imap(imap), wire: config::Wire::default() });
    assert_eq!(settings.sinks["hook"].severities, Severity::ALL);
    assert_eq!(settings.sinks["alertmanager"].kind, SinkKind::Alertmanager { urls: vec!["http://127.0.0.1:9093".to_owned()] });
    assert_eq!(settings.http.unwrap().listen, SocketAddr::from(([127, 0, 0, 1], 9825)));
    assert_eq!((settings.ledger.keep, settings.ledger.keep_failures), (Span::from_secs(30 * 86_400), Span::from_secs(400 * 86_400)));
}
