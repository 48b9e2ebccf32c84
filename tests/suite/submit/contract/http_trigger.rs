//! Somebody's application: what it is asked, and what its pages mean.

use super::super::fake::{Fake, Step, say};
use super::*;

const PAGE: &str = "content-type: text/html\r\n";

fn page(status: &str, headers: &str, body: &str) -> Step {
    say(&format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()))
}

fn application(port: u16, keys: &str) -> Submitter {
    let keys = keys.replace("HERE", &format!("http://127.0.0.1:{port}"));
    provider("http-trigger", &format!("headers = {{ Authorization = {{ env = \"KEY\" }}, X-Canary = \"{{canary}} {{stream}}\" }}\n{keys}"))
}

/// One request, answered so; what was heard of it.
async fn asked(keys: &str, steps: Vec<Step>) -> (Answer, String) {
    let fake = Fake::new(steps);
    let answer = submit(&application(fake.port(), keys)).await;
    assert!(!format!("{answer:?}").contains(&secret_of("KEY")), "{answer:?}");
    (answer, fake.heard().await.remove(0))
}

const FORM: &str = "url = \"HERE/signup\"\nform = { email = \"{address}\", name = \"Käthe & {token}\" }\n\
    failure_texts = [\"Too Many Attempts\", \"error=\", \"something went wrong\"]\nexpect = [\"200..201\", 302]";

#[tokio::test]
async fn a_request_says_what_was_configured_and_no_more() {
    let Composed { to, token, .. } = mail();
    let (answer, heard) = asked(FORM, vec![Step::Request, page("302 Found", "location: /done\r\n", "")]).await;
    assert_eq!((answer.outcome, answer.reply.as_deref()), (Outcome::Accepted, Some("HTTP 302\nlocation: /done")));
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /signup HTTP/1.1\r\n"), "{head}");
    let has = |line: &str| assert!(head.to_ascii_lowercase().contains(&line.to_ascii_lowercase()), "{line} is not in {head}");
    has(&format!("authorization: {}\r\n", secret_of("KEY")));
    has(&format!("x-canary: {CANARY} password-reset"));
    has("content-type: application/x-www-form-urlencoded");
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!(fields, [("email".to_owned(), to.clone()), ("name".to_owned(), format!("Käthe & {token}"))]);

    let json =
        "method = \"PUT\"\nurl = \"HERE/{stream}/{address}?t={token}\"\nbody = '''{\"query\": \"{ ok }\",\n \"email\": \"{address}\"}'''";
    let (answer, heard) = asked(json, vec![Step::Request, page("204 No Content", "", "")]).await;
    assert_eq!(answer.outcome, Outcome::Accepted);
    let encoded = to.replace('+', "%2B").replace('@', "%40");
    assert!(heard.starts_with(&format!("PUT /password-reset/{encoded}?t={token} HTTP/1.1\r\n")), "{heard}");
    assert!(heard.to_ascii_lowercase().contains("content-type: application/json\r\n"), "{heard}");
    assert!(heard.ends_with(&format!("{{\"query\": \"{{ ok }}\",\n \"email\": \"{to}\"}}")), "{heard}");

    let get = "method = \"GET\"\nurl = \"HERE/reset?for={address}&t={token}\"";
    let (_, heard) = asked(get, vec![Step::Until(b"\r\n\r\n"), page("200 OK", "", "")]).await;
    assert!(heard.starts_with(&format!("GET /reset?for={encoded}&t={token} HTTP/1.1\r\n")), "{heard}");
}

#[tokio::test]
async fn pages_are_classified_like_other_answers() {
    let no = |class| Outcome::Refused(class);
    let long = format!("{}<p>too many attempts</p>", " ".repeat(200_000));
    for (status, headers, body, outcome) in [
        ("200 OK", PAGE, "<h1>Check your mail</h1>", Outcome::Accepted),
        ("200 OK", PAGE, "<h1>Sorry, TOO MANY attempts!</h1>", no(Class::Rate)),
        ("200 OK", PAGE, "<h1>Something went wrong</h1>", no(Class::Permanent)),
        ("200 OK", PAGE, long.as_str(), Outcome::Accepted),
        ("302 Found", "location: /signup?error=captcha\r\n", "", no(Class::Permanent)),
        ("301 Moved Permanently", "location: https://elsewhere.example/\r\n", "", no(Class::Permanent)),
        ("204 No Content", "", "", Outcome::Unknown),
        ("401 Unauthorized", PAGE, "<h1>Who are you?</h1>", no(Class::Auth)),
        ("403 Forbidden", "content-type: application/json\r\n", "{}", no(Class::Permanent)),
        ("403 Forbidden", PAGE, "<h1>Attention required</h1>", no(Class::Policy)),
        ("404 Not Found", PAGE, "<h1>Not found</h1>", no(Class::Permanent)),
        ("422 Unprocessable Entity", "", "{\"errors\": {\"email\": \"is taken\"}}", no(Class::Permanent)),
        ("429 Too Many Requests", PAGE, "<h1>Slow down</h1>", no(Class::Rate)),
        ("500 Internal Server Error", PAGE, "<h1>Oops</h1>", no(Class::Transient)),
        ("502 Bad Gateway", PAGE, "<h1>Bad gateway</h1>", Outcome::Unknown),
        ("503 Service Unavailable", PAGE, "<h1>Back soon</h1>", no(Class::Transient)),
    ] {
        let (answer, _) = asked(FORM, vec![Step::Request, page(status, headers, body)]).await;
        assert_eq!(answer.outcome, outcome, "{status} {body:.60}: {:?}", answer.reply);
    }
}

#[tokio::test]
async fn what_is_no_answer_leaves_the_fate_open_and_nobody_is_asked_twice() {
    for steps in [vec![Step::Request, say("\u{1}\u{2}garbage\r\n\r\n")], vec![Step::Request, Step::Reset], vec![Step::Request]] {
        let (answer, _) = asked(FORM, steps).await;
        assert_eq!(answer.outcome, Outcome::Unknown, "{answer:?}");
    }
    let fake = Fake::new(vec![Step::Request, Step::Stall]);
    let answer = submit(&application(fake.port(), FORM).within(SHORT)).await;
    assert_eq!(answer.outcome, Outcome::Unknown, "{answer:?}");
    let gone = Fake::new(Vec::new());
    let port = gone.port();
    drop(std::net::TcpStream::connect(("127.0.0.1", port)));
    gone.heard().await;
    refused(&submit(&application(port, FORM)).await, Class::Network, "127.0.0.1");
}

#[tokio::test]
async fn a_log_in_connects_and_asks_for_nothing() {
    let fake = Fake::new(vec![Step::Stall]);
    let answer = application(fake.port(), FORM).log_in(AT).await;
    assert_eq!(answer.outcome, Outcome::Accepted, "{answer:?}");
    assert_eq!(fake.heard().await, [""], "not a byte");
}
