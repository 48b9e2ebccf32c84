//! What attackers write into mails, replies and headers, for the tests of every sink.

use std::sync::Arc;

use serde_json::{Value, json};

use super::page::Pages;
use super::{Origin, Outgoing};
use crate::config::Wording;
use crate::model::{At, Change, Culprit, IncidentId, Kind, Name, Notice, NoticeId, Severity};

/// Texts that mean something to somebody.
pub(super) const NASTY: &[&str] = &[
    "@everyone @here @channel look",
    "<!channel> <!here> <!everyone> <@U012AB3CD> <#C024BE7LR> <https://evil.example|click> &lt;!channel&gt;",
    "<@123456789> <@&987> <#42> <:smile:1> <t:1:R> ||spoiler|| ~~no~~ __under__ `code` ```block```",
    "*bold* _it_ **b** # head\n> quote\n- item [click](https://evil.example/?a=b) ![x](https://evil.example/p.png)",
    "<b>bold</b><a href=\"https://evil.example\">x</a><script>alert(1)</script><img src=x onerror=alert(1)>",
    "https://evil.example/login http://evil.example evil.example www.evil.example mailto:a@evil.example tg://user?id=1",
    "<at>Everyone</at> {{DATE(2017-02-14T06:08:39Z, SHORT)}} ${1+1} @{variables('x')}",
    "/start@bot /stop #hashtag $CASH tel:+123456789",
    "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7} \u{9b}2J \u{8}\u{8}\u{8} \u{7f}",
    "abc\u{202e}txt.exe\u{202c} \u{2066}x\u{2069} \u{200f}y \u{61c}z \u{200b}w\u{feff}v \u{e0041}\u{e0042}u",
    "a\r\nSubject: injected\r\nBcc: victim@evil.example\r\n\r\nbody\u{2028}line\u{2029}para\u{85}next",
    "-rf --exec=/bin/sh; rm -rf / $(reboot) `reboot` | cat /etc/passwd > x & \\ ' \" %n %s %x",
    "\"},\"admin\":true,{\"x\":\"",
    "\0nul\0",
    ":smile: :fire: \\u0040everyone &#64;everyone &commat;everyone",
    "ä😀\u{301}\u{301}\u{301}\u{301} 中文 עברית العربية",
];

/// Whom the tests speak for.
pub(super) fn origin() -> Origin {
    Origin {
        instance: "test.example".to_owned(),
        installation: "1".to_owned(),
        public_url: Some("https://canary.example".to_owned()),
        own_url: None,
        runbooks: Some("https://canary.example/runbooks/{kind}".to_owned()),
    }
}

/// Pages in our own words.
pub(super) fn pages() -> Pages {
    Pages::new(origin(), Wording::default())
}

/// A notice with this summary, and evidence that says the same wherever others have a say.
pub(super) fn out(change: Change, text: &str) -> Outgoing {
    let evidence = json!({
        "first_bad": { "canary": "1", "sent_at": "2022-08-08T19:26:00.000Z", "age": "4m" },
        "missing": 9, "of": 20, "certainty": 0.97, "streams": ["reset"],
        // Not the same as the summary, or it would not be said again.
        "reply": format!("{text} 1"), "others": format!("{text} 2"), "next_step": format!("{text} 3"), "why": format!("{text} 4"),
    });
    let notice = Notice {
        notice: NoticeId(7),
        incident: IncidentId(3),
        change,
        kind: Kind::Stopped,
        severity: Severity::Page,
        culprit: Culprit::Provider(Name::new("mailchimp").unwrap()),
        summary: text.to_owned(),
        evidence,
    };
    Outgoing { notice: notice.into(), opened_at: At::from_ms(1_659_987_000_000), at: At::from_ms(1_659_987_060_000), perhaps_told: false }
}

/// A page as it usually is.
pub(super) fn opened() -> Outgoing {
    let mut out = out(Change::Opened, "provider `mailchimp` stopped: 9 canaries have not arrived in 3 inboxes");
    let facts = json!({
        "first_bad": { "canary": "1", "sent_at": "2022-08-08T19:26:00.000Z", "age": "4m" },
        "last_good": { "canary": "0", "sent_at": "2022-08-08T19:25:00.000Z", "age": "5m" },
        "streams": ["reset", "sign-up"], "inboxes": ["a", "b", "c"], "missing": 9, "of": 20, "reply": "550 5.7.1 account suspended", "others": "sendgrid delivers",
        "next_step": "open the provider's status page", "certainty": 0.97,
    });
    Arc::make_mut(&mut out.notice).evidence = facts;
    out
}

/// Every nasty text, short and very long, in a page and in a recovery.
pub(super) fn all() -> impl Iterator<Item = Outgoing> {
    let long = |text: &&str| (*text).to_owned() + &" ".repeat(2) + &text.repeat(6000 / text.len());
    let texts = NASTY.iter().map(|text| (*text).to_owned()).chain(NASTY.iter().map(long));
    let texts: Vec<String> = texts.chain(["&".repeat(9000), "😀".repeat(3000), "_".repeat(9000)]).collect();
    texts
        .into_iter()
        .flat_map(|text| [Change::Opened, Change::Updated, Change::Reminder, Change::Resolved].map(|change| out(change, &text)))
}

/// Asserts that there is nothing in `text` but what can be seen. What we put between characters ourselves may stand.
pub(super) fn assert_plain(text: &str) {
    let bad = |c: char| c.is_control() && c != '\n' || super::fit::tame(c).is_none() && c != super::fit::JOINER;
    assert!(!text.contains(bad), "{:?} in {text:?}", text.chars().find(|c| bad(*c)));
}

/// Every text in `value`.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
