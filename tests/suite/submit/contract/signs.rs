//! Early signs: what each provider is asked, and what its answers say of the account.

use super::super::fake::{Fake, Step, say};
use super::*;
use mailcanary::config::Signs;
use mailcanary::edge::submit::Unread;
use mailcanary::model::{Sign, Standing};
use mailcanary::watchdog::is_early;

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
        assert!(!signs.iter().any(|sign| is_early(sign, &Signs::default())), "{kind}: {signs:?}");
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
        ("mandrill", json!({ "reputation": 90, "hourly_quota": 25, "backlog": 10 })),
        ("mandrill", json!({ "reputation": 39, "hourly_quota": 25, "backlog": 0 })),
        ("sendgrid", json!({ "remain": 9, "total": 100, "used": 91 })),
        ("sparkpost", json!({ "results": { "status": "suspended", "status_reason_category": "NONPAYMENT" } })),
        ("brevo", json!({ "plan": [{ "type": "payAsYouGo", "credits": 99, "creditsType": "sendLimit" }] })),
        ("mailersend", json!({ "quota": 100, "remaining": 3 })),
    ] {
        let signs = said(kind, body.clone()).await;
        assert!(signs.iter().any(|sign| is_early(sign, &Signs::default())), "{kind} {body}: {signs:?}");
    }
    let unlimited =
        json!({ "SendingEnabled": true, "EnforcementStatus": "HEALTHY", "SendQuota": { "Max24HourSend": -1.0, "SentLast24Hours": 7.0 } });
    assert_eq!(said("ses", unlimited).await, [Sign::Standing { state: Standing::Good, word: "HEALTHY".to_owned() }]);
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

#[tokio::test]
async fn who_wants_peace_says_for_how_long() {
    let throttled = |body: &str| Told::new(429, body.to_owned()).with("retry-after", "120");
    for (kind, strict, ..) in kinds() {
        let desk = Desk::new([throttled(r#"{"message":"Too Many Requests"}"#), Told::new(503, "{}").with("retry-after", "7")]).await;
        let submitter = at(kind, desk.port, "");
        let unread = read(&submitter).await.unwrap().unwrap_err();
        assert_eq!((unread.class, unread.retry_after), (Class::Rate, Some(Span::from_secs(120))), "{kind}: {unread:?}");
        let unread = read(&submitter).await.unwrap().unwrap_err();
        assert_eq!(unread.retry_after, Some(Span::from_secs(7)), "{kind}: {unread:?}");
        assert_eq!(desk.asked(strict).len(), 2, "{kind}");
    }
}

#[tokio::test]
async fn standings_and_renewals_are_understood() {
    let ses = |status: &str, enabled: bool| json!({ "SendingEnabled": enabled, "EnforcementStatus": status });
    let spark = |status: &str| json!({ "results": { "status": status } });
    for (kind, body, expected) in [
        ("ses", ses("HEALTHY", true), Standing::Good),
        ("ses", ses("PROBATION", true), Standing::Warned),
        ("ses", ses("SHUTDOWN", true), Standing::Stopped),
        ("ses", ses("HEALTHY", false), Standing::Stopped),
        ("ses", ses("SOMETHING_NEW", true), Standing::Warned),
        ("ses", json!({ "SendingEnabled": true, "EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": false }), Standing::Warned),
        ("ses", json!({ "SendingEnabled": true, "EnforcementStatus": "SHUTDOWN", "ProductionAccessEnabled": false }), Standing::Stopped),
        ("sparkpost", spark("active"), Standing::Good),
        ("sparkpost", spark("suspended"), Standing::Stopped),
        ("sparkpost", spark("terminated"), Standing::Stopped),
        ("sparkpost", spark("something new"), Standing::Warned),
    ] {
        let signs = said(kind, body.clone()).await;
        assert!(matches!(signs[..], [Sign::Standing { state, .. }] if state == expected), "{kind} {body}: {signs:?}");
    }
    let renews = |at: &str| At::from_rfc3339(at);
    for (kind, body, expected) in [
        ("sendgrid", json!({ "remain": 9, "total": 100, "next_reset": "2022-09-01" }), renews("2022-09-01T00:00:00Z")),
        ("sendgrid", json!({ "remain": 9, "total": 100, "next_reset": "soon" }), None),
        ("mailersend", json!({ "quota": 100, "remaining": 9, "reset": "2022-08-09T12:00:00Z" }), renews("2022-08-09T12:00:00Z")),
        ("mailersend", json!({ "quota": 100, "remaining": 9, "reset": 12 }), None),
    ] {
        let signs = said(kind, body.clone()).await;
        assert!(matches!(signs[..], [Sign::Quota { renews_at, .. }] if renews_at == expected), "{kind} {body}: {signs:?}");
    }
}

#[tokio::test]
async fn a_word_is_short_and_holds_no_secret_and_no_control_character() {
    let word = format!("\u{1b}[31msus\nended {} {}", secret_of("KEY"), "é".repeat(9000));
    let signs = said("sparkpost", json!({ "results": { "status": word } })).await;
    let [Sign::Standing { word, .. }] = &signs[..] else { panic!("{signs:?}") };
    assert!(word.len() <= 200 && !word.contains(char::is_control) && word.contains("***"), "{word}");
}

#[tokio::test]
async fn one_question_is_asked_once() {
    for (kind, strict, body, _) in kinds() {
        let pong = json!({ "PING": "PONG!" });
        let two = ["mandrill", "sendgrid"].contains(&kind);
        let answers = if two { vec![pong, body] } else { vec![body] };
        let desk = Desk::new(answers.iter().map(|body| Told::new(200, body.to_string()))).await;
        let (answer, signs) = at(kind, desk.port, "").look(At::from_ms(1_659_987_012_000)).await;
        assert_eq!(answer.outcome, Outcome::Accepted, "{kind}: {answer:?}");
        assert!(signs.unwrap().is_ok(), "{kind}");
        let asked = desk.asked(if two { |_| () } else { strict });
        assert_eq!(asked.len(), answers.len(), "{kind}: {asked:?}");
    }
    let desk = Desk::new([Told::new(401, r#"{"message":"no"}"#)]).await;
    let (answer, signs) = at("sparkpost", desk.port, "").look(At::from_ms(1_659_987_012_000)).await;
    assert_eq!((answer.outcome, signs), (Outcome::Refused(Class::Auth), None));
    assert_eq!(desk.asked(|_| ()).len(), 1);
}
