//! Mailgun.

use super::*;

fn strict(asked: &Asked) {
    asked.is_post("/v3/mg.example.com/messages");
    asked.is_basic("api", &secret_of("KEY"));
    let (mut form, mail) = (asked.form(), mail());
    let mut took = |name: &str| form.remove(name).unwrap_or_else(|| panic!("{name} is not there"));
    assert_eq!(took("from"), "\"Exämple, \\\"Inc.\\\"\" <no-reply@example.com>");
    assert_eq!((took("to"), took("subject")), (mail.to, mail.subject));
    for (name, value) in mail.headers {
        assert_eq!(took(&format!("h:{name}")), value);
    }
    assert_eq!((took("v:canary"), took("v:token")), (CANARY.to_string(), mail.token));
    for name in ["o:tracking", "o:tracking-clicks", "o:tracking-opens"] {
        assert_eq!(took(name), "no");
    }
    took("o:tag");
    if form.contains_key("template") {
        let variables: Value = serde_json::from_str(&form.remove("t:variables").unwrap()).unwrap();
        assert_eq!((form.remove("template").unwrap().as_str(), variables), ("TEMPLATE", filled()));
    } else {
        assert_eq!((form.remove("text"), form.remove("html")), (Some(mail.text), Some(mail.html)));
    }
    assert!(form.is_empty(), "{form:?}");
}

#[tokio::test]
async fn a_canary_is_sent_as_documented() {
    for more in ["", TEMPLATE] {
        let told = Told::new(200, r#"{"id":"<20220808193000.1.ABC@mg.example.com>","message":"Queued. Thank you."}"#);
        let (answer, _) = sent("mailgun", more, told, strict).await;
        assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some("20220808193000.1.ABC@mg.example.com")));
    }
}

#[tokio::test]
async fn every_documented_answer_has_its_class() {
    let message = |text: &str| json!({ "message": text });
    let not_allowed = |why: &str| message(&format!("Domain mg.example.com is not allowed to send: {why}"));
    means(
        "mailgun",
        vec![
            (Told::new(200, "Mailgun Magnificent API").with("content-type", "text/plain"), Outcome::Refused(Class::Permanent)),
            (Told::new(200, r#"{"message":"Queued. Thank you."}"#), Outcome::Unknown),
            no(400, message("to parameter is not a valid address. please check documentation"), Class::Recipient),
            no(400, message("from parameter is missing"), Class::Permanent),
            no(400, not_allowed("Free accounts are for test purposes only. Please upgrade or add the address to your authorized recipients."), Class::Policy),
            no(403, message("Sandbox subdomains are for test purposes only. Please add your own domain or add the address to authorized recipients in Account Settings."), Class::Policy),
            no(420, message("You have hit the limit for the month"), Class::Quota),
            no(429, not_allowed("limit of 100 emails per day"), Class::Quota),
            no(403, message("Nobody knows"), Class::Permanent),
            no(403, not_allowed("The domain is unverified and requires DNS configuration. Log in to your control panel to view required DNS records."), Class::Sender),
            no(403, not_allowed("Please activate your Mailgun account. Check your inbox or log in to your control panel to resend the activation email."), Class::Suspended),
            no(403, not_allowed("Your account is disabled"), Class::Suspended),
            (Told::new(401, "Forbidden").with("content-type", "text/html"), Outcome::Refused(Class::Auth)),
            no(401, message("Invalid private key"), Class::Auth),
            no(403, message("Forbidden"), Class::Auth),
            no(402, message("Request failed"), Class::Quota),
            no(404, message("Domain not found: mg.example.com"), Class::Sender),
            no(413, message("request entity too large"), Class::Permanent),
            no(429, not_allowed("recipient limit exceeded, try again after Mon, 08 Aug 2022 20:00:00 GMT"), Class::Rate),
            no(500, message("Internal Server Error"), Class::Transient),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_key_that_may_only_send_is_let_in() {
    let desk = Desk::new([Told::new(400, r#"{"message":"from parameter is missing"}"#), Told::new(401, "Forbidden")]).await;
    let submitter = at("mailgun", desk.port, "");
    assert_eq!(submitter.log_in(AT).await.outcome, Outcome::Accepted);
    assert_eq!(submitter.log_in(AT).await.outcome, Outcome::Refused(Class::Auth));
    for asked in desk.asked(|asked| asked.is_post("/v3/mg.example.com/messages")) {
        assert!(!asked.form().contains_key("to"));
    }
}
