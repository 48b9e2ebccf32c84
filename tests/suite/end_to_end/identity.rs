//! A relay that begins to put another's address into mail, over real Postfix and Dovecot; and what is still known after a kill.

use serde_json::Value;

use crate::authentication::submit;
use crate::support::alertmanager::Receiver;
use crate::support::daemon::Daemon;
use crate::support::dovecot::{self, Dovecot};
use crate::support::postfix::Postfix;

const OLD: &str = "help@example.test";
const NEW: &str = "support@arxxwalls.example";

/// A line of main.cf that has the relay put this address into every mail.
fn puts(address: &str) -> String {
    format!("header_checks = regexp:{{ {{/^From:/ PREPEND Reply-To: {address}}} }}")
}

async fn canary(daemon: &Daemon, id: &str) -> Value {
    let (status, text) = daemon.get(&format!("/api/v1/canaries/{id}/way")).await.unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// The next notice of a kind.
async fn told(hook: &mut Receiver, kind: &str) -> Value {
    loop {
        let notice = hook.next().await.json()["data"].clone();
        if notice["kind"] == kind {
            return notice;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_a_relay_puts_into_mail_is_told_with_the_one_before_and_outlives_a_kill() {
    let dovecot = Dovecot::run(&dovecot::Settings::default());
    let relay = Postfix::builder()
        .virtual_transport(&format!("lmtp:inet:127.0.0.1:{}", dovecot.lmtp))
        .setting("virtual_mailbox_domains = example.test")
        .setting(&puts(OLD))
        .start();
    let mut hook = Receiver::start(&[]).await;
    let (user, imap, smtp) = (dovecot::USER, dovecot.imap, relay.port());
    let mut daemon = Daemon::new(|folder| {
        let password = folder.write("imap.password", dovecot::PASSWORD).display().to_string();
        format!(
            "[watch]\nevery = \"1s\"\ninstance = \"identity\"\n\n[stream.reset]\n\n[provider.relay.smtp]\nfrom = \"no-reply@example.test\"\nhost = \"127.0.0.1\"\n\
             port = {smtp}\ntls = \"none\"\n\n[inbox.seed.imap]\naddress = \"{user}\"\nhost = \"127.0.0.1\"\nport = {imap}\ntls = \"none\"\nusername = \"{user}\"\n\
             password = {{ file = \"{password}\" }}\n\n[sink.hook.webhook]\nurl = \"http://{}/\"\n",
            hook.address
        )
    });
    daemon.start().await;
    daemon.wait_for_arrivals(13.0).await;
    assert_eq!(daemon.metric("mailcanary_foreign_values{provider=\"relay\",stream=\"reset\"}").await, Some(0.0));

    relay.set(&puts(NEW));
    let notice = told(&mut hook, "identity").await;
    let summary = notice["summary"].as_str().unwrap();
    assert!(summary.contains(&format!("Reply-To `{NEW}` where `{OLD}` stood")), "{summary}");
    let identity = notice["incident"].to_string();
    let (_, page) = daemon.get(&format!("/incidents/{identity}")).await.unwrap();
    assert!(page.contains(NEW) && page.contains(OLD), "the page has both");

    // By which hosts it came stands with the canary, on its page too.
    let id = notice["evidence"]["values"][0]["first_canary"].as_str().unwrap().to_owned();
    let before = canary(&daemon, &id).await;
    let hosts: Vec<&str> = before["hops"].as_array().unwrap().iter().filter_map(|hop| hop["by"].as_str()).collect();
    assert!(hosts.len() >= 2 && hosts.contains(&"mail.test.example"), "{before}");
    assert!(before["hops"][0]["address"] == "127.0.0.1" && before["way"]["submission_seconds"].is_number(), "{before}");
    assert!(before["way"]["receiver_seconds"].is_number() && before["way"]["observation_seconds"].is_number(), "{before}");
    // Its relay writes whole seconds, and so seems to have had it before it had accepted it.
    let legs = before["way"].as_object().unwrap();
    assert!(legs.values().filter_map(Value::as_f64).all(|seconds| seconds >= 0.0), "{before}");
    let (_, page) = daemon.get(&format!("/canaries/{id}")).await.unwrap();
    assert!(page.contains("mail.test.example") && page.contains("Its way in five legs"), "the waterfall has its hosts");
    let leg = "mailcanary_leg_seconds_count{provider=\"relay\",inbox=\"seed\",leg=\"receiver\"}";
    let counted = daemon.metric(leg).await.unwrap();
    assert!(counted >= 13.0, "{counted}");

    daemon.kill();
    daemon.start().await;
    assert_eq!(canary(&daemon, &id).await["hops"], before["hops"]);
    assert!(daemon.metric(leg).await.unwrap() >= counted, "counted on");
    // Whose mail is whose is known from before: somebody else uses the relay.
    submit(relay.port(), "reset@example.test", "From: reset@example.test\nSubject: Your password\n\nhttps://evil.test/");
    let notice = told(&mut hook, "unexpected_mail").await;
    assert_eq!(notice["culprit"], serde_json::json!({ "provider": "relay" }), "{notice}");

    // All that an incident is about is right, in one command; and then not any more.
    let (code, said, wrong) = daemon.say(&["identity", "approve", "--incident", &identity]);
    assert_eq!((code, said.trim()), (Some(0), format!("reply_to {NEW} is right in relay/reset").as_str()), "{wrong}");
    assert_eq!(daemon.metric("mailcanary_foreign_values{provider=\"relay\",stream=\"reset\"}").await, Some(0.0));
    let (code, _, wrong) = daemon.say(&["identity", "approve", "--incident", &notice["incident"].to_string()]);
    assert!(code == Some(1) && wrong.contains("is about no identity"), "{wrong}");
    let (code, said, wrong) = daemon.say(&["identity", "forget", "relay", "reset", "reply_to", NEW]);
    assert_eq!(code, Some(0), "{said}{wrong}");
    let (code, said, wrong) = daemon.say(&["identity", "relearn", "relay", "reset"]);
    assert!(code == Some(0) && said.contains("is learnt anew"), "{said}{wrong}");
}

/// 7 August 2022 as it was: no canary carries the address, but the mail that comes every day does; then a reset that nobody asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_address_in_the_recurring_mail_and_a_reset_are_told_and_page_together() {
    let dovecot = Dovecot::run(&dovecot::Settings::default());
    let relay = Postfix::builder()
        .virtual_transport(&format!("lmtp:inet:127.0.0.1:{}", dovecot.lmtp))
        .setting("virtual_mailbox_domains = example.test")
        .start();
    let mut hook = Receiver::start(&[]).await;
    let (user, imap, smtp, files) = (dovecot::USER, dovecot.imap, relay.port(), dovecot.home().join("Maildir"));
    let mut daemon = Daemon::new(|folder| {
        let password = folder.write("imap.password", dovecot::PASSWORD).display().to_string();
        format!(
            "[watch]\nevery = \"1s\"\ninstance = \"recurring\"\n\n[stream.reset]\n\n[provider.relay.smtp]\nfrom = \"no-reply@example.test\"\nhost = \"127.0.0.1\"\n\
             port = {smtp}\ntls = \"none\"\n\n[inbox.seed.imap]\naddress = \"{user}\"\nhost = \"127.0.0.1\"\nport = {imap}\ntls = \"none\"\nusername = \"{user}\"\n\
             password = {{ file = \"{password}\" }}\n\n[inbox.files.maildir]\naddress = \"files@example.test\"\npath = \"{}\"\n\n[[route]]\ninbox = \"seed\"\n\n\
             [[expected_mail]]\nfrom = \"*@example.test\"\nsubject = \"Your usage*\"\n\n[sink.hook.webhook]\nurl = \"http://{}/\"\n",
            files.display(),
            hook.address
        )
    });
    daemon.start().await;
    daemon.wait_for_arrivals(3.0).await;
    let daily = |day: u32, more: &str, text: &str| {
        let mail = format!(
            "From: Example <usage@example.test>\nTo: {user}\nSubject: Your usage of day {day}\n{more}\nhttps://example.test/{day}\n{text}\n"
        );
        submit(smtp, "usage@example.test", &mail);
    };
    let allowed =
        async |d: &Daemon, n: f64| (d.metric("mailcanary_strange_mails_total{inbox=\"seed\",claim=\"allowed\"}").await? >= n).then_some(());
    daily(1, "Reply-To: help@example.test\n", "");
    daemon.wait_for("the first", async |d| allowed(d, 1.0).await).await;
    daily(2, "Reply-To: help@example.test\n", "");
    daemon.wait_for("the second", async |d| allowed(d, 2.0).await).await;
    daemon.kill();
    daemon.start().await;
    daily(3, &format!("Reply-To: {NEW}\n"), "https://login.arxxwalls.example/");
    let notice = told(&mut hook, "identity").await;
    let summary = notice["summary"].as_str().unwrap();
    for words in [&format!("Reply-To `{NEW}`"), "link `login.arxxwalls.example`", "`Your usage of day 3`", "from `usage@example.test`"] {
        assert!(summary.contains(words), "{words}: {summary}");
    }
    assert_eq!((&notice["severity"], &notice["culprit"]), (&"warn".into(), &serde_json::json!({ "provider": "relay" })), "{notice}");
    submit(smtp, "no-reply@example.test", "From: no-reply@example.test\nSubject: Reset your password\n\nhttps://example.test/");
    let notice = told(&mut hook, "unexpected_mail").await;
    assert_eq!((&notice["severity"], &notice["culprit"]), (&"page".into(), &serde_json::json!({ "provider": "relay" })), "{notice}");
    assert!(notice["evidence"]["at_the_same_time"].as_str().unwrap().contains(NEW), "{notice}");
    let (_, page) = daemon.get(&format!("/incidents/{}", notice["incident"])).await.unwrap();
    assert!(page.contains("At the same time") && page.contains(NEW), "the page has both");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_flood_of_spam_nothing_in_our_name_is_lost() {
    let folder = crate::support::temp_dir::TempDir::new("flood");
    let files = folder.path().join("Maildir");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(files.join(part)).unwrap();
    }
    let relay = Postfix::builder().start();
    let smtp = relay.port();
    let mut daemon = Daemon::new(|_| {
        format!(
            "[watch]\nevery = \"60s\"\n\n[stream.reset]\n\n[provider.relay.smtp]\nfrom = \"no-reply@sender.example\"\nhost = \"127.0.0.1\"\nport = {smtp}\ntls = \"none\"\n\n\
             [inbox.seed.maildir]\naddress = \"seed@box.test\"\npath = \"{}\"\n",
            files.display()
        )
    });
    daemon.start().await;
    daemon.wait_for("sight", async |d| (d.metric("mailcanary_inbox_sight{inbox=\"seed\"}").await? >= 1.0).then_some(())).await;
    let filler = "Buy this. https://spam.example/ ".repeat(120);
    for n in 0..3100 {
        let from = if n % 31 == 7 { "reset@sender.example" } else { "a@spam.example" };
        let name = format!("{}.M{n}P1.host", 1_700_000_000 + n);
        std::fs::write(files.join("tmp").join(&name), format!("From: {from}\r\nSubject: {n}\r\n\r\n{filler}\r\n")).unwrap();
        std::fs::rename(files.join("tmp").join(&name), files.join("new").join(&name)).unwrap();
    }
    let series = |claim: &str| format!("mailcanary_strange_mails_total{{inbox=\"seed\",claim=\"{claim}\"}}");
    let all = async |d: &Daemon| (d.sum("mailcanary_strange_mails_total").await? >= 3100.0).then_some(());
    daemon.wait_for("all of them to be weighed", all).await;
    assert_eq!((daemon.metric(&series("our_domain")).await, daemon.metric(&series("nothing")).await), (Some(100.0), Some(3000.0)));
    assert_eq!(daemon.metric("mailcanary_mails_unexamined_total").await, Some(0.0));
}
