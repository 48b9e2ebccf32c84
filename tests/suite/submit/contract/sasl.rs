//! XOAUTH2 against a real Postfix whose log-ins a real Dovecot checks, over STARTTLS with a private authority.

use super::*;
use crate::support::postfix::Postfix;
use crate::support::tokens::{Tokens, USER, token};

/// Both servers, and the authority that signed the certificate.
fn servers() -> (Authority, Tokens, Postfix) {
    let (authority, tokens) = (Authority::new(), Tokens::start());
    let postfix = tokens.ask(Postfix::builder().certificate(&authority.issue(&["localhost"]))).start();
    (authority, tokens, postfix)
}

/// Who gets access tokens at `desk` and sends through `postfix`.
fn sender(authority: &Authority, postfix: &Postfix, desk: &Desk) -> Submitter {
    provider(
        "smtp",
        &format!(
            "host = \"localhost\"\nfamily = \"ipv4\"\nport = {}\nca_file = \"{}\"\nusername = \"{USER}\"\n\
             refresh_token = {{ env = \"REFRESH\" }}\nclient_id = \"client\"\ntoken_url = \"http://127.0.0.1:{}/token\"",
            postfix.port(),
            authority.file().display(),
            desk.port
        ),
    )
}

/// The answer of the token endpoint: `token`, said to last so many seconds.
fn granted(token: &str, lasts: u32) -> Told {
    Told::new(200, json!({ "access_token": token, "token_type": "Bearer", "expires_in": lasts }).to_string())
}

fn keeps_secrets(answer: &Answer, token: &str) {
    let printed = format!("{answer:?}");
    assert!(!printed.contains(token) && !printed.contains(&secret_of("REFRESH")), "{printed}");
}

#[tokio::test]
async fn a_good_token_sends_mail_until_a_minute_before_its_end() {
    let (authority, _tokens, postfix) = servers();
    let (first, second) = (token(3600, 1), token(3600, 2));
    // The first is said to last two seconds more than the minute in which tokens are not used any more.
    let desk = Desk::new([granted(&first, 62), granted(&second, 3600)]).await;
    let sender = sender(&authority, &postfix, &desk);
    for _ in 0..2 {
        let answer = submit(&sender).await;
        assert_eq!(answer.outcome, Outcome::Accepted, "{answer:?}");
        keeps_secrets(&answer, &first);
    }
    assert_eq!(desk.asked(|asked| asked.is_post("/token")).len(), 1, "it is kept while it is good");
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    while desk.asked(|_| ()).len() < 2 {
        assert!(tokio::time::Instant::now() < end, "no new token is asked for");
        assert_eq!(sender.log_in(AT).await.outcome, Outcome::Accepted);
    }
    let answer = submit(&sender).await;
    assert_eq!(answer.outcome, Outcome::Accepted, "{answer:?}");
    let mails = postfix.wait_for_mails(3);
    assert!(mails.iter().all(|mail| mail.contains("ESMTPSA") || mail.contains("X-Mailcanary: ")), "{mails:?}");
    assert!(postfix.log().contains(&format!("sasl_method=XOAUTH2, sasl_username={USER}")), "{}", postfix.log());
}

#[tokio::test]
async fn an_expired_token_is_refused_in_the_servers_words() {
    let (authority, tokens, postfix) = servers();
    let old = token(-60, 1);
    let desk = Desk::new([granted(&old, 3600), granted(&token(3600, 2), 3600)]).await;
    let sender = sender(&authority, &postfix, &desk);
    let answer = submit(&sender).await;
    // The challenge has to be answered: otherwise there is no reply at all.
    refused(&answer, Class::Auth, "535 5.7.8");
    refused(&answer, Class::Auth, "{\"status\":\"401\",\"schemes\":\"bearer\",\"scope\":\"mail\"}");
    assert!(answer.hint.as_ref().is_some_and(|hint| hint.contains("the account that `username` names")), "{answer:?}");
    keeps_secrets(&answer, &old);
    assert!(tokens.log().contains("Token has expired"), "{}", tokens.log());
    assert_eq!(submit(&sender).await.outcome, Outcome::Accepted, "the next canary has a new token");
    assert_eq!(postfix.wait_for_mails(1).len(), 1);
}

#[tokio::test]
async fn a_kept_token_that_is_not_taken_any_more_is_got_anew_at_once() {
    let (authority, tokens, postfix) = servers();
    // It ends long before it is said to, as one does that was revoked.
    let desk = Desk::new([granted(&token(2, 1), 3600), granted(&token(3600, 2), 3600), granted(&token(3600, 3), 3600)]).await;
    let sender = sender(&authority, &postfix, &desk);
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    while desk.asked(|_| ()).len() < 2 {
        assert!(tokio::time::Instant::now() < end, "no new token is asked for");
        let answer = submit(&sender).await;
        assert_eq!(answer.outcome, Outcome::Accepted, "{answer:?}");
    }
    assert!(tokens.log().contains("Token has expired"), "{}", tokens.log());
    assert_eq!(desk.asked(|_| ()).len(), 2);
}
