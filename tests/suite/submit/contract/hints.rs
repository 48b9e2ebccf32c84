//! What to mend first, where an answer tells more than its class: for the page at night.

use super::*;

/// The hint that goes with this answer.
async fn hint(kind: &str, told: Told) -> Option<String> {
    let (answer, _) = sent(kind, "", told, |_| ()).await;
    if let Some(hint) = &answer.hint {
        assert!(answer.reply.unwrap().contains(&format!("({hint})")), "who reads the reply reads it too");
    }
    answer.hint
}

fn says(status: u16, words: &str) -> Told {
    let body = json!({ "code": "unauthorized", "message": words, "error": { "code": "Denied", "message": words }, "errors": [{ "message": words }] });
    Told::new(status, body.to_string())
}

#[tokio::test]
async fn an_address_that_is_not_let_in_is_told_from_a_wrong_key() {
    for kind in ["brevo", "sendgrid", "resend", "mailersend", "sparkpost", "mailgun"] {
        let told = hint(kind, says(401, "We have detected you are using an unrecognised IP address 192.0.2.1.")).await;
        assert!(told.as_ref().is_some_and(|hint| hint.contains("this host's address")), "{kind}: {told:?}");
        let told = hint(kind, says(401, "Key not found")).await;
        assert!(!told.as_ref().is_some_and(|hint| hint.contains("this host's address")), "{kind}: {told:?}");
    }
    assert_eq!(hint("brevo", says(401, "Key not found")).await, None);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_believed() {
    // By its words, by the time that stands in the answer, or both; behind whatever status.
    let words = "The request date in x-ms-date is outside the allowed range";
    for (status, words, date) in [
        (401, words, "Mon, 08 Aug 2022 19:30:00 GMT"),
        (403, words, "Mon, 08 Aug 2022 19:30:00 GMT"),
        (401, "Denied", "Mon, 08 Aug 2022 19:20:00 GMT"),
        (403, "The timestamp is too old", "Mon, 08 Aug 2022 20:30:00 GMT"),
        (401, words, "Mon, 08 Aug 2022 23:30:00 GMT"),
    ] {
        for kind in ["azure", "ses"] {
            let (answer, _) = sent(kind, "", says(status, words).with("date", date), |_| ()).await;
            let clock = answer.hint.as_ref().is_some_and(|hint| hint.contains("mend the clock, not the key"));
            assert_eq!((answer.outcome, clock), (Outcome::Refused(Class::Auth), true), "{kind} {status} {words} {date}: {answer:?}");
        }
    }
    let told = hint("azure", says(401, "Denied").with("date", "Mon, 08 Aug 2022 19:30:00 GMT")).await.unwrap();
    assert!(told.contains("it is the key"), "{told}");
}

#[tokio::test]
async fn what_else_an_answer_gives_away_is_said() {
    let gmail = |reason: &str, message: &str| {
        let error = json!({ "code": 403, "message": message, "errors": [{ "reason": reason, "message": message }] });
        Told::new(403, json!({ "error": error }).to_string())
    };
    let page = |status| Told::new(status, "<html>Not here</html>").with("content-type", "text/html");
    let aws = Told::new(403, r#"{"message":"User: x is not authorized to perform: ses:SendEmail"}"#)
        .with("x-amzn-errortype", "AccessDeniedException");
    for (kind, told, expected) in [
        ("gmail", gmail("accessNotConfigured", "Gmail API has not been used in project 1 before or it is disabled."), "switch the API"),
        ("gmail", gmail("insufficientPermissions", "Insufficient Permission"), "give the key the right"),
        ("ses", aws.with("date", "Mon, 08 Aug 2022 19:30:00 GMT"), "give the key the right"),
        ("mailgun", says(401, "Forbidden"), "see to `region`"),
        ("mailgun", page(404), "see to `base_url`"),
        ("sparkpost", page(404), "see to `base_url`"),
        ("resend", Told::new(302, "").with("location", "https://example.com/"), "see to `base_url`"),
        ("resend", page(403), "something in front of the API"),
        ("resend", page(407), "see to `proxy`"),
        ("sendgrid", Told::new(200, ""), "nothing is really sent"),
        ("sendgrid", says(403, "We were unable to process your last payment"), "pay what is open"),
        ("mailgun", says(403, "Please add the address to authorized recipients in Account Settings."), "add the seed to the recipients"),
    ] {
        let told = hint(kind, told).await;
        assert!(told.as_ref().is_some_and(|hint| hint.contains(expected)), "{kind} `{expected}`: {told:?}");
    }
    assert_eq!(hint("sendgrid", Told::new(202, "")).await, None);
}
