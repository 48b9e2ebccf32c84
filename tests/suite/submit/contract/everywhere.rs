//! What holds for every provider: answers that are slow, cut off, huge, or not the API's at all; and nothing secret anywhere.

use super::super::fake::{Fake, Step, say};
use super::*;

fn response(status: &str, kind: &str, body: &str) -> Step {
    let length = body.len();
    say(&format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"))
}

/// Long enough for any answer that comes at once, however busy the host is.
const PATIENT: Duration = Duration::from_secs(30);

/// How every provider ends on each of these scripts, which follow its request.
async fn everybody(scripts: Vec<Vec<Step>>, patience: Duration) -> Vec<(&'static str, Vec<Answer>)> {
    let whole = |steps: &Vec<Step>| std::iter::once(Step::Request).chain(steps.iter().cloned()).collect();
    let scripts: Vec<Vec<Step>> = scripts.iter().map(whole).collect();
    // All are set up before the first is timed.
    let ready = KINDS.map(|(kind, _)| {
        let fake = Fake::of(scripts.clone());
        let submitter = at(kind, fake.port(), "").within(patience);
        (kind, fake, submitter)
    });
    let each = ready.map(|(kind, fake, submitter)| {
        let count = scripts.len();
        async move {
            let mut answers = Vec::new();
            for _ in 0..count {
                let answer = submit(&submitter).await;
                assert!(!format!("{answer:?}").contains(&secret_of("KEY")), "{kind}: {answer:?}");
                assert_eq!(answer.message_id, None, "{kind}");
                answers.push(answer);
            }
            assert_eq!(fake.heard().await.len(), count);
            (kind, answers)
        }
    });
    futures::future::join_all(each).await
}

#[tokio::test]
async fn what_is_no_answer_after_the_request_is_an_unknown_fate() {
    let head = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n";
    let long = say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10485760\r\n\r\n");
    let ends: Vec<Vec<Step>> = vec![
        vec![Step::Stall],
        vec![Step::Reset],
        vec![],
        vec![say("220 smtp.example ESMTP\r\n")],
        vec![say(head), Step::Stall],
        vec![say(head), say("{\"id\":\"ab")],
        // Never silent, and never done.
        vec![say(head), Step::Drip("[ ")],
        vec![say("HTTP/1.1 200 OK\r\n"), Step::Drip("X-Padding: a\r\n")],
        vec![long, Step::Repeat("[ ", 10 << 20)],
        vec![say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"id\":\"a\r\n")],
        vec![say("HTTP/1.1 200 OK\r\n"), Step::Repeat("X-Padding: a header like any other\r\n", 10 << 20)],
        // Nobody asked for anything packed: ten bytes may be ten gigabytes.
        vec![
            say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n"),
            Step::Say(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
        ],
        vec![say("HTTP/1.0 200 OK\r\n\r\n{\"id\":")],
        vec![response("200 OK", "text/html", "<html>Sign in to the hotel's network</html>")],
        vec![response("202 Accepted", "text/html", "<html>Maintenance</html>")],
        vec![response("200 OK", "application/json", "\"fine\"")],
        vec![response("502 Bad Gateway", "text/html", "<html>Bad gateway</html>")],
    ];
    for (kind, answers) in everybody(ends.clone(), Duration::from_millis(700)).await {
        for (end, answer) in ends.iter().zip(answers) {
            assert_eq!(answer.outcome, Outcome::Unknown, "{kind} {end:?} {answer:?}");
        }
    }
}

#[tokio::test]
async fn pages_for_people_go_by_their_status() {
    let blocked = "<html>Access denied: your account is suspended. Enable cookies.</html>";
    let pages = [
        ("403 Forbidden", blocked, Class::Policy),
        ("401 Unauthorized", "<html>Enable cookies</html>", Class::Auth),
        ("407 Proxy Authentication Required", "<html>Enable cookies</html>", Class::Network),
        ("429 Too Many Requests", "<html>Enable cookies</html>", Class::Rate),
        ("503 Service Unavailable", "<html>Enable cookies</html>", Class::Transient),
        ("500 Internal Server Error", "<html>Enable cookies</html>", Class::Transient),
        ("404 Not Found", "<html>Enable cookies</html>", Class::Permanent),
    ];
    let scripts = pages.iter().map(|(status, page, _)| vec![response(status, "text/html", page)]).collect();
    for (kind, answers) in everybody(scripts, PATIENT).await {
        for ((status, _, class), answer) in pages.iter().zip(answers) {
            // Mandrill's front throttles with it.
            let class = if kind == "mandrill" && status.starts_with("403") { Class::Rate } else { *class };
            assert_eq!(answer.outcome, Outcome::Refused(class), "{kind} {status}");
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let away = [say("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")];
    for (_, answers) in everybody(vec![away.to_vec()], PATIENT).await {
        refused(&answers[0], Class::Permanent, "redirects are not followed");
    }
}

#[tokio::test]
async fn refusals_that_nobody_listed_are_understood() {
    let cases = [
        ("403 Forbidden", "Your account has been suspended by our compliance team", Class::Suspended),
        ("400 Bad Request", "Sending is disabled while your account is under review", Class::Suspended),
        ("402 Payment Required", "Please pay", Class::Quota),
        ("403 Forbidden", "Your monthly quota is used up", Class::Quota),
        ("418 I'm a teapot", "Too many requests", Class::Rate),
        ("400 Bad Request", "The sender domain example.com is not verified", Class::Sender),
        ("403 Forbidden", "Su cuenta ha sido bloqueada", Class::Suspended),
        ("403 Forbidden", "Ihr monatliches Kontingent ist aufgebraucht", Class::Quota),
        ("403 Forbidden", "Nobody knows this", Class::Permanent),
    ];
    let script = |(status, message, _): &(&str, &str, Class)| {
        // The words that each API has for words.
        let each = json!({ "message": message });
        let body = json!({ "message": message, "error": each, "errors": [each], "Message": message, "ErrorMessage": message });
        vec![response(status, "application/json", &body.to_string())]
    };
    for (kind, answers) in everybody(cases.iter().map(script).collect(), PATIENT).await {
        for ((status, message, class), answer) in cases.iter().zip(answers) {
            assert_eq!(answer.outcome, Outcome::Refused(*class), "{kind} {status} {message}");
            assert!(answer.reply.unwrap().contains(message));
        }
    }
}

#[tokio::test]
async fn without_a_connection_nothing_went_out() {
    let port = crate::support::free_port::free_port();
    for (kind, _) in KINDS {
        let answer = submit(&at(kind, port, "")).await;
        refused(&answer, Class::Network, "connection refused");
    }
}

#[tokio::test]
async fn no_secret_is_shown_or_repeated() {
    for (kind, _) in KINDS {
        let echo = Told::new(400, json!({ "message": format!("what is {}?", secret_of("KEY")) }).to_string()).with("retry-after", "30");
        let (answer, _) = sent(kind, "", echo, |_| ()).await;
        let reply = answer.reply.unwrap();
        assert!(reply.contains("what is ***?") && reply.contains("retry-after: 30"), "{kind}: {reply}");
        assert!(!format!("{:?}", at(kind, 1, "")).contains(&secret_of("KEY")), "{kind}");
    }
}

#[tokio::test]
async fn a_2xx_that_says_otherwise_is_no_acceptance() {
    let cases = [
        (json!({ "error": { "message": "The account has been suspended" } }), Class::Suspended),
        (json!({ "status": "error", "message": "Your monthly quota is used up" }), Class::Quota),
        (json!({ "errors": [{ "message": "Something that nobody knows" }] }), Class::Permanent),
        (json!({ "message": "Queued, but sending is paused for your account" }), Class::Suspended),
        (json!({ "message": "Accepted in sandbox mode, no email was sent" }), Class::Auth),
    ];
    let scripts = cases.iter().map(|(body, _)| vec![response("200 OK", "application/json", &body.to_string())]).collect();
    for (kind, answers) in everybody(scripts, PATIENT).await {
        for ((body, class), answer) in cases.iter().zip(answers) {
            assert_eq!(answer.outcome, Outcome::Refused(*class), "{kind} {body}");
        }
    }
    let told = Told::new(200, r#"{"id":"<1@mg.example.com>","message":"Queued. Your account is suspended, and mail is held."}"#);
    let (answer, _) = sent("mailgun", "", told, |_| ()).await;
    refused(&answer, Class::Suspended, "mail is held");
}

#[tokio::test]
async fn who_asks_for_patience_is_understood() {
    let date = "Mon, 08 Aug 2022 19:30:00 GMT";
    let cases = [
        (Told::new(429, "{}").with("retry-after", "120"), Some(120)),
        (Told::new(503, "{}").with("retry-after", "7"), Some(7)),
        (Told::new(503, "{}").with("retry-after", "Mon, 08 Aug 2022 19:35:00 GMT").with("date", date), Some(300)),
        (Told::new(429, "{}").with("retry-after", "Mon, 08 Aug 2022 19:00:00 GMT").with("date", date), None),
        (Told::new(429, "{}").with("retry-after", "soon"), None),
        (Told::new(429, "{}"), None),
        (Told::new(400, "{}").with("retry-after", "120"), None),
    ];
    for (kind, _) in KINDS {
        let desk = Desk::new(cases.iter().map(|(told, _)| told.clone())).await;
        let submitter = at(kind, desk.port, "");
        for (told, secs) in &cases {
            let answer = submit(&submitter).await;
            assert_eq!(answer.retry_after, secs.map(Span::from_secs), "{kind} {told:?}");
        }
    }
    let trigger = "stream = \"password-reset\"\nform = { email = \"{address}\", name = \"{token}\" }";
    let desk = Desk::new([cases[0].0.clone()]).await;
    let submitter = provider("http-trigger", &format!("{trigger}\nurl = \"http://127.0.0.1:{}/signup\"", desk.port));
    assert_eq!(submit(&submitter).await.retry_after, Some(Span::from_secs(120)));
}
