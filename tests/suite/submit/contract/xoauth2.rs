//! SMTP with XOAUTH2.

use super::super::fake::{Fake, Step, say};
use super::*;

fn user(port: u16, keys: &str) -> Submitter {
    provider("smtp", &format!("host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nusername = \"u@example.com\"\n{keys}"))
}

fn hello() -> Vec<Step> {
    vec![say("220 fake ESMTP\r\n"), Step::Line, say("250-fake\r\n250 AUTH LOGIN PLAIN XOAUTH2\r\n"), Step::Line]
}

fn proof(token: &str) -> String {
    format!("AUTH XOAUTH2 {}\r\n", BASE64.encode(format!("user=u@example.com\x01auth=Bearer {token}\x01\x01").as_bytes()))
}

fn steps(end: &[Step]) -> Vec<Step> {
    let mut steps = hello();
    steps.extend_from_slice(end);
    steps
}

#[tokio::test]
async fn a_token_from_a_file_is_read_again_at_each_log_in() {
    let folder = crate::support::temp_dir::TempDir::new("xoauth2");
    let file = folder.path().join("token");
    let keys = format!("access_token = {{ file = \"{}\" }}", file.display());
    let welcome = steps(&[say("235 2.7.0 Accepted\r\n"), Step::Line, say("221 bye\r\n")]);
    let fake = Fake::of(vec![welcome.clone(), welcome]);
    let text = format!(
        "[stream.s]\n[provider.p.smtp]\nfrom = \"{FROM}\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nusername = \"u@example.com\"\n{keys}\n[inbox.i.imap]\naddress = \"i@example.org\"\nhost = \"h.example\"\nusername = \"u\"\npassword = {{ env = \"PATH\" }}\n",
        fake.port()
    );
    std::fs::write(&file, "ya29.one\n").unwrap();
    let checked = config::parse(&text, "w").unwrap();
    let secrets = checked.secrets().unwrap();
    let submitter = Submitter::new(&checked.settings.providers["p"], &|at| secrets.get(at).cloned()).unwrap();
    assert_eq!(submitter.log_in(AT).await.outcome, Outcome::Accepted);
    std::fs::write(&file, "ya29.two\n").unwrap();
    assert_eq!(submitter.log_in(AT).await.outcome, Outcome::Accepted);
    let heard = fake.heard().await;
    assert!(heard[0].contains(&proof("ya29.one")) && heard[1].contains(&proof("ya29.two")), "{heard:?}");
}

#[tokio::test]
async fn a_refusal_comes_with_its_challenge_and_the_token_is_got_anew() {
    let token = |text: &str| Told::new(200, json!({ "access_token": text, "expires_in": 3600 }).to_string());
    let desk = Desk::new([token("ya29.old"), token("ya29.new")]).await;
    let why = BASE64.encode(br#"{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}"#);
    let refusal = steps(&[
        say(&format!("334 {why}\r\n")),
        Step::Line,
        say("535-5.7.8 Username and Password not accepted.\r\n535 5.7.8 BadCredentials gsmtp\r\n"),
        Step::Line,
        say("221 bye\r\n"),
    ]);
    let welcome = steps(&[say("235 2.7.0 Accepted\r\n"), Step::Line, say("221 bye\r\n")]);
    let fake = Fake::of(vec![refusal, welcome]);
    let keys =
        format!("refresh_token = {{ env = \"REFRESH\" }}\nclient_id = \"client\"\ntoken_url = \"http://127.0.0.1:{}/token\"", desk.port);
    let submitter = user(fake.port(), &keys);
    let answer = submitter.log_in(AT).await;
    refused(&answer, Class::Auth, "\"status\":\"401\"");
    assert!(answer.reply.as_ref().unwrap().contains("not accepted"));
    assert!(!format!("{answer:?}{submitter:?}").contains("ya29."), "{answer:?}");
    assert_eq!(submitter.log_in(AT).await.outcome, Outcome::Accepted);
    let heard = fake.heard().await;
    assert!(heard[0].contains(&format!("{}\r\n", proof("ya29.old"))) && heard[1].contains(&proof("ya29.new")), "{heard:?}");
    let forms: Vec<_> = desk.asked(|asked| asked.is_post("/token")).iter().map(Asked::form).collect();
    assert!(forms.iter().all(|form| !form.contains_key("client_secret") && form["refresh_token"] == secret_of("REFRESH")));
}

#[tokio::test]
async fn without_a_token_or_an_offer_there_is_no_log_in() {
    let desk = Desk::new([Told::new(400, r#"{"error":"invalid_grant"}"#)]).await;
    let keys =
        format!("refresh_token = {{ env = \"REFRESH\" }}\nclient_id = \"client\"\ntoken_url = \"http://127.0.0.1:{}/token\"", desk.port);
    let fake = Fake::new(hello());
    refused(&user(fake.port(), &keys).log_in(AT).await, Class::Auth, "invalid_grant");
    let fake =
        Fake::new(vec![say("220 fake ESMTP\r\n"), Step::Line, say("250-fake\r\n250 AUTH PLAIN\r\n"), Step::Line, say("221 bye\r\n")]);
    let answer = user(fake.port(), "access_token = { env = \"KEY\" }").log_in(AT).await;
    refused(&answer, Class::Auth, "does not offer AUTH XOAUTH2");
}
