//! Early signs through `mailcanary step`: JSON in, JSON out, and the same again after a replay.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::alertmanager::Folder;

const CONFIG: &str = "[watch]\nevery = \"1h\"\n\n[stream.reset]\n\n[provider.grid.sendgrid]\nfrom = \"no-reply@example.com\"\n\
    api_key = { env = \"NOBODY_READS_IT\" }\n\n[inbox.seed.imap]\naddress = \"seed@example.net\"\nhost = \"imap.example.net\"\n\
    username = \"seed\"\npassword = { env = \"NOR_THIS\" }\n\n[sink.hook.webhook]\nurl = \"http://127.0.0.1:9/\"\n";
const BEGIN: i64 = 1_700_000_000_000;

/// The answers to these lines.
fn step(lines: &[Value]) -> Vec<Value> {
    let folder = Folder::new("step");
    let config = folder.write("mailcanary.toml", CONFIG);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailcanary"));
    let mut child = command.arg("step").arg("-c").arg(config).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answers: Vec<Value> = String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), lines.len());
    answers
}

fn at(minutes: i64, event: Value) -> Value {
    json!({ "at": BEGIN + minutes * 60_000, "event": event })
}

fn left(remaining: u64) -> Value {
    json!({ "signs": { "provider": "grid", "signs": [{ "quota": { "remaining": remaining, "limit": 1000, "renews_at": BEGIN + 86_400_000 } }] } })
}

fn told(answer: &Value) -> Vec<Value> {
    answer["effects"].as_array().unwrap().iter().filter_map(|effect| effect.get("notify").cloned()).collect()
}

#[test]
fn signs_come_in_and_questions_and_notices_go_out() {
    let lines = [
        at(0, json!({ "started": { "seed": 7 } })),
        at(1, json!({ "woke": {} })),
        at(2, left(190)),
        at(3, json!({ "no_signs": { "provider": "grid", "class": "rate", "why": "HTTP 429", "retry_after": 7_200_000 } })),
        at(20, json!({ "woke": {} })),
        at(124, json!({ "woke": {} })),
        at(125, left(900)),
        at(150, left(900)),
        at(151, json!({ "signs": { "provider": "nobody", "signs": [] } })),
        at(151, json!({ "signs": { "provider": "grid", "signs": [{ "karma": {} }] } })),
    ];
    let answers = step(&lines);
    let polls = |answer: &Value| answer["effects"].as_array().unwrap().contains(&json!({ "poll": { "provider": "grid" } }));
    assert!(polls(&answers[1]), "{}", answers[1]);
    assert!(answers[1]["records"].as_array().unwrap().iter().any(|r| r["fact"] == json!({ "polled": { "provider": "grid" } })));
    let opened = told(&answers[2]);
    assert_eq!(
        (&opened[0]["kind"], &opened[0]["change"], &opened[0]["severity"]),
        (&json!("early_sign"), &json!("opened"), &json!("warn"))
    );
    assert_eq!(opened[0]["culprit"], json!({ "provider": "grid" }));
    assert!(told(&answers[3]).is_empty() && told(&answers[4]).is_empty());
    assert!(!polls(&answers[4]) && polls(&answers[5]), "{} {}", answers[4], answers[5]);
    assert!(told(&answers[6]).is_empty());
    assert_eq!(told(&answers[7])[0]["change"], "resolved");
    assert_eq!(answers[8]["error"], "provider `nobody` is not asked how its account stands");
    assert!(answers[9]["error"].as_str().unwrap().contains("unknown variant `karma`"), "{}", answers[9]);

    // The records of the first lines, replayed, give the same answers to the rest.
    let records: Vec<Value> = answers[..6].iter().flat_map(|a| a["records"].as_array().unwrap().clone()).collect();
    let rest: Vec<Value> = std::iter::once(json!({ "replay": records })).chain(lines[6..8].iter().cloned()).collect();
    assert_eq!(step(&rest)[1..], answers[6..8]);
}
