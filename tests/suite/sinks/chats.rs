//! Slack, Discord, Teams, Telegram and ntfy.

use mailcanary::config::{DiscordSettings, NtfySettings, SlackBotSettings, SlackSettings, TeamsSettings, TelegramSettings};
use serde_json::json;

use super::*;
use crate::support::chats::{
    Channel, DISCORD_PATH, NTFY_TOPIC, SLACK_PATH, SLACK_TOKEN, TEAMS_PATH, TEAMS_QUERY, TELEGRAM_TOKEN, discord, ntfy, slack, slack_bot,
    teams, telegram,
};
use crate::support::service::{Service, Told};
use crate::support::temp_dir::TempDir;

fn bot(service: &Service<Channel>, token: &str) -> SinkKind {
    let (token, channel) = (at(token), "C0123456789".to_owned());
    SinkKind::SlackBot(SlackBotSettings {
        token,
        acknowledgements: Some(at("signing secret")),
        channel,
        base_url: format!("{}/api", service.base),
    })
}

fn chat(service: &Service<Channel>, chat: &str) -> SinkKind {
    let (token, chat, base_url) = (at(TELEGRAM_TOKEN), chat.to_owned(), service.base.clone());
    SinkKind::Telegram(TelegramSettings { token, chat, topic: None, base_url })
}

#[tokio::test]
async fn slack_by_webhook_gets_a_message_a_notice() {
    let service = Service::<Channel>::start(slack).await;
    let kind = |path: &str| SinkKind::Slack(SlackSettings { url: at(&format!("{}{path}", service.base)), acknowledgements: None });
    let mut worker = Worker::start(sink(kind(SLACK_PATH)), Vec::new());
    live(&mut worker).await;
    worker.close().await;
    service.look(|channel| {
        assert_eq!(channel.messages.len(), 4);
        assert!(!channel.messages[0].to_string().contains("actions"), "nobody would hear of it");
        assert_eq!(channel.messages[0]["blocks"][0]["text"]["text"], "PAGE: provider mailchimp, stopped");
        assert_eq!(channel.messages[3]["blocks"][0]["text"]["text"], "RESOLVED: provider mailchimp, stopped");
    });
    let attempt = deliver(&sink(kind("/services/T0/B0/hunter2")), &out(1, 3, Change::Opened)).await;
    assert!(matches!(&attempt, Attempt::Gone { why } if why.contains("no_service") && !why.contains("hunter2")), "{attempt:?}");
    service.instead([Told::text(410, "channel_is_archived"), Told::text(403, "action_prohibited"), Told::text(500, "rollup_error")]);
    let own = sink(kind(SLACK_PATH));
    let [archived, prohibited, broken] = in_turn(&own, &nasty(Change::Opened)).await;
    assert_eq!(archived, Attempt::Doubtful { why: "answered 410: channel_is_archived".to_owned() });
    assert_eq!(prohibited, Attempt::Doubtful { why: "answered 403: action_prohibited".to_owned() });
    assert!(matches!(broken, Attempt::Retry { .. }), "{broken:?}");
    assert_eq!(deliver(&own, &nasty(Change::Opened)).await, Attempt::Delivered);
}

/// Tells it again and again.
async fn in_turn<const N: usize>(sink: &Sink, out: &Outgoing) -> [Attempt; N] {
    let mut all = Vec::new();
    for _ in 0..N {
        all.push(deliver(sink, out).await);
    }
    all.try_into().unwrap()
}

#[tokio::test]
async fn slack_by_bot_keeps_one_message_an_incident_over_restarts() {
    let service = Service::<Channel>::start(slack_bot).await;
    let folder = TempDir::new("slack-bot");
    let fresh = || sink_in(bot(&service, SLACK_TOKEN), Some(folder.path()));
    let titles = |channel: &mut Channel| -> Vec<String> {
        channel.messages.iter().map(|m| m["blocks"][0]["text"]["text"].as_str().unwrap().to_owned()).collect()
    };
    let opened = quiet(out(1, 3, Change::Opened), Severity::Warn);
    assert_eq!(deliver(&fresh(), &opened).await, Attempt::Delivered);
    assert_eq!(service.look(titles), ["WARNING: provider mailchimp, stopped"]);
    // Another life: the same message.
    let updated = quiet(out(2, 3, Change::Updated), Severity::Warn);
    assert_eq!(deliver(&fresh(), &updated).await, Attempt::Delivered);
    assert_eq!(service.look(titles), ["WARNING: provider mailchimp, stopped (changed)"]);
    let button = |message: &serde_json::Value| message["blocks"].as_array().unwrap().iter().find(|b| b["type"] == "actions").cloned();
    let value = |message: &serde_json::Value| button(message).map(|b| b["elements"][0]["value"].clone());
    service.look(|channel| assert_eq!(value(&channel.messages[0]), Some(json!("mailcanary/test.example/3"))));
    // A rise is heard: a message of its own. And so is a reminder, below it.
    assert_eq!(deliver(&fresh(), &out(3, 3, Change::Updated)).await, Attempt::Delivered);
    assert_eq!(deliver(&fresh(), &out(4, 3, Change::Reminder)).await, Attempt::Delivered);
    let all = service.look(|channel| channel.messages.clone());
    assert_eq!((all.len(), &all[2]["thread_ts"], &all[2]["reply_broadcast"]), (3, &all[1]["ts"], &json!(true)));
    assert_eq!(deliver(&fresh(), &out(5, 3, Change::Resolved)).await, Attempt::Delivered);
    assert_eq!(service.look(titles)[1], "RESOLVED: provider mailchimp, stopped");
    assert_eq!(service.look(titles).len(), 3);
    service.look(|channel| assert_eq!(button(&channel.messages[1]), None, "what is over is not acknowledged"));
    // And so is what has grown since it was acknowledged.
    assert_eq!(deliver(&fresh(), &out(7, 4, Change::Opened)).await, Attempt::Delivered);
    assert_eq!(deliver(&fresh(), &calling(8, 4, Change::Updated, 1)).await, Attempt::Delivered);
    assert_eq!(deliver(&fresh(), &calling(9, 4, Change::Updated, 1)).await, Attempt::Delivered);
    assert_eq!(service.look(titles).len(), 5);
    // What is not there any more is written again.
    service.look(|channel| channel.messages.clear());
    for change in [Change::Updated, Change::Reminder, Change::Resolved] {
        assert_eq!(deliver(&fresh(), &out(6, 3, change)).await, Attempt::Delivered);
    }
    assert!(service.look(|channel| channel.messages.len()) <= 3);
}

#[tokio::test]
async fn slack_by_bot_is_refused_with_200() {
    let service = Service::<Channel>::start(slack_bot).await;
    let attempt = deliver(&sink(bot(&service, "xoxb-hunter2")), &out(1, 3, Change::Opened)).await;
    assert_eq!(attempt, Attempt::Doubtful { why: "answered `invalid_auth`".to_owned() });
    let own = sink(bot(&service, SLACK_TOKEN));
    let error = |error: &str| Told::json(200, &json!({ "ok": false, "error": error }));
    service.instead([error("ratelimited"), error("msg_too_long"), Told::text(200, "maintenance"), error(SLACK_TOKEN)]);
    let [limited, long, nonsense, secret] = in_turn(&own, &nasty(Change::Opened)).await;
    assert!(matches!(limited, Attempt::Retry { .. }) && matches!(long, Attempt::Refused { .. }), "{limited:?} {long:?}");
    assert!(matches!(nonsense, Attempt::Retry { unclear: true, .. }), "{nonsense:?}");
    assert!(!format!("{secret:?}").contains("S3CRET"), "{secret:?}");
    assert_eq!(deliver(&own, &nasty(Change::Opened)).await, Attempt::Delivered);
}

#[tokio::test]
async fn discord_is_asked_to_wait() {
    let service = Service::<Channel>::start(discord).await;
    let kind = |path: &str| SinkKind::Discord(DiscordSettings { url: at(&format!("{}{path}", service.base)) });
    let own = sink(kind(DISCORD_PATH));
    assert_eq!(deliver(&own, &nasty(Change::Opened)).await, Attempt::Delivered);
    assert_eq!(deliver(&own, &out(2, 3, Change::Resolved)).await, Attempt::Delivered);
    service.look(|channel| assert_eq!(channel.messages[1]["embeds"][0]["url"], "http://canary.example/incidents/3"));
    let limited = json!({ "message": "You are being rate limited.", "retry_after": 1.337, "global": false });
    service.instead([Told::json(429, &limited).with("retry-after", "2")]);
    let attempt = deliver(&own, &out(2, 3, Change::Opened)).await;
    assert!(matches!(attempt, Attempt::Retry { after: Some(wait), .. } if wait.as_ms() == 1337), "{attempt:?}");
    // Who calls what is deleted again and again is locked out.
    let mut worker = Worker::start(sink(kind("/api/webhooks/1/hunter2")), Vec::new());
    for id in 1..4 {
        worker.send(out(id, id, Change::Opened)).await;
        assert_eq!(worker.ended().await, (id, Delivery::Refused));
    }
    worker.close().await;
    let mut service = service;
    assert_eq!(service.rest(), 4, "a webhook that is deleted is called once");
}

#[tokio::test]
async fn teams_starts_a_flow() {
    let service = Service::<Channel>::start(teams).await;
    let own = sink(SinkKind::Teams(TeamsSettings { url: at(&format!("{}{TEAMS_PATH}?{TEAMS_QUERY}", service.base)) }));
    assert_eq!(deliver(&own, &nasty(Change::Opened)).await, Attempt::Delivered);
    let card = service.look(|channel| channel.messages[0]["attachments"][0]["content"].clone());
    assert_eq!(card["body"][0]["inlines"][0]["text"], "PAGE: provider mailchimp, stopped");
    assert_eq!(card["actions"][0]["url"], "http://canary.example/incidents/3");
    let old = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429";
    let disabled = json!({ "error": { "code": "WorkflowTriggerIsNotEnabled", "message": "sig T0P-S3CRET-sig: not enabled" } });
    service.instead([Told::text(200, old), Told::text(200, "1"), Told::json(403, &disabled)]);
    let [failed, fine, disabled] = in_turn(&own, &out(1, 3, Change::Opened)).await;
    assert!(matches!(failed, Attempt::Retry { .. }), "{failed:?}");
    assert_eq!(fine, Attempt::Delivered);
    assert!(matches!(&disabled, Attempt::Doubtful { why } if why.contains("not enabled") && !why.contains("S3CRET")), "{disabled:?}");
}

#[tokio::test]
async fn telegram_follows_a_group_that_moved() {
    let service = Service::<Channel>::start(telegram).await;
    let folder = TempDir::new("telegram");
    let fresh = || sink_in(chat(&service, "-42"), Some(folder.path()));
    assert_eq!(deliver(&fresh(), &nasty(Change::Opened)).await, Attempt::Delivered);
    service.look(|channel| channel.moved = Some(-100_777));
    assert_eq!(deliver(&fresh(), &out(2, 3, Change::Updated)).await, Attempt::Delivered);
    let mut service = service;
    assert_eq!(service.rest(), 3);
    assert_eq!(deliver(&sink_in(chat(&service, "-42"), Some(folder.path())), &out(3, 3, Change::Resolved)).await, Attempt::Delivered);
    assert_eq!(service.rest(), 1, "it is remembered where it went");
    service.look(|channel| assert_eq!(channel.messages.len(), 3));
    let attempt = deliver(&sink(chat(&service, "-1")), &out(1, 3, Change::Opened)).await;
    assert_eq!(attempt, Attempt::Doubtful { why: "answered 400: Bad Request: chat not found".to_owned() });
    let limited = json!({ "ok": false, "error_code": 429, "description": "Too Many Requests", "parameters": { "retry_after": 7 } });
    let blocked = json!({ "ok": false, "error_code": 403, "description": format!("Forbidden: {TELEGRAM_TOKEN} was kicked") });
    service.instead([Told::json(429, &limited), Told::json(403, &blocked)]);
    let own = sink(chat(&service, "-42"));
    let attempt = deliver(&own, &out(1, 3, Change::Opened)).await;
    assert!(matches!(attempt, Attempt::Retry { after: Some(wait), .. } if wait.as_ms() == 7000), "{attempt:?}");
    let attempt = deliver(&own, &out(1, 3, Change::Opened)).await;
    assert!(matches!(&attempt, Attempt::Doubtful { why } if !why.contains("S3CRET")), "{attempt:?}");
    assert!(!format!("{own:?}").contains("S3CRET"));
}

#[tokio::test]
async fn ntfy_wakes_a_phone() {
    let service = Service::<Channel>::start(ntfy).await;
    let kind =
        |topic: &str| SinkKind::Ntfy(NtfySettings { topic: at(topic), token: Some(at("tk_hunter2")), base_url: service.base.clone() });
    let own = sink(kind(NTFY_TOPIC));
    assert_eq!(deliver(&own, &nasty(Change::Opened)).await, Attempt::Delivered);
    assert_eq!(deliver(&own, &quiet(out(2, 3, Change::Updated), Severity::Info)).await, Attempt::Delivered);
    assert_eq!(deliver(&own, &out(3, 3, Change::Resolved)).await, Attempt::Delivered);
    service.look(|channel| {
        let priorities: Vec<u64> = channel.messages.iter().map(|m| m["priority"].as_u64().unwrap()).collect();
        assert_eq!(priorities, [5, 2, 3]);
        assert_eq!(channel.messages[0]["click"], "http://canary.example/incidents/3");
    });
    let attempt = deliver(&sink(kind("hunter2")), &out(1, 3, Change::Opened)).await;
    assert_eq!(attempt, Attempt::Doubtful { why: "answered 403: forbidden".to_owned() });
    let error = |http: u16, code: u32| Told::json(http, &json!({ "code": code, "http": http, "error": "limit reached", "link": "" }));
    service.instead([error(429, 42_901), error(429, 42_908), error(507, 50_701), Told::text(200, "<html>log in</html>")]);
    let [bucket, day, nobody, portal] = in_turn(&own, &out(1, 3, Change::Opened)).await;
    assert!(matches!(bucket, Attempt::Retry { after: Some(wait), .. } if wait.as_ms() == 5000), "{bucket:?}");
    assert!(matches!(day, Attempt::Retry { after: Some(wait), .. } if wait.as_ms() == 600_000), "{day:?}");
    assert!(matches!(nobody, Attempt::Doubtful { .. }) && matches!(portal, Attempt::Retry { .. }), "{nobody:?} {portal:?}");
}
