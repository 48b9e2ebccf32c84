//! Real servers all the way: Postfix as the providers, Dovecot with Sieve as the inbox, a real Prometheus that scrapes and a real
//! Alertmanager that is told.

use std::process::Command;

use crate::support::alertmanager::{Alertmanager, Folder, Receiver};
use crate::support::certs::Authority;
use crate::support::daemon::Daemon;
use crate::support::dovecot::{self, Dovecot};
use crate::support::postfix::{Postfix, Stage};
use crate::support::prometheus::{self, Prometheus};

const PASSWORD: &str = "a provider's secret";
const HOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Providers `starttls` and `implicit` deliver; the mail of `spammy` is filed into Junk by the inbox's own Sieve script.
struct Mail {
    authority: Authority,
    dovecot: Dovecot,
    starttls: Postfix,
    implicit: Postfix,
    spammy: Postfix,
}

impl Mail {
    fn start() -> Self {
        let authority = Authority::new();
        let certificate = authority.issue(&["localhost", "127.0.0.1"]);
        let tls = Some((certificate.cert.clone(), certificate.key.clone()));
        let dovecot = Dovecot::run(&dovecot::Settings { tls, tls_only: true, sieve: true, ..dovecot::Settings::default() });
        let lmtp = format!("lmtp:inet:127.0.0.1:{}", dovecot.lmtp);
        let postfix = |mechanisms: &str| {
            Postfix::builder()
                .certificate(&certificate)
                .login("canary", PASSWORD, mechanisms)
                .virtual_transport(&lmtp)
                .setting("virtual_mailbox_domains = example.test")
        };
        let starttls = postfix("LOGIN").start();
        let implicit = postfix("PLAIN").start();
        let spammy = postfix("PLAIN LOGIN").refuse(Stage::Mail, "PREPEND X-Spam: yes").start();
        Self { authority, dovecot, starttls, implicit, spammy }
    }

    fn configuration(&self, folder: &Folder, alertmanager: &str, hook: &str) -> String {
        let secret = |name: &str, text: &str| folder.write(name, text).display().to_string();
        let (smtp, imap) = (secret("smtp.password", PASSWORD), secret("imap.password", dovecot::PASSWORD));
        let hook_secret = secret("hook.secret", HOOK_SECRET);
        let ca = self.authority.file().display().to_string();
        let provider = |name: &str, port: u16, tls: &str| {
            format!(
                "[provider.{name}.smtp]\nfrom = \"Example <no-reply@example.test>\"\nhost = \"localhost\"\nport = {port}\ntls = \"{tls}\"\nca_file = \"{ca}\"\nusername = \"canary\"\npassword = {{ file = \"{smtp}\" }}\n\n"
            )
        };
        let providers = [
            provider("starttls", self.starttls.port(), "starttls"),
            provider("implicit", self.implicit.smtps_port(), "implicit"),
            provider("spammy", self.spammy.port(), "starttls"),
        ]
        .concat();
        let (user, imaps) = (dovecot::USER, self.dovecot.imaps);
        format!(
            "[watch]\nevery = \"2s\"\ninstance = \"real\"\n\n[stream.reset]\nsubject = \"Reset your password\"\ndeadline = \"10m\"\n\n{providers}[inbox.seed.imap]\naddress = \"{user}\"\nhost = \"localhost\"\nport = {imaps}\nca_file = \"{ca}\"\nusername = \"{user}\"\npassword = {{ file = \"{imap}\" }}\n\n[sink.alertmanager.alertmanager]\nurls = [\"{alertmanager}\"]\n\n[sink.hook.webhook]\nurl = \"{hook}\"\nsecret = {{ file = \"{hook_secret}\" }}\nseverities = [\"page\"]\n"
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_over_postfix_and_dovecot_is_scraped_and_alerted_and_survives_a_kill() {
    let mail = Mail::start();
    let mut pager = Receiver::start(&[]).await;
    let mut hook = Receiver::start(&[]).await;
    let alertmanager = Alertmanager::start(pager.address).await;
    let mut daemon = Daemon::new(|folder| mail.configuration(folder, &alertmanager.url(), &format!("http://{}/", hook.address)));
    daemon.start().await;
    let prometheus = Prometheus::start(([127, 0, 0, 1], daemon.port).into()).await;
    daemon.wait_for_arrivals(45.0).await;
    let junk =
        daemon.metric("mailcanary_canaries_arrived_total{provider=\"spammy\",stream=\"reset\",inbox=\"seed\",placement=\"junk\"}").await;
    assert!(junk.unwrap() >= 10.0, "filed into Junk, and seen there: {junk:?}");
    let (_, metrics) = daemon.get("/metrics").await.unwrap();
    assert_eq!(prometheus::complaints(&metrics), None);

    // The provider goes on accepting, and keeps what it accepts.
    mail.starttls.set("defer_transports = lmtp");
    let page = hook.next().await;
    assert_eq!(page.json()["data"]["culprit"], serde_json::json!({ "provider": "starttls" }), "{}", page.json());
    assert_eq!(page.json()["data"]["kind"], "stopped");
    verify(&page);
    let stopped = "incident_open{kind=\"stopped\",culprit=\"provider:starttls\"}";
    daemon
        .wait_for("Prometheus to have scraped the incident", async |_| {
            (prometheus.value(&format!("mailcanary_{stopped}")).await >= 1.0).then_some(())
        })
        .await;
    let fires = async |d: &Daemon| {
        let _ = d;
        let alerts = alertmanager.alerts().await;
        let mine = alerts.iter().filter(|a| a["labels"]["severity"] == "page").count();
        (mine == 1).then_some(())
    };
    daemon.wait_for("Alertmanager to fire", fires).await;

    evidence_beside(&daemon, &page.json()["data"]["incident"]);

    daemon.kill();
    daemon.start().await;
    assert_eq!(daemon.metric(&format!("mailcanary_{stopped}")).await, Some(1.0), "the same incident is open");
    let arrived = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
    daemon.wait_for_arrivals(arrived + 10.0).await;
    daemon.wait_for("one alert, still", fires).await;
    for again in hook.rest() {
        assert_eq!(again.header("webhook-id"), page.header("webhook-id"), "{}", again.json());
    }

    mail.starttls.set("defer_transports =");
    mail.starttls.flush();
    let over = hook.next().await;
    assert_eq!(over.json()["type"], "incident.resolved", "{}", over.json());
    daemon
        .wait_for("every canary that was accepted to have arrived", async |d| {
            let missing: u32 = d.ledger(
                "SELECT count(*) FROM canaries WHERE outcome = 'accepted' AND arrived_at IS NULL AND sent_at < (SELECT max(resolved_at) FROM incidents WHERE kind = 'stopped')",
            );
            (missing == 0).then_some(())
        })
        .await;
    let mut told = Vec::new();
    while !told.iter().any(|j: &serde_json::Value| j["status"] == "resolved") {
        let said = pager.next().await.json();
        if said["commonLabels"]["severity"] == "page" {
            told.push(said);
        }
    }
    let firing = told.iter().filter(|j| j["status"] == "firing").count();
    let resolved = told.iter().filter(|j| j["status"] == "resolved").count();
    assert_eq!((firing, resolved), (1, 1), "{told:#?}");
    assert_eq!(daemon.stop().await, Some(0));
    no_secret_leaked(&daemon);
}

/// The bundle of the open incident, written while the daemon goes on: whole, each time, with what Postfix and Dovecot put into headers.
fn evidence_beside(daemon: &Daemon, incident: &serde_json::Value) {
    for turn in 0..5 {
        let folder = daemon.folder.path().join(format!("evidence-{turn}"));
        let out = folder.display().to_string();
        let (code, _, err) = daemon.say(&["incident", "evidence", &incident.to_string(), "--out", &out]);
        assert_eq!(code, Some(0), "{err}");
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let (text, json) = (read("incident.md"), read("incident.json"));
        for whole in [&text, &json] {
            assert!(![PASSWORD, dovecot::PASSWORD, HOOK_SECRET].iter().any(|secret| whole.contains(secret)));
            let token = |at: usize| whole[at + 3..].chars().take_while(char::is_ascii_alphanumeric).count() == 36;
            assert!(!whole.match_indices("mc-").any(|(at, _)| token(at)), "a token stands in it");
        }
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["kind"], &json["resolved_at"]), (&"stopped".into(), &serde_json::Value::Null));
        for route in json["routes"].as_array().unwrap() {
            let states: u64 = route["states"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum();
            assert_eq!(route["sent"].as_u64(), Some(states), "{route}");
        }
        assert!(
            json["canaries"]
                .as_array()
                .unwrap()
                .iter()
                .any(|c| c["route"] == "starttls/reset/seed" && c["reply"].as_str().is_some_and(|r| r.contains("queued as")))
        );
        let headers = json["headers"].as_array().unwrap();
        let of = |route: &str| headers.iter().find(|h| h["route"] == route).unwrap_or_else(|| panic!("{route}: {headers:#?}"));
        for route in ["starttls/reset/seed", "implicit/reset/seed", "spammy/reset/seed"] {
            let text = of(route)["text"].as_str().unwrap();
            let mail = &of(route)["mail"];
            let hops: Vec<&str> = mail["hops"].as_array().unwrap().iter().filter_map(|hop| hop["by"].as_str()).collect();
            assert!(hops.len() >= 2 && hops.contains(&"mail.test.example"), "{route}: {mail:#}");
            assert!(
                mail["marks"].as_array().unwrap().iter().any(|m| m["part"] == "From" && m["value"] == "no-reply@example.test"),
                "{mail:#}"
            );
            assert!(mail["marks"].as_array().unwrap().iter().all(|m| m["part"] != "content"), "nothing was changed on the way: {mail:#}");
            assert!(text.contains("Received: ") && text.contains("(Postfix)") && text.contains("Return-Path: "), "{route}: {text}");
        }
        assert_eq!(of("spammy/reset/seed")["placement"], "junk");
        assert!(
            text.contains("## Headers of mails that arrived")
                && text.contains("(Postfix)")
                && text.contains("- `From`: `no-reply@example.test`"),
            "{text}"
        );
    }
}

/// Holds the signature against one that another program makes.
fn verify(notice: &crate::support::alertmanager::Received) {
    let key = HOOK_SECRET.trim_start_matches("whsec_");
    let script = "import base64,hashlib,hmac,sys\nkey=base64.b64decode(sys.argv[1])\nbody=sys.stdin.buffer.read()\nprint('v1,'+base64.b64encode(hmac.new(key,f'{sys.argv[2]}.{sys.argv[3]}.'.encode()+body,hashlib.sha256).digest()).decode())";
    let (id, timestamp) = (notice.header("webhook-id").unwrap(), notice.header("webhook-timestamp").unwrap());
    let mut child = Command::new("python3")
        .args(["-c", script, key, id, timestamp])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &notice.body).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), notice.header("webhook-signature").unwrap());
}

fn no_secret_leaked(daemon: &Daemon) {
    let file = daemon.folder.path().join("ledger/ledger.sqlite");
    let dump = Command::new("sqlite3").arg(file).arg(".dump").output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let all = [daemon.log(), String::from_utf8_lossy(&dump.stdout).into_owned()].concat();
    for secret in [PASSWORD, dovecot::PASSWORD, HOOK_SECRET] {
        assert!(!all.contains(secret), "a secret stands in the log or in the ledger");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_live_and_probe_work_over_real_servers_and_say_what_is_wrong() {
    let mail = Mail::start();
    let (mut hook, mut alerts) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let (to_hook, to_alerts) = (format!("http://{}/", hook.address), format!("http://{}", alerts.address));
    let daemon = Daemon::new(|folder| mail.configuration(folder, &to_alerts, &to_hook));
    let output = daemon.command("check").args(["--live", "--resolver", "127.0.0.1:9"]).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("ok      sink hook: took a test notice (page), and its end: look there"), "{text}");
    let (test, over) = (hook.next().await.json(), hook.next().await.json());
    assert_eq!((&test["type"], &over["type"]), (&"incident.opened".into(), &"incident.resolved".into()), "{test} {over}");
    assert!(test["data"]["summary"].as_str().unwrap().starts_with("TEST, nothing is wrong") && test["data"]["evidence"]["test"] == "hook");
    assert!(alerts.next().await.json().to_string().contains("TEST, nothing is wrong"));
    let output = daemon.command("probe").args(["--route", "*/reset/*", "--timeout", "60s"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("3 of 3 canaries arrived") && text.contains("(junk)"), "{text}");
    daemon.folder.write("smtp.password", "wrong");
    let output = daemon.command("check").args(["--live", "--resolver", "127.0.0.1:9"]).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("auth") && text.contains("535"), "{text}");
}
