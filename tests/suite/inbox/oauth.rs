//! Logging in with access tokens: to a real Dovecot that checks them, and to servers with other manners.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use mailcanary::config::{Inbox, InboxKind, OAuth, Proof, Secret, SecretRef};
use serde_json::json;

use super::*;
use crate::submit::contract::desk::{Desk, Told};
use crate::submit::contract::service_account::{claims, key_file};
use crate::support::dovecot::USER;
use crate::support::fake_imap::{Answer, Fake, say};
use crate::support::tokens::token_of;

/// The answer of the token endpoint: `token`, said to last so many seconds.
fn granted(token: &str, lasts: u32) -> Told {
    Told::new(200, json!({ "access_token": token, "token_type": "Bearer", "expires_in": lasts }).to_string())
}

fn secret(at: &SecretRef) -> Option<Secret> {
    let SecretRef::Env(name) = at else { panic!("{at}") };
    Some(Secret::new(format!("the secret of env {name}")))
}

/// An inbox whose tokens come from `desk` for a refresh token.
fn refreshing(port: u16, desk: &Desk) -> Inbox {
    with(
        port,
        OAuth::Refresh {
            token_url: format!("http://127.0.0.1:{}/token", desk.port),
            client_id: "client".to_owned(),
            client_secret: None,
            refresh_token: SecretRef::Env("REFRESH".to_owned()),
        },
    )
}

fn with(port: u16, oauth: OAuth) -> Inbox {
    let mut inbox = inbox_at(port, Tls::None);
    if let InboxKind::Imap(imap) = &mut inbox.kind {
        imap.proof = Proof::OAuth(oauth);
    }
    inbox
}

fn dovecot() -> Dovecot {
    Dovecot::run(&Settings { tokens: Some("xoauth2 oauthbearer"), ..Settings::default() })
}

#[tokio::test]
async fn a_good_token_reads_mail_and_is_got_once() {
    let dovecot = dovecot();
    let desk = Desk::new([granted(&token_of(USER, 3600, 1), 3600)]).await;
    let mut rig = Rig::new(refreshing(dovecot.imap, &desk)).with_tokens(secret).watch();
    rig.expect_sight().await;
    dovecot.deliver(&mail(1));
    assert_eq!(rig.sighting().await.canary, CanaryId::from_bits(1));
    rig.look().await;
    let asked = desk.asked(|asked| asked.is_post("/token"));
    assert_eq!(asked.len(), 1, "both sessions share it");
    assert_eq!(
        (asked[0].form()["grant_type"].as_str(), asked[0].form()["refresh_token"].as_str()),
        ("refresh_token", "the secret of env REFRESH")
    );
}

#[tokio::test]
async fn a_client_may_log_in_by_itself() {
    let dovecot = dovecot();
    let desk = Desk::new([granted(&token_of(USER, 3600, 1), 3600)]).await;
    let oauth = OAuth::Client {
        token_url: format!("http://127.0.0.1:{}/token", desk.port),
        client_id: "app".to_owned(),
        client_secret: SecretRef::Env("CLIENT".to_owned()),
        scope: "https://outlook.office365.com/.default".to_owned(),
    };
    let mut rig = Rig::new(with(dovecot.imap, oauth)).with_tokens(secret).watch();
    rig.expect_sight().await;
    let form = desk.asked(|asked| asked.is_post("/token"))[0].form();
    let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        fields,
        [
            ("client_id", "app"),
            ("client_secret", "the secret of env CLIENT"),
            ("grant_type", "client_credentials"),
            ("scope", "https://outlook.office365.com/.default")
        ]
    );
}

#[tokio::test]
async fn a_service_account_signs_for_the_mailbox_that_it_reads() {
    let (dovecot, folder) = (dovecot(), key_file());
    let desk = Desk::new([granted(&token_of(USER, 3600, 1), 3600), granted(&token_of(USER, 3600, 2), 3600)]).await;
    let token_url = format!("http://127.0.0.1:{}/token", desk.port);
    let key = std::fs::read_to_string(folder.path().join("key.json")).unwrap();
    for acts_for in [None, Some("seed@workspace.example".to_owned())] {
        let sub = acts_for.clone().unwrap_or_else(|| USER.to_owned());
        let scope = "https://mail.google.com/";
        let oauth = OAuth::ServiceAccount { token_url: token_url.clone(), key: SecretRef::Env("KEY".to_owned()), acts_for, scope };
        let key = key.clone();
        let mut rig = Rig::new(with(dovecot.imap, oauth)).with_tokens(move |_| Some(Secret::new(key.clone()))).watch();
        rig.expect_sight().await;
        let asked = desk.asked(|asked| asked.is_post("/token"));
        let form = asked.last().unwrap().form();
        assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
        let claims = claims(&form["assertion"], &folder);
        let expected = [("iss", "canary@p.iam.gserviceaccount.com"), ("sub", sub.as_str()), ("scope", scope), ("aud", token_url.as_str())];
        expected.iter().for_each(|(name, value)| assert_eq!(claims[*name], *value, "{claims}"));
    }
}

#[tokio::test]
async fn a_kept_token_that_is_not_taken_any_more_is_got_anew_at_once() {
    let mut dovecot = dovecot();
    // It ends long before it is said to, as one does that was revoked.
    let desk = Desk::new([granted(&token_of(USER, 3, 1), 3600), granted(&token_of(USER, 3600, 2), 3600)]).await;
    let mut rig = Rig::new(refreshing(dovecot.imap, &desk)).with_tokens(secret).watch();
    rig.expect_sight().await;
    let end = Instant::now() + Duration::from_secs(20);
    while desk.asked(|_| ()).len() < 2 {
        assert!(Instant::now() < end, "no new token is asked for: {}", dovecot.log());
        dovecot.stop();
        dovecot.start();
        rig.blindness().await;
        rig.expect_sight().await;
    }
    dovecot.deliver(&mail(1));
    assert_eq!(rig.sighting().await.canary, CanaryId::from_bits(1));
}

#[tokio::test]
async fn an_expired_token_is_refused_with_the_reason_of_the_challenge() {
    let dovecot = dovecot();
    let old = token_of(USER, -60, 1);
    let desk = Desk::new([granted(&old, 3600), granted(&token_of(USER, 3600, 2), 3600)]).await;
    let mut rig = Rig::new(refreshing(dovecot.imap, &desk)).with_tokens(secret).watch();
    let (class, why) = rig.blindness().await;
    assert_eq!(class, Class::Auth);
    assert!(why.starts_with("AUTHENTICATE was refused: ") && !why.contains(&old), "{why}");
    rig.expect_sight().await;
}

#[tokio::test]
async fn a_token_server_that_refuses_blinds_with_its_own_words_and_no_secret() {
    let dovecot = dovecot();
    let refusal = json!({ "error": "invalid_client", "error_description": "AADSTS7000222: the secret of env REFRESH has expired" });
    let desk = Desk::new([Told::new(401, refusal.to_string())]).await;
    let mut rig = Rig::new(refreshing(dovecot.imap, &desk)).with_tokens(secret).watch();
    let (class, why) = rig.blindness().await;
    assert_eq!(class, Class::Auth);
    assert!(why.contains("access token") && !why.contains("the secret of env REFRESH"), "{why}");
    assert!(dovecot.sessions().is_empty(), "nothing was connected to");
}

/// A server that takes no token, and says why in a challenge, which has to be answered before it refuses.
async fn refuser(capability: &str) -> (Arc<Fake>, Class, String) {
    let initial = capability.contains("SASL-IR");
    let (tag, step) = (Mutex::new(String::new()), AtomicUsize::new(0));
    let challenge = BASE64.encode(br#"{"status":"invalid_token","scope":"mail"}"#);
    let fake = Fake::run(move |c| match c.line.split(' ').next().unwrap() {
        "GREETING" | "CAPABILITY" => Answer::Usual,
        "AUTHENTICATE" => {
            tag.lock().unwrap().clone_from(&c.tag);
            step.store(0, Ordering::SeqCst);
            if initial { say(&format!("+ {challenge}\r\n")) } else { say("+ \r\n") }
        }
        _ if step.fetch_add(1, Ordering::SeqCst) == 0 && !initial => say(&format!("+ {challenge}\r\n")),
        _ => say(&format!("{} NO [AUTHENTICATIONFAILED] Invalid credentials\r\n", tag.lock().unwrap())),
    })
    .await;
    *fake.capability.lock().unwrap() = capability.to_owned();
    let desk = Desk::new([granted("first", 3600), granted("second", 3600), granted("third", 3600)]).await;
    let mut rig = Rig::new(refreshing(fake.port, &desk)).with_tokens(secret).watch();
    let (class, why) = rig.blindness().await;
    (fake, class, why)
}

/// What was said on the first connection behind the capabilities; base64 is decoded.
fn said(fake: &Fake) -> Vec<String> {
    let log = fake.log.lock().unwrap();
    let first = log.iter().filter(|c| c.connection == 0 && !matches!(c.line.as_str(), "GREETING" | "CAPABILITY"));
    let plain = |word: &str| BASE64.decode(word.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    first.map(|c| c.line.split(' ').map(|word| plain(word).unwrap_or_else(|| word.to_owned())).collect::<Vec<_>>().join(" ")).collect()
}

#[tokio::test]
async fn without_a_mechanism_there_is_no_log_in() {
    let (fake, class, why) = refuser("IMAP4rev1 AUTH=PLAIN").await;
    assert_eq!(class, Class::Auth);
    assert!(why.contains("neither XOAUTH2 nor OAUTHBEARER"), "{why}");
    assert_eq!(fake.count("AUTHENTICATE"), 0);
}

#[tokio::test]
async fn each_mechanism_is_spoken_as_its_document_says() {
    let old = format!("user={USER}\x01auth=Bearer first\x01\x01");
    for (capability, expected) in [
        ("IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=OAUTHBEARER", vec![format!("AUTHENTICATE XOAUTH2 {old}"), String::new()]),
        ("IMAP4rev1 AUTH=XOAUTH2", vec!["AUTHENTICATE XOAUTH2".to_owned(), old.clone(), String::new()]),
    ] {
        let (fake, class, why) = refuser(capability).await;
        assert_eq!((class, said(&fake)), (Class::Auth, expected), "{capability}");
        assert!(why.ends_with("Invalid credentials (invalid_token)"), "{why}");
    }
    for (capability, ends) in [("IMAP4rev1 SASL-IR AUTH=OAUTHBEARER", 0), ("IMAP4rev1 AUTH=OAUTHBEARER", 1)] {
        let (fake, _, why) = refuser(capability).await;
        let said = said(&fake);
        let shown = format!("n,a={USER},\x01host=localhost\x01port={}\x01auth=Bearer first\x01\x01", fake.port);
        assert!(said[ends].ends_with(&shown), "{said:?}");
        assert_eq!((said.last().map(String::as_str), said.len()), (Some("\x01"), ends + 2), "RFC 7628, 3.2.3");
        assert!(why.contains("(invalid_token)"), "{why}");
    }
}

#[tokio::test]
async fn a_real_server_takes_oauthbearer() {
    let dovecot = Dovecot::run(&Settings { tokens: Some("oauthbearer"), ..Settings::default() });
    let desk = Desk::new([granted(&token_of(USER, 3600, 1), 3600)]).await;
    let mut rig = Rig::new(refreshing(dovecot.imap, &desk)).with_tokens(secret).watch();
    rig.expect_sight().await;
    assert!(dovecot.log().contains("method=OAUTHBEARER"), "{}", dovecot.log());
}
