//! SparkPost.

use super::*;

fn strict(asked: &Asked) {
    asked.is_post("/api/v1/transmissions");
    assert_eq!(asked.header("authorization"), secret_of("KEY"));
    let (body, mail) = (asked.json(), mail());
    assert_eq!(body["recipients"], json!([{ "address": { "email": mail.to } }]));
    assert_eq!(body["options"], json!({ "transactional": true, "open_tracking": false, "click_tracking": false }));
    assert_eq!(body["metadata"], json!({ "canary": CANARY, "token": mail.token }));
    if body.get("substitution_data").is_some() {
        assert_eq!((&body["content"], &body["substitution_data"]), (&json!({ "template_id": "TEMPLATE" }), &filled()));
    } else {
        let from = json!({ "email": FROM, "name": NAME });
        let content = json!({ "from": from, "subject": mail.subject, "text": mail.text, "html": mail.html, "headers": headers() });
        assert_eq!(body["content"], content);
    }
}

fn counts(accepted: u32, rejected: u32) -> Value {
    json!({ "results": { "id": "11668787484950529", "total_accepted_recipients": accepted, "total_rejected_recipients": rejected } })
}

#[tokio::test]
async fn a_canary_is_sent_as_documented() {
    for more in ["", TEMPLATE] {
        let (answer, _) = sent("sparkpost", more, Told::new(200, counts(1, 0).to_string()), strict).await;
        assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some("11668787484950529")));
    }
}

#[tokio::test]
async fn every_documented_answer_has_its_class() {
    let error = |code: &str, message: &str, description: &str| json!({ "errors": [{ "message": message, "description": description, "code": code }] });
    means(
        "sparkpost",
        vec![
            no(200, counts(0, 1), Class::Recipient),
            no(200, counts(0, 0), Class::Recipient),
            (Told::new(200, "{}"), Outcome::Unknown),
            no(400, error("7001", "Unconfigured or unverified sending domain.", "Unverified"), Class::Sender),
            no(400, error("1234", "Unconfigured Sending Domain", "example.com"), Class::Sender),
            no(401, json!({ "errors": [{ "message": "Unauthorized." }] }), Class::Auth),
            no(403, json!({ "errors": [{ "message": "Forbidden." }] }), Class::Auth),
            no(403, json!({ "errors": [{ "message": "Account suspended" }] }), Class::Suspended),
            no(420, error("2101", "Exceed Sending Limit (hourly)", ""), Class::Quota),
            no(420, error("2102", "Exceed Sending Limit (daily)", ""), Class::Quota),
            no(422, error("1300", "required field is missing", "content"), Class::Permanent),
            no(429, json!({ "errors": [{ "message": "Too many requests" }] }), Class::Rate),
            no(500, json!({ "errors": [{ "message": "Internal server error" }] }), Class::Transient),
            no(503, json!({ "errors": [{ "message": "Service unavailable" }] }), Class::Transient),
        ],
    )
    .await;
}
