//! An account that a provider suspends while it goes on taking mail: warned of before anything is lost, and over when it is well again.

use serde_json::{Value, json};

use crate::support::alertmanager::{Folder, Receiver};
use crate::support::daemon::Daemon;
use crate::support::dovecot::{self, Dovecot};
use crate::support::postfix::Postfix;
use crate::support::sparkpost::{KEY, Says, SparkPost};

/// What belongs to the provider in the configuration.
const EVERY_SECOND: &str = "signs_every = \"1s\"";

fn configuration(folder: &Folder, spark: &SparkPost, dovecot: &Dovecot, hook: &Receiver, more: &str) -> String {
    let secret = |name: &str, text: &str| folder.write(name, text).display().to_string();
    let (password, key) = (secret("imap.password", dovecot::PASSWORD), secret("spark.key", KEY));
    let (api, imap, user) = (spark.address, dovecot.imap, dovecot::USER);
    format!(
        "[watch]\nevery = \"2s\"\n\n[stream.reset]\nsubject = \"Reset your password\"\n\n\
        [provider.spark.sparkpost]\nfrom = \"no-reply@shop.example\"\nbase_url = \"http://{api}\"\napi_key = {{ file = \"{key}\" }}\n{more}\n\n\
        [inbox.seed.imap]\naddress = \"{user}\"\nhost = \"127.0.0.1\"\nport = {imap}\ntls = \"none\"\n\
        username = \"{user}\"\npassword = {{ file = \"{password}\" }}\n\n[sink.hook.webhook]\nurl = \"http://{}/\"\n",
        hook.address
    )
}

/// A daemon whose canaries arrive.
async fn well(more: &str) -> (Daemon, Receiver, SparkPost, Postfix, Dovecot) {
    let dovecot = Dovecot::run(&dovecot::Settings::default());
    let lmtp = format!("lmtp:inet:127.0.0.1:{}", dovecot.lmtp);
    let relay = Postfix::builder().virtual_transport(&lmtp).setting("virtual_mailbox_domains = example.test").start();
    let spark = SparkPost::start(relay.port()).await;
    let hook = Receiver::start(&[]).await;
    let mut daemon = Daemon::new(|folder| configuration(folder, &spark, &dovecot, &hook, more));
    daemon.start().await;
    daemon.wait_for_arrivals(3.0).await;
    (daemon, hook, spark, relay, dovecot)
}

/// The next notice.
async fn notice(hook: &mut Receiver) -> Value {
    hook.next().await.json()["data"].take()
}

async fn provider(daemon: &Daemon) -> Option<Value> {
    let (_, text) = daemon.get("/api/v1/providers").await?;
    Some(serde_json::from_str::<Value>(&text).ok()?["providers"][0].take())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspension_is_told_before_mail_is_lost_and_ends_when_it_is_lifted() {
    let (mut daemon, mut hook, spark, _relay, _dovecot) = well(EVERY_SECOND).await;
    let good = "mailcanary_account_standing{provider=\"spark\",standing=\"good\"}";
    daemon.wait_for("the first reading", async |d| (d.metric(good).await? == 1.0).then_some(())).await;

    spark.set(Says::Status("pending_review", None));
    let told = notice(&mut hook).await;
    assert_eq!((&told["kind"], &told["severity"], &told["change"]), (&json!("early_sign"), &json!("warn"), &json!("opened")), "{told}");
    assert_eq!(told["culprit"], json!({ "provider": "spark" }));

    spark.set(Says::Status("suspended", Some("NONPAYMENT")));
    let told = notice(&mut hook).await;
    assert_eq!((&told["kind"], &told["severity"], &told["change"]), (&json!("early_sign"), &json!("page"), &json!("updated")), "{told}");
    let summary = told["summary"].as_str().unwrap();
    assert!(summary.contains("account status `suspended, NONPAYMENT`") && !summary.contains("call the provider"), "{summary}");
    assert!(told["evidence"]["next_step"].as_str().unwrap().starts_with("call the provider"), "it has a place of its own: {told}");
    let stopped = "mailcanary_account_standing{provider=\"spark\",standing=\"stopped\"}";
    assert_eq!(daemon.metric(stopped).await, Some(1.0));
    assert_eq!(daemon.metric("mailcanary_incident_open{kind=\"early_sign\",culprit=\"provider:spark\"}").await, Some(1.0));
    let (_, page) = daemon.get("/").await.unwrap();
    assert!(page.contains("suspended, NONPAYMENT") && page.contains("✕ </span>warns"), "{page}");
    let shown = provider(&daemon).await.unwrap();
    assert_eq!((&shown["healthy"], &shown["verdict"]), (&json!(false), &json!("delivering")), "{shown}");

    // A restart tells nothing twice.
    assert_eq!(daemon.stop().await, Some(0));
    daemon.start().await;
    spark.set(Says::Status("active", None));
    let told = notice(&mut hook).await;
    assert_eq!((&told["change"], &told["kind"]), (&json!("resolved"), &json!("early_sign")), "{told}");
    assert!(told["summary"].as_str().unwrap().contains("well again: account status `active`"), "{told}");
    daemon.wait_for("health", async |d| (provider(d).await?["healthy"] == true).then_some(())).await;

    // Who wants peace gets it.
    spark.set(Says::TooMany("600"));
    let throttled = "mailcanary_account_polls_total{provider=\"spark\",outcome=\"throttled\"}";
    daemon.wait_for("a question too many", async |d| (d.metric(throttled).await? >= 1.0).then_some(())).await;
    let asked = spark.asked();
    let arrived = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
    daemon.wait_for_arrivals(arrived + 4.0).await;
    assert_eq!(spark.asked(), asked, "canaries go on, questions do not");
    let (_, page) = daemon.get("/").await.unwrap();
    assert!(page.contains("? </span>unknown") && page.contains("rate"), "{page}");
    assert_eq!(daemon.stop().await, Some(0));
    assert!(!daemon.log().contains(KEY));
    let polled: u32 = daemon.ledger("SELECT count(*) FROM records WHERE kind = 'polled'");
    assert!(polled >= 5, "{polled}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_does_not_answer_delays_nobody_and_is_asked_once() {
    let (mut daemon, mut hook, spark, _relay, _dovecot) = well(EVERY_SECOND).await;
    spark.set(Says::Nothing);
    let before = spark.asked();
    daemon.wait_for("a question", async |_| (spark.asked() > before).then_some(())).await;
    // It may have been answered just before.
    let asked = spark.asked();
    let arrived = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
    daemon.wait_for_arrivals(arrived + 5.0).await;
    assert!(spark.asked() <= asked + 1, "{} after {asked}", spark.asked());
    assert!(hook.rest().is_empty());
    assert_eq!(daemon.stop().await, Some(0), "nobody waits for the answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_to_be_asked_is_not() {
    let (mut daemon, _hook, spark, _relay, _dovecot) = well("signs = false").await;
    daemon.wait_for_arrivals(6.0).await;
    assert_eq!(spark.asked(), 0);
    assert!(!daemon.get("/metrics").await.unwrap().1.contains("mailcanary_account_standing{"));
    assert!(provider(&daemon).await.unwrap()["account"].is_null());
    assert_eq!(daemon.stop().await, Some(0));
}
