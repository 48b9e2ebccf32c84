//! Mailjet.

use super::*;

fn strict(asked: &Asked) {
    asked.is_post("/v3.1/send");
    asked.is_basic("public", &secret_of("KEY"));
    let (body, mail) = (asked.json(), mail());
    has_keys(&body, &["Messages", "SandboxMode"]);
    assert_eq!((&body["SandboxMode"], body["Messages"].as_array().unwrap().len()), (&json!(false), 1));
    let message = &body["Messages"][0];
    assert_eq!(message["From"], json!({ "Email": FROM, "Name": NAME }));
    assert_eq!((&message["To"], &message["Subject"]), (&json!([{ "Email": mail.to }]), &json!(mail.subject)));
    assert_eq!((&message["TrackOpens"], &message["TrackClicks"]), (&json!("disabled"), &json!("disabled")));
    assert_eq!((&message["CustomID"], &message["EventPayload"]), (&json!(mail.token), &json!(mail.token)));
    assert_eq!(message["Headers"], headers());
    for forbidden in ["From", "Sender", "Subject", "To", "Message-Id", "Date", "X-Mailer", "User-Agent", "List-Id"] {
        assert!(!message["Headers"].as_object().unwrap().keys().any(|name| name.eq_ignore_ascii_case(forbidden)));
    }
    if message.get("TemplateID").is_some() {
        assert!(message.get("TextPart").is_none() && message.get("HTMLPart").is_none());
        assert_eq!((&message["TemplateID"], &message["TemplateLanguage"]), (&json!(7), &json!(true)));
        assert_eq!(message["Variables"]["token"], mail.token);
    } else {
        assert_eq!((&message["TextPart"], &message["HTMLPart"]), (&json!(mail.text), &json!(mail.html)));
    }
}

#[tokio::test]
async fn a_canary_is_sent_as_documented() {
    for more in ["", "templates = { password-reset = \"7\" }"] {
        let body = r#"{"Messages":[{"Status":"success","CustomID":"c","To":[{"Email":"x","MessageUUID":"1ab2","MessageID":9223372036854775807,"MessageHref":"https://api.mailjet.com/v3/message/1"}]}]}"#;
        let (answer, _) = sent("mailjet", more, Told::new(200, body), strict).await;
        assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some("9223372036854775807")));
    }
}

#[tokio::test]
async fn every_documented_answer_has_its_class() {
    let error = |status: u16, code: &str, message: &str| json!({ "ErrorIdentifier": "06df1144", "ErrorCode": code, "StatusCode": status, "ErrorMessage": message });
    let each = |code: &str, message: &str| json!({ "Messages": [{ "Status": "error", "Errors": [{ "ErrorCode": code, "StatusCode": 400, "ErrorMessage": message }] }] });
    let page = Told::new(429, "<html><h1>Rate limit exceeded</h1></html>").with("content-type", "text/html");
    means(
        "mailjet",
        vec![
            no(401, error(401, "mj-0001", "API key is suspended"), Class::Suspended),
            no(401, error(401, "mj-0015", "API key authentication/authorization failure."), Class::Auth),
            no(400, error(400, "mj-0004", "Type mismatch"), Class::Permanent),
            no(403, each("send-0007", "The sender is not authorized"), Class::Sender),
            no(403, each("send-0008", "\"a@b\" is not an authorized sender email address for your account."), Class::Sender),
            no(400, each("send-0011", "Header cannot be customized"), Class::Permanent),
            no(200, each("mj-0013", "\"x\" is an invalid email address."), Class::Permanent),
            no(200, json!({ "Messages": [{ "Status": "error", "Errors": [{ "ErrorCode": "mj-0013", "StatusCode": 400, "ErrorMessage": "\"x\" is an invalid email address.", "ErrorRelatedTo": ["To[0].Email"] }] }] }), Class::Recipient),
            no(403, each("send-0099", "The account's allowance"), Class::Quota),
            no(200, json!({ "Messages": [{ "Status": "error" }] }), Class::Permanent),
            (page, Outcome::Refused(Class::Rate)),
            no(500, error(500, "mj-0099", "Internal error"), Class::Transient),
            (Told::new(200, r#"{"Messages":[]}"#), Outcome::Unknown),
        ],
    )
    .await;
}
