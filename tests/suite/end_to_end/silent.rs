//! Mail that each API goes on taking and that never arrives: the daemon asks what became of it, and the answer stands in the incident.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::alertmanager::Folder;
use crate::support::apis::{Apis, Becomes};
use crate::support::daemon::Daemon;
use crate::support::dovecot::{self, Dovecot};
use crate::support::postfix::Postfix;

use Becomes::{Blind, Bounced, Deferred, HandedOff, Stuck, Suppressed, Vanished};

/// Every API that can be asked, and what it needs besides a sender and a `base_url`.
const KINDS: [(&str, &str); 11] = [
    ("mandrill", "signs = false\napi_key = { env = \"KEY\" }"),
    ("sendgrid", "signs = false\napi_key = { env = \"KEY\" }"),
    ("postmark", "api_key = { env = \"KEY\" }"),
    ("mailgun", "api_key = { env = \"KEY\" }"),
    ("ses", "signs = false\naccess_key_id = \"AKIDEXAMPLE\"\nsecret_access_key = { env = \"KEY\" }\nregion = \"eu-west-1\""),
    ("sparkpost", "signs = false\napi_key = { env = \"KEY\" }"),
    ("resend", "api_key = { env = \"KEY\" }"),
    ("brevo", "signs = false\napi_key = { env = \"KEY\" }"),
    ("mailjet", "api_key = \"public\"\nsecret_key = { env = \"KEY\" }"),
    ("mailersend", "signs = false\napi_key = { env = \"KEY\" }"),
    ("azure", "access_key = { env = \"KEY\" }"),
];

/// The eleven, each with one fate, beside a relay that delivers to the same inbox.
fn configuration(folder: &Folder, apis: &Apis, relay: &Postfix, dovecot: &Dovecot) -> String {
    let password = folder.write("imap.password", dovecot::PASSWORD).display().to_string();
    let (smtp, imap, user) = (relay.port(), dovecot.imap, dovecot::USER);
    let provider = |(kind, keys): (&str, &str)| {
        let path = if kind == "mandrill" { "mandrill/api/1.0" } else { kind };
        format!("[provider.{kind}.{kind}]\nfrom = \"no-reply@shop.example\"\nbase_url = \"http://{}/{path}\"\n{keys}\n\n", apis.address)
    };
    let providers: String = KINDS.into_iter().map(provider).collect();
    format!(
        "[watch]\nevery = \"1s\"\nconfirmations = \"0%\"\n\n[stream.reset]\n\n{providers}\
        [provider.relay.smtp]\nfrom = \"no-reply@shop.example\"\nhost = \"127.0.0.1\"\nport = {smtp}\ntls = \"none\"\n\n\
        [inbox.seed.imap]\naddress = \"{user}\"\nhost = \"127.0.0.1\"\nport = {imap}\ntls = \"none\"\n\
        username = \"{user}\"\npassword = {{ file = \"{password}\" }}\n"
    )
}

/// The word for what an API says of such a mail.
fn word(kind: &str, fate: Becomes) -> &'static str {
    match (kind, fate) {
        // Its API knows nothing of the receiver.
        ("azure", HandedOff | Deferred | Bounced | Suppressed) | (_, HandedOff) => "handed_off",
        (_, Vanished) => "vanished",
        (_, Stuck) => "stuck",
        (_, Deferred) => "deferred",
        (_, Bounced) => "bounced",
        (_, Suppressed) => "suppressed",
        (_, Blind) => "blind",
    }
}

/// Of each provider what its incident says that it says.
async fn said(daemon: &Daemon) -> Option<BTreeMap<String, String>> {
    let (_, text) = daemon.get("/api/v1/incidents").await?;
    let incidents: Value = serde_json::from_str(&text).ok()?;
    let mut found = BTreeMap::new();
    for incident in incidents["incidents"].as_array()? {
        // The newest is what its page shows.
        let culprit = &incident["culprit"];
        let provider = culprit["provider"].as_str().or(culprit["route"][0].as_str());
        let evidence = &incident["last"]["evidence"];
        let suppressed = evidence["suppressed_by"].as_str().map(|_| "suppressed");
        let fate = suppressed.or(evidence["provider_says"][0]["fate"].as_str());
        found.extend(provider.zip(fate).map(|(provider, fate)| (provider.to_owned(), fate.to_owned())));
    }
    Some(found)
}

/// Each of the eleven has the fate that comes `turned` places behind the last one's.
async fn every_api_is_asked(turned: usize) {
    let all = [Vanished, Stuck, Deferred, HandedOff, Bounced, Suppressed, Blind];
    let fates: Vec<_> = KINDS.iter().enumerate().map(|(place, (kind, _))| (*kind, all[(place + turned) % all.len()])).collect();
    let expected: BTreeMap<_, _> = fates.iter().map(|(kind, fate)| ((*kind).to_owned(), word(kind, *fate).to_owned())).collect();
    let dovecot = Dovecot::run(&dovecot::Settings::default());
    let lmtp = format!("lmtp:inet:127.0.0.1:{}", dovecot.lmtp);
    let relay = Postfix::builder().virtual_transport(&lmtp).setting("virtual_mailbox_domains = example.test").start();
    let apis = Apis::start(relay.port(), dovecot::USER, fates).await;
    let mut daemon = Daemon::new(|folder| configuration(folder, &apis, &relay, &dovecot)).with("KEY", "c2VjcmV0IGtleQ==");
    daemon.start().await;
    daemon.wait_for_arrivals(200.0).await;
    apis.drop_mail();
    let mut last = BTreeMap::new();
    daemon
        .wait_for("what each provider says", async |d| {
            let found = said(d).await?;
            if found != last {
                eprintln!("{found:?}");
                last.clone_from(&found);
            }
            (found == expected).then_some(())
        })
        .await;
    assert_eq!(apis.complaints(), Vec::<String>::new());
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_api_is_asked_what_became_of_mail_that_never_arrives() {
    every_api_is_asked(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_api_may_say_something_else_of_it() {
    every_api_is_asked(3).await;
}
