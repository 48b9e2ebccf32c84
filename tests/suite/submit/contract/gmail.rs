//! The Gmail API, and the OAuth 2 tokens that it takes.

use data_encoding::BASE64URL;
use mail_parser::MessageParser;

use super::*;

fn strict(asked: &Asked) {
    asked.is_post("/gmail/v1/users/me/messages/send");
    let body = asked.json();
    has_keys(&body, &["raw"]);
    let raw = BASE64URL.decode(body["raw"].as_str().unwrap().as_bytes()).unwrap();
    let (message, mail) = (MessageParser::default().parse(&raw).unwrap(), mail());
    let from = message.from().unwrap().first().unwrap();
    assert_eq!((from.address(), from.name()), (Some(FROM), Some(NAME)));
    assert_eq!(message.to().unwrap().first().unwrap().address(), Some(mail.to.as_str()));
    assert_eq!(message.subject(), Some(mail.subject.as_str()));
    assert_eq!(message.header("X-Mailcanary").and_then(|value| value.as_text()), Some(mail.token.as_str()));
    assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n").trim(), mail.text.trim());
}

/// A provider whose tokens come from the same server.
fn refreshing(port: u16) -> Submitter {
    let keys = format!(
        "refresh_token = {{ env = \"REFRESH\" }}\nclient_id = \"client\"\nclient_secret = {{ env = \"SECRET\" }}\ntoken_url = \"http://127.0.0.1:{port}/token\"\nbase_url = \"http://127.0.0.1:{port}\""
    );
    provider("gmail", &keys)
}

fn token(text: &str, lasts: u32) -> Told {
    Told::new(200, json!({ "access_token": text, "expires_in": lasts, "scope": "x", "token_type": "Bearer" }).to_string())
}

fn taken() -> Told {
    Told::new(200, r#"{"id":"18283b8c1a2b3c4d","threadId":"1","labelIds":["SENT"]}"#)
}

#[tokio::test]
async fn a_canary_is_sent_as_documented() {
    let (answer, asked) = sent("gmail", "", taken(), strict).await;
    asked.is_bearer(&secret_of("KEY"));
    assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some("18283b8c1a2b3c4d")));
}

#[tokio::test]
async fn a_token_is_got_once_and_kept_while_it_is_good() {
    let short = token("ya29.short", 30);
    let desk =
        Desk::new([token("ya29.first", 3600), taken(), taken(), Told::new(401, "{}"), short, taken(), token("ya29.last", 3600), taken()])
            .await;
    let submitter = refreshing(desk.port);
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        let answer = submit(&submitter).await;
        assert!(!format!("{answer:?}{submitter:?}").contains("ya29."), "{answer:?}");
        outcomes.push(answer.outcome);
    }
    assert_eq!(outcomes, [Outcome::Accepted; 4]);
    let shown: Vec<_> =
        desk.asked(|_| ()).iter().map(|a| if a.path == "/token" { "?".to_owned() } else { a.header("authorization") }).collect();
    let [first, short, last] = ["Bearer ya29.first", "Bearer ya29.short", "Bearer ya29.last"].map(str::to_owned);
    // One that is not taken any more is got anew at once; one that lasts no minute is not shown again.
    assert_eq!(shown, ["?".to_owned(), first.clone(), first.clone(), first, "?".to_owned(), short, "?".to_owned(), last]);
    let form = desk.asked(|_| ())[0].form();
    let given: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let expected = [
        ("client_id", "client".to_owned()),
        ("client_secret", secret_of("SECRET")),
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", secret_of("REFRESH")),
    ];
    assert_eq!(given, expected);
}

#[tokio::test]
async fn a_new_token_that_is_not_taken_is_a_refusal() {
    let desk =
        Desk::new([token("ya29.first", 3600), taken(), Told::new(401, "{}"), token("ya29.second", 3600), Told::new(401, "{}")]).await;
    let submitter = refreshing(desk.port);
    assert_eq!(submit(&submitter).await.outcome, Outcome::Accepted);
    refused(&submit(&submitter).await, Class::Auth, "HTTP 401");
    assert_eq!(desk.asked(|_| ()).len(), 5, "nobody asks for ever");
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let cases = [
        (
            Told::new(400, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#),
            Class::Auth,
            "invalid_grant",
        ),
        (Told::new(401, r#"{"error":"invalid_client"}"#), Class::Auth, "invalid_client"),
        (Told::new(503, "<html>").with("content-type", "text/html"), Class::Transient, "HTTP 503"),
        (Told::new(429, "{}"), Class::Rate, "HTTP 429"),
        (Told::new(200, "<html>").with("content-type", "text/html"), Class::Unknown, "HTTP 200"),
        (
            Told::new(400, r#"{"error":"invalid_grant"}"#).with("date", "Mon, 08 Aug 2022 18:30:00 GMT"),
            Class::Auth,
            "clock is 1h ahead of the provider's",
        ),
    ];
    for (told, class, words) in cases {
        let desk = Desk::new([told]).await;
        let answer = submit(&refreshing(desk.port)).await;
        refused(&answer, class, words);
        assert_eq!(desk.asked(|asked| asked.is_post("/token")).len(), 1);
    }
}

#[tokio::test]
async fn every_documented_answer_has_its_class() {
    let error = |code: u16, status: &str, reason: &str, message: &str| json!({ "error": { "code": code, "message": message, "status": status, "errors": [{ "message": message, "domain": "global", "reason": reason }] } });
    means(
        "gmail",
        vec![
            no(401, error(401, "UNAUTHENTICATED", "authError", "Invalid Credentials"), Class::Auth),
            no(403, error(403, "PERMISSION_DENIED", "insufficientPermissions", "Insufficient Permission"), Class::Auth),
            no(403, error(403, "PERMISSION_DENIED", "accessNotConfigured", "Gmail API has not been used in project"), Class::Auth),
            no(403, error(403, "PERMISSION_DENIED", "dailyLimitExceeded", "Daily Limit Exceeded"), Class::Quota),
            no(403, error(403, "PERMISSION_DENIED", "domainPolicy", "The domain administrators have disabled Gmail apps."), Class::Policy),
            no(403, error(403, "RESOURCE_EXHAUSTED", "userRateLimitExceeded", "User Rate Limit Exceeded"), Class::Rate),
            no(
                429,
                error(429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", "User-rate limit exceeded. Retry after 2022-08-08T20:00:00Z"),
                Class::Rate,
            ),
            no(429, error(429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", "User-rate limit exceeded (Daily sending limit)"), Class::Quota),
            no(400, error(400, "FAILED_PRECONDITION", "failedPrecondition", "Mail service not enabled"), Class::Suspended),
            no(400, error(400, "INVALID_ARGUMENT", "invalidArgument", "Invalid To header"), Class::Recipient),
            no(500, error(500, "INTERNAL", "backendError", "Backend Error"), Class::Transient),
        ],
    )
    .await;
}
