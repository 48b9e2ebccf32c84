//! MailerSend.

use super::*;

fn strict(asked: &Asked) {
    asked.is_post("/v1/email");
    asked.is_bearer(&secret_of("KEY"));
    let (body, mail) = (asked.json(), mail());
    assert_eq!((&body["from"], &body["to"]), (&json!({ "email": FROM, "name": NAME }), &json!([{ "email": mail.to }])));
    assert_eq!((&body["subject"], body["tags"].as_array().unwrap().len()), (&json!(mail.subject), 1));
    assert_eq!((&body["settings"]["track_opens"], &body["settings"]["track_clicks"]), (&json!(false), &json!(false)));
    if body.get("template_id").is_some() {
        assert!(body.get("text").is_none() && body.get("html").is_none());
        assert_eq!(
            (&body["template_id"], &body["personalization"]),
            (&json!("TEMPLATE"), &json!([{ "email": mail.to, "data": filled() }]))
        );
    } else {
        assert_eq!((&body["text"], &body["html"]), (&json!(mail.text), &json!(mail.html)));
    }
}

fn taken() -> Told {
    Told { status: 202, headers: vec![("x-message-id", "5e42957d51f1d94a1070a733".to_owned())], body: String::new() }
}

#[tokio::test]
async fn a_canary_is_sent_as_documented() {
    for more in ["", TEMPLATE] {
        let (answer, asked) = sent("mailersend", more, taken(), strict).await;
        assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some("5e42957d51f1d94a1070a733")));
        assert!(asked.json().get("headers").is_none(), "only the higher plans allow headers");
    }
    let (_, asked) = sent("mailersend", "headers = true", taken(), strict).await;
    assert_eq!(asked.json()["headers"], header_list("name", "value"));
}

#[tokio::test]
async fn every_documented_answer_has_its_class() {
    let message = |text: &str| json!({ "message": text, "errors": { "from.email": [text] } });
    let warned = |kind: &str| {
        let recipients = json!([{ "email": "x", "name": "", "reasons": ["hard_bounced"] }]);
        json!({ "message": "There are some warnings for your request.", "warnings": [{ "type": kind, "recipients": recipients }] })
            .to_string()
    };
    let paused = taken().with("x-send-paused", "true");
    means(
        "mailersend",
        vec![
            (Told::new(202, warned("ALL_SUPPRESSED")), Outcome::Refused(Class::Suppressed)),
            (Told::new(202, warned("SOME_SUPPRESSED")).with("x-message-id", "abc"), Outcome::Refused(Class::Suppressed)),
            (paused, Outcome::Refused(Class::Suspended)),
            (Told::new(202, ""), Outcome::Unknown),
            no(401, json!({ "message": "Unauthenticated." }), Class::Auth),
            no(403, message("This action is unauthorized. #MS40301"), Class::Auth),
            no(403, message("API access is switched off. #MS40302"), Class::Suspended),
            no(403, message("Sending is not possible. #MS40303"), Class::Suspended),
            no(403, message("Your account has been suspended. #MS40304"), Class::Suspended),
            no(403, message("The IP is not allow-listed. #MS40305"), Class::Auth),
            no(422, message("The from.email domain must be verified in your account to send emails. #MS42207"), Class::Sender),
            no(422, message("You have reached your email sending limit. #MS42204"), Class::Quota),
            no(422, message("You have reached the monthly email quota. #MS42222"), Class::Quota),
            no(422, message("Trial accounts can only send emails to the administrator's email. #MS42225"), Class::Quota),
            no(422, message("The given data was invalid."), Class::Permanent),
            no(422, message("The to.0.email must be a valid email address."), Class::Recipient),
            no(429, message("Too Many Attempts. #MS42903"), Class::Rate),
            no(429, message("The daily API quota is used up. #MS42901"), Class::Quota),
            no(421, json!({ "message": "The service is under maintenance" }), Class::Transient),
            no(408, json!({ "message": "" }), Class::Transient),
            no(500, json!({ "message": "Server Error" }), Class::Transient),
        ],
    )
    .await;
}
