//! SendGrid.

use super::*;

fn strict(asked: &Asked) {
    asked.is_post("/v3/mail/send");
    asked.is_bearer(&secret_of("KEY"));
    let (body, mail) = (asked.json(), mail());
    assert_eq!(body["from"], json!({ "email": FROM, "name": NAME }));
    let one = &body["personalizations"][0];
    assert_eq!((body["personalizations"].as_array().unwrap().len(), &one["to"]), (1, &json!([{ "email": mail.to }])));
    assert_eq!(body["headers"], headers());
    assert_eq!(body["custom_args"], json!({ "canary": CANARY, "token": mail.token }));
    let tracking = &body["tracking_settings"];
    for kind in ["click_tracking", "open_tracking", "subscription_tracking"] {
        assert_eq!(tracking[kind]["enable"], false, "{kind}");
    }
    assert!(body.get("mail_settings").is_none(), "nothing is validated only");
    if body.get("template_id").is_some() {
        assert!(body.get("content").is_none());
        assert_eq!((&body["template_id"], &one["dynamic_template_data"]), (&json!("TEMPLATE"), &filled()));
    } else {
        has_keys(&body, &["personalizations", "from", "subject", "content", "headers", "categories", "custom_args", "tracking_settings"]);
        let content = json!([{ "type": "text/plain", "value": mail.text }, { "type": "text/html", "value": mail.html }]);
        assert_eq!((&body["subject"], &body["content"]), (&json!(mail.subject), &content));
    }
}

#[tokio::test]
async fn a_canary_is_sent_as_documented() {
    for more in ["", TEMPLATE] {
        let told = Told { status: 202, headers: vec![("x-message-id", "14c5d75ce93.dfd.64b469".to_owned())], body: String::new() };
        let (answer, _) = sent("sendgrid", more, told, strict).await;
        assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some("14c5d75ce93.dfd.64b469")));
    }
}

#[tokio::test]
async fn every_documented_answer_has_its_class() {
    let error = |message: &str, field: Option<&str>| json!({ "errors": [{ "message": message, "field": field, "help": null }] });
    let mismatch = "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the Sender Identity requirements";
    means(
        "sendgrid",
        vec![
            (Told::new(202, ""), Outcome::Accepted),
            (Told::new(202, "<html>").with("content-type", "text/html"), Outcome::Unknown),
            // Valid, and not queued: the sandbox mode.
            (Told::new(200, ""), Outcome::Refused(Class::Auth)),
            no(200, error("Something that nobody knows", None), Class::Permanent),
            no(202, error("The from address does not match a verified Sender Identity", Some("from")), Class::Sender),
            (
                Told::new(202, error("Something that nobody knows", None).to_string()).with("x-message-id", "14c5d75ce93"),
                Outcome::Refused(Class::Permanent),
            ),
            no(403, error("We have detected abnormal activity on your account", None), Class::Suspended),
            no(403, error("We were unable to process your last payment", None), Class::Quota),
            no(403, json!({}), Class::Permanent),
            no(401, error("The provided authorization grant is invalid, expired, or revoked", None), Class::Auth),
            no(401, error("Maximum credits exceeded", None), Class::Quota),
            no(401, error("You are not authorized to access SendGrid, please contact Support.", None), Class::Suspended),
            no(403, error(mismatch, Some("from")), Class::Sender),
            no(403, error("access forbidden", None), Class::Auth),
            no(403, error("Your account is under review", None), Class::Suspended),
            no(
                400,
                error("The subject is required. You can get around this requirement if you use a template.", Some("subject")),
                Class::Permanent,
            ),
            no(400, error("Does not contain a valid address.", Some("personalizations.0.to.0.email")), Class::Recipient),
            no(406, error("", None), Class::Permanent),
            no(413, error("The JSON payload you have included in your request is too large.", None), Class::Permanent),
            no(429, error("too many requests", None), Class::Rate),
            no(500, error("An error occurred on a SendGrid server.", None), Class::Transient),
            no(503, error("The SendGrid v3 Web API is not available.", None), Class::Transient),
        ],
    )
    .await;
}
