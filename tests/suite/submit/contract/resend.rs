//! Resend.

use super::*;

fn strict(asked: &Asked) {
    asked.is_post("/emails");
    asked.is_bearer(&secret_of("KEY"));
    let (body, mail) = (asked.json(), mail());
    assert_eq!(asked.header("idempotency-key"), mail.token);
    assert!(mail.token.len() <= 256);
    assert_eq!(body["from"], "\"Exämple, \\\"Inc.\\\"\" <no-reply@example.com>");
    assert_eq!((&body["to"], &body["subject"], &body["headers"]), (&json!([mail.to]), &json!(mail.subject), &headers()));
    for tag in body["tags"].as_array().unwrap() {
        let plain = |text: &Value| text.as_str().unwrap().chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        assert!(plain(&tag["name"]) && plain(&tag["value"]), "{tag}");
    }
    if body.get("template").is_some() {
        has_keys(&body, &["from", "to", "subject", "template", "headers", "tags"]);
        assert_eq!(body["template"], json!({ "id": "TEMPLATE", "variables": filled() }));
    } else {
        has_keys(&body, &["from", "to", "subject", "text", "html", "headers", "tags"]);
        assert_eq!((&body["text"], &body["html"]), (&json!(mail.text), &json!(mail.html)));
    }
}

#[tokio::test]
async fn a_canary_is_sent_as_documented() {
    for more in ["", TEMPLATE] {
        let told = Told::new(200, r#"{"id":"49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}"#);
        let (answer, _) = sent("resend", more, told, strict).await;
        assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some("49a3999c-0ce1-4ea6-ab68-afcd6dc2e794")));
    }
}

#[tokio::test]
async fn every_documented_answer_has_its_class() {
    let error = |status: u16, name: &str, message: &str| json!({ "statusCode": status, "name": name, "message": message });
    let cases = [
        (400, "validation_error", "Invalid `from` field.", Class::Sender),
        (400, "invalid_idempotency_key", "The key must be between 1-256 chars.", Class::Permanent),
        (401, "missing_api_key", "Missing API key in the authorization header.", Class::Auth),
        (401, "restricted_api_key", "This API key is restricted to only send emails.", Class::Auth),
        (403, "invalid_api_key", "API key is invalid.", Class::Auth),
        (403, "validation_error", "You can only send testing emails to your own email address.", Class::Sender),
        (403, "validation_error", "The example.com domain is not verified.", Class::Sender),
        (403, "suspended_api_key", "The API key is suspended.", Class::Suspended),
        (403, "invalid_permission", "API key is not allowed to do this.", Class::Auth),
        (404, "not_found", "The requested endpoint does not exist.", Class::Permanent),
        (405, "method_not_allowed", "Method is not allowed for the requested path.", Class::Permanent),
        (409, "invalid_idempotent_request", "Same idempotency key used with a different request payload.", Class::Permanent),
        (409, "concurrent_idempotent_requests", "Same idempotency key used while original request is still in progress.", Class::Transient),
        (422, "missing_required_field", "The request body is missing one or more required fields.", Class::Permanent),
        (429, "rate_limit_exceeded", "Too many requests.", Class::Rate),
        (429, "daily_quota_exceeded", "You have reached your daily email sending quota.", Class::Quota),
        (429, "monthly_quota_exceeded", "You have reached your monthly email sending quota.", Class::Quota),
        (500, "application_error", "An unexpected error occurred.", Class::Transient),
        (503, "service_unavailable", "", Class::Transient),
    ];
    means("resend", cases.into_iter().map(|(status, name, message, class)| no(status, error(status, name, message), class)).collect())
        .await;
}

#[tokio::test]
async fn a_key_that_may_only_send_is_let_in() {
    let restricted = r#"{"statusCode":401,"name":"restricted_api_key","message":"This API key is restricted to only send emails"}"#;
    let desk = Desk::new([Told::new(401, restricted), Told::new(200, r#"{"data":[]}"#)]).await;
    for _ in 0..2 {
        assert_eq!(at("resend", desk.port, "").log_in(AT).await.outcome, Outcome::Accepted);
    }
    desk.asked(|asked| assert_eq!(asked.method, "GET"));
}
