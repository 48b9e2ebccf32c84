//! `mailcanary incident evidence`, of a real ledger in which attackers have written, read by a real Markdown program.

use std::path::PathBuf;
use std::process::{Command, Output};

use mailcanary::ledger::{Hops, Ledger};
use mailcanary::model::{Change, Class, Culprit, Fate, Hop, IncidentId, Kind, Notice, NoticeId, Outcome, Severity};
use mailcanary::watchdog::{Delivery, Event, Fact, Record};
use serde_json::{Value, json};

use super::{Scratch, after, answered, canary, history, name, open, sent, sighted};

const SECRET: &str = "hunter2-and-more";
const NASTY: &str = "</code><script>alert(1)</script> ``` ` `` [x](https://evil.example/a) ![p](https://evil.example/p.png) www.evil.example \
    @everyone | a\r\n\r\n# head\n<h1>x</h1>\n\n---\n- [ ] y\n> q \u{1b}[31m \u{202e}gnp.exe \u{200b} &lt;b&gt; <https://evil.example> \u{9b}2J";

fn token() -> String {
    format!("mc-{}", "ab27".repeat(9))
}

/// A header that tries to end its fence.
fn header() -> String {
    let fences = ["```", "````````", "~~~", "</code></pre><script>alert(1)</script>"].join("\n");
    format!("Received: by evil\nSubject: {NASTY}\n{fences}\n# head\nTo: <seed7f3+{}@gmail.com> {SECRET}\n…", token())
}

fn notice(number: u64, change: Change) -> Notice {
    Notice {
        notice: NoticeId(number),
        incident: IncidentId(1),
        change,
        kind: Kind::Stopped,
        severity: Severity::Page,
        culprit: Culprit::Provider(name("mailchimp")),
        summary: format!("provider `mailchimp` stopped {NASTY}"),
        evidence: json!({
            "since": after(240_000).rfc3339(), "first_bad": { "canary": canary(10).to_string(), "sent_at": after(240_000).rfc3339(), "age": "4m" },
            "missing": 2, "of": 20, "certainty": 0.97, "others": format!("relay delivers {NASTY}"), "reply": format!("250 {NASTY} {SECRET}"),
            NASTY: NASTY, "next_step": "open the provider's status page",
            "provider_says": [{ "canary": canary(10).to_string(), "sent_at": after(240_000).rfc3339(), "fate": "bounced", "said_at": after(500_000).rfc3339(), "words": NASTY }],
        }),
    }
}

fn event(ms: u64, event: Event) -> Record {
    Record { at: after(ms), fact: Fact::Happened(event) }
}

/// Three canaries that arrived, and then an outage.
fn outage(over: bool) -> Vec<Record> {
    let told = |ms, number, change| {
        let fact = Fact::Told { notice: notice(number, change), sinks: vec![name("hook")], silenced: false, late: false };
        Record { at: after(ms), fact }
    };
    let mut records = history(3);
    records.extend([
        sent(10, after(240_000)),
        answered(10, after(240_100), Outcome::Accepted, &format!("250 {NASTY} {SECRET} {} seed7f3@gmail.com", token())),
        sent(11, after(300_000)),
        answered(11, after(300_100), Outcome::Refused(Class::Suspended), "550 5.7.1 account suspended"),
        told(330_000, 1, Change::Opened),
        event(330_500, Event::Noticed { notice: NoticeId(1), sink: name("hook"), outcome: Delivery::Delivered, why: None }),
        event(
            340_000,
            Event::Acknowledged {
                incident: IncidentId(1),
                by: NASTY.to_owned(),
                note: Some(format!("on it {SECRET}")),
                said_at: None,
                via: None,
            },
        ),
        event(350_000, Event::Blind { inbox: name("gmail-1"), class: Some(Class::Auth), why: Some(NASTY.to_owned()) }),
        event(500_000, Event::Traced { canary: canary(10), fate: Fate::Bounced, words: Some(NASTY.to_owned()) }),
        Record { at: after(1_140_000), fact: Fact::Lost { canary: canary(10) } },
        told(1_150_000, 2, Change::Reminder),
    ]);
    if over {
        records.extend([sighted(10, after(1_200_000), "gmail-1", "INBOX/1/10"), told(1_210_000, 3, Change::Resolved)]);
    }
    records
}

/// A ledger with an outage in it, and a configuration beside it.
fn scene(over: bool) -> (Scratch, Ledger, PathBuf) {
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    ledger.append(&outage(over)).expect("appends");
    let headers = [(2, "Received: from a\n\tby b".to_owned()), (1, header()), (77, "of a canary that is not kept".to_owned())];
    ledger.keep_headers(after(330_100), &headers.map(|(number, text)| (canary(number), text))).expect("keeps");
    let mail = json!({ "hops": [{ "by": "mx.example.org", "from": "evil`<b>", "took": 2000 }], "checks": [{ "method": "dkim", "finding": "fail", "why": "no key" }],
        "marks": [{ "part": "dkim_domain", "value": "example.com" }] });
    ledger
        .keep_mails(&[(canary(2), mail.to_string()), (canary(1), "{\"of\": \"another version\"}".to_owned()), (canary(5), "{}".to_owned())])
        .expect("keeps");
    let secret = scratch.0.join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let text = format!(
        "[stream.password-reset]\n[provider.mailchimp.mandrill]\nfrom = \"a@example.com\"\napi_key = {{ file = \"{}\" }}\n\
         [inbox.gmail-1.imap]\naddress = \"seed7f3@gmail.com\"\nhost = \"imap.gmail.com\"\nusername = \"s\"\npassword = {{ credential = \"none\" }}\n\
         [ledger]\npath = \"{}\"\n",
        secret.display(),
        scratch.ledger().display()
    );
    let config = scratch.0.join("mailcanary.toml");
    std::fs::write(&config, text).unwrap();
    (scratch, ledger, config)
}

fn evidence(scratch: &Scratch, config: &PathBuf, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailcanary"));
    command.args(["incident", "evidence"]).args(words).arg("-c").arg(config).current_dir(&scratch.0);
    command.env_remove("CREDENTIALS_DIRECTORY").output().unwrap()
}

fn written(scratch: &Scratch, folder: &str) -> (String, Value) {
    let read = |name: &str| std::fs::read_to_string(scratch.0.join(folder).join(name)).unwrap();
    let json = read("incident.json");
    (read("incident.md"), serde_json::from_str(&json).unwrap())
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn an_open_incident_is_written_beside_the_ledger_that_is_in_use() {
    let (scratch, _ledger, config) = scene(false);
    let output = evidence(&scratch, &config, &["1"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let (text, json) = written(&scratch, "mailcanary-evidence-1");
    assert_eq!((&json["incident"], &json["kind"], &json["resolved_at"]), (&json!(1), &json!("stopped"), &Value::Null));
    assert_eq!(json["canaries"].as_array().unwrap().len(), 2);
    let lost = &json["canaries"][0];
    assert_eq!((&lost["canary"], &lost["state"], &lost["blamed"]), (&json!(canary(10).to_string()), &json!("lost"), &json!(true)));
    assert_eq!((&lost["message_id"], &lost["provider_says"][0]["fate"]), (&json!("10@example.net"), &json!("bounced")));
    assert_eq!(json["canaries"][1]["reply"], "550 5.7.1 account suspended");
    let headers = json["headers"].as_array().unwrap();
    assert_eq!(headers.len(), 2, "{headers:?}");
    assert_eq!((&headers[0]["canary"], &headers[0]["text"]), (&json!(canary(2).to_string()), &json!("Received: from a\n\tby b")));
    let hop =
        json!({ "at": null, "took": "2s", "by": "mx.example.org", "from": "evil`<b>", "address": null, "behind": null, "side": null });
    assert_eq!((&headers[0]["mail"]["hops"], &headers[1]["mail"]), (&json!([hop]), &Value::Null));
    assert_eq!(headers[0]["mail"]["checks"][0]["by"], "mailcanary");
    assert!(
        text.contains("- check `dkim`: `fail`, by `mailcanary`: `no key`") && text.contains("- `DKIM domain`: `example.com`"),
        "{text}"
    );
    assert_eq!((&headers[0]["state"], &headers[0]["blamed"]), (&json!("arrived"), &json!(true)));
    let blamed: Vec<&Value> = json["routes"].as_array().unwrap().iter().filter(|route| route["blamed"] == true).collect();
    let of = |part: fn(&Value) -> &Value| blamed.iter().filter_map(|route| part(route).as_u64()).sum::<u64>();
    let (sent, lost) = (of(|route| &route["sent"]), of(|route| &route["states"]["lost"]));
    assert!(sent > 0 && lost > 0 && text.contains(&format!("In all: of {sent} canaries over {} routes ", blamed.len())), "{text}");
    assert!(text.contains(&format!("{lost} lost")) && !text.contains("`how_many`"), "what the last notice had is not repeated: {text}");
    let route = &json["routes"][0];
    assert_eq!((&route["sent"], &route["states"]), (&json!(2), &json!({ "lost": 1, "refused": 1 })));
    assert_eq!(route["last_good"], after(180_000).rfc3339());
    assert_eq!(json["notices"][0]["sinks"], json!([{ "sink": "hook", "outcome": "delivered", "since": after(330_500).rfc3339() }]));
    for part in [
        "# Incident 1: `provider:mailchimp`, `stopped`",
        "550 5.7.1 account suspended",
        "10@example.net",
        "Has lasted:",
        "notice 1",
        "```\nReceived: from a\n by b\n```\n",
        "bounced",
        "acknowledged",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(scratch.0.join("mailcanary-evidence-1/incident.md")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn each_of_two_that_are_open_tells_of_its_own_first_canary() {
    let (scratch, mut ledger, config) = scene(false);
    let of_relay = |mut record: Record| {
        if let Fact::Sent { provider, .. } = &mut record.fact {
            *provider = name("relay");
        }
        record
    };
    let notice = Notice { incident: IncidentId(2), culprit: Culprit::Provider(name("relay")), ..notice(9, Change::Opened) };
    let told = Fact::Told { notice, sinks: vec![name("hook")], silenced: false, late: false };
    let records = [
        // Before the first that failed over the other, and of this incident alone.
        of_relay(sent(30, after(1_150_100))),
        answered(30, after(1_150_200), Outcome::Refused(Class::Suspended), "550 suspended"),
        event(1_150_300, Event::Traced { canary: canary(30), fate: Fate::Bounced, words: Some("of relay alone".to_owned()) }),
        Record { at: after(1_150_400), fact: told },
    ];
    ledger.append(&records).expect("appends");
    for (id, mine, other) in [("1", "mailchimp", "relay"), ("2", "relay", "mailchimp")] {
        let output = evidence(&scratch, &config, &[id]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let (_, json) = written(&scratch, &format!("mailcanary-evidence-{id}"));
        let first: Vec<String> = json["timeline"].as_array().unwrap().iter().map(|entry| entry["what"].to_string()).collect();
        let of = |who: &str| format!("the first canary over {who}/password-reset/gmail-1 that failed");
        let says = |words: &str| first.iter().any(|what| what.contains(words));
        assert!(says(&of(mine)) && !says(&of(other)), "{id}: {first:?}");
        assert_eq!(json["timeline"].to_string().contains("of relay alone"), mine == "relay", "{id}");
    }
}

#[test]
fn what_is_over_is_written_without_a_daemon_and_nothing_is_overwritten() {
    let (scratch, ledger, config) = scene(true);
    drop(ledger);
    for wanted in [0, 1] {
        let output = evidence(&scratch, &config, &["1", "--out", "ticket"]);
        assert_eq!(output.status.code(), Some(wanted), "{}", said(&output));
    }
    assert!(said(&evidence(&scratch, &config, &["1", "--out", "ticket"])).contains("`ticket` is there already"));
    let (text, json) = written(&scratch, "ticket");
    assert_eq!(json["resolved_at"], after(1_210_000).rfc3339());
    assert_eq!((&json["canaries"][0]["state"], &json["evidence"]["missing"]), (&json!("late"), &json!(2)), "what failed, not how it ended");
    assert!(text.contains("Lasted: `16m10s`"), "{text}");
    std::fs::write(scratch.0.join("ticket/notes.txt"), "mine").unwrap();
    let output = evidence(&scratch, &config, &["1", "--out", "ticket", "--force", "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["folder"], "ticket");
    assert!(scratch.0.join("ticket/notes.txt").exists());
    for (words, why) in [(&["7"][..], "no incident `7`"), (&["1", "--out", "no/where"][..], "making the folder")] {
        let output = evidence(&scratch, &config, words);
        assert!(output.status.code() == Some(1) && said(&output).contains(why), "{}", said(&output));
    }
}

#[test]
fn secrets_and_tokens_are_taken_out_and_addresses_if_wished() {
    let (scratch, _ledger, config) = scene(false);
    evidence(&scratch, &config, &["1", "--out", "a"]);
    evidence(&scratch, &config, &["1", "--out", "b", "--redact-addresses"]);
    for (folder, address) in [("a", "seed7f3@gmail.com"), ("b", "***@gmail.com")] {
        let (text, json) = written(&scratch, folder);
        for whole in [text, json.to_string()] {
            assert!(!whole.contains(SECRET) && !whole.contains(&token()), "{whole}");
            assert!(whole.contains(address) && whole.contains("mc-***") && whole.contains("10@example.net"), "{whole}");
            assert!(whole.contains("cannot be read here (1)"), "the credential cannot be read here");
        }
    }
}

#[test]
fn what_attackers_wrote_means_nothing_in_markdown() {
    let (scratch, _ledger, config) = scene(true);
    evidence(&scratch, &config, &["1", "--out", "x"]);
    let text = std::fs::read_to_string(scratch.0.join("x/incident.md")).unwrap();
    let json = std::fs::read_to_string(scratch.0.join("x/incident.json")).unwrap();
    let hidden = |c: &char| (c.is_control() && *c != '\n') || mailcanary::model::hides(*c);
    assert_eq!(text.chars().chain(json.chars()).find(hidden), None);
    let mut cmark = Command::new("cmark-gfm");
    cmark.args(["--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough", "-e", "tasklist"]).arg(scratch.0.join("x/incident.md"));
    let html = String::from_utf8(cmark.output().expect("cmark-gfm runs").stdout).unwrap();
    let outside = without_code(&html);
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "it stands there as it is:\n{html}");
    for bad in ["<script", "<a ", "<img", "<hr", "<input", "<blockquote", "evil.example", "@everyone", "<em", "<strong", "<del"] {
        assert!(!outside.contains(bad), "{bad} in\n{outside}");
    }
    assert_eq!((outside.matches("<h1").count(), outside.matches("<pre>").count()), (1, 2), "{outside}");
    assert!(outside.contains("<table>"));
}

/// HTML without what stands in `<code>`.
fn without_code(html: &str) -> String {
    let mut parts = html.split("<code>");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once("</code>").map_or("", |(_, rest)| rest))
}

#[test]
fn what_is_being_written_meanwhile_is_seen_whole_or_not_at_all() {
    let (scratch, mut ledger, config) = scene(false);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            // A transaction has two canaries, of which one is refused and one is lost.
            let mut number = 100;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let at = after(400_000 + number);
                let (refused, lost) = (number, number + 1);
                let records = [
                    sent(refused, at),
                    sent(lost, at),
                    answered(refused, at, Outcome::Refused(Class::Suspended), "550 no"),
                    Record { at, fact: Fact::Lost { canary: canary(lost) } },
                ];
                ledger.append(&records).expect("appends");
                number += 2;
            }
        });
        let mut seen = std::collections::BTreeSet::new();
        for turn in 0..12 {
            let output = evidence(&scratch, &config, &["1", "--out", &format!("turn-{turn}")]);
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
            let (_, json) = written(&scratch, &format!("turn-{turn}"));
            let route = &json["routes"][0];
            let (sent, refused, lost) = (route["sent"].as_u64(), route["states"]["refused"].as_u64(), route["states"]["lost"].as_u64());
            assert_eq!((sent, refused), (lost.map(|lost| lost * 2), lost), "{route}");
            seen.insert(sent);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(seen.len() > 1, "it was written meanwhile: {seen:?}");
    });
}

#[test]
fn headers_are_bounded_and_go_with_their_age() {
    let scratch = Scratch::new();
    let (mut ledger, _) = open(&scratch.ledger());
    for number in 0..2100 {
        ledger.keep_headers(after(number), &[(canary(number), "A: 1".to_owned())]).unwrap();
    }
    // What is there stays as it was.
    ledger.keep_headers(after(9000), &[(canary(2099), "another".to_owned())]).unwrap();
    let count = |query: &str| super::sqlite3(&scratch.ledger(), query);
    assert_eq!(count("SELECT count(*) FROM headers").trim(), "2000");
    assert_eq!(count("SELECT count(*) FROM headers WHERE header = 'another'").trim(), "0");
    let day = mailcanary::model::Span::from_secs(86_400);
    ledger.prune(after(0).plus(day.scaled(60, 1)), day, day.scaled(30, 1)).unwrap();
    assert_eq!(count("SELECT count(*) FROM headers").trim(), "0");
}

/// Of an identity, or a check, no canary fails: the way of the mail that had it first is shown all the same.
#[test]
fn the_way_of_the_first_mail_with_something_foreign_is_in_it() {
    let (scratch, mut ledger, config) = scene(false);
    let told = |number, kind, evidence: Value| {
        let change = Change::Opened;
        let notice = Notice {
            notice: NoticeId(number),
            incident: IncidentId(number),
            kind,
            severity: Severity::Warn,
            evidence,
            ..notice(1, change)
        };
        Record { at: after(1_300_000), fact: Fact::Told { notice, sinks: Vec::new(), silenced: false, late: false } }
    };
    let hop =
        |by: &str| Hop { by: by.to_owned(), from: "out.example".to_owned(), address: None, at: None, took: None, behind: None, side: None };
    let since = after(2 * 60_000 + 5000).rfc3339();
    let records = [
        told(8, Kind::Identity, json!({ "values": [{ "first_canary": canary(3).to_string() }, { "first_canary": "none" }, 7] })),
        told(
            9,
            Kind::Authentication,
            json!({ "checks": [{ "route": "mailchimp/password-reset/gmail-1", "since": since }, { "route": "a/b" }] }),
        ),
    ];
    let hops = [(2, "second.example"), (3, "third.example")].map(|(number, by)| Hops {
        canary: canary(number),
        inbox: name("gmail-1"),
        hops: vec![hop(by)],
        filter: Vec::new(),
        cut: number == 3,
    });
    ledger.append_with(&records, &hops).expect("appends");
    for (incident, number, by) in [("8", 3, "third.example"), ("9", 2, "second.example")] {
        let output = evidence(&scratch, &config, &[incident, "--out", incident]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let (text, json) = written(&scratch, incident);
        let mails = json["first_mails"].as_array().unwrap();
        assert_eq!((mails.len(), &mails[0]["canary"], &mails[0]["hops"][0]["by"]), (1, &json!(canary(number).to_string()), &json!(by)));
        assert!(text.contains("## The mails in which it was seen first") && text.contains(by), "{text}");
        assert_eq!((&mails[0]["cut"], text.contains("not read to its end")), (&json!(number == 3), number == 3), "{text}");
    }
}
