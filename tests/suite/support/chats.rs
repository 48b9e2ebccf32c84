//! Slack, Discord, Teams, Telegram and ntfy, as their documents describe them: what is not documented is complained of.

use serde_json::{Value, json};

use super::service::{Asked, Told};

pub const SLACK_PATH: &str = "/services/T00000000/B00000000/T0P-S3CRET-slack";
pub const SLACK_TOKEN: &str = "xoxb-T0P-S3CRET-bot";
pub const DISCORD_PATH: &str = "/api/webhooks/123456789/T0P-S3CRET-discord";
pub const TEAMS_PATH: &str = "/workflows/T0P-S3CRET-flow/triggers/manual/paths/invoke";
pub const TEAMS_QUERY: &str = "api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=T0P-S3CRET-sig";
pub const TELEGRAM_TOKEN: &str = "123456:T0P-S3CRET-telegram";
pub const NTFY_TOPIC: &str = "T0P-S3CRET-topic";

/// What stands in a channel.
#[derive(Debug, Default)]
pub struct Channel {
    pub messages: Vec<Value>,
    /// Telegram: the number of the group that this one became.
    pub moved: Option<i64>,
}

fn blocks(message: &Value) {
    assert!(message["text"].as_str().is_some_and(|text| !text.is_empty()), "no_text");
    let blocks = message["blocks"].as_array().unwrap();
    assert!(!blocks.is_empty() && blocks.len() <= 50);
    let within = |text: &Value, most: usize| {
        let length = text["text"].as_str().unwrap().chars().count();
        assert!(length > 0 && length <= most, "{length} of {most}");
    };
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => {
                assert_eq!(block["text"]["type"], "plain_text");
                within(&block["text"], 150);
            }
            "section" => {
                if let Some(fields) = block["fields"].as_array() {
                    assert!(!fields.is_empty() && fields.len() <= 10);
                    fields.iter().for_each(|field| within(field, 2000));
                } else {
                    within(&block["text"], 3000);
                }
            }
            "actions" => {
                for element in block["elements"].as_array().unwrap() {
                    assert_eq!((&element["type"], &element["text"]["type"]), (&json!("button"), &json!("plain_text")));
                    within(&element["text"], 75);
                    assert!(element["value"].as_str().unwrap().len() <= 2000 && element["action_id"].as_str().unwrap().len() <= 255);
                }
            }
            "context" => assert!(block["elements"].as_array().unwrap().len() <= 10),
            other => panic!("invalid_blocks: {other}"),
        }
    }
}

pub fn slack(channel: &mut Channel, asked: &Asked) -> Told {
    assert_eq!(asked.method, "POST");
    if asked.path != SLACK_PATH {
        return Told::text(404, "no_service");
    }
    let message = asked.json();
    blocks(&message);
    channel.messages.push(message);
    Told::text(200, "ok")
}

pub fn slack_bot(channel: &mut Channel, asked: &Asked) -> Told {
    assert_eq!(asked.method, "POST");
    let error = |error: &str| Told::json(200, &json!({ "ok": false, "error": error }));
    if asked.header("authorization") != format!("Bearer {SLACK_TOKEN}") {
        return error("invalid_auth");
    }
    let mut message = asked.json();
    if message["channel"] != "C0123456789" {
        return error("channel_not_found");
    }
    blocks(&message);
    let place = |channel: &Channel, ts: &Value| channel.messages.iter().position(|known| known["ts"] == *ts);
    match asked.path.as_str() {
        "/api/chat.postMessage" => {
            if message.get("thread_ts").is_some_and(|ts| place(channel, ts).is_none()) {
                return error("thread_not_found");
            }
            let ts = format!("1659987000.{:06}", channel.messages.len());
            message["ts"] = json!(ts);
            channel.messages.push(message);
            Told::json(200, &json!({ "ok": true, "channel": "C0123456789", "ts": ts }))
        }
        "/api/chat.update" => {
            let Some(place) = place(channel, &message["ts"]) else { return error("message_not_found") };
            let ts = message["ts"].clone();
            channel.messages[place] = message;
            Told::json(200, &json!({ "ok": true, "channel": "C0123456789", "ts": ts, "text": "" }))
        }
        _ => error("unknown_method"),
    }
}

pub fn discord(channel: &mut Channel, asked: &Asked) -> Told {
    assert_eq!(asked.method, "POST");
    if asked.path != DISCORD_PATH {
        return Told::json(404, &json!({ "message": "Unknown Webhook", "code": 10015 }));
    }
    let message = asked.json();
    assert_eq!(message["allowed_mentions"]["parse"], json!([]), "somebody could be pinged");
    let long = |text: &Value| text.as_str().unwrap().chars().count();
    assert!(long(&message["content"]) <= 2000);
    let embeds = message["embeds"].as_array().unwrap();
    assert!(embeds.len() <= 10);
    let mut sum = 0;
    for embed in embeds {
        assert!(long(&embed["title"]) <= 256 && long(&embed["description"]) <= 4096);
        sum += long(&embed["title"]) + long(&embed["description"]);
        for field in embed["fields"].as_array().unwrap() {
            assert!((1..=256).contains(&long(&field["name"])) && (1..=1024).contains(&long(&field["value"])));
            sum += long(&field["name"]) + long(&field["value"]);
        }
    }
    assert!(sum <= 6000);
    channel.messages.push(message);
    if asked.query.split('&').any(|pair| pair == "wait=true") {
        Told::json(200, &json!({ "id": "1005", "channel_id": "1", "content": "" }))
    } else {
        Told::text(204, "")
    }
}

/// Starts a flow, whatever it is given: a card that is wrong fails later, and nothing is said of it.
pub fn teams(channel: &mut Channel, asked: &Asked) -> Told {
    assert_eq!((asked.method.as_str(), asked.path.as_str(), asked.query.as_str()), ("POST", TEAMS_PATH, TEAMS_QUERY));
    assert!(asked.body.len() <= 28 * 1024);
    let message = asked.json();
    assert_eq!(message["type"], "message");
    let attachment = &message["attachments"][0];
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    assert!(attachment.as_object().unwrap().contains_key("contentUrl"));
    let card = &attachment["content"];
    assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
    for action in card["actions"].as_array().unwrap() {
        assert_eq!(action["type"], "Action.OpenUrl");
    }
    channel.messages.push(message);
    Told::text(202, "")
}

pub fn telegram(channel: &mut Channel, asked: &Asked) -> Told {
    assert_eq!(asked.method, "POST");
    let error = |code: u16, description: &str, parameters: &Value| {
        Told::json(code, &json!({ "ok": false, "error_code": code, "description": description, "parameters": parameters }))
    };
    if asked.path != format!("/bot{TELEGRAM_TOKEN}/sendMessage") {
        return error(401, "Unauthorized", &json!({}));
    }
    let message = asked.json();
    let here = channel.moved.unwrap_or(-42);
    if message["chat_id"] != here {
        return match channel.moved {
            Some(moved) if message["chat_id"] == -42 => {
                error(400, "Bad Request: group chat was upgraded to a supergroup chat", &json!({ "migrate_to_chat_id": moved }))
            }
            _ => error(400, "Bad Request: chat not found", &json!({})),
        };
    }
    let length = message["text"].as_str().unwrap().encode_utf16().count();
    assert!((1..=4096).contains(&length), "message is too long");
    for entity in message["entities"].as_array().unwrap() {
        assert!(entity["offset"].as_u64().unwrap() + entity["length"].as_u64().unwrap() <= length as u64);
    }
    channel.messages.push(message);
    Told::json(200, &json!({ "ok": true, "result": { "message_id": channel.messages.len(), "chat": { "id": here } } }))
}

pub fn ntfy(channel: &mut Channel, asked: &Asked) -> Told {
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/"));
    let message = asked.json();
    if message["topic"] != NTFY_TOPIC {
        let why = json!({ "code": 40301, "http": 403, "error": "forbidden", "link": "https://ntfy.sh/docs/publish/#authentication" });
        return Told::json(403, &why);
    }
    assert!(message["message"].as_str().unwrap().len() <= 4096, "it would become an attachment");
    assert!((1..=5).contains(&message["priority"].as_u64().unwrap()));
    channel.messages.push(message);
    Told::json(
        200,
        &json!({ "id": "Rd6Bbn4pGPRM", "time": 1_659_987_000, "expires": 1_660_030_200, "event": "message", "topic": NTFY_TOPIC }),
    )
}
