//! Early signs: what each provider is asked, and what its answers say of the account.

use super::super::fake::{Fake, Step, say};
use super::*;
use mailcanary::edge::submit::Unread;
use mailcanary::model::Sign;

type Read = Option<Result<Vec<Sign>, Unread>>;

/// The kinds that have such a question, and an answer to it as documented.
fn kinds() -> [(&'static str, Strict, Value, &'static str); 6] {
    let account = json!({
        "SendingEnabled": true, "EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": true, "DedicatedIpAutoWarmupEnabled": false,
        "SendQuota": { "Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 1200.0 },
    });
    let plan = json!([{ "type": "subscription", "credits": 8755, "creditsType": "sendLimit" }, { "type": "sms", "credits": 3, "creditsType": "sendLimit" }]);
    [
        (
            "mandrill",
            |asked| {
                asked.is_post("/api/1.0/users/info");
                assert_eq!(asked.json(), json!({ "key": secret_of("KEY") }));
            },
            json!({ "username": "u", "public_id": "p", "reputation": 97, "hourly_quota": 300, "backlog": 0 }),
            "0 mails in the backlog, reputation 97 of 100",
        ),
        (
            "sendgrid",
            |asked| {
                is_get(asked, "/v3/user/credits");
                asked.is_bearer(&secret_of("KEY"));
            },
            json!({ "remain": 200, "total": 1000, "overage": 0, "used": 800, "last_reset": "2022-08-01", "next_reset": "2022-09-01" }),
            "200 of 1000 left of the quota",
        ),
        ("ses", |asked| is_get(asked, "/v2/email/account"), account, "account status `HEALTHY`, 48800 of 50000 left of the quota"),
        (
            "sparkpost",
            |asked| {
                is_get(asked, "/api/v1/account");
                assert_eq!(asked.header("authorization"), secret_of("KEY"));
            },
            json!({ "results": { "company_name": "Example", "status": "active" } }),
            "account status `active`",
        ),
        (
            "brevo",
            |asked| {
                is_get(asked, "/v3/account");
                assert_eq!(asked.header("api-key"), secret_of("KEY"));
            },
            json!({ "email": "a@example.com", "plan": plan }),
            "8755 left of the quota",
        ),
        (
            "mailersend",
            |asked| {
                is_get(asked, "/v1/api-quota");
                asked.is_bearer(&secret_of("KEY"));
            },
            json!({ "quota": 1000, "remaining": 940, "reset": "2022-08-09T00:00:00Z" }),
            "940 of 1000 left of the quota",
        ),
    ]
}

fn is_get(asked: &Asked, path: &str) {
    assert_eq!((asked.method.as_str(), asked.path.as_str(), asked.query.as_str()), ("GET", path, ""));
    assert!(asked.body.is_empty() && asked.header("user-agent").starts_with("mailcanary/"));
}

async fn read(submitter: &Submitter) -> Read {
    let read = submitter.signs(At::from_ms(1_659_987_012_000)).await;
    assert!(!format!("{read:?}").contains(&secret_of("KEY")), "{read:?}");
    read
}

/// What one of `kind` says if it is answered `body`.
async fn said(kind: &str, body: Value) -> Vec<Sign> {
    let desk = Desk::new([Told::new(200, body.to_string())]).await;
    read(&at(kind, desk.port, "")).await.unwrap().unwrap()
}

#[tokio::test]
async fn each_is_asked_as_documented_and_understood() {
    for (kind, strict, body, expected) in kinds() {
        let desk = Desk::new([Told::new(200, body.to_string())]).await;
        let signs = read(&at(kind, desk.port, "")).await.unwrap().unwrap();
        assert_eq!(signs.iter().map(Sign::to_string).collect::<Vec<_>>().join(", "), expected, "{kind}");
        assert!(!signs.iter().any(Sign::is_early), "{kind}: {signs:?}");
        assert_eq!(desk.asked(strict).len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn what_comes_before_a_stop_is_seen() {
    let ses = |status: &str, enabled: bool, sent: f64| {
        let quota = json!({ "Max24HourSend": 1000.0, "MaxSendRate": 1.0, "SentLast24Hours": sent });
        json!({ "SendingEnabled": enabled, "EnforcementStatus": status, "SendQuota": quota })
    };
    for (kind, body) in [
        ("ses", ses("PROBATION", true, 0.0)),
        ("ses", ses("SHUTDOWN", false, 0.0)),
        ("ses", ses("HEALTHY", false, 0.0)),
        ("ses", ses("HEALTHY", true, 901.0)),
        ("ses", ses("HEALTHY", true, 2000.0)),
        ("mandrill", json!({ "reputation": 90, "hourly_quota": 25, "backlog": 7 })),
        ("mandrill", json!({ "reputation": 39, "hourly_quota": 25, "backlog": 0 })),
        ("sendgrid", json!({ "remain": 9, "total": 100, "used": 91 })),
        ("sparkpost", json!({ "results": { "status": "suspended", "status_reason_category": "NONPAYMENT" } })),
        ("brevo", json!({ "plan": [{ "type": "payAsYouGo", "credits": 99, "creditsType": "sendLimit" }] })),
        ("mailersend", json!({ "quota": 100, "remaining": 3 })),
    ] {
        let signs = said(kind, body.clone()).await;
        assert!(signs.iter().any(Sign::is_early), "{kind} {body}: {signs:?}");
    }
    let unlimited =
        json!({ "SendingEnabled": true, "EnforcementStatus": "HEALTHY", "SendQuota": { "Max24HourSend": -1.0, "SentLast24Hours": 7.0 } });
    assert_eq!(said("ses", unlimited).await, [Sign::Standing { good: true, word: "HEALTHY".to_owned() }]);
}

#[tokio::test]
async fn what_is_no_answer_says_nothing_of_the_account() {
    let response = |status: &str, kind: &str, body: &str| {
        let length = body.len();
        vec![
            Step::Request,
            say(&format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")),
        ]
    };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10485760\r\n\r\n";
    let nonsense = r#"{"reputation":"x","backlog":[],"remain":-1,"EnforcementStatus":[],"results":7,"plan":{},"remaining":null}"#;
    let scripts = vec![
        response("200 OK", "text/html", "<html>Sign in</html>"),
        response("200 OK", "application/json", "remain: 1"),
        response("200 OK", "application/json", nonsense),
        response("403 Forbidden", "text/html", "<html>Access denied</html>"),
        response("401 Unauthorized", "application/json", r#"{"message":"no"}"#),
        response("404 Not Found", "application/json", r#"{"message":"no"}"#),
        response("429 Too Many Requests", "application/json", r#"{"message":"no"}"#),
        vec![Step::Request, say(head), Step::Repeat("[ ", 10 << 20)],
        vec![Step::Request, say(head), say("{\"remain\":")],
        vec![Step::Request, Step::Reset],
    ];
    for (kind, ..) in kinds() {
        let fake = Fake::of(scripts.clone());
        let submitter = at(kind, fake.port(), "");
        for script in &scripts {
            let unread = read(&submitter).await.unwrap().unwrap_err();
            assert!(!unread.why.is_empty() && unread.why.len() <= 4096, "{kind} {script:?}: {unread:?}");
        }
        assert_eq!(fake.heard().await.len(), scripts.len());
    }
}

#[tokio::test]
async fn who_has_no_such_question_is_not_asked() {
    let asked: Vec<&str> = kinds().iter().map(|(kind, ..)| *kind).collect();
    for (kind, _) in KINDS.iter().filter(|(kind, _)| !asked.contains(kind)) {
        assert_eq!(read(&at(kind, 1, "")).await, None, "{kind}");
    }
}
