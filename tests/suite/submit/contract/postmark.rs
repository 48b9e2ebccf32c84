//! Postmark.

use super::*;

fn strict(asked: &Asked) {
    let body = asked.json();
    let template = body.get("TemplateAlias").is_some();
    asked.is_post(if template { "/email/withTemplate" } else { "/email" });
    assert_eq!(asked.header("x-postmark-server-token"), secret_of("KEY"));
    assert_eq!(asked.header("accept"), "application/json");
    let mail = mail();
    assert_eq!(body["From"], "\"Exämple, \\\"Inc.\\\"\" <no-reply@example.com>");
    assert_eq!((&body["To"], &body["MessageStream"]), (&json!(mail.to), &json!("outbound")));
    assert_eq!((&body["TrackOpens"], &body["TrackLinks"]), (&json!(false), &json!("None")));
    assert_eq!(body["Headers"], header_list("Name", "Value"));
    assert_eq!(body["Metadata"], json!({ "canary": CANARY, "token": mail.token }));
    let usual = ["From", "To", "Headers", "Tag", "Metadata", "MessageStream", "TrackOpens", "TrackLinks"];
    if template {
        has_keys(&body, &[&usual[..], &["TemplateAlias", "TemplateModel"]].concat());
        assert_eq!((&body["TemplateAlias"], &body["TemplateModel"]), (&json!("TEMPLATE"), &filled()));
    } else {
        has_keys(&body, &[&usual[..], &["Subject", "TextBody", "HtmlBody"]].concat());
        assert_eq!((&body["Subject"], &body["TextBody"], &body["HtmlBody"]), (&json!(mail.subject), &json!(mail.text), &json!(mail.html)));
    }
}

fn answer(code: Option<i64>, message: &str) -> Value {
    let mut body = json!({ "To": "x", "SubmittedAt": "2022-08-08T19:30:00Z", "MessageID": "b7bc2f4a-e38e-4336-af7d-e6c392c2f817", "Message": message });
    if let Some(code) = code {
        body["ErrorCode"] = json!(code);
    }
    body
}

#[tokio::test]
async fn a_canary_is_sent_as_documented() {
    for more in ["", TEMPLATE] {
        let (answer, _) = sent("postmark", more, Told::new(200, answer(Some(0), "OK").to_string()), strict).await;
        assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some("b7bc2f4a-e38e-4336-af7d-e6c392c2f817")));
    }
    let number = "templates = { \"*\" = \"1234\" }";
    let (_, asked) = sent("postmark", number, Told::new(200, answer(Some(0), "OK").to_string()), |_| ()).await;
    assert_eq!(asked.json()["TemplateId"], 1234);
}

#[tokio::test]
async fn every_documented_answer_has_its_class() {
    let error = |code: i64, message: &str| json!({ "ErrorCode": code, "Message": message });
    let page = Told::new(403, "<html><title>Forbidden</title></html>").with("content-type", "text/html");
    means(
        "postmark",
        vec![
            (Told::new(200, answer(None, "OK, but delivery may be delayed").to_string()), Outcome::Accepted),
            no(200, answer(Some(0), "Message OK, but will not deliver to these inactive addresses: x@example.com"), Class::Suppressed),
            no(200, error(406, "You tried to send to recipient(s) that have been marked as inactive."), Class::Suppressed),
            no(200, error(405, "You ran out of credits."), Class::Quota),
            no(200, answer(Some(0), "Test job accepted"), Class::Auth),
            no(422, error(99998, "Your message has been placed on hold"), Class::Suspended),
            (Told::new(200, "{}"), Outcome::Unknown),
            no(401, error(10, "Request does not contain a valid Server token."), Class::Auth),
            no(422, error(10, "Bad or missing server API token."), Class::Auth),
            no(422, error(100, "Maintenance"), Class::Transient),
            no(422, error(300, "Invalid 'From' address: 'x'."), Class::Sender),
            no(422, error(300, "Error parsing 'To': Illegal email address 'x'."), Class::Recipient),
            no(422, error(300, "Zero recipients specified"), Class::Permanent),
            no(422, error(400, "The 'From' address you supplied is not a Sender Signature on your account."), Class::Sender),
            no(422, error(401, "The 'From' address you supplied is not confirmed."), Class::Sender),
            no(422, error(405, "Not allowed to send: you ran out of credits."), Class::Quota),
            no(422, error(406, "You tried to send to recipient(s) that have been marked as inactive."), Class::Suppressed),
            no(422, error(411, "Forbidden attachment type"), Class::Permanent),
            no(
                422,
                error(
                    412,
                    "While your account is pending approval, all recipient addresses must share the same domain as the 'From' address.",
                ),
                Class::Suspended,
            ),
            no(422, error(413, "You're not allowed to send email at this time."), Class::Suspended),
            no(429, error(429, "Rate limit exceeded"), Class::Rate),
            no(422, error(1101, "The Template's 'Alias' is not valid."), Class::Permanent),
            no(422, error(99999, "Your account has been suspended"), Class::Suspended),
            no(500, error(500, "Internal Server Error"), Class::Transient),
            (page, Outcome::Refused(Class::Policy)),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_server_that_really_sends_nothing_is_named() {
    let server = |kind: &str| Told::new(200, json!({ "ID": 1, "Name": "x", "DeliveryType": kind }).to_string());
    let desk = Desk::new([server("Live"), server("Sandbox")]).await;
    let submitter = at("postmark", desk.port, "");
    assert_eq!(submitter.log_in(AT).await.outcome, Outcome::Accepted);
    let answer = submitter.log_in(AT).await;
    refused(&answer, Class::Auth, "nothing is really sent");
    let (answer, _) = sent("postmark", "", Told::new(200, self::answer(Some(0), "Test job accepted").to_string()), strict).await;
    assert!(answer.hint.unwrap().contains("configure the key of a live account"));
}
