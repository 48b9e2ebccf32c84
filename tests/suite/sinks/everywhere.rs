//! What holds for every sink that is a web service.

use futures::future::join_all;
use mailcanary::config::{
    DiscordSettings, GrafanaSettings, JiraSettings, NtfySettings, OpsgenieSettings, PagerDutySettings, SlackBotSettings, SlackSettings,
    TeamsSettings, TelegramSettings,
};

use super::*;
use crate::support::alertmanager::free_port;
use crate::support::service::{Service, Told};

/// Every kind, all secrets of which have this word in them, at this address.
fn kinds(base: &str) -> Vec<SinkKind> {
    let secret = || at("S3CRET-0123456789abcdef");
    let url = || at(&format!("{base}/S3CRET-0123456789abcdef?sig=S3CRET-0123456789abcdef"));
    let base_url = || base.to_owned();
    vec![
        SinkKind::PagerDuty(PagerDutySettings { routing_key: secret(), acknowledgements: None, base_url: base_url() }),
        SinkKind::Opsgenie(OpsgenieSettings { api_key: secret(), base_url: base_url() }),
        SinkKind::Jira(JiraSettings { api_key: secret(), base_url: base_url() }),
        SinkKind::Grafana(GrafanaSettings { url: url() }),
        SinkKind::Slack(SlackSettings { url: url(), acknowledgements: None }),
        SinkKind::SlackBot(SlackBotSettings { token: secret(), acknowledgements: None, channel: "C1".to_owned(), base_url: base_url() }),
        SinkKind::Discord(DiscordSettings { url: url() }),
        SinkKind::Teams(TeamsSettings { url: url() }),
        SinkKind::Telegram(TelegramSettings { token: secret(), chat: "1".to_owned(), topic: Some(7), base_url: base_url() }),
        SinkKind::Ntfy(NtfySettings { topic: secret(), token: Some(secret()), base_url: base_url() }),
    ]
}

/// What each kind makes of this answer.
async fn each(answer: &Told) -> Vec<(SinkKind, Attempt)> {
    let mut all = Vec::new();
    let service = Service::<()>::start(|(), _| panic!("one request is enough")).await;
    for kind in kinds(&service.base) {
        service.instead([answer.clone()]);
        let attempt = deliver(&sink(kind.clone()), &out(1, 3, Change::Opened)).await;
        assert!(!format!("{attempt:?}").contains("S3CRET"), "{attempt:?}");
        all.push((kind, attempt));
    }
    all
}

#[tokio::test]
async fn a_limit_is_waited_for() {
    for (kind, attempt) in each(&Told::text(429, "slow down").with("retry-after", "17")).await {
        assert!(matches!(attempt, Attempt::Retry { after: Some(wait), .. } if wait.as_ms() == 17_000), "{kind:?}: {attempt:?}");
    }
}

#[tokio::test]
async fn what_breaks_is_tried_again_and_what_leads_elsewhere_is_not_followed() {
    for (status, name, value) in [(500, "x", ""), (503, "x", ""), (302, "location", "http://127.0.0.1:1/S3CRET")] {
        for (kind, attempt) in each(&Told::text(status, "no /S3CRET-0123456789abcdef?sig=S3CRET-0123456789abcdef").with(name, value)).await
        {
            assert!(matches!(attempt, Attempt::Retry { .. }), "{status} {kind:?}: {attempt:?}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_is_not_tried_for_ever() {
    for status in [400, 403, 404, 410] {
        for (kind, attempt) in each(&Told::text(status, "no: S3CRET-0123456789abcdef")).await {
            let over = matches!(attempt, Attempt::Refused { .. } | Attempt::Doubtful { .. } | Attempt::Gone { .. });
            assert!(over && (status != 410 || matches!(attempt, Attempt::Gone { .. })), "{status} {kind:?}: {attempt:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let huge = "x".repeat(20 << 20);
    for status in [200, 500] {
        for (kind, attempt) in each(&Told::text(status, &huge)).await {
            assert!(format!("{attempt:?}").len() < 1000, "{kind:?}");
        }
    }
    // Deeply nested JSON must not end the process.
    let deep = "[".repeat(100_000);
    for (kind, attempt) in each(&Told::text(400, &deep)).await {
        assert!(!matches!(attempt, Attempt::Delivered), "{kind:?}");
    }
}

#[tokio::test]
async fn who_does_not_answer_is_given_up_in_time_and_who_is_not_there_at_once() {
    let service = Service::<()>::start(|(), _| Told::Silence).await;
    let (out, gone) = (&out(1, 3, Change::Opened), format!("http://127.0.0.1:{}", free_port()));
    let soon = std::time::Duration::from_secs(16);
    let tried = |kind: SinkKind| async move { (kind.clone(), tokio::time::timeout(soon, deliver(&sink(kind), out)).await) };
    for (kind, attempt) in join_all(kinds(&service.base).into_iter().map(tried)).await {
        // Where a second attempt is a second message, who is slow is waited for.
        let waits = matches!(
            kind,
            SinkKind::Slack(_)
                | SinkKind::SlackBot(_)
                | SinkKind::Discord(_)
                | SinkKind::Teams(_)
                | SinkKind::Telegram(_)
                | SinkKind::Ntfy(_)
        );
        match attempt {
            Ok(Attempt::Retry { unclear: true, why, .. }) => assert!(!waits && why == "no answer within 15 s", "{kind:?}: {why}"),
            Ok(other) => panic!("{kind:?}: {other:?}"),
            Err(_) => assert!(waits, "{kind:?}"),
        }
    }
    for kind in kinds(&gone) {
        let attempt = deliver(&sink(kind), out).await;
        assert!(matches!(&attempt, Attempt::Retry { unclear: false, why, .. } if !why.contains("S3CRET")), "{attempt:?}");
    }
}

#[tokio::test]
async fn nobody_shows_a_secret_of_its_own() {
    for kind in kinds("http://127.0.0.1:9") {
        let shown = format!("{:?} {}", sink(kind.clone()), kind.place());
        let shown = shown.replace("env = \"http://127.0.0.1:9/S3CRET-0123456789abcdef?sig=S3CRET-0123456789abcdef\"", "");
        assert!(!shown.contains("S3CRET"), "{shown}");
    }
}
