//! What is shown of accounts at providers: figures, their age, what cannot be read, and what it means for a failover.

use mailcanary::watchdog::Unread;

use super::*;

/// A view in which provider-0 is suspended, and cannot be read any more, and provider-1 was never read.
fn ill(word: &str, why: &str) -> View {
    let mut view = fixture(3, 1, 1);
    let suspended = Sign::Standing { state: Standing::Stopped, word: word.to_owned() };
    let first = AccountView {
        signs: vec![suspended.clone()],
        worries: vec![suspended],
        standing: Some(Standing::Stopped),
        unread: Some(Unread { since: at(3300), class: Class::Auth, why: why.to_owned() }),
        throttled: 2,
        not_read: 5,
        ..account()
    };
    view.accounts.insert(name("provider-0"), first);
    let never = Unread { since: at(3000), class: Class::Rate, why: "HTTP 429".to_owned() };
    view.accounts.insert(name("provider-1"), AccountView { every: Span::from_secs(60), unread: Some(never), ..AccountView::default() });
    view.accounts.remove("provider-2");
    view
}

#[test]
fn the_metrics_have_what_was_said() {
    let text = show::render(&ill("suspended", "no"));
    assert_eq!(complaints(&text), None);
    for (series, value) in [
        ("mailcanary_account_standing{provider=\"provider-0\",standing=\"stopped\"}", 1.0),
        ("mailcanary_account_standing{provider=\"provider-0\",standing=\"good\"}", 0.0),
        ("mailcanary_account_standing{provider=\"provider-1\",standing=\"unknown\"}", 1.0),
        ("mailcanary_account_read_timestamp_seconds{provider=\"provider-0\"}", 1_659_990_000.0),
        ("mailcanary_account_read_timestamp_seconds{provider=\"provider-1\"}", 0.0),
        ("mailcanary_account_readable{provider=\"provider-0\"}", 0.0),
        ("mailcanary_account_polls_total{provider=\"provider-0\",outcome=\"read\"}", 4.0),
        ("mailcanary_account_polls_total{provider=\"provider-0\",outcome=\"throttled\"}", 2.0),
        ("mailcanary_account_polls_total{provider=\"provider-0\",outcome=\"unread\"}", 5.0),
        ("mailcanary_incident_open{kind=\"early_sign\",culprit=\"provider:provider-1\"}", 0.0),
    ] {
        assert!((sample(&text, series) - value).abs() < 1e-9, "{series} is {}", sample(&text, series));
    }
    assert!(!text.contains("mailcanary_account_quota_limit{"), "nobody said so");
    assert!(
        !text.contains("kind=\"early_sign\",culprit=\"provider:provider-2\"") && !text.contains("account_standing{provider=\"provider-2\"")
    );
    let well = show::render(&fixture(1, 1, 1));
    for line in ["quota_limit", "quota_remaining", "backlog", "reputation"].map(|what| format!("mailcanary_account_{what}{{")) {
        assert!(well.contains(&line), "{line}");
    }
}

#[tokio::test]
async fn the_page_has_what_was_said_and_how_old_it_is() {
    let evil = "<img src=x>\u{202e}";
    let shown = Shown::start(ill(evil, evil)).await;
    let (code, page) = shown.get("/").await;
    assert_eq!(code, 200);
    for part in [
        ">Accounts</h2>",
        "✕ </span>warns",
        "account status <code><bdi>&lt;img src=x&gt;\\u{202e}</bdi></code>",
        "(10m ago)",
        "? </span>unknown",
        ", auth: <bdi>&lt;img src=x&gt;",
        "nothing yet",
    ] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    assert!(!page.contains("<img"));
    shown.change(|view| view.accounts.clear());
    assert!(!shown.get("/").await.1.contains("Accounts"));
}

#[tokio::test]
async fn a_provider_with_a_bad_standing_is_not_healthy_and_says_why() {
    let shown = Shown::start(ill("suspended, NONPAYMENT", "no")).await;
    let answer: Value = serde_json::from_str(&shown.get("/api/v1/providers").await.1).unwrap();
    let first = &answer["providers"][0];
    assert_eq!((&first["healthy"], &first["verdict"]), (&json!(false), &json!("delivering")), "{first:#}");
    let reason = "the provider says of the account: account status `suspended, NONPAYMENT`, read 10m ago; all its routes deliver";
    assert_eq!(first["reason"], reason);
    assert_eq!(first["streams"][0]["healthy"], false);
    assert_eq!(first["account"]["unread"], json!({ "since": "2022-08-08T20:25:00.000Z", "class": "auth", "why": "no" }));
    assert_eq!(first["account"]["warns"], json!([{ "standing": { "state": "stopped", "word": "suspended, NONPAYMENT" } }]));
    let second = &answer["providers"][1];
    assert_eq!((&second["healthy"], &second["account"]["read_at"]), (&json!(true), &Value::Null), "what cannot be read is no reason");
    assert_eq!(answer["providers"][2]["account"], Value::Null);
}
