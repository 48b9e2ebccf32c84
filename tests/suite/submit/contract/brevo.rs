//! Brevo.

use super::*;

fn strict(asked: &Asked) {
    asked.is_post("/v3/smtp/email");
    assert_eq!(asked.header("api-key"), secret_of("KEY"));
    let (body, mail) = (asked.json(), mail());
    assert_eq!((&body["sender"], &body["to"]), (&json!({ "email": FROM, "name": NAME }), &json!([{ "email": mail.to }])));
    let mut own = body["headers"].clone();
    let own = own.as_object_mut().unwrap();
    let key = own.remove("idempotencyKey").unwrap();
    assert_eq!(key.as_str().unwrap().len(), 36);
    assert_eq!(own.remove("X-Mailin-custom").unwrap(), mail.token);
    assert_eq!(Value::Object(own.clone()), headers());
    assert!(own.values().all(|value| value.as_str().unwrap().is_ascii()));
    if body.get("templateId").is_some() {
        has_keys(&body, &["sender", "to", "subject", "templateId", "params", "headers", "tags"]);
        assert_eq!((&body["templateId"], &body["params"]["token"]), (&json!(7), &json!(mail.token)));
    } else {
        has_keys(&body, &["sender", "to", "subject", "textContent", "htmlContent", "headers", "tags"]);
        let parts = (&body["subject"], &body["textContent"], &body["htmlContent"]);
        assert_eq!(parts, (&json!(mail.subject), &json!(mail.text), &json!(mail.html)));
    }
}

#[tokio::test]
async fn a_canary_is_sent_as_documented() {
    for (status, more) in [(201, ""), (202, "templates = { \"*\" = \"7\" }")] {
        let told = Told::new(status, r#"{"messageId":"<201798300811.5787683@smtp-relay.mailin.fr>"}"#);
        let (answer, _) = sent("brevo", more, told, strict).await;
        assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some("201798300811.5787683@smtp-relay.mailin.fr")));
    }
}

#[tokio::test]
async fn every_documented_answer_has_its_class() {
    let error = |code: &str, message: &str| json!({ "code": code, "message": message });
    means(
        "brevo",
        vec![
            no(400, error("invalid_parameter", "sender is invalid"), Class::Sender),
            no(400, error("invalid_parameter", "email is not valid in to"), Class::Recipient),
            no(400, error("missing_parameter", "Either of htmlContent or templateId is required"), Class::Permanent),
            no(400, error("out_of_range", "x"), Class::Permanent),
            no(404, error("document_not_found", "Template ID does not exist"), Class::Permanent),
            no(402, error("not_enough_credits", "You do not have enough credits to send this campaign"), Class::Quota),
            no(403, error("not_enough_credits", ""), Class::Quota),
            no(403, error("permission_denied", "Unable to send email. Your SMTP account is not yet activated."), Class::Suspended),
            no(403, error("permission_denied", "Permission denied"), Class::Auth),
            no(401, error("unauthorized", "Key not found"), Class::Auth),
            no(401, error("unauthorized", "We have detected you are using an unrecognised IP address 192.0.2.1."), Class::Auth),
            no(403, error("account_under_validation", "Your account is under validation"), Class::Suspended),
            no(405, error("method_not_allowed", ""), Class::Permanent),
            no(406, error("not_acceptable", "Sending is blocked for your account"), Class::Suspended),
            no(429, error("too_many_requests", "x"), Class::Rate),
            no(500, json!({}), Class::Transient),
            (Told::new(201, "{}"), Outcome::Unknown),
        ],
    )
    .await;
}
