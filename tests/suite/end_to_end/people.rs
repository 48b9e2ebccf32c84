//! The person on call: what they say on the command line and over HTTP reaches the watchdog, the page and the ledger.

use mailcanary::model::Class;
use mailcanary::sandbox::{Fault, World};
use serde_json::Value;

use super::life::{daemon_with, name, world};
use crate::support::alertmanager::{PATIENCE, Receiver};
use crate::support::daemon::Daemon;

const TOKEN: &str = "correct-horse-battery";

/// The relay's account is suspended: an incident is open.
async fn outage(http: &str) -> (World, Receiver, Daemon, String) {
    let world = world();
    let mut hook = Receiver::start(&[]).await;
    let mut daemon = daemon_with(http, &world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(20.0).await;
    world.provider(name("relay").as_str()).unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    let opened = hook.next().await.json();
    assert_eq!(opened["data"]["kind"], "refused", "{opened}");
    let id = opened["data"]["incident"].to_string();
    (world, hook, daemon, id)
}

fn ok(daemon: &Daemon, words: &[&str]) -> String {
    let (code, out, err) = daemon.say(words);
    assert_eq!(code, Some(0), "{words:?}: {err}");
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_listed_seen_closed_and_opened_again() {
    let (_world, mut hook, mut daemon, id) = outage("").await;
    let list = ok(&daemon, &["incident", "list"]);
    assert!(list.contains("page") && list.contains("refused") && list.contains("open"), "{list}");
    let acked = ok(&daemon, &["incident", "ack", &id, "--by", "ann", "--note", "\u{1b}[31mon it"]);
    assert!(acked.contains("by ann:  [31mon it") && !acked.contains('\u{1b}'), "{acked}");
    let (status, page) = daemon.get(&format!("/incidents/{id}")).await.unwrap();
    assert!(status == 200 && page.contains("Acknowledged by ann"), "{page}");
    let shown: Value = serde_json::from_str(&ok(&daemon, &["incident", "show", &id, "--json"])).unwrap();
    assert_eq!(shown["acknowledged"]["by"], "ann", "{shown}");
    daemon.kill();
    daemon.start().await;
    assert!(ok(&daemon, &["incident", "list"]).contains("ann has seen it"), "a restart forgets nothing");
    ok(&daemon, &["incident", "close", &id, "--by", "bob", "--note", "looks fine"]);
    let resolved = hook.notice(PATIENCE, |told| told["change"] == "resolved").await;
    assert_eq!(resolved["summary"], "closed by bob: looks fine");
    let again = hook.notice(PATIENCE, |told| told["change"] == "opened").await;
    assert!(again["summary"].as_str().unwrap().contains("bob closed it"), "{again}");
    let (code, _, err) = daemon.say(&["incident", "ack", &id, "--by", "ann"]);
    assert_eq!(code, Some(1));
    assert!(err.contains(&format!("no open incident `{id}`")), "{err}");
    let said: u32 = daemon.ledger("SELECT count(*) FROM people WHERE who IN ('ann', 'bob')");
    assert_eq!(said, 2);
    assert_eq!(daemon.stop().await, Some(0));
    let (code, _, err) = daemon.say(&["incident", "list"]);
    assert!(code == Some(1) && err.contains("is `mailcanary run` running"), "{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_is_kept_over_a_restart_and_told_of_at_its_end() {
    let world = world();
    let mut hook = Receiver::start(&[]).await;
    let mut daemon = daemon_with("", &world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(20.0).await;
    let added = ok(&daemon, &["silence", "add", "--provider", "relay", "--for", "1h", "--reason", "they move <b>house", "--by", "ann"]);
    assert!(added.contains("provider relay") && added.contains("they move <b>house"), "{added}");
    daemon.kill();
    daemon.start().await;
    world.provider("relay").unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    daemon.wait_for("the incident", async |d| (d.sum("mailcanary_incident_open").await? >= 1.0).then_some(())).await;
    assert!(ok(&daemon, &["silence", "list"]).contains("they move <b>house"));
    let (_, page) = daemon.get("/").await.unwrap();
    assert!(page.contains("provider relay, from") && page.contains("they move &lt;b&gt;house"), "{page}");
    assert!(hook.rest().is_empty(), "nobody is told");
    ok(&daemon, &["silence", "end", "1", "--by", "ann"]);
    let told = hook.next().await.json();
    assert_eq!((&told["type"], &told["data"]["kind"]), (&"incident.opened".into(), &"refused".into()), "{told}");
    for (words, why) in [
        (&["silence", "end", "9", "--by", "ann"][..], "no silence `9`"),
        (&["silence", "add", "--all", "--for", "1y", "--reason", "x", "--by", "ann"][..], "`lasts` is written as"),
        (&["silence", "add", "--all", "--for", "91d", "--reason", "x", "--by", "ann"][..], "90 days at most"),
        (&["silence", "add", "--all", "--until", "2020-01-01T00:00:00Z", "--reason", "x", "--by", "ann"][..], "not in the past"),
        (&["silence", "add", "--for", "1h", "--kind", "odd", "--reason", "x", "--by", "ann"][..], "unknown variant"),
        (&["silence", "add", "--all", "--for", "1h", "--reason", " ", "--by", "ann"][..], "needs a `reason`"),
    ] {
        let (code, _, err) = daemon.say(words);
        assert!(code == Some(1) && err.contains(why), "{words:?}: {err}");
    }
    // A name that is not there would silence nothing.
    let (code, _, err) = daemon.say(&["silence", "add", "--provider", "relais", "--for", "1h", "--reason", "x", "--by", "ann"]);
    assert!(code == Some(2) && err.contains("there is no provider `relais`"), "{err}");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_only_the_token_may_speak() {
    let folder = crate::support::alertmanager::Folder::new("token");
    let token = folder.write("http.token", TOKEN);
    let (_world, _hook, mut daemon, id) = outage(&format!("token = {{ file = \"{}\" }}\n", token.display())).await;
    let page = daemon.get(&format!("/incidents/{id}")).await.unwrap().1;
    assert!(page.contains(&format!("class=\"act\" href=\"{id}/say\"")), "{page}");
    let path = format!("/api/v1/incidents/{id}/ack");
    let body = r#"{"by": "ann", "note": "on it"}"#;
    for wrong in [None, Some("wrong"), Some("")] {
        assert_eq!(daemon.post(&path, wrong, body).await.0, 401);
    }
    let (status, said) = daemon.post(&path, Some(TOKEN), body).await;
    assert!(status == 200 && said.contains("\"by\":\"ann\""), "{status} {said}");
    for (path, body, expected) in [
        ("/api/v1/incidents/99/ack", body, 404),
        ("/api/v1/incidents/x/ack", body, 404),
        (path.as_str(), "{}", 400),
        (path.as_str(), "", 400),
        (path.as_str(), r#"{"by": " "}"#, 422),
        (path.as_str(), r#"{"by": "a", "colour": 1}"#, 400),
        ("/api/v1/sinks/try", r#"{"sink": "other", "by": "ann"}"#, 404),
        ("/api/v1/sinks/try", r#"{"sink": "hook"}"#, 400),
    ] {
        let (status, said) = daemon.post(path, Some(TOKEN), body).await;
        assert!(status == expected && said.contains("\"detail\""), "{path} {body}: {status} {said}");
    }
    assert_eq!(daemon.post(&path, Some(TOKEN), &format!("{{\"by\": \"{}\"}}", "x".repeat(100_000))).await.0, 413);
    let (status, tried) = daemon.post("/api/v1/sinks/try", Some(TOKEN), r#"{"sink": "hook", "by": "ann"}"#).await;
    assert!(status == 200 && tried.contains("\"tried\":false"), "it refuses nothing: {status} {tried}");
    let (status, listed) = daemon.get("/api/v1/incidents").await.unwrap();
    assert!(status == 200 && listed.contains("\"acknowledged\""), "{listed}");
    assert_eq!(daemon.stop().await, Some(0));
    assert!(!daemon.log().contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_nothing_can_be_changed_over_http() {
    let (_world, _hook, mut daemon, id) = outage("").await;
    let (status, said) = daemon.post(&format!("/api/v1/incidents/{id}/ack"), Some("any"), r#"{"by": "ann"}"#).await;
    assert!(status == 403 && said.contains("[http] token"), "{status} {said}");
    let (status, said) = daemon.post("/-/reload", None, "").await;
    assert!(status == 403 && said.contains("`mailcanary reload`"), "{status} {said}");
    // No button that leads to a form in which nothing can be said; the commands are there.
    let page = daemon.get(&format!("/incidents/{id}")).await.unwrap().1;
    assert!(!page.contains("class=\"act\""), "{page}");
    for command in ["incident ack ", "incident close ", "silence add --provider "] {
        assert!(page.contains(&format!("mailcanary {command}")), "{command}: {page}");
    }
    // A key that is lost beside a used ledger is no first start.
    assert_eq!(daemon.stop().await, Some(0));
    assert!(!daemon.log().contains("was gone"), "{}", daemon.log());
    std::fs::remove_file(daemon.folder.path().join("ledger/canary.key")).unwrap();
    daemon.start().await;
    assert!(daemon.log().contains("canaries that were in flight count as forged"), "{}", daemon.log());
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_rings_the_real_sink_and_says_how_long_it_took() {
    let world = world();
    let mut hook = Receiver::start(&[]).await;
    let mut daemon = daemon_with("", &world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(60.0).await;
    let (code, _, err) = daemon.say(&["drill", "provider", "nobody", "--by", "ann"]);
    assert!(code == Some(1) && err.contains("unknown provider `nobody`"), "{err}");
    let said = ok(&daemon, &["drill", "provider", "relay", "--as", "stopped", "--by", "ann"]);
    assert!(said.starts_with("the drill is over: paged ") && said.contains("after it began\n  hook: took it after "), "{said}");
    let page = hook.notice(PATIENCE, |told| told["change"] == "opened").await;
    assert!(page["summary"].as_str().unwrap().starts_with("DRILL (provider relay as stopped, by ann), nothing is wrong"), "{page}");
    assert_eq!(page["severity"], "page");
    let over = hook.notice(PATIENCE, |told| told["change"] == "resolved").await;
    assert!(over["summary"].as_str().unwrap().starts_with("DRILL, over: the first sink took the page "), "{over}");
    let took = daemon.metric("mailcanary_drill_last_page_seconds").await.unwrap();
    assert!((1.0..60.0).contains(&took), "{took}");
    assert_eq!(daemon.sum("mailcanary_canaries_lost_total").await, Some(0.0));
    let missing = "SELECT count(*) FROM canaries WHERE arrived_at IS NULL AND sent_at < (SELECT max(at) FROM people) - 20000";
    daemon.wait_for("what was withheld", async |d| (d.ledger::<u32>(missing) == 0).then_some(())).await;
    assert_eq!(daemon.stop().await, Some(0));
}
