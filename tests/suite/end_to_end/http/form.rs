//! Acknowledging on the page, without a script: as a browser sends it, and as a page elsewhere would.

use std::process::Command;

use serde_json::{Value, json};

use super::{TOKEN, curl, daemon, outage};
use crate::end_to_end::life::{daemon_with, name, world};
use crate::support::alertmanager::{Folder, Receiver, wait_for};
use crate::support::browser::look;

/// What stands in the form's hidden field.
fn ticket(page: &str) -> String {
    page.split_once("name=\"ticket\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_acknowledged_on_its_page_by_who_has_the_token() {
    let (world, _hook, mut daemon, _token) = daemon("").await;
    let id = outage(&world, &mut daemon).await;
    let at = format!("http://127.0.0.1:{}/incidents/{id}/say", daemon.port);
    let (_, page) = daemon.get(&format!("/incidents/{id}")).await.unwrap();
    assert!(page.contains(&format!("href=\"{id}/say\"")), "{page}");
    let (status, form) = curl(&[&at]);
    assert!(status == 200 && form.contains("form-action 'self'") && form.contains("type=\"password\""), "{form}");
    assert!(!curl(&[at.trim_end_matches("/say")]).1.contains("form-action 'self'"), "only where there is a form");
    let mine = ticket(&form);
    let send = |fields: &[(&str, &str)], more: &[&str]| {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let sent: Vec<&str> = fields.iter().flat_map(|field| ["--data-urlencode", field.as_str()]).chain(more.iter().copied()).collect();
        curl(&[sent.as_slice(), &[&at]].concat())
    };
    let good = [("what", "ack"), ("by", "ann <b>"), ("note", "on it"), ("token", TOKEN), ("ticket", mine.as_str())];
    let with = |name: &str, value: &'static str| good.map(|(known, was)| if known == name { (known, value) } else { (known, was) });
    for (fields, status, why) in [
        (with("token", "wrong"), 403, "not the token"),
        (with("token", ""), 403, "not the token"),
        (with("ticket", "1.00"), 403, "open for too long"),
        (with("by", " "), 422, "who you are"),
        (with("what", "odd"), 422, "say what it is"),
    ] {
        let (got, said) = send(&fields, &[]);
        assert!(got == status && said.contains(why) && !said.contains(TOKEN) && said.contains("on it"), "{got} {said}");
    }
    for foreign in ["Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"] {
        let (status, said) = send(&good, &["-H", foreign]);
        assert!(status == 403 && said.contains("elsewhere"), "{foreign} {said}");
    }
    assert_eq!(curl(&["--json", "{}", &at]).0, 415);
    assert_eq!(daemon.ledger::<u32>("SELECT count(*) FROM people"), 0, "nothing of that was taken");
    let own = format!("Origin: http://127.0.0.1:{}", daemon.port);
    let (status, said) = send(&good, &["-H", &own, "-H", "Sec-Fetch-Site: same-origin"]);
    assert!(status == 303 && said.contains(&format!("location: ../{id}")), "{said}");
    let (_, page) = daemon.get(&format!("/incidents/{id}")).await.unwrap();
    assert!(page.contains("ann &lt;b&gt;") && page.contains("on it"), "{page}");
    let (status, said) = send(&with("what", "silence"), &[]);
    assert!(status == 422 && said.contains("how long"), "{said}");
    assert_eq!(send(&[&with("what", "silence")[..], &[("lasts", "4h")]].concat(), &[]).0, 303);
    assert!(daemon.get("/api/v1/silences").await.unwrap().1.contains("\"provider\":\"relay\""));
    assert_eq!(send(&with("what", "close"), &[]).0, 303);
    assert_eq!(curl(&[&format!("{}0/say", at.trim_end_matches("/say"))]).0, 404);
    assert_eq!(daemon.stop().await, Some(0));
    assert!(!daemon.log().contains(TOKEN));
}

/// What the API has of an open incident.
fn incident(text: &str) -> Option<Value> {
    serde_json::from_str::<Value>(text).ok()?.pointer("/incidents/0").cloned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_browser_sends_the_form_with_scripts_and_without_and_by_enter() {
    let (world, _hook, mut daemon, _token) = daemon("hosts = [\"canary.internal\"]\n").await;
    let id = outage(&world, &mut daemon).await;
    let say = |name: &str, host: &str, scripts: bool, enter: bool| {
        json!({
            "name": name, "url": format!("http://{host}:{}/incidents/{id}", daemon.port), "scripts": scripts, "enter": enter, "what": "ack",
            "fields": { "by": name, "note": format!("{name} is on it"), "token": TOKEN },
        })
    };
    // By a name that is not this host's a browser says nothing but the origin: it has no TLS.
    let all = [
        say("ann", "127.0.0.1", true, false),
        say("bob", "127.0.0.1", false, false),
        say("cy", "127.0.0.1", true, true),
        say("dan", "127.0.0.1", false, true),
        say("eve", "canary.internal", true, false),
        say("fay", "canary.internal", false, true),
    ];
    look(json!({ "pages": [], "say": all })).await;
    assert_eq!(daemon.ledger::<u32>("SELECT count(*) FROM people"), 6);
    let shown = incident(&daemon.get("/api/v1/incidents?open=true").await.unwrap().1).unwrap();
    assert_eq!(shown["acknowledged"]["by"], "ann", "{shown}");
    assert_eq!(shown["acknowledged"]["note"], "ann is on it");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_browser_sends_the_form_of_a_user_who_may_write() {
    let (folder, world, hook) = (Folder::new("users"), world(), Receiver::start(&[]).await);
    let made = Command::new("htpasswd").args(["-nbBC", "6", "ann", "right"]).output().unwrap().stdout;
    let users = String::from_utf8(made).unwrap().trim().replacen(':', ": ", 1);
    let file = folder.write("web.yml", &format!("basic_auth_users:\n  {users}\n"));
    let mut daemon = daemon_with(&format!("web_config = \"{}\"\nwriters = [\"ann\"]\n", file.display()), &world, &hook);
    daemon.spawn();
    let base = format!("http://127.0.0.1:{}", daemon.port);
    let open = || incident(curl(&["-u", "ann:right", &format!("{base}/api/v1/incidents?open=true")]).1.rsplit_once("\r\n\r\n")?.1);
    wait_for("the daemon", async || (curl(&[&format!("{base}/-/ready")]).0 == 200).then_some(())).await;
    world.provider(name("relay").as_str()).unwrap().set(mailcanary::sandbox::Fault::Refuse(mailcanary::model::Class::Suspended)).unwrap();
    let id = wait_for("the incident", async || open().map(|one| one["incident"].to_string())).await;
    let ann = json!({
        "name": "ann", "url": format!("{base}/incidents/{id}"), "scripts": false, "enter": true, "what": "ack", "fields": { "note": "seen" },
        "login": { "username": "ann", "password": "right" },
    });
    look(json!({ "pages": [], "say": [ann] })).await;
    assert_eq!(open().unwrap()["acknowledged"]["by"], "ann");
    assert_eq!(daemon.stop().await, Some(0));
}
