//! Mailchimp Transactional (Mandrill).

use super::*;

fn strict(asked: &Asked) {
    let (body, mail) = (asked.json(), mail());
    let template = body.get("template_name").is_some();
    // A bare host gets the path that the API has had from the start.
    asked.is_post(if template { "/api/1.0/messages/send-template" } else { "/api/1.0/messages/send" });
    assert!(!asked.has("authorization"));
    assert_eq!((&body["key"], &body["async"]), (&json!(secret_of("KEY")), &json!(false)));
    let message = &body["message"];
    assert_eq!((&message["from_email"], &message["from_name"]), (&json!(FROM), &json!(NAME)));
    assert_eq!((&message["to"], &message["subject"]), (&json!([{ "email": mail.to, "type": "to" }]), &json!(mail.subject)));
    assert_eq!((&message["track_opens"], &message["track_clicks"]), (&json!(false), &json!(false)));
    assert_eq!(message["headers"], headers());
    assert_eq!(message["metadata"], json!({ "canary": CANARY, "token": mail.token }));
    assert!(message.get("subaccount").is_none());
    if template {
        assert_eq!((&body["template_name"], &body["template_content"]), (&json!("TEMPLATE"), &json!([])));
        let given: serde_json::Map<_, _> = message["global_merge_vars"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair["name"].as_str().unwrap().to_owned(), pair["content"].clone()))
            .collect();
        assert_eq!(Value::Object(given), filled());
    } else {
        assert_eq!((&message["text"], &message["html"]), (&json!(mail.text), &json!(mail.html)));
    }
}

#[tokio::test]
async fn a_canary_is_sent_as_documented() {
    for more in ["", TEMPLATE] {
        let body = r#"[{"email":"x","status":"queued","_id":"0a1b2c3d4e5f","reject_reason":null,"queued_reason":null}]"#;
        let (answer, _) = sent("mandrill", more, Told::new(200, body), strict).await;
        assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some("0a1b2c3d4e5f")));
    }
}
