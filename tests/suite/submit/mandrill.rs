//! The Mandrill API, played by servers that answer well, badly, late or never.

use super::fake::{Fake, Step, say};
use super::*;

fn response(status: &str, body: &str) -> Step {
    say(&format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))
}

async fn against(steps: Vec<Step>) -> (Answer, String) {
    let fake = Fake::new(steps);
    let answer = submit(&mandrill(fake.port()).within(SHORT)).await;
    (answer, fake.heard().await.remove(0))
}

#[tokio::test]
async fn a_canary_is_sent_as_the_api_wants_it() {
    let sent = r#"[{"email":"x","status":"sent","_id":"0a1b2c3d4e5f","reject_reason":null,"queued_reason":null}]"#;
    let (answer, heard) = against(vec![Step::Request, response("200 OK", sent)]).await;
    assert_eq!(answer.outcome, Outcome::Accepted);
    assert_eq!(answer.message_id.as_deref(), Some("0a1b2c3d4e5f"));
    assert_eq!(answer.reply.as_deref(), Some(format!("HTTP 200\n{sent}").as_str()));
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/1.0/messages/send HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(concat!("user-agent: mailcanary/", env!("CARGO_PKG_VERSION"))), "{head}");
    assert!(!head.contains(PASSWORD));
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let mail = mail();
    assert_eq!(body["key"], PASSWORD);
    assert_eq!(body["async"], false);
    let message = &body["message"];
    assert_eq!(message["from_email"], "no-reply@example.com");
    assert_eq!(message["from_name"], "Exämple, Inc.");
    assert_eq!(message["to"], serde_json::json!([{ "email": mail.to, "type": "to" }]));
    assert_eq!((&message["subject"], &message["text"], &message["html"]), (&mail.subject.into(), &mail.text.into(), &mail.html.into()));
    assert!(message["headers"]["X-Mailcanary"].as_str().unwrap().starts_with("mc-"));
    assert_eq!((&message["track_opens"], &message["track_clicks"]), (&false.into(), &false.into()));
    assert_eq!(message["subaccount"], "sub");
    assert!(message["tags"].is_array());
}

#[tokio::test]
async fn a_suspended_account_is_seen_behind_its_200() {
    let queued = r#"[{"email":"x","status":"queued","_id":"0a1b","reject_reason":null,"queued_reason":"account-suspended"}]"#;
    let (answer, _) = against(vec![Step::Request, response("200 OK", queued)]).await;
    assert_eq!(answer.outcome, Outcome::Refused(Class::Suspended));
    assert!(answer.reply.unwrap().contains("account-suspended"));
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_not_repeated_in_the_evidence() {
    let body = format!(r#"{{"status":"error","code":-1,"name":"Invalid_Key","message":"Invalid API key {PASSWORD}"}}"#);
    for status in ["401 Unauthorized", "500 Internal Server Error"] {
        let (answer, _) = against(vec![Step::Request, response(status, &body)]).await;
        refused(&answer, Class::Auth, "Invalid API key ***");
    }
    let printed = format!("{:?}", mandrill(1));
    assert!(printed.contains("***") && !printed.contains(PASSWORD), "{printed}");
}

#[tokio::test]
async fn throttling_comes_without_json() {
    for (status, body) in [("403 Forbidden", "<html>Forbidden</html>"), ("403 Forbidden", ""), ("429 Too Many Requests", "slow down")] {
        let (answer, _) = against(vec![Step::Request, response(status, body)]).await;
        refused(&answer, Class::Rate, status.split_once(' ').unwrap().0);
    }
}

#[tokio::test]
async fn whatever_is_no_answer_after_the_request_is_an_unknown_fate() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
    let ends = [
        vec![Step::Stall],
        vec![],
        vec![Step::Reset],
        vec![say("220 smtp.example ESMTP\r\n")],
        vec![say(head), Step::Stall],
        vec![say(head), say(r#"[{"email":"x","status":"se"#)],
        vec![response("200 OK", "<html>Maintenance</html>")],
        vec![response("200 OK", "")],
        vec![say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")],
        vec![response("502 Bad Gateway", "<html>")],
    ];
    for end in ends {
        let mut steps = vec![Step::Request];
        steps.extend(end.clone());
        let (answer, heard) = against(steps).await;
        assert_eq!(answer.outcome, Outcome::Unknown, "{end:?} {answer:?}");
        assert_eq!(heard.matches("POST ").count(), 1, "{end:?}");
    }
}

#[tokio::test]
async fn ten_mebibytes_are_not_read() {
    let head = say("HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n");
    let (answer, _) = against(vec![Step::Request, head, Step::Repeat("[ ", 10 << 20)]).await;
    assert_eq!(answer.outcome, Outcome::Unknown);
    assert_eq!(answer.reply.unwrap().len(), 4096);
}

#[tokio::test]
async fn without_a_connection_nothing_went_out() {
    let port = crate::support::free_port::free_port();
    let answer = submit(&mandrill(port)).await;
    refused(&answer, Class::Network, "connection refused");
    let fake = Fake::new(vec![say("220 no TLS here\r\n"), Step::Stall]);
    let base_url = format!("https://localhost:{}", fake.port());
    let settings =
        MandrillSettings { api_key: secret_ref(), base_url, subaccount: None, webhook_secret: None, templates: Templates::default() };
    let answer = submit(&submitter(ProviderKind::Mandrill(settings), Wire::default())).await;
    refused(&answer, Class::Tls, "does not speak TLS");
}

#[tokio::test]
async fn a_log_in_pings() {
    let fake = Fake::new(vec![Step::Request, response("200 OK", r#"{"PING":"PONG!"}"#)]);
    let answer = mandrill(fake.port()).log_in(AT).await;
    assert_eq!((answer.outcome, answer.reply.as_deref()), (Outcome::Accepted, Some("HTTP 200\n{\"PING\":\"PONG!\"}")));
    assert!(fake.heard().await[0].starts_with("POST /api/1.0/users/ping2 "));
    let error = r#"{"status":"error","code":-1,"name":"Invalid_Key","message":"Invalid API key"}"#;
    let fake = Fake::new(vec![Step::Request, response("500 Internal Server Error", error)]);
    let answer = mandrill(fake.port()).log_in(AT).await;
    refused(&answer, Class::Auth, "Invalid API key");
}
