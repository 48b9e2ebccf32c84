//! A provider that takes mail, drops it, and tells so by its webhook: nobody has to ask, and the page says what it told.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::alertmanager::{Folder, Receiver};
use crate::support::daemon::Daemon;
use crate::support::dovecot::{self, Dovecot};
use crate::support::postfix::Postfix;
use crate::support::sendgrid::{KEY, SendGrid};

const LONG: Duration = Duration::from_secs(75);
/// A mail of the account's own.
const CUSTOMER: &str = "a-customer@elsewhere.example";

/// SendGrid, which is not asked, and a plain relay to one inbox.
fn configuration(folder: &Folder, sendgrid: &SendGrid, relay: &Postfix, dovecot: &Dovecot, hook: &Receiver) -> String {
    let secret = |name: &str, text: &str| folder.write(name, text).display().to_string();
    let (password, api_key) = (secret("imap.password", dovecot::PASSWORD), secret("sendgrid.key", KEY));
    let (api, key, smtp, imap, user) = (sendgrid.address, sendgrid.public_key(), relay.port(), dovecot.imap, dovecot::USER);
    format!(
        "[watch]\nevery = \"1s\"\n\n[stream.reset]\nsubject = \"Reset your password\"\n\n\
        [provider.grid.sendgrid]\nfrom = \"no-reply@shop.example\"\nbase_url = \"http://{api}\"\napi_key = {{ file = \"{api_key}\" }}\n\
        webhook_public_key = \"{key}\"\ntrace = false\n\n\
        [provider.relay.smtp]\nfrom = \"no-reply@shop.example\"\nhost = \"127.0.0.1\"\nport = {smtp}\ntls = \"none\"\n\n\
        [inbox.seed.imap]\naddress = \"{user}\"\nhost = \"127.0.0.1\"\nport = {imap}\ntls = \"none\"\n\
        username = \"{user}\"\npassword = {{ file = \"{password}\" }}\n\n[sink.hook.webhook]\nurl = \"http://{}/\"\n",
        hook.address
    )
}

/// What became of mail that was dropped; the oldest is known to the daemon by its id.
async fn dropped(daemon: &mut Daemon, sendgrid: &SendGrid, reason: &str) -> Vec<Value> {
    daemon
        .wait_for("mail to be dropped", async |d| {
            let known: u32 = d.ledger(&format!("SELECT count(*) FROM canaries WHERE message_id = '{}'", sendgrid.oldest()?));
            (known == 1).then_some(())
        })
        .await;
    sendgrid.untold(reason)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_provider_tells_of_dropped_mail_stands_in_the_incident() {
    let dovecot = Dovecot::run(&dovecot::Settings::default());
    let lmtp = format!("lmtp:inet:127.0.0.1:{}", dovecot.lmtp);
    let relay = Postfix::builder().virtual_transport(&lmtp).setting("virtual_mailbox_domains = example.test").start();
    let sendgrid = SendGrid::start(relay.port()).await;
    let mut hook = Receiver::start(&[]).await;
    let mut daemon = Daemon::new(|folder| configuration(folder, &sendgrid, &relay, &dovecot, &hook));
    daemon.start().await;
    daemon.wait_for_arrivals(60.0).await;
    let url = format!("http://127.0.0.1:{}/hooks/grid", daemon.port);

    sendgrid.drop_mail();
    let mut events = dropped(&mut daemon, &sendgrid, "550 5.1.1 no such user").await;
    // Somebody else's mail comes along, one event knows our mail by its id alone, and everything is told twice.
    events.push(json!({ "email": CUSTOMER, "event": "bounce", "reason": CUSTOMER, "sg_message_id": "1.2" }));
    if let Some(first) = events[0].as_object_mut() {
        first.remove("token");
        first.remove("canary");
    }
    assert_eq!(sendgrid.tell(&url, &events).await, 200);
    assert_eq!(sendgrid.tell(&url, &events).await, 200);
    let stranger = SendGrid::start(relay.port()).await;
    assert_eq!(stranger.tell(&url, &events).await, 401);
    // What was answered with 200 is written down.
    let found: u32 = daemon.ledger("SELECT count(*) FROM records WHERE kind = 'traced'");
    assert_eq!(found as usize, events.len() - 1);

    let says = |told: &Value| told["evidence"]["provider_says"][0]["fate"] == "bounced";
    let told = hook.notice(LONG, |told| told["severity"] == "page" && says(told)).await;
    assert_eq!((&told["culprit"], &told["kind"]), (&json!({ "provider": "grid" }), &json!("stopped")), "{told}");
    assert!(told["summary"].as_str().unwrap().contains("550 5.1.1 no such user"), "{told}");
    let count = |outcome: &str, of: &str| format!("mailcanary_hook_{of}_total{{provider=\"grid\",outcome=\"{outcome}\"}}");
    for (series, value) in [
        (count("taken", "requests"), 2.0),
        (count("refused", "requests"), 1.0),
        (count("foreign", "events"), 2.0),
        (count("finding", "events"), 2.0 * f64::from(found)),
        (count("mute", "events"), 0.0),
    ] {
        assert_eq!(daemon.metric(&series).await, Some(value), "{series}");
    }
    assert_eq!(daemon.sum("mailcanary_canaries_refused_total").await, Some(0.0));

    let asked: u32 = daemon.ledger("SELECT count(*) FROM records WHERE kind = 'asked'");
    assert_eq!(asked, 0);
    // After a restart it still knows by its id which mail is ours.
    let mut later = dropped(&mut daemon, &sendgrid, "451 4.7.1 later").await;
    daemon.kill();
    daemon.start().await;
    for event in &mut later {
        event.as_object_mut().unwrap().retain(|name, _| name != "token" && name != "canary");
    }
    assert_eq!(sendgrid.tell(&url, &later[..1]).await, 200);
    assert_eq!(daemon.metric(&count("finding", "events")).await, Some(1.0));
    assert_eq!(daemon.stop().await, Some(0));
    let log = daemon.log();
    assert!(!log.contains(KEY) && !log.contains(CUSTOMER), "{log}");
    let kept: u32 = daemon.ledger(&format!("SELECT count(*) FROM records WHERE body LIKE '%{CUSTOMER}%'"));
    assert_eq!(kept, 0);
}
