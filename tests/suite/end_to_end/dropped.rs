//! A provider that answers 200 and drops the mail: it is asked what became of it, and the page and what follows it say so.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::alertmanager::{Folder, Receiver};
use crate::support::daemon::Daemon;
use crate::support::dovecot::{self, Dovecot};
use crate::support::postfix::Postfix;
use crate::support::postmark::{Mood, Postmark, TOKEN};

/// Two questions have 30 s between them, and one may have been asked just before.
const LONG: Duration = Duration::from_secs(75);

/// Postmark and a plain relay to one inbox.
fn configuration(folder: &Folder, postmark: &Postmark, relay: &Postfix, dovecot: &Dovecot, hook: &Receiver) -> String {
    let secret = |name: &str, text: &str| folder.write(name, text).display().to_string();
    let (password, token) = (secret("imap.password", dovecot::PASSWORD), secret("postmark.token", TOKEN));
    let (api, smtp, imap, user) = (postmark.address, relay.port(), dovecot.imap, dovecot::USER);
    format!(
        "[watch]\nevery = \"1s\"\n\n[stream.reset]\nsubject = \"Reset your password\"\n\n\
        [provider.postmark.postmark]\nfrom = \"no-reply@shop.example\"\nbase_url = \"http://{api}\"\napi_key = {{ file = \"{token}\" }}\n\n\
        [provider.relay.smtp]\nfrom = \"no-reply@shop.example\"\nhost = \"127.0.0.1\"\nport = {smtp}\ntls = \"none\"\n\n\
        [inbox.seed.imap]\naddress = \"{user}\"\nhost = \"127.0.0.1\"\nport = {imap}\ntls = \"none\"\n\
        username = \"{user}\"\npassword = {{ file = \"{password}\" }}\n\n[sink.hook.webhook]\nurl = \"http://{}/\"\n",
        hook.address
    )
}

/// A daemon that has been well for a while; then mail is dropped in this way.
async fn dropping(mood: Mood) -> (Daemon, Receiver, Postmark, Postfix, Dovecot) {
    let dovecot = Dovecot::run(&dovecot::Settings::default());
    let lmtp = format!("lmtp:inet:127.0.0.1:{}", dovecot.lmtp);
    let relay = Postfix::builder().virtual_transport(&lmtp).setting("virtual_mailbox_domains = example.test").start();
    let postmark = Postmark::start(relay.port()).await;
    let hook = Receiver::start(&[]).await;
    let mut daemon = Daemon::new(|folder| configuration(folder, &postmark, &relay, &dovecot, &hook));
    daemon.start().await;
    daemon.wait_for_arrivals(60.0).await;
    postmark.set(mood);
    (daemon, hook, postmark, relay, dovecot)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_provider_says_of_dropped_mail_follows_its_page() {
    let (mut daemon, mut hook, _postmark, _relay, _dovecot) = dropping(Mood::Bouncing).await;
    let says = |told: &Value, fate: &str| told["evidence"]["provider_says"][0]["fate"] == fate;
    let page = hook.notice(LONG, |told| told["severity"] == "page").await;
    assert_eq!((&page["culprit"], &page["kind"]), (&json!({ "provider": "postmark" }), &json!("stopped")), "{page}");
    let told = if says(&page, "bounced") { page } else { hook.notice(LONG, |told| says(told, "bounced")).await };
    assert!(told["summary"].as_str().unwrap().contains("it bounced (\"smtp;550 5.1.1 no such user\")"), "{told}");
    let canary = told["evidence"]["provider_says"][0]["canary"].as_str().unwrap();
    let (status, shown) = daemon.get(&format!("/canaries/{canary}")).await.unwrap();
    assert!(status == 200 && shown.contains("550 5.1.1 no such user"), "{status} {shown}");
    assert_eq!(daemon.stop().await, Some(0));
    assert!(!daemon.log().contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_that_the_provider_suppresses_is_no_outage() {
    let (mut daemon, mut hook, _postmark, _relay, _dovecot) = dropping(Mood::Suppressing).await;
    let told = hook.notice(LONG, |told| told["kind"] == "refused").await;
    assert_eq!((&told["severity"], &told["evidence"]["suppressed_by"]), (&json!("warn"), &json!("postmark")), "{told}");
    assert!(told["summary"].as_str().unwrap().starts_with("no outage: provider `postmark` suppresses the seed"), "{told}");
    daemon
        .wait_for("the end of every page", async |d| {
            let open: u32 = d.ledger("SELECT count(*) FROM open_incidents WHERE severity = 'page'");
            (open == 0).then_some(())
        })
        .await;
    assert_eq!(daemon.stop().await, Some(0));
}
